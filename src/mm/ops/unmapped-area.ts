import { EINVAL, ENOMEM, EPERM } from '../../abi/errno.ts';
import { MAP_FIXED } from '../../abi/mman.ts';
import { EV_VM_UNMAPPED_AREA } from '../../base/event-kinds.ts';
import { isPageAligned, PAGE_SIZE, pagesOf, type Vpn, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import type { HugePool } from '../hugetlb/huge-pool.ts';
import type { MemoryManager } from '../memory-manager.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import { VM_GROWSDOWN } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';

/** vm_start_gap: where a VMA begins for its neighbours, the guard gap of a stack included. */
export function startWithGap(mm: MemoryManager, vma: Vma): Vpn {
  if ((vma.flags & VM_GROWSDOWN) === 0) return vma.startVpn;
  return Math.max(0, vma.startVpn - mm.config.stackGuardGapPages) as Vpn;
}

/**
 * Where a mapping of `lengthBytes` (page multiple) goes, at a multiple of `alignPages`: MAP_FIXED address, the hint if it is free, or a place by the space's
 * layout (Linux 6.18: __get_unmapped_area, generic_get_unmapped_area_topdown). Byte address or -ERRNO.
 */
export function getUnmappedArea(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  lengthBytes: number,
  flags: number,
  alignPages = 1,
): number {
  const taskBytes = space.taskSize * PAGE_SIZE;
  if (lengthBytes > taskBytes) return -ENOMEM;
  const found = searchArea(mm, space, address, lengthBytes, flags, alignPages);
  if (found < 0) return found;
  if (found > taskBytes - lengthBytes) return -ENOMEM;
  if (!isPageAligned(found)) return -EINVAL;
  // security_mmap_addr: CAP_SYS_RAWIO may map below.
  if (found < mm.config.mmapMinAddrBytes && !space.limits.mayMapLow) return -EPERM;
  return found;
}

/**
 * As getUnmappedArea, by the pages that are to come: those of a pool lie at multiples of their size. 'transparent' is memory of no
 * file: of the length of huge pages, it is placed so that it can have them (thp_get_unmapped_area), if there is room.
 */
export function findPlace(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  lengthBytes: number,
  flags: number,
  pages: HugePool | 'transparent' | 'small' | ShmemPlace,
): number {
  const { thp } = mm;
  if (typeof pages === 'object' && 'pgoff' in pages)
    return findShmemPlace(mm, space, address, lengthBytes, flags, pages);
  if (pages === 'transparent' && address === 0 && (flags & MAP_FIXED) === 0 && thp.isPossible) {
    const isWhole = lengthBytes % (thp.pages * PAGE_SIZE) === 0;
    const found = isWhole ? getUnmappedArea(mm, space, 0, lengthBytes, flags, thp.pages) : -ENOMEM;
    if (found >= 0) return found;
  }
  return getUnmappedArea(mm, space, address, lengthBytes, flags, typeof pages === 'string' ? 1 : pages.pages);
}

/** A mapping of shared memory: of which file (null: one without a name is to be made), from which page of it on. */
export interface ShmemPlace {
  readonly file: FilePages | null;
  readonly pgoff: number;
}

/** shmem_get_unmapped_area (Linux 6.18): in step with the huge pages that the file may have, where there is room. */
function findShmemPlace(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  lengthBytes: number,
  flags: number,
  { file, pgoff }: ShmemPlace,
): number {
  const found = getUnmappedArea(mm, space, address, lengthBytes, flags);
  if (found < 0 || (flags & MAP_FIXED) !== 0 || found === address) return found;
  if (!mm.pageCache.shmemHuge.wantsAlignment(file)) return found;
  const hugeBytes = mm.thp.pages * PAGE_SIZE;
  const offset = (pgoff * PAGE_SIZE) % hugeBytes;
  if (lengthBytes < hugeBytes || (offset > 0 && offset + lengthBytes < 2 * hugeBytes)) return found;
  if (found % hugeBytes === offset) return found;
  const inflated = getUnmappedArea(mm, space, address, lengthBytes + hugeBytes - PAGE_SIZE, flags);
  if (inflated < 0) return found;
  const at = inflated - (inflated % hugeBytes) + offset + (inflated % hugeBytes > offset ? hugeBytes : 0);
  return at > space.taskSize * PAGE_SIZE - lengthBytes ? found : at;
}

function searchArea(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  lengthBytes: number,
  flags: number,
  alignPages: number,
): number {
  const taskBytes = space.taskSize * PAGE_SIZE;
  const minAddr = mm.config.mmapMinAddrBytes;
  if (lengthBytes > taskBytes - minAddr) return -ENOMEM;
  if ((flags & MAP_FIXED) !== 0) return address;
  if (address !== 0) {
    const hint = Math.ceil(address / (alignPages * PAGE_SIZE)) * alignPages * PAGE_SIZE;
    if (taskBytes - lengthBytes >= hint && hint >= minAddr && fits(mm, space, hint, lengthBytes)) return hint;
  }
  const sizePages = pagesOf(lengthBytes);
  let page: number = -1;
  // A gap that holds the mapping wherever its alignment puts it (vm_unmapped_area).
  const sought = sizePages + alignPages - 1;
  if (space.layout === 'topDown') page = searchTopDown(mm, space, vpn(1), space.mmapBase, sought);
  if (page !== -1) page = Math.floor((page + sought - sizePages) / alignPages) * alignPages;
  if (page === -1) {
    const low = space.layout === 'topDown' ? mm.config.layout.unmappedBase : space.mmapBase;
    page = searchBottomUp(mm, space, low, space.taskSize, sought);
    if (page !== -1) page = Math.ceil(page / alignPages) * alignPages;
  }
  const found = page === -1 ? -ENOMEM : page * PAGE_SIZE;
  if (mm.events.enabled[EV_VM_UNMAPPED_AREA] !== 0) {
    const high = space.layout === 'topDown' ? space.mmapBase : space.taskSize;
    const alignMask = (alignPages - 1) * PAGE_SIZE;
    mm.events.emit(EV_VM_UNMAPPED_AREA, found, space.totalVm, flags, lengthBytes, minAddr, high * PAGE_SIZE, alignMask);
  }
  return found;
}

function fits(mm: MemoryManager, space: AddressSpace, hint: number, lengthBytes: number): boolean {
  const vma = space.vmas.find(vpn(hint / PAGE_SIZE));
  return vma === null || (hint + lengthBytes) / PAGE_SIZE <= startWithGap(mm, vma);
}

/** unmapped_area: the lowest place, clear of the guard gap of a stack above it. */
function searchBottomUp(mm: MemoryManager, space: AddressSpace, low: Vpn, high: Vpn, sizePages: number): number {
  let from = low;
  for (;;) {
    const page = space.vmas.gapBottomUp(from, high, sizePages);
    if (page === -1) return -1;
    const above = space.vmas.find(page);
    if (above === null || (above.flags & VM_GROWSDOWN) === 0 || startWithGap(mm, above) >= page + sizePages)
      return page;
    from = above.endVpn;
  }
}

/** unmapped_area_topdown: the highest place. */
function searchTopDown(mm: MemoryManager, space: AddressSpace, low: Vpn, high: Vpn, sizePages: number): number {
  let to = high;
  for (;;) {
    const page = space.vmas.gapTopDown(low, to, sizePages);
    if (page === -1) return -1;
    const above = space.vmas.find(page);
    if (above === null || (above.flags & VM_GROWSDOWN) === 0 || startWithGap(mm, above) >= page + sizePages)
      return page;
    to = startWithGap(mm, above);
  }
}
