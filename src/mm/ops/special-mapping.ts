import { EINVAL, ENOMEM } from '../../abi/errno.ts';
import { isPageAligned, PAGE_SIZE, vpn } from '../../machine/units.ts';
import { accountVm, mayExpandVm } from '../accounting.ts';
import type { AddressSpace } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { VM_DONTEXPAND, VM_SOFTDIRTY } from '../vm-flags.ts';
import { type SpecialMapping, VMA_SPECIAL } from '../vma.ts';
import { allocVma, linkVma } from '../vma-adjust.ts';

/**
 * _install_special_mapping (Linux 6.18): maps frames of the kernel, such as the vdso, at a free page-aligned byte address.
 * `flags` are VM_*. The caller keeps its own reference on the frames for as long as the machine lives. 0 or -ERRNO.
 */
export function installSpecialMapping(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  mapping: SpecialMapping,
  flags: number,
): number {
  if (!isPageAligned(address)) return -EINVAL;
  const start = vpn(address / PAGE_SIZE);
  const pages = mapping.frames.length;
  const end = vpn(start + pages);
  const there = space.vmas.find(start);
  if (there !== null && there.startVpn < end) return -EINVAL;
  const vmFlags = flags | VM_DONTEXPAND | VM_SOFTDIRTY | space.defFlags;
  if (!mayExpandVm(space, vmFlags, pages)) return -ENOMEM;
  const vma = allocVma(mm, space, start, end, vmFlags, 0);
  if (vma === null) return -ENOMEM;
  vma.kind = VMA_SPECIAL;
  vma.special = mapping;
  linkVma(mm, vma);
  accountVm(space, vmFlags, pages);
  return 0;
}
