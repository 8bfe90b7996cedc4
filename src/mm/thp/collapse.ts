import { EAGAIN, EINVAL, ENOMEM } from '../../abi/errno.ts';
import { EV_COLLAPSE_ALLOC_FAILED, EV_COLLAPSE_HUGE_PAGE } from '../../base/event-kinds.ts';
import { COST_PAGE_COPY_NS } from '../../machine/cost-model.ts';
import { ACCESS_READ } from '../../machine/mmu.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { faultInPage } from '../ops/populate.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { PG_anon, PG_swapcache } from '../phys/page-flags.ts';
import { VMA_SHMEM, type Vma } from '../vma.ts';
import { zapRange } from '../zap.ts';
import { collapseFile } from './collapse-file.ts';
import { installHuge } from './huge-fault.ts';

/**
 * madvise_collapse (Linux 6.18, mm/khugepaged.c): every whole huge page of [start, end) becomes one. 0;
 * -EINVAL where the VMA may have none or there is nothing to collapse, -ENOMEM without a block, -EAGAIN where reclaim took a page. Goes on after most failures.
 */
export function collapseRange(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): number {
  const { thp } = mm;
  if (!thp.isEligible(vma, 'collapse')) return -EINVAL;
  const first = Math.ceil(start / thp.pages) * thp.pages;
  const last = Math.floor(end / thp.pages) * thp.pages;
  // 6.18 compares what was done with a negative count where the range lies within one huge page.
  let result = first > last ? -EINVAL : 0;
  for (let page = first; page < last; page += thp.pages) {
    const slot = mm.pageTables.findAt(vma.space, page as Vpn, thp.level);
    const isFile = vma.kind === VMA_SHMEM;
    const collapsed = (isFile ? collapseFile : collapseOne)(mm, vma, page as Vpn, 'collapse');
    if (collapsed === 0) continue;
    result = collapsed;
    if (isFile && collapsed !== -EAGAIN) break;
    if (isFile) continue;
    // Small pages that may not be joined are passed over; a place without a table, or no memory, is the end.
    if (collapsed === -ENOMEM || (slot !== -1 && mm.pageTables.read(slot) === 0)) break;
  }
  return result;
}

/** collapse_huge_page. */
export function collapseOne(mm: MemoryManager, vma: Vma, start: Vpn, why: 'collapse' | 'khugepaged'): number {
  const { thp, pageTables, ram } = mm;
  const { space } = vma;
  if (!thp.fits(vma, start)) return -EINVAL;
  const end = (start + thp.pages) as Vpn;
  const slot = pageTables.findAt(space, start, thp.level);
  const entry = slot === -1 ? 0 : pageTables.read(slot);
  if (entry === 0) return -EINVAL;
  if (pageTables.isHugeEntry(entry)) return 0;
  // hugepage_vma_revalidate: memory that was read alone has nothing to collapse.
  if (vma.anonVma === null) return -EINVAL;
  if (!readSwapped(mm, vma, start, end) || collectSources(mm, vma, start, end) === null) return -EINVAL;
  if (mm.rmap.anonVmas.prepare(vma) !== 0) return -ENOMEM;
  const head = thp.allocate(vma, why);
  if (head === NO_FRAME) {
    mm.vmstat.thp_collapse_alloc_failed++;
    if (mm.events.enabled[EV_COLLAPSE_ALLOC_FAILED] !== 0)
      mm.events.emit(EV_COLLAPSE_ALLOC_FAILED, space.id, start * PAGE_SIZE);
    return -ENOMEM;
  }
  mm.vmstat.thp_collapse_alloc++;
  space.memcg.counters.thp_collapse_alloc++;
  // Finding the block may have taken memory from these very pages.
  const sources = collectSources(mm, vma, start, end);
  if (sources === null) {
    if (mm.events.enabled[EV_COLLAPSE_HUGE_PAGE] !== 0)
      mm.events.emit(EV_COLLAPSE_HUGE_PAGE, space.id, start * PAGE_SIZE, head, -EAGAIN);
    mm.alloc.putFrame(head as Pfn);
    return -EAGAIN;
  }
  for (const [index, source] of sources.entries()) {
    const to = (head + index) as Pfn;
    if (source === NO_FRAME) ram.zeroFrame(to);
    else ram.copyFrame(to, source as Pfn);
  }
  mm.clock.charge(COST_PAGE_COPY_NS * thp.pages);
  zapRange(mm, vma, start, end);
  // The table of the small pages is the one that is put by.
  pageTables.depositTableOf(slot);
  installHuge(mm, vma, start, slot, head as Pfn);
  if (mm.events.enabled[EV_COLLAPSE_HUGE_PAGE] !== 0)
    mm.events.emit(EV_COLLAPSE_HUGE_PAGE, space.id, start * PAGE_SIZE, head, 1);
  return 0;
}

/** __collapse_huge_page_swapin: pages in swap come back; false where one cannot. */
function readSwapped(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): boolean {
  const { pageTables } = mm;
  for (let page = start; pageTables.seek(vma.space, page, end); ) {
    const at = pageTables.foundVpn;
    page = (at + 1) as Vpn;
    if (pageTables.isSwap(pageTables.read(pageTables.foundSlot)) && faultInPage(mm, vma, at, ACCESS_READ) !== 0)
      return false;
  }
  return true;
}

/** By page, what the range holds; null where it must stay small: a marker, a page in swap, a frame that is not anonymous or is held by more than entries and the swap cache. */
function collectSources(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): (Pfn | -1)[] | null {
  const { pageTables, frames } = mm;
  const sources: (Pfn | -1)[] = new Array(mm.thp.pages).fill(NO_FRAME);
  for (let page = start; pageTables.seek(vma.space, page, end); page = (pageTables.foundVpn + 1) as Vpn) {
    const entry = pageTables.read(pageTables.foundSlot);
    if (!pageTables.isMapped(entry)) return null;
    const frame = pageTables.frameOf(entry);
    if (frame === mm.zeroPage) continue;
    const source = frames.headOf(frame);
    const expected = frames.mappingsOfPage(source) + ((frames.flags[source] & PG_swapcache) !== 0 ? 1 : 0);
    if ((frames.flags[source] & PG_anon) === 0 || frames.refcount[source] !== expected) return null;
    sources[pageTables.foundVpn - start] = frame;
  }
  return sources;
}
