import { assert } from '../../base/assert.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import type { MemoryManager } from '../memory-manager.ts';
import type { Vma } from '../vma.ts';

/** A boundary falls at `at`: a huge leaf that lies across it is split (split_huge_pmd_if_needed). */
export function splitHugeAt(mm: MemoryManager, vma: Vma, at: Vpn): void {
  if (mm.thp.isPossible && at % mm.thp.pages !== 0) splitHugeLeaf(mm, vma, at);
}

/** Every huge leaf of [start, end) is split, for those who know small pages alone. */
export function splitHugeRange(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): void {
  const { pageTables, thp } = mm;
  if (!pageTables.hasDeposits) return;
  for (let page = start; pageTables.seek(vma.space, page, end); ) {
    const at = pageTables.foundVpn;
    const isHuge = pageTables.foundLevel > 0;
    page = (isHuge ? at + thp.pages : (Math.floor(at / thp.pages) + 1) * thp.pages) as Vpn;
    if (isHuge) splitHugeLeaf(mm, vma, at);
  }
}

/**
 * The huge leaf over `page`, if there is one, becomes a leaf table of small pages (__split_huge_pmd). The huge page itself becomes
 * small ones, so every other leaf that maps it is split with it.
 */
export function splitHugeLeaf(mm: MemoryManager, vma: Vma, page: Vpn): void {
  const { pageTables, thp } = mm;
  if (!pageTables.hasDeposits) return;
  const slot = pageTables.findAt(vma.space, page, thp.level);
  const entry = slot === -1 ? 0 : pageTables.read(slot);
  if (!pageTables.isHugeEntry(entry) || !pageTables.isMapped(entry)) return;
  const head = pageTables.frameOf(entry);
  const start = thp.startOf(page);
  if (head === thp.zeroPage) {
    const small = pageTables.makeEntry(mm.zeroPage, vma.flags, 'readonly', entry & mm.format.ACCESSED);
    pageTables.splitLeaf(slot, () => small);
    mm.vmstat.thp_split_pmd++;
    mm.flushPage(vma.space, start);
    return;
  }
  let left = mm.frames.mapcount[head];
  mm.rmap.forEachCandidate(head, (view, at) => {
    const other = view as Vma;
    if (splitMapping(mm, other, at, head)) left--;
    return left > 0;
  });
  assert(left === 0, 'mm/thp/split.ts: R2 every leaf of a huge page is found');
  mm.rmap.splitAnon(head, thp.pages);
  thp.livePages--;
  mm.vmstat.thp_split_page++;
}

/** One VMA's leaf for the page; false where it maps something else. */
function splitMapping(mm: MemoryManager, vma: Vma, start: Vpn, head: Pfn): boolean {
  const { pageTables, thp, format } = mm;
  const slot = pageTables.findAt(vma.space, start, thp.level);
  const entry = slot === -1 ? 0 : pageTables.read(slot);
  if (!pageTables.isHugeEntry(entry) || pageTables.frameOf(entry) !== head) return false;
  const write = (entry & format.WRITE) !== 0 ? 'writable' : 'readonly';
  const state = entry & (format.ACCESSED | format.DIRTY | format.SOFT1);
  pageTables.splitLeaf(slot, (index) => pageTables.makeEntry((head + index) as Pfn, vma.flags, write, state));
  mm.vmstat.thp_split_pmd++;
  mm.flushPage(vma.space, start);
  return true;
}
