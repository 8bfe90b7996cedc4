import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { FaultlineMachine } from './machines.ts';
import { compileExecutor } from './programs.ts';
import { expectedPath, FOUND, foundNames, hashOf, readSteps, readWalks, reportText } from './recorded.ts';

/**
 * Walks whose answers on Linux are recorded (`npm run fuzz:mm -- --record`). Where one differs,
 * `npm run fuzz:mm -- --replay FILE` on a Linux of that version shows both reports.
 */
const recorded = readWalks();
let machine: FaultlineMachine;
beforeAll(async () => {
  machine = new FaultlineMachine(await compileExecutor('riscv64'));
});

describe(`walks that once differed from Linux ${recorded.kernel}`, () => {
  for (const name of foundNames())
    it(name, () => {
      const report = machine.run(readSteps(join(FOUND, `${name}.steps`)), 'every-trap');
      expect(reportText(report)).toBe(readFileSync(expectedPath(name), 'utf8'));
    });
});

describe(`random walks as on Linux ${recorded.kernel}`, () => {
  for (const { seed, steps } of recorded.walks)
    it(`seed ${seed}`, () => {
      const report = machine.run(steps.map(([step]) => step));
      for (const [i, [step, hash]] of steps.entries())
        if (report[i] === undefined || hashOf(report[i]) !== hash)
          throw new Error(`step ${i} differs from Linux: ${step}\n${report[i]}${report.slice(steps.length).join('')}`);
      expect(report.length).toBe(steps.length);
    });
});
