import { EFAULT, ENOMEM } from '../../abi/errno.ts';
import { ACCESS_READ, ACCESS_WRITE, type Access } from '../../machine/mmu.ts';
import { type Vpn, vaddrOf } from '../../machine/units.ts';
import { type AddressSpace, KIND_SEGV } from '../address-space.ts';
import { countFault, resolveFault } from '../fault/fault.ts';
import { FAULT_DONE, FAULT_OOM } from '../fault/results.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { VM_ACCESS_FLAGS, VM_IO, VM_LOCKONFAULT, VM_PFNMAP, VM_SHARED, VM_WRITE } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';

/**
 * Makes the pages of [start, end) present, as far as it goes (Linux: __mm_populate with ignore_errors, populate_vma_page_range):
 * private writable memory is written, so that it gets frames of its own; the rest is read. Holes and failures are passed over:
 * mmap(MAP_POPULATE) and mlock do not fail for them. Returns 0, or the first -ERRNO for callers that do not ignore it.
 */
export function populateRange(mm: MemoryManager, space: AddressSpace, start: Vpn, end: Vpn): number {
  let first = 0;
  for (let vma = space.vmas.find(start); vma !== null && vma.startVpn < end; vma = space.vmas.next(vma)) {
    if ((vma.flags & (VM_IO | VM_PFNMAP)) !== 0 || (vma.flags & VM_LOCKONFAULT) !== 0) continue;
    if ((vma.flags & VM_ACCESS_FLAGS) === 0) {
      first ||= -ENOMEM;
      continue;
    }
    const access = (vma.flags & (VM_WRITE | VM_SHARED)) === VM_WRITE ? ACCESS_WRITE : ACCESS_READ;
    const from = Math.max(start, vma.startVpn) as Vpn;
    const to = Math.min(end, vma.endVpn) as Vpn;
    const result = faultInVma(mm, vma, from, to, access);
    // mlock's own translation (__mlock_posix_error_return): -EFAULT is no page there, -ENOMEM no memory.
    if (result < 0) first ||= result === -EFAULT ? -ENOMEM : result;
  }
  return first;
}

/** faultin_page_range of one VMA whose rights allow `access` (or are overridden, FOLL_FORCE). 0, -EFAULT, -ENOMEM. */
export function faultInVma(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn, access: Access): number {
  for (let page = start; page < end; page = (page + 1) as Vpn) {
    const result = faultInPage(mm, vma, page, access);
    if (result !== 0) return result;
  }
  return 0;
}

/** follow_page and faultin_page: nothing happens where the page is there already. */
export function faultInPage(mm: MemoryManager, vma: Vma, page: Vpn, access: Access): number {
  const { pageTables, format } = mm;
  const slot = pageTables.findEntry(vma.space, page);
  const entry = slot === -1 ? 0 : pageTables.read(slot);
  if (pageTables.isMapped(entry) && (access !== ACCESS_WRITE || (entry & format.WRITE) !== 0)) return 0;
  mm.lastFaultMajor = 0;
  mm.lastFaultFrame = -1;
  mm.lastFaultKind = KIND_SEGV;
  mm.faultAddress = vaddrOf(page);
  mm.faultMode = 'kernel';
  const result = resolveFault(mm, vma, page, access);
  countFault(mm, vma.space, vaddrOf(page), access, 'kernel');
  if (result === FAULT_DONE) return 0;
  return result === FAULT_OOM ? -ENOMEM : -EFAULT;
}
