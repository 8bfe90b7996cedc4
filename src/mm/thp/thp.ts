import { EV_THP_ZERO_PAGE_ALLOC } from '../../base/event-kinds.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { MAX_PAGE_ORDER } from '../phys/buddy.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { __GFP_ZERO } from '../phys/gfp.ts';
import { PG_reserved } from '../phys/page-flags.ts';
import { VM_HUGEPAGE, VM_NOHUGEPAGE, VM_SPECIAL } from '../vm-flags.ts';
import { VMA_ANON, VMA_SHMEM, type Vma } from '../vma.ts';
import { GFP_TRANSHUGE, thpGfp } from './gfp.ts';
import { Khugepaged } from './khugepaged.ts';

export const THP_ENABLED = ['always', 'madvise', 'never'] as const;
export type ThpEnabled = (typeof THP_ENABLED)[number];
export const THP_DEFRAG = ['always', 'defer', 'defer+madvise', 'madvise', 'never'] as const;
export type ThpDefrag = (typeof THP_DEFRAG)[number];
/** Who wants a huge page: a fault, MADV_COLLAPSE, khugepaged. */
export type ThpReason = 'fault' | 'collapse' | 'khugepaged';

/**
 * Transparent huge pages (Linux 6.18: mm/huge_memory.c), of the size that one entry of level 1 maps. Those of anonymous memory:
 *
 *   nothing --first touch of a range that may be huge--> huge leaf --part of it changes--> entries of its parts, in this space
 *      small pages --MADV_COLLAPSE--> huge leaf
 *   the page --reclaim, KSM, ...: nobody else holds it (splitHugePage)--> small pages, in all spaces
 *
 * Those of shared memory are the page cache's (shmem/large-pages.ts); a huge leaf that maps one goes whole, since a fault brings it back.
 *
 * Invariants (checked by check-entries.ts, invariants.ts):
 *  U1 A huge leaf lies in one VMA_ANON, aligned, and maps the head of a block of `order` with PG_anon, or the huge zero page; or in a
 *     VMA_SHMEM, and maps a block of `order` with PG_pagecache.
 *  U2 Each huge leaf of anonymous memory has a leaf table put by (PageTables.deposit), so that a split needs no memory; of shared
 *     memory it has none (pageTables.fileLeaves counts them).
 *  U3 refcount of a huge page is its head's: the number of huge leaves, and of entries that map parts of it (rmap/large-rmap.ts), and
 *     one more of the page cache's.
 */
export class Thp {
  /** /sys/kernel/mm/transparent_hugepage: as Linux's distributions set them. */
  enabled: ThpEnabled = 'madvise';
  /** Whose faults may reclaim to find a block. */
  defrag: ThpDefrag = 'madvise';
  useZeroPage = true;
  /** Pages that turn out to be mostly zeroes are split when memory is short. */
  shrinkUnderused = true;
  /** hugepages-2048kB: of the one size that there is. */
  enabledOfSize: ThpEnabled | 'inherit' = 'inherit';
  readonly level = 1;
  readonly order: number;
  /** 4 KiB pages in a huge one. */
  readonly pages: number;
  /** The format has such leaves, and the allocator such blocks. */
  readonly isPossible: boolean;
  zeroPage: Pfn | -1 = NO_FRAME;
  readonly khugepaged: Khugepaged;
  private readonly mm: MemoryManager;

  constructor(mm: MemoryManager) {
    this.mm = mm;
    this.order = mm.format.bitsPerLevel;
    this.pages = 2 ** this.order;
    this.khugepaged = new Khugepaged(mm, this.pages);
    this.isPossible = mm.format.hugeLevels.includes(1) && this.order <= MAX_PAGE_ORDER;
    if (this.isPossible) mm.frames.pmdOrder = this.order;
  }

  /** Huge pages that some huge leaf maps (nr_anon_transparent_hugepages). */
  get livePages(): number {
    return this.mm.alloc.stat.nr_anon_thps;
  }

  /** The first page of the huge page around `page`. */
  startOf(page: Vpn): Vpn {
    return (page - (page % this.pages)) as Vpn;
  }

