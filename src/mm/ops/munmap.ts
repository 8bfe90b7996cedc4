import { EINVAL, ENOMEM, EPERM } from '../../abi/errno.ts';
import { isPageAligned, PAGE_SIZE, roundUpToPage, type Vpn, vpn } from '../../machine/units.ts';
import { accountVm } from '../accounting.ts';
import type { AddressSpace } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { tellUnmap, watchersOfUnmap } from '../uffd/events.ts';
import { VM_ACCOUNT, VM_LOCKED, VM_SEALED } from '../vm-flags.ts';
import { removeVma, splitVmaUnchecked } from '../vma-adjust.ts';
import { zapRange } from '../zap.ts';

/** munmap(2): byte address and length. 0; -EINVAL for a bad range; -ENOMEM where a split would pass the map count. */
export function munmap(mm: MemoryManager, space: AddressSpace, address: number, lengthBytes: number): number {
  const taskBytes = space.taskSize * PAGE_SIZE;
  if (!isPageAligned(address) || address > taskBytes || lengthBytes > taskBytes - address) return -EINVAL;
  const length = roundUpToPage(lengthBytes);
  if (length === 0) return -EINVAL;
  return unmapRange(mm, space, vpn(address / PAGE_SIZE), vpn((address + length) / PAGE_SIZE));
}

/** do_vmi_align_munmap: removes all that is mapped in [start, end). 0 or -ENOMEM (nothing changed). */
export function unmapRange(mm: MemoryManager, space: AddressSpace, start: Vpn, end: Vpn): number {
  const prepared = splitAround(mm, space, start, end);
  if (prepared !== 0) return prepared;
  unmapPreparedRange(mm, space, start, end);
  return 0;
}

/**
 * vms_gather_munmap_vmas: cuts the VMAs at `start` and `end`, so that none lies across them. 0 or -ENOMEM. Only the cut that
 * would leave two pieces of one VMA is subject to the map count. -EPERM where one is sealed.
 */
export function splitAround(mm: MemoryManager, space: AddressSpace, start: Vpn, end: Vpn): number {
  const first = space.vmas.find(start);
  if (first === null || first.startVpn >= end) return 0;
  if (start > first.startVpn) {
    if (end < first.endVpn && space.mapCount >= mm.config.maxMapCount) return -ENOMEM;
    if ((first.flags & VM_SEALED) !== 0) return -EPERM;
    const upper = splitVmaUnchecked(mm, first, start);
    if (typeof upper === 'number') return upper;
  }
  for (let vma = space.vmas.find(start); vma !== null && vma.startVpn < end; vma = space.nextBefore(vma, end))
    if ((vma.flags & VM_SEALED) !== 0) return -EPERM;
  const last = space.vmas.find((end - 1) as Vpn);
  if (last !== null && last.startVpn < end && last.endVpn > end) {
    const upper = splitVmaUnchecked(mm, last, end);
    if (typeof upper === 'number') return upper;
  }
  return 0;
}

/** removePreparedRange for a program that asked for it, so that a userfaultfd is told (userfaultfd_unmap_complete). */
export function unmapPreparedRange(mm: MemoryManager, space: AddressSpace, start: Vpn, end: Vpn): void {
  const watchers = watchersOfUnmap(space, start, end);
  removePreparedRange(mm, space, start, end);
  tellUnmap(mm, watchers, start, end);
}

/** vms_complete_munmap_vmas: no VMA lies across `start` or `end`. Cannot fail. */
export function removePreparedRange(mm: MemoryManager, space: AddressSpace, start: Vpn, end: Vpn): void {
  const { vmas } = space;
  const first = vmas.find(start);
  if (first === null || first.startVpn >= end) return;
  for (let vma: typeof first | null = first; vma !== null && vma.startVpn < end; vma = space.nextBefore(vma, end))
    zapRange(mm, vma, vma.startVpn, vma.endVpn, 'unmap');
  const prev = vmas.prev(first);
  const next = vmas.find(end);
  const floor = prev === null ? vpn(0) : prev.endVpn;
  const ceiling = next === null ? vpn(Number.POSITIVE_INFINITY) : next.startVpn;
  mm.pageTables.freeTables(space, start, end, floor, ceiling);
  for (let vma: typeof first | null = first; vma !== null && vma.startVpn < end; ) {
    const pages = vma.sizePages;
    const following = space.nextBefore(vma, end);
    if ((vma.flags & VM_LOCKED) !== 0) space.lockedVm -= pages;
    accountVm(space, vma.flags, -pages);
    if ((vma.flags & VM_ACCOUNT) !== 0) mm.unchargeCommit(pages);
    removeVma(mm, vma);
    vma = following;
  }
}

/** What unmapping [start, end) will give back, for checks that must come before it (vms_gather_munmap_vmas). */
export function measureRange(space: AddressSpace, start: Vpn, end: Vpn): { pages: number; accountedPages: number } {
  let pages = 0;
  let accountedPages = 0;
  for (let vma = space.vmas.find(start); vma !== null && vma.startVpn < end; vma = space.nextBefore(vma, end)) {
    const covered = Math.min(vma.endVpn, end) - Math.max(vma.startVpn, start);
    pages += covered;
    if ((vma.flags & VM_ACCOUNT) !== 0) accountedPages += covered;
  }
  return { pages, accountedPages };
}
