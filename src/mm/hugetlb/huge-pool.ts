import { ENOMEM } from '../../abi/errno.ts';
import { assert } from '../../base/assert.ts';
import { EV_HUGETLB_DEQUEUE, EV_HUGETLB_ENQUEUE } from '../../base/event-kinds.ts';
import { PAGE_SIZE, type Pfn } from '../../machine/units.ts';
import type { FrameAllocator } from '../phys/alloc.ts';
import { MAX_PAGE_ORDER } from '../phys/buddy.ts';
import { FrameList } from '../phys/frame-list.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { __GFP_COMP, __GFP_NOWARN, GFP_HIGHUSER_MOVABLE } from '../phys/gfp.ts';
import {
  PG_anon,
  PG_anon_exclusive,
  PG_dirty,
  PG_hugetlb,
  PG_referenced,
  PG_swapbacked,
  PG_uptodate,
} from '../phys/page-flags.ts';

const GFP_HUGETLB = GFP_HIGHUSER_MOVABLE | __GFP_COMP | __GFP_NOWARN;
/** What a page in the pool keeps of no user. */
const USER_FLAGS = PG_anon | PG_anon_exclusive | PG_dirty | PG_referenced | PG_swapbacked | PG_uptodate;

/**
 * The huge pages of one size (Linux 6.18: struct hstate, mm/hugetlb.c). A page is a compound block with PG_hugetlb on its
 * head, and is in one of two states:
 *
 *   free     on freeList, refcount 1 (the pool's)
 *     | allocate                       ^ takeBack: the last reference went (FrameAllocator.putFrame)
 *   in use   refcount = entries, and one more of the file's
 *
 * Surplus pages are those beyond what was asked for: taken from the machine's memory when the pool was empty (as far as
 * overcommitPages allows), given back to it when they become free.
 *
 * Invariants (checked by check-hugetlb.ts):
 *  H1 totalPages counts the PG_hugetlb heads of this order, freeList those among them that are in no use.
 *  H2 reservedPages is the sum of what is promised and not there yet: to shared objects, private VMAs, subpools.
 *  H3 reservedPages <= freePages: a promise can be kept.
 *  H4 0 <= surplusPages <= totalPages.
 */
export class HugePool {
  /** The level of the page tables whose entries map such a page. */
  readonly level: number;
  readonly order: number;
  /** 4 KiB pages in one. */
  readonly pages: number;
  readonly sizeBytes: number;
  readonly freeList: FrameList;
  totalPages = 0;
  reservedPages = 0;
  surplusPages = 0;
  /** nr_overcommit_hugepages. */
  overcommitPages = 0;
  private readonly alloc: FrameAllocator;

  constructor(alloc: FrameAllocator, level: number, order: number) {
    this.alloc = alloc;
    this.level = level;
    this.order = order;
    this.pages = 2 ** order;
    this.sizeBytes = this.pages * PAGE_SIZE;
    this.freeList = new FrameList(alloc.frames);
  }

  get freePages(): number {
    return this.freeList.length;
  }
  /** persistent_huge_pages. */
  get persistentPages(): number {
    return this.totalPages - this.surplusPages;
  }
  get isGigantic(): boolean {
    return this.order > MAX_PAGE_ORDER;
  }

  /** set_max_huge_pages: as near to `wanted` as memory, use and reservations allow. */
  resize(wanted: number): void {
    while (this.surplusPages > 0 && wanted > this.persistentPages) this.surplusPages--;
    while (wanted > this.persistentPages && this.grow()) {}
    const least = Math.max(wanted, this.reservedPages + this.persistentPages - this.freePages);
    while (this.persistentPages > least && this.freePages > 0) this.shrink();
    while (wanted < this.persistentPages && this.surplusPages < this.totalPages) this.surplusPages++;
  }

