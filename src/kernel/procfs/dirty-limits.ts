import type { FrameAllocator } from '../../mm/phys/alloc.ts';
import { LRU_ACTIVE_FILE, LRU_INACTIVE_FILE } from '../../mm/phys/lruvec.ts';
import { totalReservePages } from '../../mm/phys/watermarks.ts';

/** vm.dirty_ratio and vm.dirty_background_ratio, per cent. */
export const DIRTY_RATIO = 20;
export const DIRTY_BACKGROUND_RATIO = 10;

/** The marks that dirty pages are measured against (global_dirty_limits, mm/page-writeback.c), in pages. */
export function availableDirtyPages(alloc: FrameAllocator): [threshold: number, background: number] {
  const file = alloc.lru.sizes[LRU_ACTIVE_FILE] + alloc.lru.sizes[LRU_INACTIVE_FILE];
  const free = alloc.freeCount;
  const available = free - Math.min(free, totalReservePages(alloc.zones)) + file + 1;
  const share = (percent: number): number => Math.floor((Math.floor((percent * 4096) / 100) * available) / 4096);
  return [share(DIRTY_RATIO), share(DIRTY_BACKGROUND_RATIO)];
}
