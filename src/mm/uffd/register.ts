import { EBUSY, EINVAL, ENOMEM, EPERM } from '../../abi/errno.ts';
import { PAGE_SIZE, type Vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import { objectOf } from '../hugetlb/hugetlb-vma.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { splitHugeRange } from '../thp/split.ts';
import {
  VM_DROPPABLE,
  VM_MAYWRITE,
  VM_SHARED,
  VM_UFFD_FLAGS,
  VM_UFFD_MINOR,
  VM_UFFD_MISSING,
  VM_UFFD_WP,
} from '../vm-flags.ts';
import { VMA_ANON, VMA_HUGETLB, VMA_SHMEM, type Vma } from '../vma.ts';
import { modifyVma, setVmaFlags } from '../vma-merge.ts';
import type { UffdContext } from './context.ts';
import { protectForUffd } from './write-protect.ts';

/** vma_is_shmem: not a System V segment, whose VMAs are the segment's first. */
function isShmem(vma: Vma): boolean {
  return vma.kind === VMA_SHMEM && vma.file?.keepsVmasApart !== true;
}

/** vma_can_userfault (6.18): anonymous memory, shmem and huge pages of a pool; MINOR only where there is a page cache; asynchronous WP anywhere. */
function mayRegister(vma: Vma, flags: number, context: UffdContext): boolean {
  if ((vma.flags & VM_DROPPABLE) !== 0 || vma.file?.isSecret === true) return false;
  if (vma.kind === VMA_HUGETLB) return true;
  if ((flags & VM_UFFD_MINOR) !== 0 && !isShmem(vma)) return false;
  if (context.isAsync && flags === VM_UFFD_WP) return true;
  return (vma.kind === VMA_ANON && (vma.flags & VM_SHARED) === 0) || isShmem(vma);
}

/** A bound of a range does not fall within a page of a pool. */
function isHugeAligned(vma: Vma, at: Vpn): boolean {
  return vma.kind !== VMA_HUGETLB || at % objectOf(vma).pool.pages === 0;
}

/** The first VMA of the range; null where none begins in it. */
function firstIn(space: AddressSpace, start: Vpn, end: Vpn): Vma | null {
  const vma = space.vmas.find(start);
  return vma === null || vma.startVpn >= end ? null : vma;
}

/**
 * UFFDIO_REGISTER: the VMAs of [start, end) belong to the context from now on, with exactly the VM_UFFD_* of `wanted`. Holes
 * are passed over. 0; -EINVAL for nothing mapped or memory that cannot; -EPERM; -EBUSY where another context has it; -ENOMEM.
 */
export function registerRange(mm: MemoryManager, context: UffdContext, start: Vpn, end: Vpn, wanted: number): number {
  const { space } = context;
  const first = firstIn(space, start, end);
  if (first === null || !isHugeAligned(first, start)) return -EINVAL;
  for (let vma: Vma | null = first; vma !== null && vma.startVpn < end; vma = space.vmas.next(vma)) {
    if (!mayRegister(vma, wanted, context)) return -EINVAL;
    if ((vma.flags & VM_MAYWRITE) === 0) return -EPERM;
    if (end <= vma.endVpn && !isHugeAligned(vma, end)) return -EINVAL;
    if (vma.uffd !== null && vma.uffd !== context) return -EBUSY;
  }
  for (let at = first.startVpn; at < end; ) {
    const vma = space.vmas.find(at);
    if (vma === null || vma.startVpn >= end) break;
    at = Math.min(end, vma.endVpn) as Vpn;
    if (vma.uffd === context && (vma.flags & wanted) === wanted) continue;
    const from = Math.max(start, vma.startVpn) as Vpn;
    const flags = (vma.flags & ~VM_UFFD_FLAGS) | wanted;
    const target = modifyVma(mm, vma, from, at, flags, { uffd: context });
    if (typeof target === 'number') return target === -ENOMEM ? -ENOMEM : target;
    setVmaFlags(mm, target, flags);
    target.uffd = context;
    // Watched memory is in small pages (thp.ts).
    if (target.kind !== VMA_HUGETLB) splitHugeRange(mm, target, from, at);
  }
  return 0;
}

/** Some of the range is huge pages of a pool, for which there are fewer calls (basic_ioctls). */
export function hasHugePages(space: AddressSpace, start: Vpn, end: Vpn): boolean {
  for (let vma = space.vmas.find(start); vma !== null && vma.startVpn < end; vma = space.vmas.next(vma))
    if (vma.kind === VMA_HUGETLB) return true;
  return false;
}

/** userfaultfd_clear_vma: the part of the VMA is nobody's; the rights that WP took are back. 0 or -ENOMEM. */
function clearRange(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): number {
  if ((vma.flags & VM_UFFD_WP) !== 0) protectForUffd(mm, vma, start, end, 'resolve');
  const flags = vma.flags & ~VM_UFFD_FLAGS;
  const target = modifyVma(mm, vma, start, end, flags, { uffd: null });
  if (typeof target === 'number') return target;
  setVmaFlags(mm, target, flags);
  target.uffd = null;
  return 0;
}

/** UFFDIO_UNREGISTER: 0; -EINVAL for nothing mapped, or memory of another context; -ENOMEM. Who slept there runs again. */
export function unregisterRange(mm: MemoryManager, context: UffdContext, start: Vpn, end: Vpn): number {
  const { space } = context;
  const first = firstIn(space, start, end);
  if (first === null || !isHugeAligned(first, start)) return -EINVAL;
  for (let vma: Vma | null = first; vma !== null && vma.startVpn < end; vma = space.vmas.next(vma)) {
    if (vma.uffd !== null && vma.uffd !== context) return -EINVAL;
    if (!mayRegister(vma, vma.flags & VM_UFFD_FLAGS, context)) return -EINVAL;
  }
  for (let at = first.startVpn; at < end; ) {
    const vma = space.vmas.find(at);
    if (vma === null || vma.startVpn >= end) break;
    at = Math.min(end, vma.endVpn) as Vpn;
    if (vma.uffd === null) continue;
    const from = Math.max(start, vma.startVpn) as Vpn;
    const isMissing = (vma.flags & VM_UFFD_MISSING) !== 0;
    const cleared = clearRange(mm, vma, from, at);
    if (cleared !== 0) return cleared;
    if (isMissing) context.wake(from * PAGE_SIZE, (at - from) * PAGE_SIZE);
  }
  return 0;
}

/** userfaultfd_release: the descriptor is closed. */
export function releaseContext(mm: MemoryManager, context: UffdContext): void {
  const { space } = context;
  if (mm.spaces.has(space)) {
    for (let vma = space.vmas.first(); vma !== null; ) {
      const { startVpn, endVpn } = vma;
      if (vma.uffd === context && clearRange(mm, vma, startVpn, endVpn) !== 0) {
        // Nothing is split, so no memory is needed; a neighbour that could not be joined stays apart.
        vma.flags &= ~VM_UFFD_FLAGS;
        vma.uffd = null;
      }
      vma = space.vmas.find(endVpn);
    }
  }
  context.release();
}
