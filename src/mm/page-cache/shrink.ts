import type { Pfn } from '../../machine/units.ts';
import type { FrameList } from '../phys/frame-list.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { LRU_ACTIVE_FILE, LRU_INACTIVE_FILE } from '../phys/lruvec.ts';
import { PG_dirty, PG_mlocked, PG_pagecache, PG_unevictable } from '../phys/page-flags.ts';
import type { Reclaimer } from '../phys/reclaimer.ts';
import type { SlabAllocator } from '../phys/slab.ts';
import type { FilePages } from './file-pages.ts';
import type { PageCache } from './page-cache.ts';
import { writePage } from './writeback.ts';

/**
 * Pages of files that mappings keep in any case: programs that fault in every instruction anew would never come to an end, nor
 * to the OOM killer. A guess: 1 MiB, the code that a few small programs use.
 */
const MIN_FILE_PAGES = 256;

/**
 * The first Reclaimer: frees unmapped pages of backed files, oldest first, pages used once before pages used twice; in a
 * second round it writes dirty ones back and frees them too; then it gives back empty slabs; last it takes mapped pages out of
 * their mappings, which fault them in again. Locked pages, shmem and anonymous memory are not touched: those need swap.
 */
export class PageCacheShrinker implements Reclaimer {
  private readonly cache: PageCache;
  private readonly slab: SlabAllocator;

  constructor(cache: PageCache, slab: SlabAllocator) {
    this.cache = cache;
    this.slab = slab;
  }

  reclaim(frames: number): number {
    const { lists } = this.cache.allocator.lru;
    const inactive = lists[LRU_INACTIVE_FILE];
    const active = lists[LRU_ACTIVE_FILE];
    let freed = this.shrinkList(inactive, frames, 'clean');
    if (freed < frames) freed += this.shrinkList(active, frames - freed, 'clean');
    if (freed < frames) freed += this.shrinkList(inactive, frames - freed, 'dirty');
    if (freed < frames) freed += this.shrinkList(active, frames - freed, 'dirty');
    if (freed < frames) freed += this.slab.shrink();
    const spare = inactive.length + active.length - MIN_FILE_PAGES;
    const wanted = Math.min(frames - freed, spare);
    let unmapped = 0;
    if (wanted > 0) unmapped = this.shrinkList(inactive, wanted, 'mapped');
    if (wanted > unmapped) unmapped += this.shrinkList(active, wanted - unmapped, 'mapped');
    freed += unmapped;
    return freed;
  }

  /** From the old end of one list; returns frames freed. */
  private shrinkList(list: FrameList, frames: number, which: 'clean' | 'dirty' | 'mapped'): number {
    const { cache } = this;
    const { vmstat } = cache;
    let freed = 0;
    for (let frame = list.tail; frame !== NO_FRAME && freed < frames; ) {
      const page = frame as Pfn;
      // Dropping a page takes only itself off the list, so the one before it stays valid.
      frame = list.before(page);
      vmstat.pgscan_direct++;
      vmstat.pgscan_file++;
      if (which === 'mapped' && !this.unmap(page)) continue;
      if (which !== 'clean' && !this.clean(page)) continue;
      if (!cache.isDroppable(page) || (cache.frames.flags[page] & PG_pagecache) === 0) continue;
      cache.dropPage(page);
      freed++;
      vmstat.pgsteal_direct++;
      vmstat.pgsteal_file++;
    }
    return freed;
  }

  /** Takes the page out of all mappings; false if somebody else holds it or it is locked in memory. */
  private unmap(page: Pfn): boolean {
    const { frames } = this.cache;
    if ((frames.flags[page] & (PG_mlocked | PG_unevictable)) !== 0) return false;
    const mappings = frames.mapcount[page];
    if (mappings === 0 || frames.refcount[page] !== 1 + mappings) return false;
    return this.cache.rmap.tryToUnmap(page);
  }

  /** Writes an unmapped dirty page back; false if it is still no candidate. */
  private clean(page: Pfn): boolean {
    const { frames } = this.cache;
    if (frames.mapcount[page] !== 0 || frames.refcount[page] !== 1) return false;
    if ((frames.flags[page] & PG_dirty) === 0) return true;
    const file = this.cache.fileById(frames.owner[page]) as FilePages;
    return writePage(this.cache, file, page) === 0;
  }
}
