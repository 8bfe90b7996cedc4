import { ENOMEM } from '../../abi/errno.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { MARKER_UFFD_WP } from '../page-table-entry.ts';
import { PG_anon, PG_anon_exclusive } from '../phys/page-flags.ts';
import { isCowMapping, VM_MAYSHARE, VM_UFFD_WP, VM_WRITE } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';
import { hugeIndexOf, objectOf } from './hugetlb-vma.ts';

/** What unmapping, mprotect, fork and mremap do with the entries of a VMA of huge pages; the ends lie between huge pages. */

/** The slot of the huge entry for the page, or -1 where no table leads to one. */
export function findHugeSlot(mm: MemoryManager, vma: Vma, page: Vpn): number {
  return mm.pageTables.findAt(vma.space, page, objectOf(vma).pool.level);
}

/** Calls `visit` for each huge entry of [start, end), markers too. */
function forEachEntry(
  mm: MemoryManager,
  vma: Vma,
  start: Vpn,
  end: Vpn,
  visit: (page: Vpn, slot: number, entry: number) => void,
): void {
  const { pageTables } = mm;
  let page = start;
  while (pageTables.seek(vma.space, page, end)) {
    const at = pageTables.foundVpn;
    const slot = pageTables.foundSlot;
    page = (at + pageTables.spanOf(pageTables.foundLevel)) as Vpn;
    visit(at, slot, pageTables.read(slot));
  }
}

/**
 * __unmap_hugepage_range: entries and their references go. A private page that goes with its last mapping leaves its VMA's
 * reservation whole again, so that the next touch finds a page. What userfaultfd protects stays protected unless the range is
 * unmapped. `only`: no entry but those that map this page.
 */
export function zapHugetlb(
  mm: MemoryManager,
  vma: Vma,
  start: Vpn,
  end: Vpn,
  what: 'unmap' | 'drop' = 'drop',
  only: Pfn | null = null,
): void {
  const { pageTables, frames } = mm;
  const { pool } = objectOf(vma);
  forEachEntry(mm, vma, start, end, (page, slot, entry) => {
    const isProtected = what === 'drop' && pageTables.isUffdWp(entry);
    if (!pageTables.isMapped(entry)) {
      if (only === null && !isProtected) pageTables.set(slot, 0);
      return;
    }
    const frame = pageTables.frameOf(entry);
    if (only !== null && frame !== only) return;
    pageTables.set(slot, isProtected ? pageTables.makeMarker(MARKER_UFFD_WP) : 0);
    mm.tlbBatch.add(page);
    vma.space.hugetlbPages -= pool.pages;
    mm.rmap.removeRmap(frame);
    const isOwn = vma.reservations !== null && (frames.flags[frame] & PG_anon) !== 0 && frames.refcount[frame] === 1;
    if (isOwn && pool.surplusPages === 0) {
      mm.hugetlb.putRestoring(frame);
      vma.reservations?.delete(hugeIndexOf(vma, page));
    } else mm.alloc.putFrame(frame);
  });
  mm.tlbBatch.finish(vma.space);
}

/** hugetlb_change_protection. */
export function protectHugetlb(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): void {
  const { pageTables, format, frames } = mm;
  const { level } = objectOf(vma).pool;
  forEachEntry(mm, vma, start, end, (page, slot, entry) => {
    if (!pageTables.isMapped(entry)) return;
    const frame = pageTables.frameOf(entry);
    const mayWrite = (vma.flags & VM_MAYSHARE) !== 0 || (frames.flags[frame] & PG_anon_exclusive) !== 0;
    const write = (vma.flags & VM_WRITE) !== 0 && mayWrite && !pageTables.isUffdWp(entry) ? 'writable' : 'readonly';
    const kept = entry & (format.ACCESSED | format.DIRTY | format.SOFT1);
    const changed = pageTables.makeEntry(frame, vma.flags, write, kept, level);
    if (changed === entry) return;
    pageTables.set(slot, changed);
    mm.tlbBatch.add(page);
  });
  mm.tlbBatch.finish(vma.space);
}

/** copy_hugetlb_page_range: 0 or -ENOMEM. The caller flushes the parent's TLB. */
export function copyHugetlb(mm: MemoryManager, from: Vma, to: Vma): number {
  const { pageTables, format, frames } = mm;
  const { pool } = objectOf(from);
  const protect = isCowMapping(from.flags);
  const isWatched = (to.flags & VM_UFFD_WP) !== 0;
  let result = 0;
  forEachEntry(mm, from, from.startVpn, from.endVpn, (page, source, entry) => {
    const target = result === 0 ? ensureHugeSlot(mm, to, page) : -1;
    if (target === -1) {
      result = -ENOMEM;
      return;
    }
    if (!pageTables.isMapped(entry)) {
      const marker = pageTables.markerOf(entry) & (isWatched ? ~0 : ~MARKER_UFFD_WP);
      pageTables.set(target, pageTables.makeMarker(marker));
      return;
    }
    const frame = pageTables.frameOf(entry);
    mm.alloc.getFrame(frame);
    if ((frames.flags[frame] & PG_anon) !== 0) mm.rmap.dupAnonRmap(frame);
    else mm.rmap.addFileRmap(frame);
    const copied = protect ? (entry & ~format.WRITE) >>> 0 : entry;
    if (copied !== entry) pageTables.set(source, copied);
    pageTables.set(target, isWatched ? copied : pageTables.withoutUffdWp(copied));
    to.space.hugetlbPages += pool.pages;
  });
  return result;
}

/** move_hugetlb_page_tables: 0, or -ENOMEM with all entries back. */
export function moveHugetlb(
  mm: MemoryManager,
  vma: Vma,
  copy: Vma,
  from: Vpn,
  to: Vpn,
  pages: number,
  protection: 'keep' | 'drop',
): number {
  const { pageTables } = mm;
  const moved: [home: number, slot: number][] = [];
  let result = 0;
  forEachEntry(mm, vma, from, (from + pages) as Vpn, (page, source, entry) => {
    const target = result === 0 ? ensureHugeSlot(mm, copy, (to + (page - from)) as Vpn) : -1;
    if (target === -1) {
      result = -ENOMEM;
      return;
    }
    pageTables.set(target, protection === 'keep' ? entry : pageTables.withoutUffdWp(entry));
    pageTables.set(source, 0);
    moved.push([source, target]);
    mm.tlbBatch.add(page);
  });
  mm.tlbBatch.finish(vma.space);
  if (result === 0) return 0;
  for (const [home, slot] of moved) {
    pageTables.set(home, pageTables.read(slot));
    pageTables.set(slot, 0);
  }
  return result;
}

/** The slot for the huge entry of the page, with the tables above it; -1 when out of memory. */
export function ensureHugeSlot(mm: MemoryManager, vma: Vma, page: Vpn): number {
  const { pageTables } = mm;
  const { level, pages } = objectOf(vma).pool;
  const start = (page - (page % pages)) as Vpn;
  const slot = pageTables.ensureAt(vma.space, start, level);
  if (slot === -1) return -1;
  // A table that an older, smaller mapping left behind: all of its range is this VMA's now, so nothing is in it.
  if (pageTables.isTable(pageTables.read(slot)))
    pageTables.freeTables(vma.space as AddressSpace, start, (start + pages) as Vpn, start, (start + pages) as Vpn);
  return slot;
}
