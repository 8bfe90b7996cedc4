import { EV_LAZYFREED, EV_WRITE_FOLIO } from '../../base/event-kinds.ts';
import type { Pfn } from '../../machine/units.ts';
import type { PageEnd } from '../block/block-queue.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import type { PageCache } from '../page-cache/page-cache.ts';
import { writePage } from '../page-cache/writeback.ts';
import { LRU_ACTIVE_FILE, LRU_INACTIVE_FILE } from '../phys/lruvec.ts';
import {
  PG_active,
  PG_anon,
  PG_dirty,
  PG_head,
  PG_mlocked,
  PG_pagecache,
  PG_swapbacked,
  PG_swapcache,
  PG_unevictable,
  PG_writeback,
} from '../phys/page-flags.ts';
import { forEachMapping } from '../rmap/rmap-walk.ts';
import { tryToUnmap } from '../rmap/unmap.ts';
import { VM_DROPPABLE, VM_LOCKED } from '../vm-flags.ts';
import { swapOut } from './swap-out.ts';
import type { Workingset } from './workingset.ts';

/**
 * Pages of files that mappings keep in any case: programs that fault in every instruction anew would never come to an end, nor
 * to the OOM killer. A guess: 1 MiB, the code that a few small programs use.
 */
const MIN_FILE_PAGES = 256;
/** `reclaim_flags` of mm_vmscan_write_folio. */
const RECLAIM_WB_FILE = 2;

/**
 * How one page goes (Linux: shrink_folio_list). Files' pages are dropped, dirty ones written first; anonymous memory and shmem go to
 * swap; pages of MADV_FREE and MAP_DROPPABLE are dropped. Locked pages, and pages that somebody holds, stay.
 */
export class PageReclaim implements PageEnd {
  readonly cache: PageCache;
  private readonly workingset: Workingset;

  constructor(cache: PageCache, workingset: Workingset) {
    this.cache = cache;
    this.workingset = workingset;
  }

  /**
   * Frees a page as its kind goes; false if it stays. 'skip' leaves dirty pages of files. A page that a device has to write first is
   * off its list at once, and free when that is done.
   */
  tryToFree(page: Pfn, dirty: 'write' | 'skip'): boolean {
    const flags = this.cache.frames.flags[page];
    if ((flags & (PG_mlocked | PG_unevictable)) !== 0 || this.isLockedAgain(page)) return false;
    if ((flags & PG_swapbacked) !== 0) return swapOut(this.cache, this.workingset, page);
    if ((flags & PG_anon) !== 0) return this.discardLazyFree(page);
    return this.freeFilePage(page, dirty);
  }

  /** A page that was unlocked may lie in a mapping that is locked still (mlock-pages.ts): then it is locked again, and stays. */
  private isLockedAgain(page: Pfn): boolean {
    const { frames, rmap } = this.cache;
    if (frames.mlockCount[page] >= 0) return false;
    let isLocked = false;
    forEachMapping(rmap, page, (vma) => {
      isLocked ||= (vma.flags & VM_LOCKED) !== 0;
    });
    if (isLocked) rmap.editor.lockAgain(page);
    return isLocked;
  }

  private freeFilePage(page: Pfn, dirty: 'write' | 'skip'): boolean {
    const { cache } = this;
    const { frames } = cache;
    if ((frames.flags[page] & PG_pagecache) === 0) return false;
    if (dirty === 'skip' && this.isDirty(page)) return false;
    if (frames.mapcount[page] > 0) {
      const { sizes } = cache.allocator.lru;
      if (sizes[LRU_INACTIVE_FILE] + sizes[LRU_ACTIVE_FILE] <= MIN_FILE_PAGES || !this.unmap(page)) return false;
    }
    if (!this.clean(page)) return false;
    if ((frames.flags[page] & PG_writeback) !== 0) {
      this.workingset.isolate(page);
      return true;
    }
    if (!cache.isDroppable(page)) return false;
    cache.dropPage(page, this.workingset.evicted(page));
    return true;
  }

  /**
   * A device is done with a page: one that tryToFree had written goes now, unless somebody has come for it meanwhile; then it is back
   * on its list (PG_reclaim: folio_rotate_reclaimable, and the next look at it). A page of the swap cache that nobody wants any
   * more goes in any case.
   */
  pageEnded(page: Pfn, purpose: 'keep' | 'free'): void {
    const { cache } = this;
    const { frames, swap, allocator } = cache;
    const flags = frames.flags[page];
    const shadow = purpose === 'free' ? this.workingset.takeShadow(page) : 0;
    if ((flags & PG_swapcache) !== 0) {
      swap.dropUnused(page);
      if ((frames.flags[page] & PG_swapcache) === 0 || purpose === 'keep') return;
      const isIdle = frames.mapcount[page] === 0 && frames.refcount[page] === 1 && (flags & PG_dirty) === 0;
      if (isIdle) swap.dropCached(page, shadow);
      else allocator.lru.add(page);
      return;
    }
    if (purpose === 'keep') return;
    const isOfFile = (flags & (PG_pagecache | PG_swapbacked)) === PG_pagecache;
    if (isOfFile && cache.isDroppable(page)) cache.dropPage(page, shadow);
    else allocator.lru.add(page);
  }

