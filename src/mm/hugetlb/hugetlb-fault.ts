import { COST_PAGE_COPY_NS } from '../../machine/cost-model.ts';
import { ACCESS_WRITE, type Access } from '../../machine/mmu.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import {
  KIND_ANON_ZERO,
  KIND_BUS,
  KIND_COW_COPY,
  KIND_COW_REUSE,
  KIND_FILE_READ,
  KIND_FILE_SHARED,
  KIND_SPURIOUS,
} from '../address-space.ts';
import { FAULT_BUS, FAULT_DONE, FAULT_OOM, type FaultResult } from '../fault/results.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { MARKER_POISONED } from '../page-table-entry.ts';
import { PG_anon, PG_anon_exclusive } from '../phys/page-flags.ts';
import { isUffdProtected } from '../uffd/protected.ts';
import { userfault } from '../uffd/userfault.ts';
import { VM_MAYSHARE, VM_SHARED, VM_UFFD_MINOR, VM_UFFD_MISSING, VM_UFFD_WP, VM_WRITE } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';
import { ensureHugeSlot, zapHugetlb } from './hugetlb-entries.ts';
import { hugeIndexOf, objectOf } from './hugetlb-vma.ts';

/**
 * A fault in a VMA of huge pages (Linux 6.18: hugetlb_fault, mm/hugetlb.c).
 *
 *   nothing there -> hugetlb_no_page: the file's page; or a new one, of the file (shared) or the VMA's own (private); or
 *                    userfaultfd's reader makes it
 *   write, entry read-only -> hugetlb_wp: reuse or copy; or userfaultfd's reader allows it
 */
export function hugetlbFault(mm: MemoryManager, vma: Vma, address: Vpn, access: Access): FaultResult {
  const { pageTables, format } = mm;
  const { pool } = objectOf(vma);
  const page = (address - (address % pool.pages)) as Vpn;
  const slot = ensureHugeSlot(mm, vma, page);
  if (slot === -1) return FAULT_OOM;
  const entry = pageTables.read(slot);
  if (!pageTables.isMapped(entry)) {
    if ((pageTables.markerOf(entry) & MARKER_POISONED) !== 0) return FAULT_BUS;
    return noPage(mm, vma, page, slot, access);
  }
  if (access === ACCESS_WRITE && (entry & format.WRITE) === 0) {
    if (isUffdProtected(mm, vma, entry)) {
      if (vma.uffd?.isAsync !== true) return userfault(mm, vma, page, access, VM_UFFD_WP);
      pageTables.set(slot, pageTables.withoutUffdWp(entry));
    }
    return writeProtected(mm, vma, page, slot);
  }
  mm.lastFaultKind = KIND_SPURIOUS;
  mm.lastFaultFrame = pageTables.frameOf(entry);
  const state = format.ACCESSED | (access === ACCESS_WRITE ? format.DIRTY : 0);
  pageTables.set(slot, (entry | state) >>> 0);
  mm.flushPage(vma.space, page);
  return FAULT_DONE;
}

/** hugetlb_no_page. */
function noPage(mm: MemoryManager, vma: Vma, page: Vpn, slot: number, access: Access): FaultResult {
  const { pageTables, format } = mm;
  const object = objectOf(vma);
  const { pool } = object;
  mm.lastFaultKind = KIND_BUS;
  if (vma.lostHugePages) return FAULT_BUS;
  const index = hugeIndexOf(vma, page);
  const shared = (vma.flags & VM_MAYSHARE) !== 0;
  const there = object.folios.get(index);
  if (there === undefined && index >= Math.floor(object.sizeBytes / pool.sizeBytes)) return FAULT_BUS;
  const watched = there === undefined ? VM_UFFD_MISSING : VM_UFFD_MINOR;
  if ((vma.flags & watched) !== 0) return userfault(mm, vma, page, access, watched);
  const isOwn = there === undefined && !shared;
  if (isOwn && mm.rmap.anonVmas.prepare(vma) !== 0) return FAULT_OOM;
  const found = there ?? (shared ? object.ensureFolio(index) : allocatePrivate(vma, index, 'by the map'));
  if (found < 0) return FAULT_BUS;
  const frame = found as Pfn;
  if (isOwn) {
    object.zero(frame);
    mm.rmap.addNewAnonRmap(frame, vma, page);
  } else {
    mm.alloc.getFrame(frame);
    mm.rmap.addFileRmap(frame);
  }
  const writable = (vma.flags & VM_WRITE) !== 0 && ((vma.flags & VM_SHARED) !== 0 || isOwn) ? 'writable' : 'readonly';
  const state = format.ACCESSED | (writable === 'writable' ? format.DIRTY : 0);
  const made = pageTables.makeEntry(frame, vma.flags, writable, state, pool.level);
  const isProtected = pageTables.isUffdWp(pageTables.read(slot));
  pageTables.set(slot, isProtected ? pageTables.withUffdWp(made) : made);
  vma.space.hugetlbPages += pool.pages;
  mm.lastFaultFrame = frame;
  mm.lastFaultKind = isOwn ? KIND_ANON_ZERO : access === ACCESS_WRITE ? KIND_FILE_SHARED : KIND_FILE_READ;
  if (access !== ACCESS_WRITE || writable === 'writable' || isProtected) return FAULT_DONE;
  return writeProtected(mm, vma, page, slot);
}

