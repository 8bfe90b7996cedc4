import { describe, expect, it } from 'vitest';
import { fc } from '../../../test/property.ts';
import { bandsOf } from './bands.ts';
import { HEAT_COUNTS, HeatCells, type HeatRow } from './cells.ts';

const COLUMNS = 5;
/** Ten pages are a mapping. */
const mappingOf = (page: number): number => Math.floor(page / 10);

const steps = fc.array(
  fc.record({ page: fc.nat(200), column: fc.nat(COLUMNS - 1), count: fc.constantFrom(...HEAT_COUNTS) }),
  { maxLength: 400, size: 'max' },
);

function sumOf(rows: readonly HeatRow[], count: (typeof HEAT_COUNTS)[number], column: number): number {
  return rows.reduce((sum, { counts }) => sum + (counts[count]?.[column] ?? 0), 0);
}

describe('a heat map', () => {
  it('counts everything, in no more rows than it may have, and lays all of it out', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 40 }), (each, most, height) => {
        const cells = new HeatCells(COLUMNS, most);
        for (const { page, column, count } of each) {
          if (count === 'references') cells.addReference(page, column, mappingOf);
          else cells.add(page, column, count, mappingOf);
        }
        const rows = cells.list();
        const bands = bandsOf(rows, String, (label) => label === '3', height);
        const shown = bands.flatMap((band) => band.rows);
        expect(rows.length).toBeLessThanOrEqual(most);
        expect(shown.length).toBeLessThanOrEqual(height);
        for (const some of [rows, shown]) {
          for (let column = 0; column < COLUMNS; column++)
            for (const count of HEAT_COUNTS) {
              const expected = each.filter((step) => step.column === column && step.count === count).length;
              expect(sumOf(some, count, column)).toBe(expected);
            }
          expect(some.reduce((sum, { pages }) => sum + pages, 0)).toBe(new Set(each.map(({ page }) => page)).size);
          some.slice(1).forEach(({ start }, at) => {
            expect(start).toBeGreaterThanOrEqual(some[at].end);
          });
        }
      }),
      { numRuns: 200 },
    );
  });

  it('has a band for each mapping while there are rows, by its pages', () => {
    const cells = new HeatCells(1, 1000);
    for (let page = 0; page < 10; page++) cells.add(page, 0, 'references', () => 1);
    for (let page = 20; page < 50; page++) cells.add(page, 0, 'references', () => 2);
    cells.add(60, 0, 'references', () => 3);
    const name = (mapping: number): string => `mapping ${mapping}`;
    const heights = (most: number) =>
      bandsOf(cells.list(), name, () => false, most).map(({ labels, rows }) => [labels, rows.length]);
    expect(heights(20)).toEqual([
      [['mapping 1'], 5],
      [['mapping 2'], 14],
      [['mapping 3'], 1],
    ]);
    expect(heights(4)).toEqual([
      [['mapping 1'], 1],
      [['mapping 2', 'mapping 3'], 3],
    ]);
  });
});
