import { ENOMEM, EPERM } from '../abi/errno.ts';
import {
  PAGE_IS_FILE,
  PAGE_IS_GUARD,
  PAGE_IS_HUGE,
  PAGE_IS_PFNZERO,
  PAGE_IS_PRESENT,
  PAGE_IS_SWAPPED,
  PAGE_IS_WPALLOWED,
  PAGE_IS_WRITTEN,
  PM_SCAN_CHECK_WPASYNC,
  PM_SCAN_WP_MATCHING,
} from '../abi/pagemap.ts';
import type { Vpn } from '../machine/units.ts';
import type { AddressSpace } from './address-space.ts';
import type { MemoryManager } from './memory-manager.ts';
import { MARKER_GUARD } from './page-table-entry.ts';
import { PG_anon } from './phys/page-flags.ts';
import { protectForUffd } from './uffd/write-protect.ts';
import { VM_PFNMAP, VM_UFFD_WP } from './vm-flags.ts';
import { VMA_HUGETLB, type Vma } from './vma.ts';

/** struct pm_scan_arg: PM_SCAN_* and PAGE_IS_* bits; maxPages Infinity: no limit, maxRegions 0: nothing is reported. */
export interface PagemapScan {
  readonly flags: number;
  readonly start: Vpn;
  readonly end: Vpn;
  readonly maxRegions: number;
  readonly maxPages: number;
  readonly inverted: number;
  readonly all: number;
  readonly any: number;
  readonly reported: number;
}

export interface PageRegion {
  readonly start: Vpn;
  end: Vpn;
  readonly categories: number;
}

/** What is known of one VMA while it is walked. */
interface Walked {
  readonly vma: Vma;
  /** PAGE_IS_WPALLOWED or 0. */
  readonly categories: number;
  /** What a page has whose table is not there. 6.18 counts it as written where it could be protected, else not. */
  readonly hole: number;
}

/**
 * One scan (Linux 6.18: do_pagemap_scan, fs/proc/task_mmu.c): stretches of pages with the same categories, of those that match;
 * with PM_SCAN_WP_MATCHING those pages are write-protected for their asynchronous userfaultfd in the same go.
 */
export class PagemapScanner {
  readonly regions: PageRegion[] = [];
  /** Where the walk ended: the end, or the first page that had no room. */
  walkEnd: Vpn;
  private foundPages = 0;
  private isFull = false;
  private readonly mm: MemoryManager;
  private readonly scan: PagemapScan;

  constructor(mm: MemoryManager, scan: PagemapScan) {
    this.mm = mm;
    this.scan = scan;
    this.walkEnd = scan.end;
  }

  /** 0; -EPERM where PM_SCAN_CHECK_WPASYNC meets a VMA that cannot; -ENOMEM. What was found before stays. */
  run(space: AddressSpace): number {
    const { start, end } = this.scan;
    if (start >= end) return 0;
    for (let vma = space.vmas.find(start); vma !== null && vma.startVpn < end; vma = space.vmas.next(vma)) {
      const walked = this.prepare(vma);
      if (typeof walked === 'number') return walked;
      if (walked === null) continue;
      const from = Math.max(start, vma.startVpn) as Vpn;
      const result = this.walk(space, walked, from, Math.min(end, vma.endVpn) as Vpn);
      if (result !== 0 || this.isFull) return result;
    }
    return 0;
  }

  /** pagemap_scan_test_walk: null for a VMA that is passed over. */
  private prepare(vma: Vma): Walked | null | number {
    const { flags, all, inverted } = this.scan;
    const isAllowed = (vma.flags & VM_UFFD_WP) !== 0 && vma.uffd !== null && vma.uffd.isAsync;
    if (!isAllowed && (flags & PM_SCAN_CHECK_WPASYNC) !== 0) return -EPERM;
    if (!isAllowed && (flags & PM_SCAN_WP_MATCHING) !== 0) return null;
    if ((vma.flags & VM_PFNMAP) !== 0) return null;
    const categories = isAllowed ? PAGE_IS_WPALLOWED : 0;
    const required = all & PAGE_IS_WPALLOWED;
    if (((categories ^ inverted) & required) !== required) return null;
    return { vma, categories, hole: (vma.flags & VM_UFFD_WP) !== 0 ? PAGE_IS_WRITTEN : 0 };
  }

