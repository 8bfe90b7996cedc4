import type { Pfn } from '../../../machine/units.ts';
import { MAX_NR_TIERS } from './tiers.ts';

const REFS_MASK = 3;
const REFERENCED = 4;
const WORKINGSET = 8;
const ACTIVE = 16;

/**
 * How each page was used since it came to its generation (Linux: LRU_REFS_MASK, PG_referenced, PG_workingset and PG_active of
 * folio->flags, LRU_REFS_FLAGS in include/linux/mmzone.h, 6.18). Kept beside the frames' own flags, which say the same under
 * every policy.
 *
 *   read or write:  referenced, then refs 1, 2, 3, then workingset
 *   page table:     referenced, then workingset and young
 */
export class PageUse {
  private readonly words: Uint8Array;

  constructor(frameCount: number) {
    this.words = new Uint8Array(frameCount);
  }

  forget(page: Pfn): void {
    this.words[page] = 0;
  }

  /** A use through a file descriptor. */
  note(page: Pfn): void {
    const word = this.words[page];
    if ((word & REFERENCED) === 0) this.words[page] = (word & ~REFS_MASK) | REFERENCED;
    else if ((word & REFS_MASK) === REFS_MASK) this.words[page] = word | WORKINGSET;
    else this.words[page] = word + 1;
  }

  /** A use through a page table (lru_gen_set_refs): is it the second? */
  setRefsByTable(page: Pfn): boolean {
    const word = this.words[page];
    if ((word & (REFERENCED | WORKINGSET)) === 0) {
      this.words[page] = (word & ~REFS_MASK) | REFERENCED;
      return false;
    }
    this.words[page] = (word & ~(REFS_MASK | REFERENCED)) | WORKINGSET;
    return true;
  }

  /** Uses through file descriptors, 0 to 4 (folio_lru_refs). */
  refsOf(page: Pfn): number {
    const word = this.words[page];
    return (word & REFERENCED) === 0 ? 0 : (word & REFS_MASK) + 1;
  }

  setRefs(page: Pfn, refs: number): void {
    this.words[page] = (this.words[page] & ~REFS_MASK) | refs;
  }

  isWorkingset(page: Pfn): boolean {
    return (this.words[page] & WORKINGSET) !== 0;
  }

  setWorkingset(page: Pfn): void {
    this.words[page] |= WORKINGSET;
  }

  /** lru_tier_from_refs: the power of two at or above. */
  tierFor(refs: number, kind: 'workingset' | 'other'): number {
    if (kind === 'workingset') return MAX_NR_TIERS - 1;
    return refs < 2 ? 0 : 32 - Math.clz32(refs - 1);
  }

  tierOf(page: Pfn): number {
    return this.tierFor(this.refsOf(page), this.isWorkingset(page) ? 'workingset' : 'other');
  }

  /** Used as often as can be counted. */
  isTop(page: Pfn): boolean {
    return this.refsOf(page) === REFS_MASK + 1 && this.isWorkingset(page);
  }

  /** In a new generation it begins anew (folio_inc_gen). */
  clear(page: Pfn): void {
    this.words[page] &= ~(REFS_MASK | REFERENCED);
  }

  /** isolate_folio: what was left of a page that came back counts no more if nobody used it since. */
  dropStaleRefs(page: Pfn): void {
    if ((this.words[page] & REFERENCED) === 0) this.words[page] &= ~REFS_MASK;
  }

  /** It comes in young. */
  setActive(page: Pfn): void {
    this.words[page] |= ACTIVE;
  }

  isActive(page: Pfn): boolean {
    return (this.words[page] & ACTIVE) !== 0;
  }

  clearActive(page: Pfn): void {
    this.words[page] &= ~ACTIVE;
  }
}
