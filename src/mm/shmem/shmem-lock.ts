import type { Pfn } from '../../machine/units.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import type { PageCache } from '../page-cache/page-cache.ts';
import { PG_active, PG_mlocked, PG_unevictable } from '../phys/page-flags.ts';

/**
 * SHM_LOCK (Linux 6.18: shmem_lock, mapping_set_unevictable): pages of the object stay in memory. Those that are made from now on
 * are unevictable at once; those that are there become so when reclaim meets them; those in swap come back when they are wanted.
 *
 * Invariant R6 (invariants.ts): a page on the unevictable list is PG_mlocked, or its object is locked.
 */
export function lockShmem(file: FilePages): void {
  file.isUnevictable = true;
}

/** SHM_UNLOCK (shmem_unlock_mapping, check_move_unevictable_folios). */
export function unlockShmem(cache: PageCache, file: FilePages): void {
  const { frames, allocator, vmstat } = cache;
  file.isUnevictable = false;
  for (let index = file.pages.next(0, 'any'); index >= 0; index = file.pages.next(index + 1, 'any')) {
    const frame = frames.headOf(file.pages.find(index) as Pfn);
    if ((frames.flags[frame] & (PG_unevictable | PG_mlocked)) !== PG_unevictable) continue;
    allocator.lru.changeFlags(frame, 0, PG_unevictable);
    vmstat.unevictable_pgs_rescued += frames.pagesOf(frame);
  }
}

/** A page of a locked object has been found among those that might be reclaimed. */
export function cullPage(cache: PageCache, frame: Pfn): void {
  cache.allocator.lru.changeFlags(frame, PG_unevictable, PG_active);
  cache.vmstat.unevictable_pgs_culled += cache.frames.pagesOf(frame);
}