  private walk(space: AddressSpace, walked: Walked, from: Vpn, to: Vpn): number {
    const { pageTables, format } = this.mm;
    const perTable = 2 ** format.bitsPerLevel;
    let page: number = from;
    while (page < to && !this.isFull) {
      const tableEnd = Math.min(to, page - (page % perTable) + perTable);
      let result: number;
      const huge = pageTables.findEntry(space, page as Vpn);
      if (walked.vma.kind === VMA_HUGETLB || (huge !== -1 && pageTables.foundLevel > 0)) {
        result = this.visitHuge(walked, page as Vpn, tableEnd as Vpn, huge === -1 ? 0 : pageTables.read(huge));
      } else if (pageTables.findLeaf(space, page as Vpn) === -1) {
        result = this.visit(walked, page as Vpn, tableEnd as Vpn, walked.hole);
      } else {
        result = 0;
        for (let at = page; at < tableEnd && result === 0 && !this.isFull; at++) {
          const slot = pageTables.findLeaf(space, at as Vpn);
          result = this.visit(walked, at as Vpn, (at + 1) as Vpn, this.categoriesOf(pageTables.read(slot)));
        }
      }
      if (result !== 0) return result;
      page = tableEnd;
    }
    return 0;
  }

  private visitHuge(walked: Walked, from: Vpn, to: Vpn, entry: number): number {
    return this.visit(walked, from, to, entry === 0 ? walked.hole : this.categoriesOf(entry) | PAGE_IS_HUGE);
  }

  /** pagemap_page_category. */
  private categoriesOf(entry: number): number {
    const { pageTables, frames, zeroPage, thp } = this.mm;
    const written = pageTables.isUffdWp(entry) ? 0 : PAGE_IS_WRITTEN;
    if (pageTables.isMapped(entry)) {
      const frame = frames.headOf(pageTables.frameOf(entry));
      const isZero = frame === zeroPage || frame === thp.zeroPage;
      const isFile = !isZero && (frames.flags[frame] & PG_anon) === 0;
      return PAGE_IS_PRESENT | written | (isFile ? PAGE_IS_FILE : 0) | (isZero ? PAGE_IS_PFNZERO : 0);
    }
    if (entry === 0) return written;
    const isGuard = (pageTables.markerOf(entry) & MARKER_GUARD) !== 0;
    return PAGE_IS_SWAPPED | written | (isGuard ? PAGE_IS_GUARD : 0);
  }

  /** Reports pages that have the same categories, if they match, and protects them. */
  private visit({ vma, categories: own }: Walked, from: Vpn, to: Vpn, categories: number): number {
    const { inverted, all, any, flags, maxRegions, maxPages } = this.scan;
    const tested = (own | categories) ^ inverted;
    if ((tested & all) !== all || (any !== 0 && (tested & any) === 0)) return 0;
    const protects = (flags & PM_SCAN_WP_MATCHING) !== 0 && (categories & PAGE_IS_WRITTEN) !== 0;
    if (protects && vma.kind === VMA_HUGETLB && maxRegions > 0 && to - from > maxPages - this.foundPages) {
      // A page of a pool is protected as a whole or not at all (pagemap_scan_hugetlb_entry).
      this.stop(from);
      return 0;
    }
    const end = this.report(own | categories, from, to);
    if (end === from || !protects) return 0;
    return protectForUffd(this.mm, vma, from, end, 'protect') === 0 ? 0 : -ENOMEM;
  }

  /** pagemap_scan_output: the end of what had room. */
  private report(categories: number, from: Vpn, to: Vpn): Vpn {
    const { maxRegions, maxPages, reported } = this.scan;
    if (maxRegions === 0) return to;
    const end = Math.min(to, from + (maxPages - this.foundPages)) as Vpn;
    const shown = categories & reported;
    const last = this.regions.at(-1);
    if (end > from && last !== undefined && last.end === from && last.categories === shown) last.end = end;
    else if (end > from && this.regions.length < maxRegions) this.regions.push({ start: from, end, categories: shown });
    else return this.stop(from);
    this.foundPages += end - from;
    return end < to ? this.stop(end) : end;
  }

  private stop(at: Vpn): Vpn {
    this.isFull = true;
    this.walkEnd = at;
    return at;
  }
}
