import type { Pfn } from '../../machine/units.ts';
import type { FrameList } from '../phys/frame-list.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { LRU_ACTIVE_ANON, LRU_ACTIVE_FILE, LRU_INACTIVE_ANON, LRU_INACTIVE_FILE } from '../phys/lruvec.ts';
import {
  PG_active,
  PG_anon,
  PG_dirty,
  PG_mlocked,
  PG_pagecache,
  PG_swapbacked,
  PG_unevictable,
} from '../phys/page-flags.ts';
import type { Reclaimer } from '../phys/reclaimer.ts';
import type { SlabAllocator } from '../phys/slab.ts';
import { VM_DROPPABLE } from '../vm-flags.ts';
import type { FilePages } from './file-pages.ts';
import type { PageCache } from './page-cache.ts';
import { swapOut } from './swap-out.ts';
import { writePage } from './writeback.ts';

/**
 * Pages of files that mappings keep in any case: programs that fault in every instruction anew would never come to an end, nor
 * to the OOM killer. A guess: 1 MiB, the code that a few small programs use.
 */
const MIN_FILE_PAGES = 256;

/**
 * The first Reclaimer: frees unmapped pages of backed files, oldest first, pages used once before pages used twice; in a
 * second round it writes dirty ones back and frees them too; then it gives back empty slabs; last it takes mapped pages out of
 * their mappings, which fault them in again. Pages of MADV_FREE and MAP_DROPPABLE are on the files' lists and go with the first.
 * With swap anonymous memory and shmem go too, oldest first. Locked pages are not touched.
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
    if (freed < frames && this.cache.swap.freePages > 0) freed += this.shrinkAnon(frames - freed);
    return freed;
  }

  /** From the old ends of the anonymous lists; returns frames freed. */
  private shrinkAnon(frames: number): number {
    const { cache } = this;
    const { lists } = cache.allocator.lru;
    let freed = 0;
    for (const list of [lists[LRU_INACTIVE_ANON], lists[LRU_ACTIVE_ANON]]) {
      const victims: Pfn[] = [];
      for (let page = list.tail; page !== NO_FRAME && victims.length < 2 * frames; page = list.before(page as Pfn))
        victims.push(page as Pfn);
      for (const page of victims) {
        if (freed >= frames) return freed;
        cache.vmstat.pgscan_direct++;
        cache.vmstat.pgscan_anon++;
        if (!swapOut(cache, page)) continue;
        freed++;
        cache.vmstat.pgsteal_direct++;
        cache.vmstat.pgsteal_anon++;
      }
    }
    return freed;
  }

  /**
   * Reclaims one page now, as far as it can go, however lately it was used (shrink_folio_list of reclaim_pages, 6.18); false if
   * it stays. Nobody but its mappings and the cache holds it. A file's dirty page, and shmem without swap, are unmapped all the same.
   */
  reclaimPage(page: Pfn): boolean {
    const { cache } = this;
    const flags = cache.frames.flags[page];
    if ((flags & (PG_mlocked | PG_unevictable)) !== 0) return false;
    if ((flags & (PG_anon | PG_swapbacked)) === PG_anon) return this.discardLazyFree(page);
    if ((flags & PG_swapbacked) !== 0) return swapOut(cache, page);
    if ((flags & PG_pagecache) === 0) return false;
    if (cache.frames.mapcount[page] > 0 && !this.unmap(page)) return false;
    if (!cache.isDroppable(page)) {
      cache.allocator.lru.changeFlags(page, PG_active, 0);
      return false;
    }
    cache.dropPage(page);
    return true;
  }

  /**
   * Frees an anonymous page that is not swapbacked, if no store came since MADV_FREE; else it is an ordinary one again
   * (try_to_unmap_one, 6.18). A page of VM_DROPPABLE goes in any case.
   */
  private discardLazyFree(page: Pfn): boolean {
    const { frames, rmap, allocator, vmstat } = this.cache;
    if ((frames.flags[page] & (PG_mlocked | PG_unevictable)) !== 0) return false;
    if (frames.refcount[page] !== frames.mapcount[page]) return false;
    let dirty = (frames.flags[page] & PG_dirty) !== 0;
    let droppable = false;
    rmap.forEachMapping(page, (vma, at) => {
      droppable ||= (vma.flags & VM_DROPPABLE) !== 0;
      dirty ||= rmap.editor.isDirty(vma, at);
    });
    if (dirty && !droppable) {
      allocator.lru.changeFlags(page, PG_swapbacked | PG_active, 0);
      return false;
    }
    allocator.getFrame(page);
    rmap.tryToUnmap(page);
    allocator.putFrame(page);
    vmstat.pglazyfreed++;
    return true;
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
      if ((cache.frames.flags[page] & PG_anon) !== 0) {
        if (!this.discardLazyFree(page)) continue;
        freed++;
        vmstat.pgsteal_direct++;
        vmstat.pgsteal_file++;
        continue;
      }
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
