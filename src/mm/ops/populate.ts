import { EFAULT, ENOMEM } from '../../abi/errno.ts';
import { COST_FAULT_IN_NS } from '../../machine/cost-model.ts';
import { ACCESS_READ, ACCESS_WRITE, type Access } from '../../machine/mmu.ts';
import { type Vpn, vaddrOf } from '../../machine/units.ts';
import { type AddressSpace, KIND_SEGV } from '../address-space.ts';
import { countFault, resolveFault } from '../fault/fault.ts';
import { FAULT_DONE, FAULT_OOM } from '../fault/results.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { touchPage } from '../touch.ts';
import { VM_ACCESS_FLAGS, VM_IO, VM_LOCKONFAULT, VM_PFNMAP, VM_SHARED, VM_WRITE } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';

/**
 * Makes the pages of [start, end) present, as far as it goes (Linux 6.18: __mm_populate, populate_vma_page_range): private
 * writable memory is written, so that it gets frames of its own; the rest is read. Holes are passed over. A page that cannot be
 * made ends its VMA; with 'ignore' (mm_populate: mmap, brk, mremap, mlockall) the next VMA goes on, with 'stop' (mlock) its
 * -ERRNO is the result.
 */
export function populateRange(
  mm: MemoryManager,
  space: AddressSpace,
  start: Vpn,
  end: Vpn,
  errors: 'ignore' | 'stop' = 'ignore',
): number {
  if (start >= end) return 0;
  for (let vma = space.vmas.find(start); vma !== null && vma.startVpn < end; vma = space.vmas.next(vma)) {
    if ((vma.flags & (VM_IO | VM_PFNMAP | VM_LOCKONFAULT)) !== 0) continue;
    const access = (vma.flags & (VM_WRITE | VM_SHARED)) === VM_WRITE ? ACCESS_WRITE : ACCESS_READ;
    const from = Math.max(start, vma.startVpn) as Vpn;
    const to = Math.min(end, vma.endVpn) as Vpn;
    const isAccessible = (vma.flags & VM_ACCESS_FLAGS) !== 0 && vma.file?.isSecret !== true;
    const result = isAccessible ? faultInVma(mm, vma, from, to, access) : -EFAULT;
    if (result < 0 && errors === 'stop') return result;
  }
  return 0;
}

/**
 * faultin_page_range of one VMA whose rights allow `access` (or are overridden, FOLL_FORCE). 0, -EFAULT, -ENOMEM. What it locked is
 * on the lists when it returns (lru_add_drain).
 */
export function faultInVma(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn, access: Access): number {
  let result = 0;
  for (let page = start; page < end && result === 0; page = (page + 1) as Vpn)
    result = faultInPage(mm, vma, page, access);
  mm.mlockBatch.drain();
  return result;
}

/** A mark that means nothing any more goes first; reclaim may take a page meanwhile. */
const MAX_TRIES = 3;

/** follow_page and faultin_page: a page that is there already is only used (FOLL_TOUCH). */
export function faultInPage(mm: MemoryManager, vma: Vma, page: Vpn, access: Access): number {
  const { pageTables, format } = mm;
  const slot = pageTables.findEntry(vma.space, page);
  const entry = slot === -1 ? 0 : pageTables.read(slot);
  if (pageTables.isMapped(entry) && (access !== ACCESS_WRITE || (entry & format.WRITE) !== 0)) {
    touchPage(mm, slot, access);
    return 0;
  }
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    mm.lastFaultMajor = 0;
    mm.lastFaultFrame = -1;
    mm.lastFaultKind = KIND_SEGV;
    mm.faultAddress = vaddrOf(page);
    mm.faultMode = 'kernel';
    mm.clock.charge(COST_FAULT_IN_NS);
    const result = resolveFault(mm, vma, page, access);
    countFault(mm, vma.space, vaddrOf(page), access, 'kernel');
    if (result !== FAULT_DONE) return result === FAULT_OOM ? -ENOMEM : -EFAULT;
    const made = pageTables.findEntry(vma.space, page);
    if (made === -1 || !pageTables.isMapped(pageTables.read(made))) continue;
    touchPage(mm, made, access);
    break;
  }
  return 0;
}