  /**
   * thp_vma_allowable_order: may the VMA have huge pages? 'collapse' is MADV_COLLAPSE, which the wish of the machine does not
   * bind. What a userfaultfd watches stays in small pages here.
   */
  isAllowed(vma: Vma, why: ThpReason): boolean {
    if (!this.isPossible || vma.kind !== VMA_ANON || vma.uffd !== null) return false;
    if ((vma.flags & (VM_NOHUGEPAGE | VM_SPECIAL)) !== 0) return false;
    if (isDisabled(vma, why)) return false;
    if (why === 'collapse' || this.wanted === 'always') return true;
    return this.wanted === 'madvise' && (vma.flags & VM_HUGEPAGE) !== 0;
  }

  /** Whose memory is to be huge, as its size says or all sizes. */
  get wanted(): ThpEnabled {
    return this.enabledOfSize === 'inherit' ? this.enabled : this.enabledOfSize;
  }

  /** The whole huge page around `page` lies in the VMA, and pages of a file in step with it (thp_vma_suitable_order). */
  fits(vma: Vma, page: Vpn): boolean {
    const start = this.startOf(page);
    if (vma.kind !== VMA_ANON && (vma.startVpn - vma.pgoff) % this.pages !== 0) return false;
    return start >= vma.startVpn && start + this.pages <= vma.endVpn;
  }

  /** do_set_pmd: a huge page of a file may be mapped by a huge leaf, whatever the wish of the machine is. */
  mayMapFile(vma: Vma): boolean {
    if (!this.isPossible || vma.kind !== VMA_SHMEM || vma.uffd !== null) return false;
    return (vma.flags & VM_NOHUGEPAGE) === 0 && !isDisabled(vma, 'fault');
  }

  /** THPeligible of smaps ('fault'), and what MADV_COLLAPSE asks first: some huge page of the VMA may be one. */
  isEligible(vma: Vma, why: ThpReason = 'fault'): boolean {
    const first = (Math.ceil(vma.startVpn / this.pages) * this.pages) as Vpn;
    return (vma.kind === VMA_SHMEM ? this.isShmemAllowed(vma, why) : this.isAllowed(vma, why)) && this.fits(vma, first);
  }

  /** The same for shared memory, whose mount decides (__thp_vma_allowable_orders). */
  isShmemAllowed(vma: Vma, why: ThpReason): boolean {
    if (!this.isPossible || vma.kind !== VMA_SHMEM || vma.pages === null || vma.uffd !== null) return false;
    if ((vma.flags & (VM_NOHUGEPAGE | VM_SPECIAL)) !== 0 || isDisabled(vma, why)) return false;
    const reason = why === 'collapse' ? 'collapse' : 'use';
    return this.mm.pageCache.shmemHuge.ordersFor(vma.pages, vma, vma.pgoff, 0, reason) !== 0;
  }

  /** A block for a huge page, one reference, its contents unknown; NO_FRAME. */
  allocate(vma: Vma, why: ThpReason): Pfn | -1 {
    return this.mm.memcgs.allocPage(vma.space.memcg, thpGfp(this.mm, vma, why), this.order);
  }

  /** The huge page of zeroes that reads map, made at the first use; NO_FRAME without memory. */
  ensureZeroPage(): Pfn | -1 {
    if (this.zeroPage !== NO_FRAME) return this.zeroPage;
    const frame = this.mm.alloc.allocFrames(this.order, GFP_TRANSHUGE | __GFP_ZERO);
    if (frame === NO_FRAME) {
      this.mm.vmstat.thp_zero_page_alloc_failed++;
      return NO_FRAME;
    }
    this.mm.frames.set(frame as Pfn, PG_reserved);
    this.mm.vmstat.thp_zero_page_alloc++;
    if (this.mm.events.enabled[EV_THP_ZERO_PAGE_ALLOC] !== 0) this.mm.events.emit(EV_THP_ZERO_PAGE_ALLOC, frame);
    this.zeroPage = frame;
    return frame;
  }

  /** The machine ends, and no space maps it any more. */
  releaseZeroPage(): void {
    if (this.zeroPage === NO_FRAME) return;
    this.mm.frames.clear(this.zeroPage as Pfn, PG_reserved);
    this.mm.alloc.putFrame(this.zeroPage as Pfn);
    this.zeroPage = NO_FRAME;
  }
}

/** vma_thp_disabled: what PR_SET_THP_DISABLE says of the whole space. */
function isDisabled(vma: Vma, why: ThpReason): boolean {
  const { thpDisable } = vma.space;
  if (thpDisable !== 'exceptAdvised') return thpDisable === 'completely';
  return (vma.flags & VM_HUGEPAGE) === 0 && why !== 'collapse';
}
