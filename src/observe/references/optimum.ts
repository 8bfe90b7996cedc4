import { NEVER, OptimalMemory } from './optimal-memory.ts';

/** A reference to a page, or the end of a page, as ReferenceTrace keeps them: `page`, or -1 - page where it is freed. */
export type ReferenceString = ArrayLike<number>;

/** Misses under Belady's optimum. */
export function optimalMisses(references: ReferenceString, sizePages: number): number {
  const needs = nextUses(references);
  const memory = new OptimalMemory(sizePages);
  for (let at = 0; at < references.length; at++) {
    const page = references[at];
    if (page < 0) memory.free(-1 - page);
    else memory.reference(page, needs[at]);
  }
  return memory.misses;
}

/** For each reference, the position of the next one to the same page; NEVER for one that is freed before, or not used again. */
function nextUses(references: ReferenceString): Float64Array {
  const next = new Float64Array(references.length);
  const later = new Map<number, number>();
  for (let at = references.length - 1; at >= 0; at--) {
    const page = references[at];
    if (page < 0) {
      later.delete(-1 - page);
      continue;
    }
    next[at] = later.get(page) ?? NEVER;
    later.set(page, at);
  }
  return next;
}
