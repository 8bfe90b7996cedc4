import { expect, test } from 'vitest';
import { MemoryEnvironment } from '../../src/machine/memory-environment.ts';
import { System } from '../../src/system.ts';
import { fuzzData } from './call-data.ts';
import { callSequence } from './call-generator.ts';
import { runRandomCode } from './random-code.ts';
import { tableProgram } from './table-machine.ts';

/**
 * Sequences of calls with structured arguments, across forks, threads, signals and limits, in machines of 5 to 16 MiB where
 * allocations fail. No exception, every invariant, no frame lost, and `run` comes back.
 */
const DATA = fuzzData();

function run(seed: number): void {
  const memoryBytes = [6, 8, 16, 5][seed % 4] * 2 ** 20;
  const system = new System({ environment: new MemoryEnvironment({}), memoryBytes, seed });
  system.writeFile('/fuzz', tableProgram(callSequence(seed, 20 + (seed % 7) * 30), DATA), 0o755);
  system.spawn('/fuzz', ['/fuzz']);
  for (let i = 0; i < 20 && system.run({ instructions: 20_000 }) === 'budget'; i++);
  system.checkInvariants();
  expect(system.shutdown().leakedFrames).toBe(0);
}

/**
 * Each found something once: a wait for ever in futex, a lost sighand, an exit signal that is none, a timerfd beyond its limit,
 * kcmp with a task that has ended.
 */
test.each([89, 107, 129, 1675, 11225])('seed %i', run);

test('a moderate number of seeds', () => {
  for (let seed = 50_000; seed < 50_120; seed++) run(seed);
});

test('programs of random instructions', () => {
  for (let seed = 0; seed < 15; seed++) expect(runRandomCode(seed)).toMatch(/^(budget|signal \d+|exit [0n])$/);
});
