import type { Pfn } from '../../machine/units.ts';
import { PG_head, PG_hugetlb, PG_tail } from './page-flags.ts';

/** "No frame": an allocation that failed, an index with no page, the end of a frame list. Never a valid pfn. */
export const NO_FRAME = -1;

/**
 * What the memory manager knows of each frame (Linux: struct page, mem_map): one typed array a field, the row is the pfn.
 * The fields are public because the fault path reads them; who may write which is said here and in mm/README.md.
 *
 * Invariants (checked by phys/check.ts):
 *  F1 refcount[pfn] = 0 exactly when the frame is free (PG_buddy, or inside a free block) or a tail of a larger block.
 *     Written by FrameAllocator alone (getFrame, putFrame, alloc, free).
 *  F2 mapcount[pfn] = number of page-table entries of 4 KiB that map the frame; of a huge page of a pool the head counts for all.
 *     Of a compound page besides, on its head: entireMapcount = huge leaves that map all of it, largeMapcount = entries of both
 *     kinds for any of its frames, pagesMapped = its frames with mapcount > 0. Written by Rmap alone. Each entry holds one
 *     reference (of a compound page the head's), so no count is above refcount. The zero page is counted in none.
 *  F3 A frame is on at most one list; `next` and `prev` belong to that list's owner: free lists (PG_buddy), LRU lists
 *     (PG_lru), partial slabs (PG_slab), pools of huge pages (PG_hugetlb); deferred splits by the third frame of the page.
 *  F4 PG_anon: owner is an AnonVma's id, index the linear page index in it (vma.pgoff + page of the vma).
 *     With PG_ksm: owner is the row of its stable node (0 none), index 0 (ksm/).
 *     PG_pagecache: owner is a FilePages' id, index the page of the file. PG_slab: owner is a KmemCache's id, index the first
 *     free object's address (0 none), private the number of objects in use. PG_tail: owner is the head's pfn.
 *     PG_swapcache: private is the SwapEntry; without PG_anon and PG_pagecache owner is 0.
 *     PG_hugetlb: as PG_anon; or owner is the id of the file's FilePages, index the first page of the file that it holds.
 *  F5 order[pfn] is the block's order on its first frame where PG_buddy or PG_head is set, else 0.
 *  F6 A free frame has flags 0 or PG_buddy, owner 0, mapcounts 0, memcg 0.
 */
export class FrameTable {
  readonly frameCount: number;
  /** Order of the transparent huge pages, which one entry of level 1 maps (HPAGE_PMD_ORDER); -1: there are none. Set by Thp. */
  pmdOrder = -1;
  /** PG_* bits (page-flags.ts). */
  readonly flags: Uint32Array;
  readonly refcount: Int32Array;
  /** Page-table entries that map the frame; 0 is unmapped (Linux stores -1). */
  readonly mapcount: Int32Array;
  /** Of the head of a compound page (F2). */
  readonly entireMapcount: Int32Array;
  readonly largeMapcount: Int32Array;
  readonly pagesMapped: Int32Array;
  readonly owner: Int32Array;
  readonly index: Float64Array;
  readonly order: Uint8Array;
  /** Linux's page->private: meaning depends on the owner (F4). */
  readonly private: Float64Array;
  /** Id of the memory cgroup that the frame is charged to, of a compound page its head's; 0: the root's, which is not counted. */
  readonly memcg: Uint16Array;
  /** Linux's folio->mlock_count: how many locks hold a PG_mlocked page (mlock-pages.ts). */
  readonly mlockCount: Int32Array;
  readonly next: Int32Array;
  readonly prev: Int32Array;

  constructor(frameCount: number) {
    this.frameCount = frameCount;
    this.flags = new Uint32Array(frameCount);
    this.refcount = new Int32Array(frameCount);
    this.mapcount = new Int32Array(frameCount);
    this.entireMapcount = new Int32Array(frameCount);
    this.largeMapcount = new Int32Array(frameCount);
    this.pagesMapped = new Int32Array(frameCount);
    this.owner = new Int32Array(frameCount);
    this.index = new Float64Array(frameCount);
    this.order = new Uint8Array(frameCount);
    this.private = new Float64Array(frameCount);
    this.memcg = new Uint16Array(frameCount);
    this.mlockCount = new Int32Array(frameCount);
    this.next = new Int32Array(frameCount).fill(NO_FRAME);
    this.prev = new Int32Array(frameCount).fill(NO_FRAME);
  }

  has(frame: Pfn, flag: number): boolean {
    return (this.flags[frame] & flag) !== 0;
  }

  set(frame: Pfn, flag: number): void {
    this.flags[frame] |= flag;
  }

  clear(frame: Pfn, flag: number): void {
    this.flags[frame] &= ~flag;
  }

  /** The frame that carries the block's facts (Linux: compound_head). */
  headOf(frame: Pfn): Pfn {
    return (this.flags[frame] & PG_tail) !== 0 ? (this.owner[frame] as Pfn) : frame;
  }

  /** The frame is part of a compound page whose frames are mapped one by one, too: not of a pool's. */
  isLarge(frame: Pfn): boolean {
    const flags = this.flags[frame];
    return (flags & (PG_head | PG_tail)) !== 0 && (this.flags[this.headOf(frame)] & PG_hugetlb) === 0;
  }

  /** Entries, huge leaves too, that map this very frame (folio_precise_page_mapcount). */
  mappingsOf(frame: Pfn): number {
    if ((this.flags[frame] & (PG_head | PG_tail)) === 0) return this.mapcount[frame];
    const head = this.headOf(frame);
    if ((this.flags[head] & PG_hugetlb) !== 0) return this.mapcount[head];
    return this.mapcount[frame] + this.entireMapcount[head];
  }

  /** Entries that map any part of the page that this is the head of (folio_mapcount). */
  mappingsOfPage(page: Pfn): number {
    return (this.flags[page] & (PG_head | PG_hugetlb)) === PG_head ? this.largeMapcount[page] : this.mapcount[page];
  }

  /** Its frames that some entry maps. */
  mappedFramesOf(page: Pfn): number {
    if ((this.flags[page] & (PG_head | PG_hugetlb)) === PG_head && this.entireMapcount[page] === 0)
      return this.pagesMapped[page];
    return this.mappingsOfPage(page) > 0 ? this.pagesOf(page) : 0;
  }

  /** Pages of 4 KiB that the frame stands for: a compound page is its head (Linux: folio_nr_pages). */
  pagesOf(frame: Pfn): number {
    return (this.flags[frame] & PG_head) !== 0 ? 2 ** this.order[frame] : 1;
  }
}
