import { describe, expect, it } from 'vitest';
import { fc } from '../../../test/property.ts';
import { LruCurve } from '../references/lru-curve.ts';
import type { AccessKind } from '../traces/access.ts';
import { Tlb } from './tlb.ts';
import { TlbHierarchy } from './tlb-hierarchy.ts';

/** As simple as can be: each set is a list, the page used last at its end. */
function missesOf(pages: readonly number[], entries: number, ways: number): number {
  const sets = Array.from({ length: entries / ways }, (): number[] => []);
  let misses = 0;
  for (const page of pages) {
    const set = sets[page % sets.length];
    const at = set.indexOf(page);
    if (at >= 0) set.splice(at, 1);
    else {
      misses++;
      if (set.length === ways) set.shift();
    }
    set.push(page);
  }
  return misses;
}

const pages = fc.array(fc.nat(40), { minLength: 1, maxLength: 300 });

describe('Tlb', () => {
  it('misses as lists of the least lately used do, with any number of entries and ways', () => {
    fc.assert(
      fc.property(pages, fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 6 }), (references, sets, ways) => {
        const tlb = new Tlb({ entries: sets * ways, ways });
        for (const page of references) tlb.lookup(page, page);
        expect(tlb.misses).toBe(missesOf(references, sets * ways, ways));
        expect(tlb.hits + tlb.misses).toBe(references.length);
      }),
    );
  });

  it('with one set is the LRU curve at its size', () => {
    fc.assert(
      fc.property(pages, fc.integer({ min: 1, max: 30 }), (references, entries) => {
        const tlb = new Tlb({ entries, ways: entries });
        const curve = new LruCurve();
        for (const page of references) {
          tlb.lookup(page, page);
          curve.reference(page);
        }
        expect(tlb.misses).toBe(curve.misses(entries));
      }),
    );
  });

  it('refuses ways that do not divide the entries', () => {
    expect(() => new Tlb({ entries: 64, ways: 5 })).toThrow('a TLB of 64 entries cannot have 5 ways');
  });
});

describe('TlbHierarchy', () => {
  it('asks the TLB of code or data, then the second level, then walks', () => {
    const accesses: [AccessKind, number][] = [
      ['fetch', 1],
      ['load', 2],
      ['fetch', 1],
      ['store', 1],
      ['load', 3],
      ['modify', 2],
    ];
    const tlbs = new TlbHierarchy([
      ['L2', { entries: 8, ways: 2 }],
      ['L1D', { entries: 1, ways: 1 }],
      ['L1I', { entries: 1, ways: 1 }],
    ]);
    for (const [kind, page] of accesses) tlbs.reference(kind, 0, page);
    expect(tlbs.results().map(({ level, lookups, misses }) => [level, lookups, misses])).toEqual([
      ['L1I', 2, 1],
      ['L1D', 4, 4],
      ['L2', 5, 3],
    ]);
    expect([tlbs.references, tlbs.walks, tlbs.pages]).toEqual([6, 3, 3]);
  });
});
