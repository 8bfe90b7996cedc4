import { describe, expect, it } from 'vitest';
import { fc } from '../../../test/property.ts';
import { createReclaimPolicy, type ReclaimPolicyName } from './kinds.ts';
import { missesOf } from './plain-memory.ts';
import { clockProMisses } from './testing/clock-pro-model.ts';
import { arcMisses, clockMisses, fifoMisses, lruMisses, type Model, optMisses } from './testing/models.ts';

const MODELS: readonly (readonly [ReclaimPolicyName, Model])[] = [
  ['fifo', fifoMisses],
  ['clock', clockMisses],
  ['lru', lruMisses],
  ['arc', arcMisses],
  ['clock-pro', clockProMisses],
];
const OTHERS: readonly ReclaimPolicyName[] = ['random', 'nru', 'aging-2.4', 'mglru', 'two-list'];

const misses = (name: ReclaimPolicyName, references: readonly number[], frames: number): number =>
  missesOf((table) => createReclaimPolicy(name, table), references, frames);

/** References of any order, around loops, along scans, and such as favour few pages (Zipf), one after the other. */
const anywhere = fc.array(fc.nat(15), { minLength: 1, maxLength: 80 });
const loop = fc
  .record({ from: fc.nat(15), pages: fc.integer({ min: 2, max: 12 }), rounds: fc.integer({ min: 1, max: 6 }) })
  .map(({ from, pages, rounds }) => Array.from({ length: pages * rounds }, (_, at) => from + (at % pages)));
const scan = fc
  .record({ from: fc.integer({ min: 20, max: 40 }), pages: fc.integer({ min: 1, max: 30 }) })
  .map(({ from, pages }) => Array.from({ length: pages }, (_, at) => from + at));
const zipf = fc
  .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 100 })
  .map((draws) => draws.map((draw) => Math.floor(24 ** draw) - 1));
const strings = fc
  .array(fc.oneof(anywhere, loop, scan, zipf), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.flat());
const sizes = fc.integer({ min: 1, max: 12 });

describe('page reference strings', () => {
  it.each(MODELS)('miss as often with %s as in a simple model', (name, model) => {
    fc.assert(
      fc.property(strings, sizes, (references, frames) => {
        expect(misses(name, references, frames)).toBe(model(references, frames));
      }),
      { numRuns: 300 },
    );
  });

  it("never miss less than Belady's optimum", () => {
    fc.assert(
      fc.property(strings, sizes, (references, frames) => {
        const least = optMisses(references, frames);
        for (const name of [...MODELS.map(([each]) => each), ...OTHERS])
          expect(misses(name, references, frames)).toBeGreaterThanOrEqual(least);
      }),
    );
  });

  it("show Belady's anomaly with fifo: more frames, more misses", () => {
    const references = [1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5];
    expect([misses('fifo', references, 3), misses('fifo', references, 4)]).toEqual([9, 10]);
  });

  it('leave what is used again and again alone, with arc and clock-pro, while a scan goes by', () => {
    const references: number[] = [];
    for (let round = 0; round < 60; round++)
      references.push(0, 1, 2, 3, 0, 1, 2, 3, ...[0, 1, 2, 3].map((at) => 100 + 4 * round + at));
    const least = optMisses(references, 6);
    for (const name of ['arc', 'clock-pro'] as const)
      expect(misses(name, references, 6)).toBeLessThan(least + (misses('lru', references, 6) - least) / 4);
  });
});
