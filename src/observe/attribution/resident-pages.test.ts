import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Resident, ResidentPages } from './resident-pages.ts';

interface Named extends Resident {
  readonly name: number;
}

describe('ResidentPages', () => {
  it('has the sums of a model, now and at the peak', () => {
    const step = fc.record({
      kind: fc.constantFrom('map', 'unmap', 'move'),
      space: fc.nat(1),
      page: fc.nat(30),
      row: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const rows: Named[] = [0, 1, 2, 3].map((name) => ({ name, resident: 0, sincePeak: 0 }));
        const ledger = new ResidentPages<Named>();
        const model = new Map<string, number>();
        let peak = [0, 0, 0, 0];
        const sums = (): number[] => rows.map(({ name }) => [...model.values()].filter((each) => each === name).length);
        steps.forEach(({ kind, space, page, row }, at) => {
          if (kind === 'map' && !model.has(`${space} ${page}`)) {
            ledger.map(space, page, 1, rows[row]);
            model.set(`${space} ${page}`, row);
          } else if (kind === 'unmap') {
            ledger.unmap(space, page, 2);
            for (const each of [page, page + 1]) model.delete(`${space} ${each}`);
          } else if (kind === 'move' && !model.has(`${space} ${page + 100}`)) {
            ledger.move(space, page, page + 100, 1);
            const moved = model.get(`${space} ${page}`);
            if (moved !== undefined) model.set(`${space} ${page + 100}`, moved);
            model.delete(`${space} ${page}`);
          }
          ledger.settle(at);
          if (model.size > peak.reduce((a, b) => a + b)) peak = sums();
        });
        expect(rows.map(({ resident }) => resident)).toEqual(sums());
        expect(rows.map(({ resident, sincePeak }) => resident - sincePeak)).toEqual(peak);
        expect(ledger.pages).toBe(model.size);
      }),
      { seed: 1 },
    );
  });
});
