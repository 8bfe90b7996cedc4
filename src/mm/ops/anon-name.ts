import { EAGAIN, EBADF, EINVAL, ENOMEM } from '../../abi/errno.ts';
import { isPageAligned, PAGE_SIZE, roundUpToPage, type Vpn, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { SharedAnonymousFile } from '../shared-anonymous-file.ts';
import type { Vma } from '../vma.ts';
import { modifyVma } from '../vma-merge.ts';

/**
 * PR_SET_VMA_ANON_NAME (Linux 6.18: madvise_set_anon_name, with CONFIG_ANON_VMA_NAME): the name of anonymous memory in
 * /proc/PID/maps; null takes it away. 0; -EINVAL; -EBADF for what has a file; -ENOMEM for a hole, after the rest was done.
 */
export function setAnonName(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  lengthBytes: number,
  name: string | null,
): number {
  if (!isPageAligned(address)) return -EINVAL;
  const length = roundUpToPage(lengthBytes);
  if (address + length >= 2 ** 64) return -EINVAL;
  const end = vpn((address + length) / PAGE_SIZE);
  let hole = 0;
  for (let at = vpn(address / PAGE_SIZE); at < end; ) {
    const vma = space.vmas.find(at);
    if (vma === null) return -ENOMEM;
    if (at < vma.startVpn) {
      hole = -ENOMEM;
      at = vma.startVpn;
      if (at >= end) break;
    }
    const to = Math.min(vma.endVpn, end) as Vpn;
    const result = nameVma(mm, vma, at, to, name);
    if (result !== 0) return result;
    at = to;
  }
  return hole;
}

/** madvise_vma_anon_name. */
function nameVma(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn, name: string | null): number {
  if (vma.file !== null && !(vma.file instanceof SharedAnonymousFile)) return -EBADF;
  if (vma.anonName === name) return 0;
  const target = modifyVma(mm, vma, start, end, vma.flags, { anonName: name });
  if (typeof target === 'number') return -EAGAIN;
  target.anonName = name;
  return 0;
}
