import { ENOMEM } from '../../abi/errno.ts';
import { EV_COW_COPY, EV_COW_REUSE, EV_PAGE_UNMAP } from '../../base/event-kinds.ts';
import { COST_FAULT_NS } from '../../machine/cost-model.ts';
import { ACCESS_WRITE } from '../../machine/mmu.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { KIND_COW_COPY, KIND_COW_REUSE } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { munlockPage } from '../mlock-pages.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { PG_anon, PG_anon_exclusive, PG_ksm, PG_swapcache } from '../phys/page-flags.ts';
import { isMappedShared } from '../rmap/rmap-walk.ts';
import { splitHugeLeaf } from '../thp/split.ts';
import { isUffdProtected } from '../uffd/protected.ts';
import { userfault } from '../uffd/userfault.ts';
import { VM_LOCKED, VM_MAYSHARE, VM_SHARED, VM_UFFD_WP, VM_WRITE } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';
import { rssMemberOf } from '../zap.ts';
import { allocCopy, allocZeroed, installAnon } from './install.ts';
import { FAULT_DONE, FAULT_OOM, type FaultResult } from './results.ts';
import { sharedWriteFault } from './shared-write.ts';

/**
 * A write to a page that is mapped read-only (Linux 6.18: do_wp_page).
 *
 *   write-protected by userfaultfd -------------> its reader's, or the protection goes (WP_ASYNC)
 *   shared mapping ------------------------------> sharedWriteFault (page_mkwrite)
 *   private, anonymous, PG_anon_exclusive -------> reuse
 *   private, anonymous, this entry holds the only
 *   reference but the swap cache's, and no entry
 *   leads to its slot (wp_can_reuse_anon_folio) -> reuse, exclusive from now on
 *   private, anything else (shared anonymous page,
 *   KSM page, page of the file, zero page) ------> copy (wp_page_copy)
 */
export function cowFault(mm: MemoryManager, vma: Vma, page: Vpn, slot: number): FaultResult {
  const { pageTables, frames, format } = mm;
  if (isUffdProtected(mm, vma, pageTables.read(slot))) {
    if (vma.uffd?.isAsync !== true) return userfault(mm, vma, page, ACCESS_WRITE, VM_UFFD_WP);
    pageTables.set(slot, pageTables.withoutUffdWp(pageTables.read(slot)));
  }
  if ((vma.flags & (VM_SHARED | VM_MAYSHARE)) !== 0) return sharedWriteFault(mm, vma, page, slot);
  const entry = pageTables.read(slot);
  const old = pageTables.frameOf(entry);
  const isExclusive = (frames.flags[old] & PG_anon_exclusive) !== 0;
  const reusable =
    old !== mm.zeroPage &&
    (frames.flags[frames.headOf(old)] & (PG_anon | PG_ksm)) === PG_anon &&
    (isExclusive || isSoleUser(mm, old));
  if (reusable) {
    mm.lastFaultKind = KIND_COW_REUSE;
    mm.lastFaultFrame = old;
    if (mm.events.enabled[EV_COW_REUSE] !== 0) mm.events.emit(EV_COW_REUSE, vma.space.id, page * PAGE_SIZE, old);
    if (!isExclusive) mm.rmap.moveAnonRmap(old, vma);
    const write = (vma.flags & VM_WRITE) !== 0 ? 'writable' : 'readonly';
    const made = pageTables.makeEntry(old, vma.flags, write, format.ACCESSED | format.DIRTY);
    pageTables.set(slot, pageTables.isUffdWp(entry) ? pageTables.withUffdMark(made) : made);
    mm.flushPage(vma.space, page);
    return FAULT_DONE;
  }
  mm.lastFaultKind = KIND_COW_COPY;
  return copyPage(mm, vma, page, slot, 'writable') === 0 ? FAULT_DONE : FAULT_OOM;
}

/**
 * A page that a process shares since fork, before the kernel holds on to it for reading (FOLL_PIN; Linux 6.18: do_wp_page with
 * FAULT_FLAG_UNSHARE): its own page from now on, by the only reference or by a copy, still without the right to write.
 */