/** A page for a private mapping (alloc_hugetlb_folio): its frame, or -ENOSPC. 'anew' uses no reservation of the VMA. */
export function allocatePrivate(vma: Vma, index: number, claim: 'by the map' | 'anew'): Pfn | number {
  const object = objectOf(vma);
  const { reservations } = vma;
  const isReserved = claim === 'by the map' && reservations !== null && !reservations.has(index);
  const frame = object.allocate(isReserved ? 'reserved' : 'unreserved');
  if (frame >= 0 && claim === 'by the map') reservations?.add(index);
  return frame;
}

/** hugetlb_wp: a write to a page that is mapped read-only. */
function writeProtected(mm: MemoryManager, vma: Vma, page: Vpn, slot: number): FaultResult {
  const { pageTables, frames, format } = mm;
  const object = objectOf(vma);
  const { pool } = object;
  const entry = pageTables.read(slot);
  const old = pageTables.frameOf(entry);
  const finish = (frame: Pfn): FaultResult => {
    const write = (vma.flags & VM_WRITE) !== 0 ? 'writable' : 'readonly';
    pageTables.set(slot, pageTables.makeEntry(frame, vma.flags, write, format.ACCESSED | format.DIRTY, pool.level));
    mm.flushPage(vma.space, page);
    mm.lastFaultFrame = frame;
    return FAULT_DONE;
  };
  if ((vma.flags & VM_MAYSHARE) !== 0) {
    mm.lastFaultKind = KIND_FILE_SHARED;
    return finish(old);
  }
  const isAlone = () => (frames.flags[old] & PG_anon) !== 0 && frames.mapcount[old] === 1;
  const reuse = (): FaultResult => {
    mm.lastFaultKind = KIND_COW_REUSE;
    if ((frames.flags[old] & PG_anon_exclusive) === 0) mm.rmap.moveAnonRmap(old, vma);
    return finish(old);
  };
  if (isAlone()) return reuse();
  const index = hugeIndexOf(vma, page);
  const isOwner = vma.reservations !== null && object.folios.get(index) !== old;
  mm.lastFaultKind = KIND_COW_COPY;
  if (mm.rmap.anonVmas.prepare(vma) !== 0) return FAULT_OOM;
  const fresh = allocatePrivate(vma, index, isOwner ? 'anew' : 'by the map');
  if (fresh < 0) {
    if (!isOwner) {
      mm.lastFaultKind = KIND_BUS;
      return FAULT_BUS;
    }
    // The one who reserved the page keeps it: those that share it without a reservation of their own lose it.
    takeFromOthers(mm, vma, page, old);
    return isAlone() ? reuse() : FAULT_BUS;
  }
  copyHuge(mm, fresh as Pfn, old, pool.pages);
  mm.rmap.removeRmap(old);
  mm.alloc.putFrame(old);
  mm.rmap.addNewAnonRmap(fresh as Pfn, vma, page);
  return finish(fresh as Pfn);
}

/** unmap_ref_private. */
function takeFromOthers(mm: MemoryManager, vma: Vma, page: Vpn, frame: Pfn): void {
  const { pages, pool } = objectOf(vma);
  const first = vma.pgoff + (page - vma.startVpn);
  for (const view of pages.i_mmap.collectOverlaps(first, first + pool.pages - 1)) {
    const other = view as Vma;
    if (other === vma || (other.flags & VM_MAYSHARE) !== 0 || other.reservations !== null) continue;
    const at = (other.startVpn + (first - other.pgoff)) as Vpn;
    const before = other.space.hugetlbPages;
    zapHugetlb(mm, other, at, (at + pool.pages) as Vpn, 'drop', frame);
    // A later touch is SIGBUS, not a page of zeroes (HPAGE_RESV_UNMAPPED).
    if (other.space.hugetlbPages !== before) other.lostHugePages = true;
  }
}

function copyHuge(mm: MemoryManager, to: Pfn, from: Pfn, pages: number): void {
  for (let each = 0; each < pages; each++) {
    mm.ram.beforeWrite((to + each) as Pfn);
    mm.ram.copyFrame((to + each) as Pfn, (from + each) as Pfn);
  }
  mm.clock.charge(COST_PAGE_COPY_NS * pages);
}
