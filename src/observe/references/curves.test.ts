import { describe, expect, it } from 'vitest';
import { fc } from '../../../test/property.ts';
import { LruCurve } from './lru-curve.ts';
import { optimalMisses } from './optimum.ts';
import { SampledCurve } from './sampled-curve.ts';

/** LRU with so many frames, one step after the other: a Map's order is that of the last references. */
function lruMisses(references: readonly number[], frames: number): number {
  const memory = new Set<number>();
  let misses = 0;
  for (const page of references) {
    if (page < 0) {
      memory.delete(-1 - page);
      continue;
    }
    if (!memory.delete(page)) {
      misses++;
      if (memory.size === frames) memory.delete(memory.values().next().value as number);
    }
    memory.add(page);
  }
  return misses;
}

/** The least misses of any choice of victims, by trying all of them. */
function leastMisses(references: readonly number[], frames: number): number {
  let states = new Map<string, number>([['', 0]]);
  for (const page of references) {
    const after = new Map<string, number>();
    const reach = (memory: number[], misses: number): void => {
      const key = memory.sort((a, b) => a - b).join();
      after.set(key, Math.min(misses, after.get(key) ?? Number.POSITIVE_INFINITY));
    };
    for (const [key, misses] of states) {
      const memory = key === '' ? [] : key.split(',').map(Number);
      if (page < 0)
        reach(
          memory.filter((each) => each !== -1 - page),
          misses,
        );
      else if (memory.includes(page)) reach(memory, misses);
      else if (memory.length < frames) reach([...memory, page], misses + 1);
      else for (const victim of memory) reach([...memory.filter((each) => each !== victim), page], misses + 1);
    }
    states = after;
  }
  return Math.min(...states.values());
}

function curveOf<T extends { reference(page: number): void; free(page: number): void }>(
  curve: T,
  references: readonly number[],
): T {
  for (const page of references) {
    if (page < 0) curve.free(-1 - page);
    else curve.reference(page);
  }
  return curve;
}

/** References to few pages, and frees of them. */
const strings = (pages: number, length: number) =>
  fc.array(
    fc.oneof({ weight: 6, arbitrary: fc.nat(pages) }, { weight: 1, arbitrary: fc.nat(pages).map((page) => -1 - page) }),
    { minLength: 1, maxLength: length, size: 'max' },
  );

describe('LruCurve', () => {
  it('is LRU simulated at each size, in one pass', () => {
    fc.assert(
      fc.property(strings(12, 150), (references) => {
        const curve = curveOf(new LruCurve(), references);
        const sizes = Array.from({ length: 15 }, (_, at) => at + 1);
        expect(sizes.map((size) => curve.misses(size))).toEqual(sizes.map((size) => lruMisses(references, size)));
        const whole = curve.curve();
        expect(whole.slice(1)).toEqual(whole.slice(1).map((_, at) => lruMisses(references, at + 1)));
      }),
      { numRuns: 500 },
    );
  });

  it('stays so when its slots have been used up and are given out again', () => {
    const references: number[] = [];
    for (let at = 0; at < 300_000; at++)
      references.push((at * at + (at >> 7)) % 700, ...(at % 50 === 0 ? [-1 - (at % 700)] : []));
    const curve = curveOf(new LruCurve(), references);
    for (const size of [1, 10, 300, 650, 700]) expect(curve.misses(size)).toBe(lruMisses(references, size));
  });
});

describe('optimalMisses', () => {
  it('is the least that any choice of victims gives', () => {
    fc.assert(
      fc.property(strings(5, 24), fc.integer({ min: 1, max: 4 }), (references, frames) => {
        expect(optimalMisses(references, frames)).toBe(leastMisses(references, frames));
      }),
      { numRuns: 300 },
    );
  });

  it('is never beaten by LRU', () => {
    fc.assert(
      fc.property(strings(20, 300), fc.integer({ min: 1, max: 20 }), (references, frames) => {
        expect(optimalMisses(references, frames)).toBeLessThanOrEqual(lruMisses(references, frames));
      }),
    );
  });
});

describe('SampledCurve', () => {
  it('is the whole curve at rate 1', () => {
    fc.assert(
      fc.property(strings(30, 200), (references) => {
        const [all, sampled] = [curveOf(new LruCurve(), references), curveOf(new SampledCurve(1), references)];
        for (let size = 1; size < 32; size++) expect(sampled.misses(size)).toBe(all.misses(size));
      }),
    );
  });

  it('comes near the curve with a tenth of the pages', () => {
    // Zipf-like, over 20,000 pages.
    let state = 1;
    const random = (): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) / 2 ** 32;
    const references = Array.from({ length: 400_000 }, () => Math.floor(20_000 ** random()) - 1);
    const [all, sampled] = [curveOf(new LruCurve(), references), curveOf(new SampledCurve(0.1), references)];
    for (const size of [100, 1000, 4000, 12_000]) {
      const error = Math.abs(sampled.misses(size) - all.misses(size)) / references.length;
      expect(error, `size ${size}`).toBeLessThan(0.03);
    }
  });
});
