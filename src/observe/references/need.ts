import { LruCurve } from './lru-curve.ts';
import { optimalMisses } from './optimum.ts';
import type { ReferenceTrace } from './reference-trace.ts';
import { SampledCurve } from './sampled-curve.ts';

/** What a run's references say about memories of some sizes. */
export interface MemoryNeed {
  readonly references: number;
  /** Share of the pages that were looked at; 1: all, and the numbers are exact. */
  readonly rate: number;
  /** Pages that the run had at most at one time: with so many nothing ever misses but first references. */
  readonly pages: number;
  readonly sizes: readonly {
    readonly pages: number;
    readonly lru: number;
    /** Standard error of `lru`; 0 where it is exact. */
    readonly lruError: number;
    readonly optimum: number;
  }[];
}

/** Misses of LRU and of Belady's optimum, which no policy beats, for memories of the sizes (in pages) that `sizesFor` names, given all pages. */
export function memoryNeed(
  trace: Pick<ReferenceTrace, 'toArray' | 'rate' | 'referenceCount'>,
  sizesFor: (pages: number) => readonly number[],
): MemoryNeed {
  const { rate, referenceCount } = trace;
  const references = trace.toArray();
  const curve = rate === 1 ? new LruCurve() : new SampledCurve(rate, referenceCount);
  for (let at = 0; at < references.length; at++) {
    const page = references[at];
    if (page < 0) curve.free(-1 - page);
    else curve.reference(page);
  }
  const pages = curve.sizePages;
  return {
    references: referenceCount,
    rate,
    pages,
    sizes: sizesFor(pages).map((size) => ({
      pages: size,
      lru: Math.round(curve.misses(size)),
      lruError: curve instanceof SampledCurve ? Math.round(curve.error(size)) : 0,
      // A memory of the sampled pages alone, as much smaller as they are fewer (Waldspurger et al., Cache modeling and optimization using
      // miniature simulations, ATC 2017).
      optimum: Math.round(optimalMisses(references, Math.max(1, Math.round(size * rate))) / rate),
    })),
  };
}
