import { EAGAIN, EBUSY, EINVAL, ENOMEM } from '../../abi/errno.ts';
import { EV_COLLAPSE_HUGE_PAGE } from '../../base/event-kinds.ts';
import { COST_PAGE_COPY_NS } from '../../machine/cost-model.ts';
import { PAGE_SIZE, type Pfn, type Vpn } from '../../machine/units.ts';
import type { MemoryManager } from '../memory-manager.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { PG_locked, PG_lru } from '../phys/page-flags.ts';
import { lastIndexOf, pageAt } from '../rmap/rmap-vma.ts';
import { tryToUnmap } from '../rmap/unmap.ts';
import { VM_MAYBE_GUARD } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';
import { zapRange } from '../zap.ts';
import { mapFileLeaf } from './file-leaf.ts';
import { thpGfp } from './gfp.ts';

/**
 * The pages of shared memory behind [start, start + a huge page) of the VMA become one huge page (Linux 6.18, mm/khugepaged.c:
 * hpage_collapse_scan_file, collapse_file). With 'collapse' (MADV_COLLAPSE) the VMA maps it by one entry afterwards; for khugepaged
 * the next fault does. 0, or -ERRNO as madvise_collapse_errno tells it; nothing has changed then but that pages may be unmapped.
 *
 *   small pages, holes, slots of swap --unmapped, copied, replaced in the index--> huge page --table of small entries goes--> leaf
 */
export function collapseFile(mm: MemoryManager, vma: Vma, start: Vpn, why: 'collapse' | 'khugepaged'): number {
  const { frames, thp } = mm;
  const file = vma.pages as FilePages;
  const index = vma.pgoff + (start - vma.startVpn);
  if (!thp.fits(vma, start)) return -EINVAL;
  const there = file.pages.find(index);
  const isHuge = there !== NO_FRAME && frames.order[frames.headOf(there)] === thp.order;
  if (!isHuge) {
    const result =
      why === 'khugepaged' && !isWorthIt(mm, file, index) ? -EINVAL : replaceSmall(mm, vma, file, index, why);
    if (mm.events.enabled[EV_COLLAPSE_HUGE_PAGE] !== 0)
      mm.events.emit(EV_COLLAPSE_HUGE_PAGE, vma.space.id, start * PAGE_SIZE, file.pages.find(index), result || 1);
    if (result < 0) return result;
    retractTables(mm, file, index);
    if (why === 'khugepaged') return 0;
  }
  return mapAsOne(mm, vma, start, file.pages.find(index) as Pfn, why);
}

/** hpage_collapse_scan_file: are enough of the pages there? */
function isWorthIt(mm: MemoryManager, file: FilePages, index: number): boolean {
  const { thp, vmstat } = mm;
  let present = 0;
  let swapped = 0;
  for (let at = index; at < index + thp.pages; at++) {
    if (file.pages.find(at) !== NO_FRAME) present++;
    else if (file.swapped.has(at)) swapped++;
  }
  if (swapped > thp.khugepaged.maxPtesSwap) {
    vmstat.thp_scan_exceed_swap_pte++;
    return false;
  }
  if (present === 0) return false;
  if (present >= thp.pages - thp.khugepaged.maxPtesNone) return true;
  vmstat.thp_scan_exceed_none_pte++;
  return false;
}

