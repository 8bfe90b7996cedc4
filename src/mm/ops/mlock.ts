import { EAGAIN, EFAULT, EINVAL, ENOMEM, EPERM } from '../../abi/errno.ts';
import { MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT, MLOCK_ONFAULT } from '../../abi/mman.ts';
import { offsetInPage, PAGE_SIZE, roundDownToPage, roundUpToPage, type Vpn, vpn } from '../../machine/units.ts';
import { canDoMlock } from '../accounting.ts';
import type { AddressSpace } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { updateMlockedPages } from '../mlock-pages.ts';
import { VM_DROPPABLE, VM_HUGETLB, VM_LOCKED, VM_LOCKED_MASK, VM_LOCKONFAULT, VM_SPECIAL } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';
import { modifyVma, setVmaFlags } from '../vma-merge.ts';
import { populateRange } from './populate.ts';

/** mlock2(2); flags 0 is mlock(2) (Linux 6.18, mm/mlock.c). 0 or -ERRNO. */
export function mlock(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  lengthBytes: number,
  flags: number,
): number {
  if ((flags & ~MLOCK_ONFAULT) !== 0) return -EINVAL;
  if (!canDoMlock(space)) return -EPERM;
  const length = pageLength(address, lengthBytes);
  const start = vpn(roundDownToPage(address) / PAGE_SIZE);
  // In 64 bits, what reaches the top is nothing.
  const pages = length >= 2 ** 64 ? 0 : length / PAGE_SIZE;
  if (!space.limits.mayIgnoreMemlock) {
    const limit = Math.floor(space.limits.memlockBytes / PAGE_SIZE);
    let locked = space.lockedVm + pages;
    if (locked > limit) locked -= countLocked(space, start, (start + pages) as Vpn);
    if (locked > limit) return -ENOMEM;
  }
  const wanted = VM_LOCKED | ((flags & MLOCK_ONFAULT) !== 0 ? VM_LOCKONFAULT : 0);
  const applied = applyLockFlags(mm, space, start, pages, wanted);
  if (applied !== 0) return applied;
  const populated = populateRange(mm, space, start, (start + pages) as Vpn, 'stop');
  // __mlock_posix_error_return.
  if (populated === -EFAULT) return -ENOMEM;
  return populated === -ENOMEM ? -EAGAIN : populated;
}

export function munlock(mm: MemoryManager, space: AddressSpace, address: number, lengthBytes: number): number {
  const length = pageLength(address, lengthBytes);
  return applyLockFlags(mm, space, vpn(roundDownToPage(address) / PAGE_SIZE), length / PAGE_SIZE, 0);
}

export function mlockall(mm: MemoryManager, space: AddressSpace, flags: number): number {
  if (flags === 0 || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) !== 0 || flags === MCL_ONFAULT) return -EINVAL;
  if (!canDoMlock(space)) return -EPERM;
  const limit = Math.floor(space.limits.memlockBytes / PAGE_SIZE);
  if ((flags & MCL_CURRENT) !== 0 && space.totalVm > limit && !space.limits.mayIgnoreMemlock) return -ENOMEM;
  applyToAll(mm, space, flags);
  if ((flags & MCL_CURRENT) !== 0) populateRange(mm, space, vpn(0), space.taskSize);
  return 0;
}

export function munlockall(mm: MemoryManager, space: AddressSpace): number {
  applyToAll(mm, space, 0);
  return 0;
}

/** PAGE_ALIGN(len + offset_in_page(start)) in 64 bits: the last page of lengths wraps to none. */
function pageLength(address: number, lengthBytes: number): number {
  return roundUpToPage(lengthBytes + offsetInPage(address)) % 2 ** 64;
}

/** count_mm_mlocked_page_nr. */
function countLocked(space: AddressSpace, start: Vpn, end: Vpn): number {
  let count = 0;
  for (let vma = space.vmas.find(start); vma !== null && vma.startVpn < end; vma = space.vmas.next(vma))
    if ((vma.flags & VM_LOCKED) !== 0) count += Math.min(end, vma.endVpn) - Math.max(start, vma.startVpn);
  return count;
}

/** apply_vma_lock_flags. */
function applyLockFlags(mm: MemoryManager, space: AddressSpace, start: Vpn, pages: number, wanted: number): number {
  const end = (start + pages) as Vpn;
  if (end * PAGE_SIZE >= 2 ** 64) return -EINVAL;
  for (let at = start; at < end; ) {
    const vma = space.vmas.find(at);
    if (vma === null || vma.startVpn > at) return -ENOMEM;
    const to = Math.min(vma.endVpn, end) as Vpn;
    const result = fixLock(mm, vma, at, to, wanted);
    if (result !== 0) return result;
    at = to;
  }
  return 0;
}

/** mlock_fixup. */
function fixLock(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn, wanted: number): number {
  const old = vma.flags;
  const flags = (old & ~VM_LOCKED_MASK) | wanted;
  if (flags === old || (old & (VM_SPECIAL | VM_HUGETLB | VM_DROPPABLE)) !== 0 || vma.file?.isSecret === true) return 0;
  const target = modifyVma(mm, vma, start, end, flags);
  if (typeof target === 'number') return target === -ENOMEM ? -ENOMEM : -EAGAIN;
  if ((flags & VM_LOCKED) === 0) target.space.lockedVm -= (old & VM_LOCKED) !== 0 ? end - start : 0;
  else if ((old & VM_LOCKED) === 0) target.space.lockedVm += end - start;
  setVmaFlags(mm, target, flags);
  if (((flags ^ old) & VM_LOCKED) !== 0) updateMlockedPages(mm, target, start, end);
  return 0;
}

/** apply_mlockall_flags: a VMA that cannot be changed is passed over. */
function applyToAll(mm: MemoryManager, space: AddressSpace, flags: number): void {
  space.defFlags &= ~VM_LOCKED_MASK;
  const onFault = (flags & MCL_ONFAULT) !== 0 ? VM_LOCKONFAULT : 0;
  if ((flags & MCL_FUTURE) !== 0) {
    space.defFlags |= VM_LOCKED | onFault;
    if ((flags & MCL_CURRENT) === 0) return;
  }
  const wanted = (flags & MCL_CURRENT) !== 0 ? VM_LOCKED | onFault : 0;
  for (let vma = space.vmas.first(); vma !== null; ) {
    const { startVpn, endVpn } = vma;
    fixLock(mm, vma, startVpn, endVpn, wanted);
    vma = space.vmas.find(endVpn);
  }
}
