import { EFAULT } from '../abi/errno.ts';
import { ACCESS_READ } from '../machine/mmu.ts';
import { offsetInPage, vaddr, vpnOf } from '../machine/units.ts';
import type { AddressSpace } from './address-space.ts';
import type { MemoryManager } from './memory-manager.ts';
import { ensureUserByte } from './user-access.ts';
import { VM_MAYSHARE } from './vm-flags.ts';

/**
 * What two tasks must agree on to meet at a shared futex (Linux: get_futex_key, kernel/futex/core.c): the file and the offset
 * in it where the page is a file's; else the space and the address. A string, so that it can be a Map's key and plain data.
 * -EFAULT where the word cannot be read.
 */
export function futexKey(mm: MemoryManager, space: AddressSpace, address: number): string | number {
  if (ensureUserByte(mm, space, address, ACCESS_READ) === -1) return -EFAULT;
  const page = vpnOf(vaddr(address));
  const vma = space.vmas.find(page);
  if (vma === null) return -EFAULT;
  const { pages } = vma;
  if (pages === null || (vma.flags & VM_MAYSHARE) === 0) return `m${space.id}:${address}`;
  return `f${pages.id}:${vma.pgoff + (page - vma.startVpn)}:${offsetInPage(address)}`;
}
