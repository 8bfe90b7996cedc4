import { assert } from '../../base/assert.ts';
import type { Pfn } from '../../machine/units.ts';
import { FrameList } from './frame-list.ts';
import { type FrameTable, NO_FRAME } from './frame-table.ts';
import { PG_buddy } from './page-flags.ts';

/** Blocks have 2^0 to 2^10 frames (include/linux/mmzone.h). */
export const MAX_PAGE_ORDER = 10;
const NR_PAGE_ORDERS = MAX_PAGE_ORDER + 1;

/**
 * The binary buddy system over the frames [startPfn, endPfn) of one zone (Linux: mm/page_alloc.c, __rmqueue_smallest, expand,
 * __free_one_page). One list a block size, its links in the frame table; last freed is first given, as it may be in a cache.
 *
 *      free(order n) --- buddy free, same order ---> one block of order n+1 --- and again, to order 10
 *      alloc(order n) <-- lower half ---- split ---- block of order n+1 (upper half becomes free)
 *
 * Invariants (checked by phys/check.ts):
 *  B1 PG_buddy is set exactly on the first frame of each free block; `order` there is its order; it is on freeLists[order].
 *  B2 A free block of 2^n frames begins at a multiple of 2^n.
 *  B3 Coalescing is complete: no free block of order < 10 has a free buddy of the same order inside the zone.
 *  B4 freePages is the sum of all free blocks' sizes; blocks do not overlap.
 */
export class Buddy {
  readonly startPfn: number;
  readonly endPfn: number;
  readonly freeLists: readonly FrameList[];
  freePages = 0;
  private readonly frames: FrameTable;

  constructor(frames: FrameTable, startPfn: number, endPfn: number) {
    this.frames = frames;
    this.startPfn = startPfn;
    this.endPfn = endPfn;
    this.freeLists = Array.from({ length: NR_PAGE_ORDERS }, () => new FrameList(frames));
  }

  /** The first frame of a block of 2^order frames, or NO_FRAME. Touches no field but PG_buddy, order and links. */
  alloc(order: number): Pfn | -1 {
    const { freeLists } = this;
    for (let size = order; size <= MAX_PAGE_ORDER; size++) {
      const frame = freeLists[size].head;
      if (frame === NO_FRAME) continue;
      this.unlink(frame as Pfn, size);
      for (let half = size - 1; half >= order; half--) this.link((frame + (1 << half)) as Pfn, half, 'front');
      this.freePages -= 1 << order;
      return frame;
    }
    return NO_FRAME;
  }

  /** Gives back a block that `alloc` gave, or any part of one that is a block itself. 'back': boot memory, lowest first. */
  free(frame: Pfn, order: number, where: 'front' | 'back' = 'front'): void {
    const { flags, order: orders } = this.frames;
    assert((flags[frame] & PG_buddy) === 0, 'mm/phys/buddy.ts: a block is freed once');
    this.freePages += 1 << order;
    let start: number = frame;
    let size = order;
    while (size < MAX_PAGE_ORDER) {
      const buddy = start ^ (1 << size);
      if (buddy < this.startPfn || buddy + (1 << size) > this.endPfn) break;
      if ((flags[buddy] & PG_buddy) === 0 || orders[buddy] !== size) break;
      this.unlink(buddy as Pfn, size);
      start &= ~(1 << size);
      size++;
    }
    this.link(start as Pfn, size, where);
  }

  /** Takes [frame, frame + count) if all of it is free in blocks of the greatest order; `frame` and `count` are multiples of one. */
  takeRange(frame: Pfn, count: number): boolean {
    const { flags, order } = this.frames;
    const step = 2 ** MAX_PAGE_ORDER;
    for (let at = frame as number; at < frame + count; at += step)
      if ((flags[at] & PG_buddy) === 0 || order[at] !== MAX_PAGE_ORDER) return false;
    for (let at = frame as number; at < frame + count; at += step) this.unlink(at as Pfn, MAX_PAGE_ORDER);
    this.freePages -= count;
    return true;
  }

  /** Is there a block of at least 2^order frames? */
  hasBlock(order: number): boolean {
    for (let size = order; size <= MAX_PAGE_ORDER; size++) if (this.freeLists[size].length > 0) return true;
    return false;
  }

  private link(frame: Pfn, order: number, where: 'front' | 'back'): void {
    this.frames.flags[frame] |= PG_buddy;
    this.frames.order[frame] = order;
    if (where === 'front') this.freeLists[order].pushFront(frame);
    else this.freeLists[order].pushBack(frame);
  }

  private unlink(frame: Pfn, order: number): void {
    this.freeLists[order].remove(frame);
    this.frames.flags[frame] &= ~PG_buddy;
    this.frames.order[frame] = 0;
  }
}
