import { PAGE_SIZE } from '../../machine/units.ts';
import type { FrameAllocator } from '../phys/alloc.ts';
import { LRU_ACTIVE_FILE, LRU_INACTIVE_FILE } from '../phys/lruvec.ts';
import { totalReservePages } from '../phys/watermarks.ts';

/**
 * /proc/sys/vm/dirty_* (6.18, mm/page-writeback.c): how much of files may wait in memory to be written, and how long. Of each ratio
 * and its bytes one is 0, the other holds.
 */
export class DirtySettings {
  /** Per cent of what is available: there writers have to wait. */
  ratio = 20;
  bytes = 0;
  /** There the flusher begins. */
  backgroundRatio = 10;
  backgroundBytes = 0;
  /** How often the flusher looks; 0: only where there is too much. */
  writebackCentisecs = 500;
  /** How long a file may be dirty. */
  expireCentisecs = 3000;
}

/** Whether with so many dirty pages more there is still nothing to do for PageCache.balanceDirty. */
export function hasRoomForDirty(alloc: FrameAllocator, settings: DirtySettings, pages: number): boolean {
  return alloc.stat.nr_dirty + alloc.stat.nr_writeback + pages <= dirtyLimits(alloc, settings).background;
}

/** global_dirty_limits, in pages. */
export function dirtyLimits(
  alloc: FrameAllocator,
  settings: DirtySettings,
): { readonly threshold: number; readonly background: number } {
  const file = alloc.lru.sizes[LRU_ACTIVE_FILE] + alloc.lru.sizes[LRU_INACTIVE_FILE];
  const free = alloc.freeCount;
  const available = free - Math.min(free, totalReservePages(alloc.zones)) + file + 1;
  const share = (percent: number): number =>
    Math.floor((Math.floor((percent * PAGE_SIZE) / 100) * available) / PAGE_SIZE);
  const { bytes, ratio, backgroundBytes, backgroundRatio } = settings;
  const threshold = bytes > 0 ? Math.ceil(bytes / PAGE_SIZE) : share(ratio);
  const wanted = backgroundBytes > 0 ? Math.ceil(backgroundBytes / PAGE_SIZE) : share(backgroundRatio);
  return { threshold, background: wanted >= threshold ? Math.floor(threshold / 2) : wanted };
}
