import type { HugePool } from './huge-pool.ts';

/**
 * The share of a pool that one hugetlbfs mount may use, size=, or is sure of, min_size= (Linux: struct hugepage_subpool). Pages.
 *
 * Invariants (checked by check-hugetlb.ts):
 *  H5 0 <= usedPages, and usedPages <= maxPages where there is one; 0 <= reservedPages <= minPages where there is one.
 */
export class Subpool {
  readonly pool: HugePool;
  /** null: no limit. */
  readonly maxPages: number | null;
  /** null: nothing is kept. */
  readonly minPages: number | null;
  /** Counted with a limit alone: pages in use or reserved. */
  usedPages = 0;
  /** What is left of minPages: the pool holds a reservation for each. */
  reservedPages: number;

  constructor(pool: HugePool, maxPages: number | null, minPages: number | null) {
    this.pool = pool;
    this.maxPages = maxPages;
    this.minPages = minPages;
    this.reservedPages = minPages ?? 0;
  }

  /** hugepage_subpool_get_pages: how many of `pages` the pool itself must reserve (the rest was), or -1 beyond the limit. */
  take(pages: number): number {
    if (this.maxPages !== null) {
      if (this.usedPages + pages > this.maxPages) return -1;
      this.usedPages += pages;
    }
    const kept = Math.min(this.reservedPages, pages);
    this.reservedPages -= kept;
    return pages - kept;
  }

  /** hugepage_subpool_put_pages: how many of `pages` the pool's reservations fall by; the rest stays reserved for the mount. */
  giveBack(pages: number): number {
    if (this.maxPages !== null) this.usedPages -= pages;
    if (this.minPages === null || (this.maxPages !== null && this.usedPages >= this.minPages)) return pages;
    const kept = Math.min(this.minPages - this.reservedPages, pages);
    this.reservedPages += kept;
    return pages - kept;
  }
}

/** As `take` and `giveBack`, where the object may have no subpool. */
export function takeFrom(subpool: Subpool | null, pages: number): number {
  return subpool === null ? pages : subpool.take(pages);
}

export function giveBackTo(subpool: Subpool | null, pages: number): number {
  return subpool === null ? pages : subpool.giveBack(pages);
}