  /**
   * Reclaims one page now, as far as it can go, however lately it was used (shrink_folio_list of reclaim_pages, 6.18); false if
   * it stays. Nobody but its mappings and the cache holds it. A file's dirty page, and shmem without swap, are unmapped all the same.
   */
  reclaimPage(page: Pfn): boolean {
    const { cache } = this;
    const flags = cache.frames.flags[page];
    if ((flags & (PG_mlocked | PG_unevictable)) !== 0 || this.isLockedAgain(page)) return false;
    if ((flags & (PG_anon | PG_swapbacked)) === PG_anon) return this.discardLazyFree(page);
    if ((flags & PG_swapbacked) !== 0) return swapOut(cache, this.workingset, page);
    if ((flags & PG_pagecache) === 0) return false;
    if (cache.frames.mapcount[page] > 0 && !this.unmap(page)) return false;
    if (!cache.isDroppable(page)) {
      cache.allocator.lru.changeFlags(page, PG_active, 0);
      return false;
    }
    cache.dropPage(page, this.workingset.evicted(page));
    return true;
  }

  /**
   * Frees an anonymous page that is not swapbacked, if no store came since MADV_FREE; else it is an ordinary one again, of those
   * from the first whose entry is dirty on (try_to_unmap_one, 6.18). A page of VM_DROPPABLE goes in any case.
   */
  private discardLazyFree(page: Pfn): boolean {
    const { frames, rmap, allocator, vmstat } = this.cache;
    if ((frames.flags[page] & (PG_mlocked | PG_unevictable)) !== 0) return false;
    if ((frames.flags[page] & PG_head) !== 0 && !rmap.editor.splitPage(page)) return false;
    if (frames.refcount[page] === 0) return true;
    if (frames.refcount[page] !== frames.mapcount[page]) return false;
    allocator.getFrame(page);
    let isKept = false;
    forEachMapping(rmap, page, (vma, at) => {
      if (isKept) return;
      if (rmap.editor.isDirty(vma, at)) frames.set(page, PG_dirty);
      isKept = (frames.flags[page] & PG_dirty) !== 0 && (vma.flags & VM_DROPPABLE) === 0;
      if (!isKept) rmap.editor.unmapPage(vma, at);
    });
    if (isKept) {
      allocator.putFrame(page);
      allocator.lru.changeFlags(page, PG_swapbacked | PG_active, 0);
      return false;
    }
    this.cache.memcgs.payerOf(page).counters.pglazyfreed++;
    allocator.putFrame(page);
    vmstat.pglazyfreed++;
    if (allocator.events.enabled[EV_LAZYFREED] !== 0) allocator.events.emit(EV_LAZYFREED, page);
    return true;
  }

  /** Takes the page out of all mappings; false if somebody else holds it or it is locked in memory. */
  private unmap(page: Pfn): boolean {
    const { frames } = this.cache;
    if ((frames.flags[page] & (PG_mlocked | PG_unevictable)) !== 0) return false;
    const mappings = frames.mapcount[page];
    if (mappings === 0 || frames.refcount[page] !== 1 + mappings) return false;
    return tryToUnmap(this.cache.rmap, page);
  }

  /** Writes an unmapped dirty page back; false if it is still no candidate. */
  private clean(page: Pfn): boolean {
    const { frames } = this.cache;
    if (frames.mapcount[page] !== 0 || frames.refcount[page] !== 1) return false;
    if ((frames.flags[page] & PG_dirty) === 0) return true;
    const file = this.cache.fileById(frames.owner[page]) as FilePages;
    const { events } = this.cache.allocator;
    if (events.enabled[EV_WRITE_FOLIO] !== 0) events.emit(EV_WRITE_FOLIO, page, RECLAIM_WB_FILE);
    return writePage(this.cache, file, page) === 0;
  }

  /** The page has contents that are written nowhere. */
  isDirty(page: Pfn): boolean {
    const { rmap, frames } = this.cache;
    const flags = frames.flags[page];
    // What has no slot yet must be written.
    let dirty = (flags & PG_dirty) !== 0 || (flags & (PG_swapbacked | PG_swapcache)) === PG_swapbacked;
    if (!dirty)
      forEachMapping(rmap, page, (vma, at) => {
        dirty ||= rmap.editor.isDirty(vma, at);
      });
    return dirty;
  }
}