export function unshareFault(mm: MemoryManager, vma: Vma, page: Vpn): FaultResult {
  const { pageTables, frames } = mm;
  const huge = pageTables.findEntry(vma.space, page);
  if (pageTables.foundLevel > 0) {
    const head = pageTables.frameOf(pageTables.read(huge));
    if (frames.refcount[head] === 1) {
      mm.rmap.moveHugeAnonRmap(head, vma);
      return unshared(mm, head);
    }
    splitHugeLeaf(mm, vma, page);
  }
  const slot = pageTables.findLeaf(vma.space, page);
  const old = pageTables.frameOf(pageTables.read(slot));
  if ((frames.flags[old] & PG_ksm) !== 0 || !isSoleUser(mm, old)) {
    mm.lastFaultKind = KIND_COW_COPY;
    return copyPage(mm, vma, page, slot, 'unshared') === 0 ? FAULT_DONE : FAULT_OOM;
  }
  mm.rmap.moveAnonRmap(old, vma);
  return unshared(mm, old);
}

function unshared(mm: MemoryManager, frame: Pfn): FaultResult {
  mm.lastFaultKind = KIND_COW_REUSE;
  mm.lastFaultFrame = frame;
  return FAULT_DONE;
}

/**
 * wp_page_copy: the entry maps a copy of its page, exclusive, from now on. 'unshared' leaves it read-only and clean, and keeps
 * userfaultfd's protection: nobody has written yet. 0 or -ENOMEM.
 */
function copyPage(mm: MemoryManager, vma: Vma, page: Vpn, slot: number, how: 'writable' | 'unshared'): number {
  const { pageTables } = mm;
  const entry = pageTables.read(slot);
  const old = pageTables.frameOf(entry);
  if (mm.rmap.anonVmas.prepare(vma) !== 0) return -ENOMEM;
  const isMerged = (mm.frames.flags[old] & PG_ksm) !== 0;
  if (isMerged) mm.vmstat.cow_ksm++;
  const fresh = old === mm.zeroPage ? allocZeroed(mm, vma.space) : allocCopy(mm, vma.space, old);
  if (fresh === NO_FRAME) return -ENOMEM;
  // The allocation may have reclaimed the very page: look again before the entry is replaced.
  if (pageTables.read(slot) !== entry) {
    mm.alloc.putFrame(fresh as Pfn);
    return 0;
  }
  if (old === mm.zeroPage) mm.ksm.uncountZeroPage(vma.space, entry);
  else {
    const member = rssMemberOf(mm, old);
    if (mm.events.enabled[EV_PAGE_UNMAP] !== 0)
      mm.events.emit(EV_PAGE_UNMAP, vma.space.id, page * PAGE_SIZE, old, 1, member);
    mm.addRss(vma.space, member, -1);
  }
  pageTables.set(slot, 0);
  mm.flushPage(vma.space, page);
  if (mm.events.enabled[EV_COW_COPY] !== 0)
    mm.events.emit(EV_COW_COPY, vma.space.id, page * PAGE_SIZE, old, fresh, isMerged ? 1 : 0);
  installAnon(mm, vma, page, slot, fresh as Pfn, how);
  if (how === 'unshared' && pageTables.isUffdWp(entry))
    pageTables.set(slot, pageTables.withUffdWp(pageTables.read(slot)));
  if (old !== mm.zeroPage) {
    mm.rmap.removeRmap(old);
    if ((vma.flags & VM_LOCKED) !== 0) munlockPage(mm, old);
    mm.alloc.putFrame(old);
    mm.swap.dropUnused(old);
  }
  return 0;
}

/**
 * A fault that ksmd or the kernel makes, to take a merged page apart (FAULT_FLAG_UNSHARE). 0 or -ENOMEM. Counts as a minor fault
 * of whoever runs.
 */
export function unshareKsm(mm: MemoryManager, vma: Vma, page: Vpn, slot: number): number {
  mm.clock.charge(COST_FAULT_NS);
  mm.vmstat.pgfault++;
  vma.space.memcg.counters.pgfault++;
  const result = copyPage(mm, vma, page, slot, 'unshared');
  if (result === 0 && mm.faultAccount !== null) mm.faultAccount.minflt++;
  return result;
}

/**
 * wp_can_reuse_anon_folio: takes the page out of the swap cache if that alone holds it beside the entry. A part of a huge page is
 * reused where this space alone maps the page, unless only this part is left of it: then the copy frees the rest.
 */
function isSoleUser(mm: MemoryManager, frame: Pfn): boolean {
  const { frames, swap } = mm;
  if (frames.isLarge(frame)) {
    const head = frames.headOf(frame);
    const mappings = frames.largeMapcount[head];
    return mappings > 1 && frames.refcount[head] === mappings && !isMappedShared(mm.rmap, head);
  }
  const isCached = (frames.flags[frame] & PG_swapcache) !== 0;
  if (frames.refcount[frame] > (isCached ? 2 : 1)) return false;
  return !isCached || swap.tryToFreeSwap(frame);
}
