import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { compileForGuest } from '../cli/toolchain.ts';
import { type JitMode, type JitPace, PACES } from '../src/arch/riscv64/jit/pace.ts';
import { MemoryEnvironment } from '../src/machine/memory-environment.ts';
import { System } from '../src/system.ts';
import { fuzzData } from './fuzz/call-data.ts';
import { callSequence } from './fuzz/call-generator.ts';
import { tableProgram } from './fuzz/table-machine.ts';

/**
 * What a machine does is a function of the program and the seed (decision D3): not of how its caller cuts the run into pieces, nor of
 * what code is translated.
 * Traces of faults and calls, output and stats are the same bytes.
 */
const TOTAL_INSTRUCTIONS = 40_000_000;

/** As 'on', for programs that end before it begins. */
const SOON: JitPace = {
  ...PACES.on,
  startAfter: 20_000,
  countEvery: 3,
  firstLook: 4,
  countsPerInstruction: 0,
  batchWait: 2000,
};

function record(
  program: Uint8Array,
  slice: number,
  total = TOTAL_INSTRUCTIONS,
  jit: JitMode | JitPace = 'off',
): string {
  const lines: string[] = [];
  const onOutput = (descriptor: number, bytes: Uint8Array): void => {
    lines.push(`${descriptor}: ${new TextDecoder().decode(bytes)}`);
  };
  const system = new System({
    environment: new MemoryEnvironment({ onOutput }),
    memoryBytes: 32 * 2 ** 20,
    seed: 3,
    jit,
  });
  system.writeFile('/p', program, 0o755);
  system.traceFaults((line) => lines.push(line));
  system.traceSyscalls((line) => lines.push(line));
  const pid = system.spawn('/p', ['/p']);
  let status = 'budget';
  for (let done = 0; done < total && status === 'budget'; done += slice) status = system.run({ instructions: slice });
  lines.push(status, JSON.stringify(system.exitStatus(pid)), JSON.stringify(system.stats({ wallMs: 0 })));
  expect(system.shutdown().leakedFrames).toBe(0);
  return lines.join('\n');
}

test.each(['thread-malloc', 'thread-sync', 'time-basic', 'sig-restart', 'proc-wait', 'mm-stack'])(
  '%s',
  async (name) => {
    const source = fileURLToPath(new URL(`../guest/${name}.c`, import.meta.url));
    const built = await compileForGuest(source, { extraFlags: ['-std=gnu11'], env: process.env });
    if ('error' in built) throw new Error(built.error);
    const program = readFileSync(built.elf);
    const whole = record(program, 4_000_000);
    expect(whole).toContain('exited');
    expect(record(program, 4_000_000)).toBe(whole);
    expect(record(program, 10_000)).toBe(whole);
    expect(record(program, 4_000_000, TOTAL_INSTRUCTIONS, 'always')).toBe(whole);
    expect(record(program, 4_000_000, TOTAL_INSTRUCTIONS, SOON)).toBe(whole);
  },
);

test('processes, threads and signals of random calls', () => {
  let compared = 0;
  for (let seed = 0; seed < 12; seed++) {
    const program = tableProgram(callSequence(seed, 60), fuzzData());
    const whole = record(program, 4_000_000, 4_000_000);
    // Where all sleep for ever or one spins, the run ends by its budget, and stats of the two differ in what is beyond it.
    if (whole.includes('\nbudget\n')) continue;
    expect(record(program, 777)).toBe(whole);
    compared++;
  }
  expect(compared).toBeGreaterThanOrEqual(6);
});
