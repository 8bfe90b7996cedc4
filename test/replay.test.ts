import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { compileForGuest } from '../cli/toolchain.ts';
import { EVENT_KINDS } from '../src/base/event-kinds.ts';
import { MemoryEnvironment } from '../src/machine/memory-environment.ts';
import { pfn } from '../src/machine/units.ts';
import { encodeEntry, type JournalEntry } from '../src/observe/recording/journal.ts';
import {
  CheckpointRecorder,
  type CheckpointSource,
  type TakenCheckpoint,
} from '../src/observe/recording/recorded-checkpoints.ts';
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
  readonly checkpoints: readonly (TakenCheckpoint & { readonly eventsBefore: number })[];
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

/** `slice`: instructions of a call of run; behind the 2nd, 4th, 8th ... one a checkpoint is taken. */
async function record(name: string, options: Partial<SystemOptions> = {}, slice = SLICE): Promise<Recorded> {
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
  let position = 0;
  const add = (entry: JournalEntry): void => {
    const bytes = encodeEntry(entry);
    pieces.push(bytes);
    position += bytes.length;
  };
  const system = new System({ ...made, environment, journal: { add } });
  const recorder = new CheckpointRecorder(system, system.kernel.environment);
  const checkpoints: Recorded['checkpoints'][number][] = [];
  const events: string[] = [];
  listen(system, events);
  system.mount({ host: '/files', guest: '/files', mode: 'overlay' });
  const pid = system.spawn('/files/p', ['/files/p']);
  for (let i = 0; i < 1e5 && system.run({ instructions: slice }) === 'budget'; i++)
    if (i === 2) system.sendSignal(pid, 28);
    else if (i > 0 && (i & (i - 1)) === 0) {
      const { issued } = system;
      const checkpoint = recorder.take({ position, issued, nowNs: system.kernel.clock.nowNs });
      checkpoints.push({ ...checkpoint, eventsBefore: events.length });
    }
  const stats = JSON.stringify([system.exitStatus(pid), system.stats({ wallMs: 0 })]);
  expect(system.shutdown().leakedFrames).toBe(0);
  const journal = Buffer.concat(pieces);
  return {
    machine: { options: made, stdio: environment.stdio, hasHost: true },
    journal,
    events,
    output: output.join(''),
    stats,
    checkpoints,
  };
}

/** As a file has them: blocks by their numbers. */
function sourceOf(checkpoints: Recorded['checkpoints']): CheckpointSource {
  const blocks = new Map(checkpoints.flatMap((each) => each.blocks).map(({ number, words }) => [number, words]));
  return {
    points: checkpoints,
    bytesOf: (index) => checkpoints[index].bytes,
    findBlock: (number) => blocks.get(number) ?? null,
  };
}

function firstPid(replay: Replay): number {
  return [...replay.system.kernel.spawnedStatus.keys()][0];
}

function statsOf(replay: Replay): string {
  const { system } = replay;
  return JSON.stringify([system.exitStatus(firstPid(replay)), system.stats({ wallMs: 0 })]);
}

test('frames that were never allocated hold zeroes: nobody looks at them for a checkpoint', async () => {
  const program = await compile('swap-pages');
  const system = new System({ environment: new MemoryEnvironment(), memoryBytes: 32 * 2 ** 20 });
  system.writeFile('/p', program, 0o755);
  system.spawn('/p', ['/p']);
  expect(system.run({ instructions: 50_000_000 })).toBe('exited');
  const { ram } = system.kernel.mm;
  const untouched = [...ram.touched.keys()].filter((frame) => ram.touched[frame] === 0);
  expect(untouched.length).toBeGreaterThan(100);
  expect(untouched.length).toBeLessThan(ram.frameCount - 100);
  for (const frame of untouched) expect(ram.bytesOf(pfn(frame)).every((byte) => byte === 0)).toBe(true);
  system.shutdown();
});

/** What a checkpoint leads to has a name in another machine: with all kinds of objects of the kernel. */
describe.each([
  'thread-malloc',
  'sig-restart',
  'swap-pages',
  'mm-ksm',
  'mm-thp-split',
  'uffd-missing',
  'ipc-shm',
  'fd-hugetlb',
  'socket-unix',
  'cgroup-core',
])('%s', (name) => {
  test('goes on in another machine from each recorded checkpoint as it did', async () => {
    const recorded = await record(name, {}, SLICE / 100);
    const { length } = recorded.checkpoints;
    expect(length).toBeGreaterThan(0);
    const replay = new Replay(recorded.machine, recorded.journal);
    const known = replay.recordedCheckpoints(sourceOf(recorded.checkpoints));
    const events: string[] = [];
    listen(replay.system, events);
    for (const index of new Set([length - 1, length >> 1, 0])) {
      const { position, issued, eventsBefore } = recorded.checkpoints[index];
      const machine = known.decode(index);
      if (machine === null) throw new Error('a block is not there');
      replay.restore({ machine, position, underWay: null, lastTrapAt: issued });
      expect(replay.system.issued).toBe(issued);
      replay.system.checkInvariants();
      events.length = 0;
      expect(replay.forward({ at: 'end' })).toBe('ended');
      expect(events).toEqual(recorded.events.slice(eventsBefore, eventsBefore + events.length));
      expect(statsOf(replay)).toBe(recorded.stats);
    }
    expect(replay.finish()?.leakedFrames).toBe(0);
  });
});

describe.each([
  ['thread-malloc', {}],
  ['sig-restart', {}],
  ['sig-restart', { jit: 'always' }],
  ['time-basic', { clock: 'host' }],
  ['demo', { paging: 'sv48', vmaIndex: 'rbtree', jit: 'always' }],
  ['swap-pages', { memoryBytes: 8 * 2 ** 20 }],
  ['demo', { inject: { frames: 0.01, slab: 0.01, diskRead: 0, diskWrite: 0, swapFull: false } }],
] as [string, Partial<SystemOptions>][])('%s %o', (name, options) => {
  test('leaves the same events, output and counters when it is replayed', async () => {
    const recorded = await record(name, options);
    expect(recorded.events.length).toBeGreaterThan(100);
    const output: string[] = [];
    const decoder = new TextDecoder();
    const replay = new Replay(recorded.machine, recorded.journal, {
      jit: options.jit,
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
    const replay = new Replay(recorded.machine, recorded.journal, { jit: options.jit });
    const events: string[] = [];
    listen(replay.system, events);
    replay.forward({ at: 'event', name: 'faultline:page_fault', count: 60 });
    const first = replay.checkpoint();
    const firstAt = events.length;
    replay.forward({ at: 'event', name: 'faultline:page_fault', count: 150 });
    const second = replay.checkpoint(first);
    const secondAt = events.length;
    expect(second.machine.ownBytes(first.machine)).toBeLessThan(first.machine.ownBytes(null));
    for (const [checkpoint, at] of [
      [second, secondAt],
      [first, firstAt],
      [second, secondAt],
    ] as const) {
      replay.restore(checkpoint);
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
