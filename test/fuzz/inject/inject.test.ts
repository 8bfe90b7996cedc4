import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { compileExecutor } from '../mm/programs.ts';
import { InjectMachine } from './machine.ts';
import { makeInjectWalk } from './walk.ts';

/** `npm run fuzz:inject` walks for as long as one likes. */
const SEEDS = [100, 116, 133, 142, 146, 157, 169, 185];
const EFFORT = { everyTraps: 131, maxInstructions: 20_000_000 };

let machine: InjectMachine;
beforeAll(async () => {
  machine = new InjectMachine(await compileExecutor('riscv64', join(import.meta.dirname, 'inject.c')));
});

describe('walks under injected faults keep every invariant and leave nothing behind', () => {
  it.each(SEEDS)('seed %i', (seed) => {
    const report = machine.run(makeInjectWalk(new Rng(seed), 40), seed, EFFORT);
    expect(report.injected).toBeGreaterThan(0);
  });

  it('the same seed fails the same requests', () => {
    const walk = makeInjectWalk(new Rng(133), 15);
    expect(machine.run(walk, 133, EFFORT)).toEqual(machine.run(walk, 133, EFFORT));
  });
});
