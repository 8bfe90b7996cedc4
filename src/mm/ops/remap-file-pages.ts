import { EINVAL } from '../../abi/errno.ts';
import { MAP_FIXED, MAP_LOCKED, MAP_NONBLOCK, MAP_POPULATE, MAP_SHARED } from '../../abi/mman.ts';
import { PAGE_SIZE, roundDownToPage, type Vpn, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { VM_ACCESS_FLAGS, VM_LOCKED, VM_SHARED } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';
import { mmap } from './mmap.ts';

/**
 * remap_file_pages(2), emulated since 4.0 by a new mapping of the same file at another offset (Linux 6.18, mm/mmap.c). 0 or
 * -ERRNO. `pgoff` is in pages.
 */
export function remapFilePages(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  lengthBytes: number,
  prot: number,
  pgoff: number,
  flags: number,
): number {
  if (prot !== 0) return -EINVAL;
  const startBytes = roundDownToPage(address);
  const length = roundDownToPage(lengthBytes);
  if (length === 0 || startBytes + length >= 2 ** 64) return -EINVAL;
  if (pgoff + length / PAGE_SIZE >= 2 ** 64) return -EINVAL;
  const start = vpn(startBytes / PAGE_SIZE);
  const end = vpn((startBytes + length) / PAGE_SIZE);
  const vma = space.vmas.find(start);
  if (vma === null || vma.startVpn > start || (vma.flags & VM_SHARED) === 0) return -EINVAL;
  if (!isUniform(space, vma, end)) return -EINVAL;
  const { file } = vma;
  const locked = (vma.flags & VM_LOCKED) !== 0 ? MAP_LOCKED : 0;
  // The mapping that goes away may hold the last reference.
  const held = file?.stillMaps === undefined ? file : null;
  held?.retain();
  const result = mmap(mm, space, {
    address: startBytes,
    lengthBytes: length,
    prot: vma.flags & VM_ACCESS_FLAGS,
    flags: (flags & MAP_NONBLOCK) | MAP_SHARED | MAP_FIXED | MAP_POPULATE | locked,
    file,
    offsetBytes: pgoff * PAGE_SIZE,
  });
  held?.release();
  return Math.min(result, 0);
}

/** Up to `end` there are only mappings of the same file with the same flags, without a hole. */
function isUniform(space: AddressSpace, vma: Vma, end: Vpn): boolean {
  let last = vma;
  while (last.endVpn < end) {
    const next = space.vmas.next(last);
    if (next === null || next.startVpn !== last.endVpn) return false;
    if (next.file !== vma.file || next.flags !== vma.flags) return false;
    last = next;
  }
  return true;
}
