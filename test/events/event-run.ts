import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compileForGuest } from '../../cli/toolchain.ts';
import { MemoryEnvironment } from '../../src/machine/memory-environment.ts';
import { encodeEntry } from '../../src/observe/recording/journal.ts';
import type { RecordedMachine } from '../../src/replay.ts';
import { System } from '../../src/system.ts';
import type { SystemOptions } from '../../src/system-options.ts';

export interface EventRun {
  readonly system: System;
  readonly machine: RecordedMachine;
  readonly journal: Uint8Array;
  readonly output: string;
  readonly exitStatus: ReturnType<System['exitStatus']>;
}

export interface EventRunOptions extends Partial<SystemOptions> {
  readonly swapBytes?: number;
}

/** Compiles a program of the repository and runs it to its end; `watch` gets the machine before it is started. Recorded. */
export async function runForEvents(
  source: string,
  { swapBytes, ...options }: EventRunOptions,
  watch: (system: System) => void,
): Promise<EventRun> {
  const file = fileURLToPath(new URL(`../../${source}`, import.meta.url));
  const built = await compileForGuest(file, { extraFlags: ['-std=gnu11'], env: process.env });
  if ('error' in built) throw new Error(built.error);
  const pieces: Uint8Array[] = [];
  const output: string[] = [];
  const decoder = new TextDecoder();
  const environment = new MemoryEnvironment({
    host: { '/files/p': readFileSync(built.elf), '/work/here': new Uint8Array(1) },
    onOutput: (_descriptor, bytes) => output.push(decoder.decode(bytes)),
  });
  const made = { memoryBytes: 64 * 2 ** 20, seed: 5, ...options };
  const journal = { add: (entry: Parameters<typeof encodeEntry>[0]) => pieces.push(encodeEntry(entry)) };
  const system = new System({ ...made, environment, journal });
  watch(system);
  if (swapBytes !== undefined) system.addSwap({ sizeBytes: swapBytes });
  system.mount({ host: '/files', guest: '/files', mode: 'overlay' });
  system.mount({ host: '/work', guest: '/work', mode: 'overlay' });
  const pid = system.spawn('/files/p', ['/files/p'], { cwd: '/work' });
  for (let i = 0; i < 200 && system.run({ instructions: 1_000_000 }) === 'budget'; i++);
  return {
    system,
    machine: { options: made, stdio: environment.stdio, hasHost: true },
    journal: Buffer.concat(pieces),
    output: output.join(''),
    exitStatus: system.exitStatus(pid),
  };
}
