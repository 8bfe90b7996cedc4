import { LruCurve } from './lru-curve.ts';
import { optimalMisses, type ReferenceString } from './optimum.ts';

/** What a run's references say about memories of some sizes. */
export interface MemoryNeed {
  readonly references: number;
  /** Pages that the run had at most at one time: with so many nothing ever misses but first references. */
  readonly pages: number;
  readonly sizes: readonly { readonly pages: number; readonly lru: number; readonly optimum: number }[];
}

/** Misses of LRU and of Belady's optimum, which no policy beats, for memories of the sizes (in pages) that `sizesFor` names, given all pages. */
export function memoryNeed(references: ReferenceString, sizesFor: (pages: number) => readonly number[]): MemoryNeed {
  const curve = new LruCurve();
  for (let at = 0; at < references.length; at++) {
    const page = references[at];
    if (page < 0) curve.free(-1 - page);
    else curve.reference(page);
  }
  const pages = curve.curve().length - 1;
  return {
    references: curve.referenceCount,
    pages,
    sizes: sizesFor(pages).map((size) => ({
      pages: size,
      lru: curve.misses(size),
      optimum: optimalMisses(references, size),
    })),
  };
}
