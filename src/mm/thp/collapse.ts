import { EAGAIN, EINVAL, ENOMEM } from '../../abi/errno.ts';
import { COST_PAGE_COPY_NS } from '../../machine/cost-model.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { PG_anon } from '../phys/page-flags.ts';
import type { Vma } from '../vma.ts';
import { zapRange } from '../zap.ts';
import { installHuge } from './huge-fault.ts';

/**
 * madvise_collapse (Linux 6.18, mm/khugepaged.c), for anonymous memory: every whole huge page of [start, end) becomes one. 0;
 * -EINVAL where the VMA may have none or there is nothing to collapse, -ENOMEM without a block, -EAGAIN where reclaim took a page. Goes on after a failure.
 */
export function collapseRange(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): number {
  const { thp } = mm;
  if (!thp.isEligible(vma, 'collapse')) return -EINVAL;
  const first = Math.ceil(start / thp.pages) * thp.pages;
  const last = Math.floor(end / thp.pages) * thp.pages;
  let result = 0;
  for (let page = first; page < last; page += thp.pages) {
    const collapsed = collapseOne(mm, vma, page as Vpn, 'collapse');
    if (collapsed !== 0) result = collapsed;
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
  if (pageTables.isHugeEntry(entry)) {
    if (pageTables.frameOf(entry) !== thp.zeroPage) return 0;
    return -EINVAL;
  }
  if (collectSources(mm, vma, start, end) === null) return -EINVAL;
  if (mm.rmap.anonVmaPrepare(vma) !== 0) return -ENOMEM;
  const head = thp.allocate(vma, why);
  if (head === NO_FRAME) {
    mm.vmstat.thp_collapse_alloc_failed++;
    return -ENOMEM;
  }
  mm.vmstat.thp_collapse_alloc++;
  // Finding the block may have taken memory from these very pages.
  const sources = collectSources(mm, vma, start, end);
  if (sources === null) {
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
  return 0;
}

/** By page, what the range holds; null where it must stay small: a marker, a page in swap, a frame that is not anonymous or is held. */
function collectSources(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): (Pfn | -1)[] | null {
  const { pageTables, frames } = mm;
  const sources: (Pfn | -1)[] = new Array(mm.thp.pages).fill(NO_FRAME);
  for (let page = start; pageTables.seek(vma.space, page, end); page = (pageTables.foundVpn + 1) as Vpn) {
    const entry = pageTables.read(pageTables.foundSlot);
    if (!pageTables.isMapped(entry)) return null;
    const frame = pageTables.frameOf(entry);
    if (frame === mm.zeroPage) continue;
    if ((frames.flags[frame] & PG_anon) === 0 || frames.refcount[frame] !== frames.mapcount[frame]) return null;
    sources[pageTables.foundVpn - start] = frame;
  }
  return sources;
}
