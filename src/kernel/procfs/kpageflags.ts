import type { IoSink } from '../../base/io.ts';
import type { Pfn } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import { MAX_PAGE_ORDER } from '../../mm/phys/buddy.ts';
import type { FrameTable } from '../../mm/phys/frame-table.ts';
import {
  PG_active,
  PG_anon,
  PG_buddy,
  PG_dirty,
  PG_head,
  PG_hugetlb,
  PG_ksm,
  PG_locked,
  PG_lru,
  PG_mlocked,
  PG_pagecache,
  PG_private,
  PG_reclaim,
  PG_referenced,
  PG_reserved,
  PG_slab,
  PG_swapbacked,
  PG_swapcache,
  PG_table,
  PG_tail,
  PG_unevictable,
  PG_uptodate,
  PG_writeback,
} from '../../mm/phys/page-flags.ts';
import type { Kernel } from '../kernel.ts';
import { readFrameWords } from './pagemap.ts';

/** Bits of the low word (include/uapi/linux/kernel-page-flags.h). */
const LOW: readonly (readonly [flag: number, bit: number])[] = [
  [PG_locked, 0],
  [PG_referenced, 2],
  [PG_uptodate, 3],
  [PG_dirty, 4],
  [PG_lru, 5],
  [PG_active, 6],
  [PG_writeback, 8],
  [PG_reclaim, 9],
  [PG_anon, 12],
  [PG_swapcache, 13],
  [PG_swapbacked, 14],
  [PG_head, 15],
  [PG_tail, 16],
  [PG_unevictable, 18],
  [PG_ksm, 21],
  [PG_table, 26],
];
const KPF_SLAB = 1 << 7;
const KPF_BUDDY = 1 << 10;
const KPF_MMAP = 1 << 11;
const KPF_HUGE = 1 << 17;
const KPF_THP = 1 << 22;
const KPF_ZERO_PAGE = 1 << 24;
/** Of the high word (include/linux/kernel-page-flags.h): bits 32, 33, 35. */
const HIGH: readonly (readonly [flag: number, bit: number])[] = [
  [PG_reserved, 0],
  [PG_mlocked, 1],
  [PG_private, 3],
];

/** is_free_buddy_page: PG_buddy is the first frame's, and its block holds the frame. */
function isInFreeBlock(frames: FrameTable, frame: number): boolean {
  for (let order = 0; order <= MAX_PAGE_ORDER; order++) {
    const first = frame - (frame % 2 ** order);
    if ((frames.flags[first] & PG_buddy) !== 0) return frames.order[first] >= order;
  }
  return false;
}

/** Words of /proc/kpageflags (stable_page_flags). */
export function readKpageflags(k: Kernel, _space: AddressSpace | null, pos: number, sink: IoSink): number {
  const { frames, zeroPage, thp } = k.mm;
  return readFrameWords(k, pos, sink, (view, at, frame) => {
    const head = frames.headOf(frame as Pfn);
    // What is true of the page is true of every frame of it, but which of them it is.
    const place = PG_head | PG_tail;
    const flags = (frames.flags[head] & ~place) | (frames.flags[frame] & place);
    let low = frames.mappingsOfPage(head) > 0 ? KPF_MMAP : 0;
    for (const [flag, bit] of LOW) if ((flags & flag) !== 0) low |= 1 << bit;
    const isThp =
      (frames.flags[head] & PG_head) !== 0 && ((flags & (PG_anon | PG_pagecache)) !== 0 || head === thp.zeroPage);
    if ((flags & PG_hugetlb) !== 0) low |= KPF_HUGE;
    else if (isThp) low |= KPF_THP;
    if (isInFreeBlock(frames, frame)) low |= KPF_BUDDY;
    if ((flags & PG_slab) !== 0) low |= KPF_SLAB;
    if (frame === zeroPage || (isThp && head === thp.zeroPage)) low |= KPF_ZERO_PAGE;
    let high = 0;
    for (const [flag, bit] of HIGH) if ((flags & flag) !== 0) high |= 1 << bit;
    view.setUint32(at, low, true);
    view.setUint32(at + 4, high, true);
  });
}
