import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { compileForGuest } from '../cli/toolchain.ts';
import { EVENT_KINDS } from '../src/base/event-kinds.ts';
import { MemoryEnvironment } from '../src/machine/memory-environment.ts';
import { encodeEntry, type JournalEntry } from '../src/observe/recording/journal.ts';
import { type RecordedMachine, Replay } from '../src/replay.ts';
import { System } from '../src/system.ts';
import type { SystemOptions } from '../src/system-options.ts';

/**
 * A run that was recorded, and the same again: every event with its time and values, the output, the counters and the end are the same
 * (decision D3); from a checkpoint on too.
 */
const SLICE = 300_000;

interface Recorded {
  readonly machine: RecordedMachine;
  readonly journal: Uint8Array;
  readonly events: readonly string[];
  readonly output: string;
  readonly stats: string;
}

async function compile(name: string): Promise<Uint8Array> {
  const source = fileURLToPath(new URL(`../guest/${name}.c`, import.meta.url));
  const built = await compileForGuest(source, { extraFlags: ['-std=gnu11'], env: process.env });
  if ('error' in built) throw new Error(built.error);
  return readFileSync(built.elf);
}

/** Each event as a line, from here on. */
function listen(system: System, lines: string[]): void {
  system.on(
    EVENT_KINDS.map(({ name }) => name),
    ({ kind, timeNs, values }) => lines.push(`${timeNs} ${EVENT_KINDS[kind].name} ${values.join(' ')}`),
  );
}

async function record(name: string, options: Partial<SystemOptions> = {}): Promise<Recorded> {
  const program = await compile(name);
  const pieces: Uint8Array[] = [];
  const output: string[] = [];
  const decoder = new TextDecoder();
  const environment = new MemoryEnvironment({
    host: { '/files/p': program },
    onOutput: (descriptor, bytes) => output.push(`${descriptor}: ${decoder.decode(bytes)}`),
  });
  environment.timeNs = 1.7e18;
  const made = { memoryBytes: 32 * 2 ** 20, seed: 5, ...options };
  const system = new System({
    ...made,
    environment,
    journal: { add: (entry: JournalEntry) => pieces.push(encodeEntry(entry)) },
  });
  const events: string[] = [];
  listen(system, events);
  system.mount({ host: '/files', guest: '/files', mode: 'overlay' });
  const pid = system.spawn('/files/p', ['/files/p']);
  for (let i = 0; i < 400 && system.run({ instructions: SLICE }) === 'budget'; i++)
    if (i === 2) system.sendSignal(pid, 28);
  const stats = JSON.stringify([system.exitStatus(pid), system.stats({ wallMs: 0 })]);
  expect(system.shutdown().leakedFrames).toBe(0);
  const journal = Buffer.concat(pieces);
  return {
    machine: { options: made, stdio: environment.stdio, hasHost: true },
    journal,
    events,
    output: output.join(''),
    stats,
  };
}

function firstPid(replay: Replay): number {
  return [...replay.system.kernel.spawnedStatus.keys()][0];
}

function statsOf(replay: Replay): string {
  const { system } = replay;
  return JSON.stringify([system.exitStatus(firstPid(replay)), system.stats({ wallMs: 0 })]);
}

describe.each([
  ['thread-malloc', {}],
  ['sig-restart', {}],
  ['sig-restart', { jit: 'always' }],
  ['time-basic', { clock: 'host' }],
  ['demo', { paging: 'sv48', vmaIndex: 'rbtree' }],
  ['swap-pages', { memoryBytes: 8 * 2 ** 20 }],
  ['demo', { inject: { frames: 0.01, slab: 0.01, diskRead: 0, diskWrite: 0, swapFull: false } }],
] as [string, Partial<SystemOptions>][])('%s %o', (name, options) => {
  test('leaves the same events, output and counters when it is replayed', async () => {
    const recorded = await record(name, options);
    expect(recorded.events.length).toBeGreaterThan(100);
    const output: string[] = [];
    const decoder = new TextDecoder();
    const replay = new Replay(recorded.machine, recorded.journal, {
      onOutput: (descriptor, bytes) => output.push(`${descriptor}: ${decoder.decode(bytes)}`),
    });
    const events: string[] = [];
    listen(replay.system, events);
    expect(replay.forward({ at: 'end' })).toBe('ended');
    const stats = statsOf(replay);
    expect(replay.finish()?.leakedFrames).toBe(0);
    expect(events).toEqual(recorded.events);
    expect(output.join('')).toBe(recorded.output);
    expect(stats).toBe(recorded.stats);
  });

  test('is the same again from any checkpoint, as often as one likes', async () => {
    const recorded = await record(name, options);
    const replay = new Replay(recorded.machine, recorded.journal);
    const events: string[] = [];
    listen(replay.system, events);
    replay.forward({ at: 'event', name: 'faultline:page_fault', count: 60 });
    const first = replay.checkpoint();
    const firstAt = events.length;
    replay.forward({ at: 'event', name: 'faultline:page_fault', count: 150 });
    const second = replay.checkpoint(first);
    const secondAt = events.length;
    expect(second.ownBytes(first)).toBeLessThan(first.ownBytes(null));
    for (const [checkpoint, at] of [
      [second, secondAt],
      [first, firstAt],
      [second, secondAt],
    ] as const) {
      checkpoint.restore();
      replay.system.checkInvariants();
      events.length = at;
      expect(replay.forward({ at: 'end' })).toBe('ended');
      expect(events).toEqual(recorded.events.slice(0, events.length));
      expect(statsOf(replay)).toBe(recorded.stats);
    }
    expect(replay.finish()?.leakedFrames).toBe(0);
    expect(events).toEqual(recorded.events);
  });
});
