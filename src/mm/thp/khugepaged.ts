import { EV_KHUGEPAGED_SCAN_PMD } from '../../base/event-kinds.ts';
import type { Vpn } from '../../machine/units.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { PG_anon, PG_lru, PG_referenced } from '../phys/page-flags.ts';
import { isMappedShared } from '../rmap/rmap-walk.ts';
import { VMA_SHMEM, type Vma } from '../vma.ts';
import { collapseOne } from './collapse.ts';
import { collapseFile } from './collapse-file.ts';

/**
 * khugepaged (Linux 6.18, mm/khugepaged.c): makes huge pages of small ones where a VMA may have them, in the spaces that asked or
 * touched memory that may. The kernel calls `scan` from time to time; a place where it left off is kept.
 *
 * Invariant U4: `spaces` are alive, each once; the one at `turn` is being scanned, from `at` on.
 */
export class Khugepaged {
  /** /sys/kernel/mm/transparent_hugepage/khugepaged. */
  pagesToScan: number;
  scanSleepMillisecs = 10_000;
  allocSleepMillisecs = 60_000;
  /** Of the pages that become one, so many may not be there, be in swap, be mapped elsewhere too. */
  maxPtesNone: number;
  maxPtesSwap: number;
  maxPtesShared: number;
  /** May finding a block reclaim? */
  defrag = true;
  pagesCollapsed = 0;
  fullScans = 0;
  private readonly spaces: AddressSpace[] = [];
  private turn = 0;
  private at = 0 as Vpn;
  private readonly mm: MemoryManager;

  constructor(mm: MemoryManager, hugePages: number) {
    this.mm = mm;
    this.pagesToScan = 8 * hugePages;
    this.maxPtesNone = hugePages - 1;
    this.maxPtesSwap = Math.floor(hugePages / 8);
    this.maxPtesShared = Math.floor(hugePages / 2);
  }

  /** hugepage_pmd_enabled, khugepaged_has_work. */
  get hasWork(): boolean {
    const { thp, pageCache } = this.mm;
    return this.spaces.length > 0 && (thp.wanted !== 'never' || pageCache.shmemHuge.isEverHuge);
  }

  /** __khugepaged_enter: the space has memory that may be huge. */
  enter(space: AddressSpace): void {
    if (!this.spaces.includes(space)) this.spaces.push(space);
  }

  /** khugepaged_fork. */
  fork(from: AddressSpace, to: AddressSpace): void {
    if (this.spaces.includes(from)) this.enter(to);
  }

  /** __khugepaged_exit. */
  exit(space: AddressSpace): void {
    const place = this.spaces.indexOf(space);
    if (place < 0) return;
    this.spaces.splice(place, 1);
    if (place < this.turn) this.turn--;
    else if (place === this.turn) this.at = 0 as Vpn;
    if (this.turn === this.spaces.length) this.turn = 0;
  }

  findBroken(): string | null {
    if (new Set(this.spaces).size !== this.spaces.length) return 'a space is scanned twice';
    return this.spaces.every((space) => this.mm.spaces.has(space)) ? null : 'a space that is scanned is gone';
  }

  /** khugepaged_do_scan: pagesToScan pages, to the end of a round at most. 'no block' where memory had none: sleep longer. */
  scan(): 'done' | 'no block' {
    let progress = 0;
    while (progress < this.pagesToScan && this.hasWork) {
      const vma = this.spaces[this.turn].vmas.find(this.at);
      if (vma === null) {
        this.nextSpace();
        if (this.turn === 0) return 'done';
        continue;
      }
      progress++;
      const { pages } = this.mm.thp;
      const first = (Math.ceil(Math.max(this.at, vma.startVpn) / pages) * pages) as Vpn;
      const isFile = vma.kind === VMA_SHMEM;
      const isAllowed = isFile
        ? this.mm.thp.isShmemAllowed(vma, 'khugepaged')
        : this.mm.thp.isAllowed(vma, 'khugepaged');
      if (!isAllowed || !this.mm.thp.fits(vma, first)) {
        this.at = vma.endVpn;
        continue;
      }
      this.at = (first + pages) as Vpn;
      progress += pages;
      const isWorthIt = isFile || this.mayCollapse(vma, first);
      if (this.mm.events.enabled[EV_KHUGEPAGED_SCAN_PMD] !== 0)
        this.mm.events.emit(EV_KHUGEPAGED_SCAN_PMD, vma.space.id, first * PAGE_SIZE, isWorthIt ? 1 : 0);
      if (!isWorthIt) continue;
      const failedBefore = this.mm.vmstat.thp_collapse_alloc_failed;
      if ((isFile ? collapseFile : collapseOne)(this.mm, vma, first, 'khugepaged') === 0) this.pagesCollapsed++;
      else if (this.mm.vmstat.thp_collapse_alloc_failed !== failedBefore) return 'no block';
    }
    return 'done';
  }

  private nextSpace(): void {
    this.at = 0 as Vpn;
    if (++this.turn < this.spaces.length) return;
    this.turn = 0;
    this.fullScans++;
  }

  /** hpage_collapse_scan_pmd: are enough of the small pages there, alone and in use? */
  private mayCollapse(vma: Vma, start: Vpn): boolean {
    const { mm } = this;
    const { pageTables, frames, format, thp, vmstat } = mm;
    const end = (start + thp.pages) as Vpn;
    let there = 0;
    let zero = 0;
    let shared = 0;
    let swapped = 0;
    let referenced = 0;
    for (let page = start; pageTables.seek(vma.space, page, end); page = (pageTables.foundVpn + 1) as Vpn) {
      if (pageTables.foundLevel > 0) return false;
      const entry = pageTables.read(pageTables.foundSlot);
      if (pageTables.isUffdWp(entry)) return false;
      if (pageTables.isSwap(entry)) {
        there++;
        swapped++;
        continue;
      }
      if (!pageTables.isMapped(entry)) return false;
      const frame = frames.headOf(pageTables.frameOf(entry));
      there++;
      if (frame === mm.zeroPage) {
        zero++;
        continue;
      }
      const flags = frames.flags[frame];
      if ((flags & (PG_anon | PG_lru)) !== (PG_anon | PG_lru)) return false;
      if (isMappedShared(mm.rmap, frame)) shared++;
      if ((entry & format.ACCESSED) !== 0 || (flags & PG_referenced) !== 0) referenced++;
    }
    if (there === 0) return false;
    if (thp.pages - there + zero > this.maxPtesNone) {
      vmstat.thp_scan_exceed_none_pte++;
      return false;
    }
    if (swapped > this.maxPtesSwap) {
      vmstat.thp_scan_exceed_swap_pte++;
      return false;
    }
    if (shared > this.maxPtesShared) {
      vmstat.thp_scan_exceed_share_pte++;
      return false;
    }
    return referenced > 0 && (swapped === 0 || referenced >= thp.pages / 2);
  }
}
