import { COST_PAGE_ZERO_NS } from '../../machine/cost-model.ts';
import type { Pfn } from '../../machine/units.ts';
import type { MemoryManager } from '../memory-manager.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import type { LargePageMaker } from '../page-cache/page-cache.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { thpGfp } from '../thp/gfp.ts';
import type { Vma } from '../vma.ts';

/**
 * Large pages of shared memory as they are made (Linux 6.18: shmem_alloc_and_add_folio, mm/shmem.c).
 *
 *   hole --fault, write, fallocate--> compound page in the page cache --part of it goes, short of memory--> small pages
 */
export class ShmemLargePages implements LargePageMaker {
  private readonly mm: MemoryManager;

  constructor(mm: MemoryManager) {
    this.mm = mm;
  }

  addForWrite(file: FilePages, index: number, writeEndBytes: number): void {
    this.add(file, index, null, writeEndBytes);
  }

  /** A fault is about to make the page. */
  addForFault(file: FilePages, index: number, vma: Vma): void {
    this.add(file, index, vma, 0);
  }

  /** Fills the hole at `index` with the largest page that may be there, if a large one may; else leaves it to who asked. */
  private add(file: FilePages, index: number, vma: Vma | null, writeEndBytes: number): void {
    const { mm } = this;
    const settings = mm.pageCache.shmemHuge;
    const orders = settings.ordersFor(file, vma, index, writeEndBytes, 'use');
    if (orders === 0) return;
    for (let order = settings.pmdOrder; order > 0; order--) {
      if ((orders & (1 << order)) === 0 || !hasRoomFor(mm, file, index, order, vma)) continue;
      const head = mm.alloc.allocFrames(order, thpGfp(mm, vma, 'fault'));
      if (head === NO_FRAME) {
        this.countFallback(order, 'memory');
        continue;
      }
      this.enter(file, index - (index % 2 ** order), head as Pfn, order);
      return;
    }
  }

  /** Gives the new page to the file, zeroed, or back. */
  private enter(file: FilePages, index: number, head: Pfn, order: number): void {
    const { alloc, memcgs, pageCache, ram, clock } = this.mm;
    const pages = 2 ** order;
    // What the charge reclaims may be of this very file.
    if (!memcgs.chargePage(head, memcgs.current, thpGfp(this.mm, null, 'fault'))) this.countFallback(order, 'charge');
    else if (hasHole(file, index, pages) && hasRoom(file, pages)) {
      for (let frame = head; frame < head + pages; frame++) ram.zeroFrame(frame as Pfn);
      clock.charge(COST_PAGE_ZERO_NS * pages);
      if (pageCache.addPage(file, index, head, 'new')) this.countAlloc(order);
    }
    alloc.putFrame(head);
  }

  private countAlloc(order: number): void {
    const { vmstat, pageCache } = this.mm;
    if (order === pageCache.shmemHuge.pmdOrder) vmstat.thp_file_alloc++;
  }

  private countFallback(order: number, why: 'memory' | 'charge'): void {
    const { vmstat, pageCache } = this.mm;
    if (order !== pageCache.shmemHuge.pmdOrder) return;
    vmstat.thp_file_fallback++;
    if (why === 'charge') vmstat.thp_file_fallback_charge++;
  }
}

/** shmem_suitable_orders: nothing of it is there, and the VMA, if it is a fault, maps all of it in step. */
function hasRoomFor(mm: MemoryManager, file: FilePages, index: number, order: number, vma: Vma | null): boolean {
  const pages = 2 ** order;
  const first = index - (index % pages);
  if (!hasHole(file, first, pages)) return false;
  return vma === null || (order === mm.thp.order && mm.thp.fits(vma, (vma.startVpn + (index - vma.pgoff)) as never));
}

/** shmem_inode_acct_blocks, at the second try with what other files do not use. */
function hasRoom(file: FilePages, pages: number): boolean {
  const { shmemOwner } = file;
  if (shmemOwner === null || shmemOwner.hasRoom(file, pages)) return shmemOwner !== null;
  shmemOwner.makeRoom(pages);
  return shmemOwner.hasRoom(file, pages);
}

function hasHole(file: FilePages, first: number, pages: number): boolean {
  const next = file.pages.next(first, 'any');
  if (next >= 0 && next < first + pages) return false;
  if (file.swapped.size === 0) return true;
  for (let index = first; index < first + pages; index++) if (file.swapped.has(index)) return false;
  return true;
}
