import { Rng } from '../../base/rng.ts';
import type { Pfn } from '../../machine/units.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import type { PageCache } from '../page-cache/page-cache.ts';
import { writePage } from '../page-cache/writeback.ts';
import type { FrameTable } from '../phys/frame-table.ts';
import { LRU_ACTIVE_FILE, LRU_INACTIVE_FILE, type Lruvec } from '../phys/lruvec.ts';
import {
  PG_active,
  PG_anon,
  PG_dirty,
  PG_lru,
  PG_mlocked,
  PG_pagecache,
  PG_referenced,
  PG_swapbacked,
  PG_swapcache,
  PG_unevictable,
} from '../phys/page-flags.ts';
import type { Reclaimer } from '../phys/reclaimer.ts';
import type { SlabAllocator } from '../phys/slab.ts';
import { WMARK_HIGH } from '../phys/zone.ts';
import { VM_DROPPABLE } from '../vm-flags.ts';
import { DEF_PRIORITY, type ReclaimablePages, type ReclaimPolicy, type References } from './policy.ts';
import { swapOut } from './swap-out.ts';
import { TwoListPolicy } from './two-list.ts';

/**
 * Pages of files that mappings keep in any case: programs that fault in every instruction anew would never come to an end, nor
 * to the OOM killer. A guess: 1 MiB, the code that a few small programs use.
 */
const MIN_FILE_PAGES = 256;

/**
 * Makes frames free when memory is short (Linux: mm/vmscan.c): a policy says which pages go, this class makes them go. Files'
 * pages are dropped, dirty ones written first; anonymous memory and shmem go to swap; pages of MADV_FREE and MAP_DROPPABLE are
 * dropped. Locked pages, and pages that somebody holds, stay.
 */
export class Reclaim implements Reclaimer, ReclaimablePages {
  readonly rng = new Rng(0x7ec1a1);
  swappiness = 60;
  private currentPolicy: ReclaimPolicy = new TwoListPolicy();
  private readonly cache: PageCache;
  private readonly slab: SlabAllocator;
  private readonly references: References = { count: 0, vmFlags: 0 };
  private by: 'direct' | 'kswapd' = 'direct';

  constructor(cache: PageCache, slab: SlabAllocator) {
    this.cache = cache;
    this.slab = slab;
  }

  get policy(): ReclaimPolicy {
    return this.currentPolicy;
  }

  /** At boot: the pages that there are become known to the policy in the order of their frames. */
  setPolicy(policy: ReclaimPolicy): void {
    this.currentPolicy = policy;
    const { frames, lru } = this;
    lru.listener = policy;
    for (let page = 0; page < frames.frameCount; page++)
      if ((frames.flags[page] & PG_lru) !== 0) policy.added?.(page as Pfn);
  }

  /** try_to_free_pages, balance_pgdat's inner part: ever more of the lists, until there is enough. */
  reclaim(frames: number, by: 'direct' | 'kswapd' = 'direct'): number {
    this.by = by;
    let freed = 0;
    for (let priority = DEF_PRIORITY; priority >= 0 && freed < frames; priority--)
      freed += this.currentPolicy.shrink(this, frames - freed, priority);
    if (freed < frames) freed += this.slab.shrink();
    return freed;
  }

  // What policies see.

  get frames(): FrameTable {
    return this.cache.frames;
  }
  get lru(): Lruvec {
    return this.cache.allocator.lru;
  }
  get hasSwap(): boolean {
    return this.cache.swap.freePages > 0;
  }
  get freePages(): number {
    return this.cache.allocator.freeCount;
  }
  get highMarkPages(): number {
    return this.cache.allocator.zones.reduce((sum, zone) => sum + zone.watermarks[WMARK_HIGH], 0);
  }

  isCandidate(page: Pfn): boolean {
    const flags = this.frames.flags[page];
    if ((flags & (PG_lru | PG_mlocked | PG_unevictable)) !== PG_lru) return false;
    return (flags & PG_swapbacked) === 0 || (flags & PG_swapcache) !== 0 || this.hasSwap;
  }

  takeReferences(page: Pfn): References {
    const { references } = this;
    const { rmap } = this.cache;
    references.count = 0;
    references.vmFlags = 0;
    rmap.forEachMapping(page, (vma, at) => {
      if (!rmap.editor.clearAccessed(vma, at)) return;
      references.count++;
      references.vmFlags |= vma.flags;
    });
    return references;
  }

  takeReferenced(page: Pfn): boolean {
    const { flags } = this.frames;
    const was = (flags[page] & PG_referenced) !== 0;
    flags[page] &= ~PG_referenced;
    return was;
  }

  setReferenced(page: Pfn): void {
    this.frames.flags[page] |= PG_referenced;
  }

  isDirty(page: Pfn): boolean {
    const { rmap } = this.cache;
    const flags = this.frames.flags[page];
    // What has no slot yet must be written.
    let dirty = (flags & PG_dirty) !== 0 || (flags & (PG_swapbacked | PG_swapcache)) === PG_swapbacked;
    if (!dirty)
      rmap.forEachMapping(page, (vma, at) => {
        dirty ||= rmap.editor.isDirty(vma, at);
      });
    return dirty;
  }

  activate(page: Pfn): void {
    if ((this.frames.flags[page] & PG_active) !== 0) return;
    this.lru.changeFlags(page, PG_active, 0);
    this.cache.vmstat.pgactivate++;
  }

  deactivate(page: Pfn): void {
    this.lru.changeFlags(page, 0, PG_active);
    this.cache.vmstat.pgdeactivate++;
  }

  rotate(page: Pfn): void {
    this.lru.rotateToFront(page);
  }

  noteScanned(page: Pfn): void {
    const { vmstat } = this.cache;
    if (this.by === 'kswapd') vmstat.pgscan_kswapd++;
    else vmstat.pgscan_direct++;
    if ((this.frames.flags[page] & PG_swapbacked) !== 0) vmstat.pgscan_anon++;
    else vmstat.pgscan_file++;
  }

  free(page: Pfn, dirty: 'write' | 'skip'): boolean {
    const { vmstat } = this.cache;
    const isSwapbacked = (this.frames.flags[page] & PG_swapbacked) !== 0;
    if (!this.tryToFree(page, dirty)) return false;
    if (this.by === 'kswapd') vmstat.pgsteal_kswapd++;
    else vmstat.pgsteal_direct++;
    if (isSwapbacked) vmstat.pgsteal_anon++;
    else vmstat.pgsteal_file++;
    return true;
  }

  // How pages go.

  private tryToFree(page: Pfn, dirty: 'write' | 'skip'): boolean {
    const flags = this.frames.flags[page];
    if ((flags & (PG_mlocked | PG_unevictable)) !== 0) return false;
    if ((flags & PG_swapbacked) !== 0) return swapOut(this.cache, page);
    if ((flags & PG_anon) !== 0) return this.discardLazyFree(page);
    return this.freeFilePage(page, dirty);
  }

  private freeFilePage(page: Pfn, dirty: 'write' | 'skip'): boolean {
    const { cache, frames } = this;
    if ((frames.flags[page] & PG_pagecache) === 0) return false;
    if (dirty === 'skip' && this.isDirty(page)) return false;
    if (frames.mapcount[page] > 0) {
      const { sizes } = this.lru;
      if (sizes[LRU_INACTIVE_FILE] + sizes[LRU_ACTIVE_FILE] <= MIN_FILE_PAGES || !this.unmap(page)) return false;
    }
    if (!this.clean(page) || !cache.isDroppable(page)) return false;
    cache.dropPage(page);
    return true;
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
