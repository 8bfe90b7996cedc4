import { ENOMEM } from '../../abi/errno.ts';
import type { Pfn } from '../../machine/units.ts';
import { PAGE_LOCKED } from '../block/request.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import type { PageCache } from '../page-cache/page-cache.ts';
import { GFP_HIGHUSER_MOVABLE } from '../phys/gfp.ts';
import type { SwapEntry } from '../swap/entry.ts';
import { swapIn } from '../swap/swap-in.ts';

/** A page of shmem comes back from its slot, which is free afterwards (shmem_swapin_folio): a reference for the caller, or -ERRNO. */
export function swapInShmem(
  cache: PageCache,
  file: FilePages,
  index: number,
  gfp = GFP_HIGHUSER_MOVABLE,
  atLockedPage: 'wait' | 'leave' = 'wait',
): Pfn | number {
  const { swap } = cache;
  const entry = file.swapped.get(index) as SwapEntry;
  const found = swapIn(swap, entry, gfp, swap.memcgs.current, atLockedPage);
  cache.lastEnsureWasMajor = swap.lastInWasMajor;
  if (found === PAGE_LOCKED) cache.lockedBy = swap.lockedBy;
  if (found < 0) return found;
  const frame = found as Pfn;
  if (!cache.addPage(file, index, frame)) {
    cache.allocator.putFrame(frame);
    return -ENOMEM;
  }
  file.swapped.delete(index);
  swap.free(entry);
  swap.removeFromCache(frame);
  // Nothing else holds its contents now.
  cache.markDirty(frame);
  return frame;
}

/**
 * The page of an object, which nobody maps and the page cache alone holds, has been written to its slot: the slot is the page
 * from now on, and the frame the swap cache's alone (shmem_writeout, shmem_delete_from_page_cache).
 */
export function leaveToSwap(cache: PageCache, frame: Pfn): void {
  const { frames, swap } = cache;
  const file = cache.fileById(frames.owner[frame]) as FilePages;
  const entry = swap.entryOf(frame);
  swap.dup(entry);
  file.swapped.set(frames.index[frame], entry);
  cache.dropPage(frame);
}

/** Truncate, hole punch, the end of the object: its slots in [first, end) are given back (shmem_free_swap). */
export function dropSwapped(cache: PageCache, file: FilePages, first: number, end: number): void {
  for (const [index, entry] of file.swapped) {
    if (index < first || index >= end) continue;
    file.swapped.delete(index);
    cache.swap.free(entry);
  }
}
