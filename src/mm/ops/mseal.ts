import { EINVAL, ENOMEM } from '../../abi/errno.ts';
import { isPageAligned, PAGE_SIZE, roundUpToPage, type Vpn, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { VM_SEALED } from '../vm-flags.ts';
import { modifyVma } from '../vma-merge.ts';

/**
 * mseal(2) (Linux 6.18, mm/mseal.c): [address, address + length) can no longer be unmapped, moved, or have its rights changed.
 * 0, -EINVAL, or -ENOMEM for a hole (nothing is sealed then).
 */
export function mseal(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  lengthBytes: number,
  flags: number,
): number {
  if (flags !== 0 || !isPageAligned(address)) return -EINVAL;
  const length = roundUpToPage(lengthBytes);
  if (address + length >= 2 ** 64) return -EINVAL;
  if (length === 0) return 0;
  const start = vpn(address / PAGE_SIZE);
  const end = vpn((address + length) / PAGE_SIZE);
  for (let at = start; at < end; ) {
    const vma = space.vmas.find(at);
    if (vma === null || vma.startVpn > at) return -ENOMEM;
    at = vma.endVpn;
  }
  for (let at = start; at < end; ) {
    const vma = space.vmas.find(at);
    if (vma === null) return -ENOMEM;
    const to = Math.min(vma.endVpn, end) as Vpn;
    if ((vma.flags & VM_SEALED) === 0) {
      const target = modifyVma(mm, vma, at, to, vma.flags | VM_SEALED);
      if (typeof target === 'number') return target;
      target.flags |= VM_SEALED;
    }
    at = to;
  }
  return 0;
}
