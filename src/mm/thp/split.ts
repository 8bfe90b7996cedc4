import { EV_THP_SPLIT_PMD } from '../../base/event-kinds.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { VM_LOCKED } from '../vm-flags.ts';
import { VMA_ANON, type Vma } from '../vma.ts';
import { dropFileLeaf } from './file-leaf.ts';

/** A boundary falls at `at`: a huge leaf that lies across it is split (split_huge_pmd_if_needed). */
export function splitHugeAt(mm: MemoryManager, vma: Vma, at: Vpn): void {
  if (mm.thp.isPossible && at % mm.thp.pages !== 0) splitHugeLeaf(mm, vma, at);
}

/** Every huge leaf of [start, end) is split, for those who know small pages alone. */
export function splitHugeRange(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): void {
  const { pageTables, thp } = mm;
  if (!pageTables.hasHugeLeaves) return;
  for (let page = start; pageTables.seek(vma.space, page, end); ) {
    const at = pageTables.foundVpn;
    const isHuge = pageTables.foundLevel > 0;
    page = (isHuge ? at + thp.pages : (Math.floor(at / thp.pages) + 1) * thp.pages) as Vpn;
    if (isHuge) splitHugeLeaf(mm, vma, at);
  }
}

/**
 * The huge leaf over `page`, if there is one, becomes a leaf table of small pages (__split_huge_pmd). The huge page stays one, and
 * others who map it keep their leaves. Of shared memory the leaf goes.
 */
export function splitHugeLeaf(mm: MemoryManager, vma: Vma, page: Vpn): void {
  const { pageTables, thp, format, frames } = mm;
  if (!pageTables.hasHugeLeaves) return;
  const slot = pageTables.findAt(vma.space, page, thp.level);
  const entry = slot === -1 ? 0 : pageTables.read(slot);
  if (!pageTables.isHugeEntry(entry) || !pageTables.isMapped(entry)) return;
  const head = pageTables.frameOf(entry);
  if (vma.kind !== VMA_ANON) dropFileLeaf(mm, vma, thp.startOf(page), slot, 'split');
  else if (head === thp.zeroPage) {
    const small = pageTables.makeEntry(mm.zeroPage, vma.flags, 'readonly', entry & format.ACCESSED);
    pageTables.splitLeaf(slot, () => small);
  } else {
    const write = (entry & format.WRITE) !== 0 ? 'writable' : 'readonly';
    const state = entry & (format.ACCESSED | format.DIRTY | format.SOFT1);
    pageTables.splitLeaf(slot, (index) => pageTables.makeEntry((head + index) as Pfn, vma.flags, write, state));
    mm.rmap.splitHugeLeaf(head);
    // Each of the entries is a lock now.
    if ((vma.flags & VM_LOCKED) !== 0 && frames.mlockCount[head] > 0) frames.mlockCount[head] += thp.pages - 1;
  }
  mm.vmstat.thp_split_pmd++;
  if (mm.events.enabled[EV_THP_SPLIT_PMD] !== 0)
    mm.events.emit(EV_THP_SPLIT_PMD, vma.space.id, thp.startOf(page) * PAGE_SIZE, head);
  mm.flushPage(vma.space, thp.startOf(page));
}
