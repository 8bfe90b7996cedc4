import { EBUSY, EINVAL, ENOMEM } from '../../abi/errno.ts';
import { MS_ASYNC, MS_INVALIDATE, MS_SYNC } from '../../abi/mman.ts';
import { isPageAligned, PAGE_SIZE, roundUpToPage, type Vpn, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import { VM_LOCKED, VM_SHARED } from '../vm-flags.ts';
import { VMA_FILE } from '../vma.ts';

/**
 * msync(2) (Linux 6.18, mm/msync.c): MS_SYNC writes the dirty pages of shared file mappings and makes them safe, as fsync does;
 * MS_ASYNC and MS_INVALIDATE only check. 0 or -ERRNO; holes give -ENOMEM after the rest was done.
 */
export function msync(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  lengthBytes: number,
  flags: number,
): number {
  if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) !== 0) return -EINVAL;
  if (!isPageAligned(address)) return -EINVAL;
  if ((flags & MS_ASYNC) !== 0 && (flags & MS_SYNC) !== 0) return -EINVAL;
  // The length wraps in 64 bits, the end must not.
  const endBytes = address + (roundUpToPage(lengthBytes) % 2 ** 64);
  if (endBytes >= 2 ** 64) return -ENOMEM;
  if (endBytes === address) return 0;
  let at = vpn(address / PAGE_SIZE);
  const end = vpn(endBytes / PAGE_SIZE);
  let hole = 0;
  while (at < end) {
    const vma = space.vmas.find(at);
    if (vma === null) return -ENOMEM;
    if (at < vma.startVpn) {
      if (flags === MS_ASYNC || vma.startVpn >= end) return -ENOMEM;
      at = vma.startVpn;
      hole = -ENOMEM;
    }
    if ((flags & MS_INVALIDATE) !== 0 && (vma.flags & VM_LOCKED) !== 0) return -EBUSY;
    const to = Math.min(vma.endVpn, end) as Vpn;
    if ((flags & MS_SYNC) !== 0 && vma.kind === VMA_FILE && (vma.flags & VM_SHARED) !== 0) {
      const first = vma.pgoff + (at - vma.startVpn);
      const pages = vma.pages as FilePages;
      const end = first + (to - at);
      const result = vma.file?.syncPages?.(first, end) ?? mm.pageCache.writeback(pages, first, end);
      if (result < 0) return result;
    }
    at = to;
  }
  return hole;
}
