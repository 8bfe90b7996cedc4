import type { FrameAllocator } from './phys/alloc.ts';

/** One line of /proc/buddyinfo: free blocks of 2^0, 2^1 ... 2^10 frames. */
export interface BuddyinfoRow {
  readonly zone: string;
  readonly freeBlocks: readonly number[];
}

/** Linux: frag_show_print, mm/vmstat.c. */
export function collectBuddyinfo(alloc: FrameAllocator): BuddyinfoRow[] {
  return alloc.zones.map((zone) => ({
    zone: zone.name,
    freeBlocks: zone.buddy.freeLists.map((list) => list.length),
  }));
}
