import { EACCES, EINVAL, ENOMEM, EPERM } from '../../abi/errno.ts';
import { PROT_EXEC, PROT_GROWSDOWN, PROT_GROWSUP, PROT_READ, PROT_SEM, PROT_WRITE } from '../../abi/mman.ts';
import { ACCESS_WRITE } from '../../machine/mmu.ts';
import { isPageAligned, PAGE_SIZE, roundUpToPage, type Vpn, vpn } from '../../machine/units.ts';
import { accountVm, mayExpandVm } from '../accounting.ts';
import type { AddressSpace } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { protectRange } from '../protect-range.ts';
import {
  VM_ACCESS_FLAGS,
  VM_ACCOUNT,
  VM_GROWSDOWN,
  VM_HUGETLB,
  VM_LOCKED,
  VM_LOCKONFAULT,
  VM_MAYEXEC,
  VM_NORESERVE,
  VM_SEALED,
  VM_SHARED,
  VM_WRITE,
} from '../vm-flags.ts';

import { VMA_ANON, type Vma } from '../vma.ts';
import { modifyVma, setVmaFlags } from '../vma-merge.ts';
import { faultInVma } from './populate.ts';
import { deniesWriteExec } from './write-exec.ts';

/**
 * mprotect(2) (Linux 6.18: do_mprotect_pkey). 0 or -ERRNO; VMA by VMA from below, so an error leaves those before it changed.
 * `key`: a protection key that nobody has allocated is refused, but not before the arguments.
 */
export function mprotect(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  lengthBytes: number,
  prot: number,
  key: 'none' | 'unknown' = 'none',
): number {
  const grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
  const rights = prot & ~(PROT_GROWSDOWN | PROT_GROWSUP);
  if (grows === (PROT_GROWSDOWN | PROT_GROWSUP)) return -EINVAL;
  if (!isPageAligned(address)) return -EINVAL;
  if (lengthBytes === 0) return 0;
  const endBytes = address + roundUpToPage(lengthBytes);
  if (endBytes >= 2 ** 64) return -ENOMEM;
  if ((rights & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM)) !== 0) return -EINVAL;
  if (key === 'unknown') return -EINVAL;

  let start = vpn(address / PAGE_SIZE);
  const end = vpn(endBytes / PAGE_SIZE);
  let vma = space.vmas.find(start);
  if (vma === null || vma.startVpn >= end) return -ENOMEM;
  if ((grows & PROT_GROWSDOWN) !== 0) {
    start = vma.startVpn;
    if ((vma.flags & VM_GROWSDOWN) === 0) return -EINVAL;
  } else {
    if (vma.startVpn > start) return -ENOMEM;
    if ((grows & PROT_GROWSUP) !== 0) return -EINVAL;
  }
  const impliesExec = space.readImpliesExec && (rights & PROT_READ) !== 0;
  let at = start;
  while (at < end) {
    vma = space.vmas.find(at);
    if (vma === null || vma.startVpn > at) return -ENOMEM;
    const implied = impliesExec && (vma.flags & VM_MAYEXEC) !== 0 ? PROT_EXEC : 0;
    const flags = (vma.flags & ~VM_ACCESS_FLAGS) | ((rights | implied) & VM_ACCESS_FLAGS);
    // VM_MAY* is VM_* moved up four bits.
    if ((flags & ~(flags >> 4) & VM_ACCESS_FLAGS) !== 0) return -EACCES;
    if (deniesWriteExec(space, vma.flags, flags)) return -EACCES;
    const to = Math.min(end, vma.endVpn) as Vpn;
    const result = changeRights(mm, vma, at, to, flags);
    if (result !== 0) return result;
    at = to;
  }
  return 0;
}

/** mprotect_fixup: one VMA, or a part of one. Also exec's way to make a stack executable. */
function changeRights(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn, wanted: number): number {
  const { space } = vma;
  const oldFlags = vma.flags;
  if ((oldFlags & VM_SEALED) !== 0) return -EPERM;
  if (wanted === oldFlags) return 0;
  const pages = end - start;
  let flags = wanted;
  let charged = 0;
  if ((flags & VM_WRITE) !== 0) {
    if (!mayExpandVm(space, flags, pages) && mayExpandVm(space, oldFlags, pages)) return -ENOMEM;
    if ((oldFlags & (VM_ACCOUNT | VM_WRITE | VM_HUGETLB | VM_SHARED | VM_NORESERVE)) === 0) {
      if (mm.chargeCommit(space, pages) !== 0) return -ENOMEM;
      charged = pages;
      flags |= VM_ACCOUNT;
    }
  } else if ((oldFlags & VM_ACCOUNT) !== 0 && vma.kind === VMA_ANON && vma.anonVma === null) flags &= ~VM_ACCOUNT;

  const target = modifyVma(mm, vma, start, end, flags);
  if (typeof target === 'number') {
    if (charged > 0) mm.unchargeCommit(charged);
    return target;
  }
  setVmaFlags(mm, target, flags);
  protectRange(mm, target, start, end);
  if ((oldFlags & VM_ACCOUNT) !== 0 && (flags & VM_ACCOUNT) === 0) mm.unchargeCommit(pages);
  const fillsCopies = (oldFlags & (VM_WRITE | VM_SHARED | VM_LOCKED | VM_LOCKONFAULT)) === VM_LOCKED;
  if (fillsCopies && (flags & VM_WRITE) !== 0) faultInVma(mm, target, start, end, ACCESS_WRITE);
  accountVm(space, oldFlags, -pages);
  accountVm(space, flags, pages);
  return 0;
}