/** collapse_file. */
function replaceSmall(
  mm: MemoryManager,
  vma: Vma,
  file: FilePages,
  index: number,
  why: 'collapse' | 'khugepaged',
): number {
  const { alloc, thp, ram, memcgs, pageCache, vmstat } = mm;
  const end = index + thp.pages;
  if (file.pages.next(index, 'any') === -1 && file.swapped.size === 0) return -EINVAL;
  const gfp = thpGfp(mm, vma, why);
  const found = alloc.allocFrames(thp.order, gfp);
  if (found === NO_FRAME) {
    vmstat.thp_collapse_alloc_failed++;
    return -ENOMEM;
  }
  const head = found as Pfn;
  const giveUp = (error: number): number => {
    alloc.putFrame(head);
    return error;
  };
  if (!memcgs.chargePage(head, vma.space.memcg, gfp)) return giveUp(-EBUSY);
  vmstat.thp_collapse_alloc++;
  vma.space.memcg.counters.thp_collapse_alloc++;
  for (const at of [...file.swapped.keys()]) {
    if (at < index || at >= end) continue;
    const frame = pageCache.ensurePage(file, at);
    if (frame < 0) return giveUp(-EINVAL);
    alloc.putFrame(frame as Pfn);
  }
  const pages = holdPages(mm, file, index, end);
  if (typeof pages === 'number') return giveUp(pages);
  // Nothing there at all (SCAN_TRUNCATED), or a page that somebody else has.
  const isFree = pages.length > 0 && unmapAll(mm, pages);
  const error = pages.length === 0 ? -EINVAL : -EAGAIN;
  if (isFree) {
    for (let frame = head; frame < head + thp.pages; frame = (frame + 1) as Pfn) {
      const from = file.pages.find(index + (frame - head));
      if (from === NO_FRAME) ram.zeroFrame(frame);
      else ram.copyFrame(frame, from as Pfn);
    }
    mm.clock.charge(COST_PAGE_COPY_NS * thp.pages);
  }
  const isIn = isFree && pageCache.replaceByLarge(file, index, head);
  for (const page of pages) alloc.putFrame(page);
  if (!isFree) return giveUp(error);
  if (!isIn) return giveUp(-ENOMEM);
  pageCache.markDirty(head);
  alloc.putFrame(head);
  return 0;
}

/** The pages of [index, end), with a reference each, so that nothing takes them away; -EAGAIN where one is busy. */
function holdPages(mm: MemoryManager, file: FilePages, index: number, end: number): Pfn[] | number {
  const { frames, alloc } = mm;
  const pages: Pfn[] = [];
  for (let at = file.pages.next(index, 'any'); at >= 0 && at < end; at = file.pages.next(at, 'any')) {
    const head = frames.headOf(file.pages.find(at) as Pfn);
    const isIdle = (frames.flags[head] & (PG_lru | PG_locked)) === PG_lru;
    if (!isIdle || frames.refcount[head] !== 1 + frames.mappingsOfPage(head)) {
      for (const page of pages) alloc.putFrame(page);
      return -EAGAIN;
    }
    alloc.getFrame(head);
    pages.push(head);
    at = frames.index[head] + frames.pagesOf(head);
  }
  return pages;
}

function unmapAll({ rmap }: MemoryManager, pages: readonly Pfn[]): boolean {
  return pages.every((page) => tryToUnmap(rmap, page));
}

/** retract_page_tables: the empty tables of all who map that part of the file go, so that a fault can map it by one entry. */
function retractTables(mm: MemoryManager, file: FilePages, index: number): void {
  const { thp, pageTables } = mm;
  for (const view of file.i_mmap.collectOverlaps(index, index + thp.pages - 1)) {
    const vma = view as Vma;
    if (vma.pgoff > index || lastIndexOf(vma) < index + thp.pages - 1) continue;
    const at = pageAt(vma, index);
    if (vma.anonVma !== null || vma.uffd !== null || (vma.flags & VM_MAYBE_GUARD) !== 0 || !thp.fits(vma, at)) continue;
    pageTables.freeEmptyTable(vma.space, at);
  }
}

/**
 * collapse_pte_mapped_thp: the entries of the VMA for parts of the huge page go with their table, and with 'collapse' one entry takes
 * their place. -EINVAL where the VMA has anything else there.
 */
function mapAsOne(mm: MemoryManager, vma: Vma, start: Vpn, head: Pfn, why: 'collapse' | 'khugepaged'): number {
  const { thp, pageTables, alloc } = mm;
  const end = (start + thp.pages) as Vpn;
  if (vma.uffd !== null) return -EINVAL;
  for (let page = start; pageTables.seek(vma.space, page, end); page = (pageTables.foundVpn + 1) as Vpn) {
    if (pageTables.foundLevel > 0) return 0;
    const entry = pageTables.read(pageTables.foundSlot);
    if (!pageTables.isMapped(entry) || pageTables.frameOf(entry) !== head + (pageTables.foundVpn - start))
      return -EINVAL;
  }
  zapRange(mm, vma, start, end, 'reclaim');
  pageTables.freeEmptyTable(vma.space, start);
  if (why === 'khugepaged') return 0;
  alloc.getFrame(head);
  if (mapFileLeaf(mm, vma, start, head, 'read')) return 0;
  alloc.putFrame(head);
  return -EINVAL;
}
