import { describe, expect, it } from 'vitest';
import { fc } from '../../../test/property.ts';
import { WorkingSetWindows } from './windows.ts';

/** Pages of the last `length` of the ticks, counted. */
function pagesOf(ticks: readonly (readonly number[])[], length: number): number {
  return new Set(ticks.slice(-length).flat()).size;
}

function windowsOf(ticks: readonly (readonly number[])[], followed = 1): WorkingSetWindows {
  const windows = new WorkingSetWindows(followed);
  for (const pages of ticks) {
    for (const page of pages) windows.reference(page);
    windows.endTick();
  }
  return windows;
}

/** Pages that are referenced in each tick; in many none. */
const runs = fc.array(fc.oneof(fc.constant([]), fc.array(fc.nat(9), { maxLength: 4 })), {
  minLength: 1,
  maxLength: 80,
  size: 'max',
});

describe('WorkingSetWindows', () => {
  it('is each window counted by itself: at the end, on average, and at most', () => {
    fc.assert(
      fc.property(runs, fc.integer({ min: 1, max: 90 }), (ticks, followed) => {
        const windows = windowsOf(ticks, followed);
        expect(windows.followedPages).toBe(pagesOf(ticks, followed));
        expect(windows.list().some((use) => use.ticks === followed)).toBe(
          followed < ticks.length || (Number.isInteger(Math.log2(followed)) && followed < 2 * ticks.length),
        );
        for (const use of windows.list()) {
          const each = ticks.map((_, at) => pagesOf(ticks.slice(0, at + 1), use.ticks));
          expect(use.pages).toBe(each.at(-1));
          expect(use.mostPages).toBe(Math.max(...each));
          expect(use.meanPages).toBeCloseTo(each.reduce((sum, pages) => sum + pages, 0) / ticks.length, 9);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('never falls as the window grows, up to one that has all pages', () => {
    fc.assert(
      fc.property(runs, (ticks) => {
        const uses = windowsOf(ticks).list();
        const last = uses[uses.length - 1];
        expect(last.pages).toBe(pagesOf(ticks, ticks.length));
        expect(last.ticks).toBeGreaterThanOrEqual(ticks.length);
        uses.slice(1).forEach((use, at) => {
          expect(use.pages).toBeGreaterThanOrEqual(uses[at].pages);
          expect(use.meanPages).toBeGreaterThanOrEqual(uses[at].meanPages);
          expect(use.mostPages).toBeGreaterThanOrEqual(uses[at].mostPages);
        });
      }),
    );
  });

  it('goes on over more ticks and pages than it has room for at first', () => {
    const ticks = Array.from({ length: 3000 }, (_, at) => [at, Math.floor(at / 2), 5000 - at]);
    const windows = windowsOf(ticks);
    for (const { ticks: length, pages } of windows.list()) expect(pages).toBe(pagesOf(ticks, length));
  });
});