  /**
   * hugetlb_acct_memory: promises `pages` more, taking surplus pages where the free ones do not suffice; 0 or -ENOMEM. A negative
   * number takes promises back, and surplus pages that are free now go.
   */
  reserve(pages: number): number {
    if (pages > 0) {
      let missing = this.reservedPages + pages - this.freePages;
      const made: Pfn[] = [];
      for (; missing > 0; missing--) {
        const frame = this.makeSurplus();
        if (frame === NO_FRAME) {
          for (const each of made) {
            this.freeList.pushFront(each);
            this.surplusPages--;
            this.shrink();
          }
          return -ENOMEM;
        }
        made.push(frame as Pfn);
      }
      for (const each of made) this.freeList.pushFront(each);
      this.reservedPages += pages;
      return 0;
    }
    this.reservedPages += pages;
    assert(this.reservedPages >= 0, 'mm/hugetlb/huge-pool.ts: H2 reservations are not negative');
    // return_unused_surplus_pages: as many as promises were taken back.
    let unused = Math.min(-pages, this.surplusPages);
    for (; unused > 0 && this.freePages > this.reservedPages; unused--) {
      this.surplusPages--;
      this.shrink();
    }
    return 0;
  }

  /** A page with one reference, its contents unknown; NO_FRAME. 'reserved' uses up a promise. */
  allocate(which: 'reserved' | 'unreserved'): Pfn | -1 {
    if (which === 'unreserved' && this.freePages <= this.reservedPages) return this.makeSurplus();
    const frame = this.freeList.popFront();
    assert(frame !== NO_FRAME, 'mm/hugetlb/huge-pool.ts: H3 a promised page is there');
    if (which === 'reserved') this.reservedPages--;
    if (this.alloc.events.enabled[EV_HUGETLB_DEQUEUE] !== 0)
      this.alloc.events.emit(EV_HUGETLB_DEQUEUE, frame, this.order);
    return frame;
  }

  /** free_huge_folio: nobody refers to the page any more. */
  takeBack(frame: Pfn): void {
    if (this.alloc.events.enabled[EV_HUGETLB_ENQUEUE] !== 0)
      this.alloc.events.emit(EV_HUGETLB_ENQUEUE, frame, this.order);
    const { frames } = this.alloc;
    assert(frames.mapcount[frame] === 0, 'mm/hugetlb/huge-pool.ts: a page of the pool is not mapped');
    frames.clear(frame, USER_FLAGS);
    frames.owner[frame] = 0;
    frames.index[frame] = 0;
    this.alloc.renewReference(frame);
    this.freeList.pushFront(frame);
    if (this.surplusPages === 0 || this.freePages <= this.reservedPages) return;
    this.surplusPages--;
    this.shrink();
  }

  /** A fresh page for the pool from the machine's memory. */
  private grow(): boolean {
    const frame = this.fetch();
    if (frame === NO_FRAME) return false;
    this.freeList.pushFront(frame as Pfn);
    return true;
  }

  private fetch(): Pfn | -1 {
    const { alloc } = this;
    const frame = this.isGigantic ? alloc.allocContig(this.order) : alloc.allocFrames(this.order, GFP_HUGETLB);
    if (frame === NO_FRAME) return NO_FRAME;
    alloc.frames.set(frame as Pfn, PG_hugetlb);
    this.totalPages++;
    return frame;
  }

  /** alloc_surplus_hugetlb_folio. */
  private makeSurplus(): Pfn | -1 {
    if (this.isGigantic || this.surplusPages >= this.overcommitPages) return NO_FRAME;
    const frame = this.fetch();
    if (frame !== NO_FRAME) this.surplusPages++;
    return frame;
  }

  /** Gives a free page to the machine. */
  private shrink(): void {
    const { alloc } = this;
    const frame = this.freeList.popFront() as Pfn;
    alloc.frames.clear(frame, PG_hugetlb);
    this.totalPages--;
    alloc.putFrame(frame);
  }
}
