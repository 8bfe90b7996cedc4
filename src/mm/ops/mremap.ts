import { EAGAIN, EFAULT, EINVAL, ENOMEM, EPERM } from '../../abi/errno.ts';
import { MAP_FIXED, MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE } from '../../abi/mman.ts';
import { isPageAligned, PAGE_SIZE, roundUpToPage, type Vpn, vpn } from '../../machine/units.ts';
import { accountVm, mayExpandVm, mlockFutureOk } from '../accounting.ts';
import type { AddressSpace } from '../address-space.ts';
import { objectOf } from '../hugetlb/hugetlb-vma.ts';
import type { MemoryManager } from '../memory-manager.ts';
import {
  VM_ACCOUNT,
  VM_DONTEXPAND,
  VM_LOCKED,
  VM_MAYSHARE,
  VM_PFNMAP,
  VM_SEALED,
  VM_SHARED,
  VM_UFFD_FLAGS,
} from '../vm-flags.ts';
import { VMA_ANON, VMA_HUGETLB, VMA_SHMEM, type Vma } from '../vma.ts';
import { extendVma } from '../vma-merge.ts';
import { moveVma } from './move-vma.ts';
import { munmap } from './munmap.ts';
import { populateRange } from './populate.ts';
import { findPlace, getUnmappedArea, type ShmemPlace } from './unmapped-area.ts';

/** One remapping under way: byte addresses and page-multiple lengths (Linux: struct vma_remap_struct). */
interface Remap {
  readonly flags: number;
  address: number;
  oldBytes: number;
  newBytes: number;
  newAddress: number;
  populate: boolean;
}

/** mremap(2) (Linux 6.18: do_mremap): the mapping's address now, or -ERRNO. */
export function mremap(
  mm: MemoryManager,
  space: AddressSpace,
  oldAddress: number,
  oldSize: number,
  newSize: number,
  flags: number,
  newAddress: number,
): number {
  const remap: Remap = {
    flags,
    address: oldAddress,
    oldBytes: roundUpToPage(oldSize),
    newBytes: roundUpToPage(newSize),
    newAddress,
    populate: false,
  };
  const checked = checkParameters(mm, space, remap);
  if (checked !== 0) return checked;
  if ((flags & MREMAP_FIXED) !== 0 && remap.oldBytes === remap.newBytes) return moveAll(mm, space, remap);
  const vma = lookup(space, remap.address);
  const prepared = checkVma(space, remap, vma);
  if (prepared !== 0) return prepared;
  const result = impliesNewAddress(remap) ? remapTo(mm, space, remap) : remapInPlace(mm, space, remap, vma as Vma);
  if (result >= 0 && remap.populate && remap.newBytes > remap.oldBytes)
    populateRange(mm, space, vpn((result + remap.oldBytes) / PAGE_SIZE), vpn((result + remap.newBytes) / PAGE_SIZE));
  return result;
}

function impliesNewAddress(remap: Remap): boolean {
  return (remap.flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0;
}

function lookup(space: AddressSpace, address: number): Vma | null {
  const page = vpn(address / PAGE_SIZE);
  const vma = space.vmas.find(page);
  return vma !== null && vma.startVpn <= page ? vma : null;
}

/** check_mremap_params. */
function checkParameters(mm: MemoryManager, space: AddressSpace, remap: Remap): number {
  const taskBytes = space.taskSize * PAGE_SIZE;
  if ((remap.flags & ~(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP)) !== 0) return -EINVAL;
  if (!isPageAligned(remap.address)) return -EINVAL;
  if (remap.newBytes === 0 || remap.newBytes > taskBytes) return -EINVAL;
  if (!impliesNewAddress(remap)) return 0;
  if (remap.newAddress > taskBytes - remap.newBytes) return -EINVAL;
  if (!isPageAligned(remap.newAddress)) return -EINVAL;
  if ((remap.flags & MREMAP_MAYMOVE) === 0) return -EINVAL;
  if ((remap.flags & MREMAP_DONTUNMAP) !== 0 && remap.oldBytes !== remap.newBytes) return -EINVAL;
  // vrm_overlaps; a length that wraps around ends before it begins, so it overlaps nothing.
  const oldEnd = (remap.address + remap.oldBytes) % 2 ** 64;
  if (oldEnd > remap.newAddress && remap.newAddress + remap.newBytes > remap.address) return -EINVAL;
  // move_vma needs to stay 4 maps below the limit; the unmap of the target may split once more (6.18's figure).
  if (space.mapCount + 2 >= mm.config.maxMapCount - 3) return -ENOMEM;
  return 0;
}

/** check_prep_vma. */
function checkVma(space: AddressSpace, remap: Remap, vma: Vma | null): number {
  if (vma === null) return -EFAULT;
  if ((vma.flags & VM_SEALED) !== 0) return -EPERM;
  if (vma.kind === VMA_HUGETLB && !alignHugetlb(remap, vma)) return -EINVAL;
  if (!impliesNewAddress(remap)) {
    remap.newAddress = remap.address;
    if (remap.newBytes <= remap.oldBytes) return 0; // no new mapping comes into being
  }
  if (remap.oldBytes === 0 && (vma.flags & (VM_SHARED | VM_MAYSHARE)) === 0) return -EINVAL;
  if ((remap.flags & MREMAP_DONTUNMAP) !== 0 && (vma.flags & (VM_DONTEXPAND | VM_PFNMAP)) !== 0) return -EINVAL;
  // A shrinking move cuts the rest off first, so only the part that stays must lie in one VMA (seen on 6.18.44).
  if (Math.min(remap.oldBytes, remap.newBytes) > vma.endVpn * PAGE_SIZE - remap.address) return -EFAULT;
  if (remap.newBytes <= remap.oldBytes) return 0;
  const delta = (remap.newBytes - remap.oldBytes) / PAGE_SIZE;
  if ((vma.flags & VM_LOCKED) !== 0) remap.populate = true;
  if ((vma.flags & (VM_DONTEXPAND | VM_PFNMAP)) !== 0) return -EFAULT;
  if (!mlockFutureOk(space, vma.flags, delta)) return -EAGAIN;
  if (!mayExpandVm(space, vma.flags, delta)) return -ENOMEM;
  return 0;
}

/** align_hugetlb: sizes grow to whole huge pages; addresses must be theirs; the mapping does not grow. */
function alignHugetlb(remap: Remap, vma: Vma): boolean {
  const { sizeBytes } = objectOf(vma).pool;
  remap.oldBytes = Math.ceil(remap.oldBytes / sizeBytes) * sizeBytes;
  remap.newBytes = Math.ceil(remap.newBytes / sizeBytes) * sizeBytes;
  if (remap.address % sizeBytes !== 0 || remap.newAddress % sizeBytes !== 0) return false;
  return remap.newBytes <= remap.oldBytes;
}

/** mremap_at: same size, shrink, or grow where it is; else move. */
function remapInPlace(mm: MemoryManager, space: AddressSpace, remap: Remap, vma: Vma): number {
  const { address, oldBytes, newBytes } = remap;
  if (newBytes === oldBytes) return address;
  if (newBytes < oldBytes) {
    const shrunk = munmap(mm, space, address + newBytes, oldBytes - newBytes);
    return shrunk === 0 ? address : shrunk;
  }
  if (canExpandInPlace(mm, space, remap, vma)) {
    const pages = (newBytes - oldBytes) / PAGE_SIZE;
    if ((vma.flags & VM_ACCOUNT) !== 0 && mm.chargeCommit(space, pages) !== 0) return -ENOMEM;
    const { flags } = vma;
    if (extendVma(mm, vma, pages) === null) {
      if ((flags & VM_ACCOUNT) !== 0) mm.unchargeCommit(pages);
      return -ENOMEM;
    }
    accountVm(space, flags, pages);
    if ((flags & VM_LOCKED) !== 0) space.lockedVm += pages;
    return address;
  }
  if ((remap.flags & MREMAP_MAYMOVE) === 0) return -ENOMEM;
  return moveToNewAddress(mm, space, remap, vma);
}

/** vrm_can_expand_in_place, vma_expandable. */
function canExpandInPlace(mm: MemoryManager, space: AddressSpace, remap: Remap, vma: Vma): boolean {
  if (vma.endVpn * PAGE_SIZE - remap.address !== remap.oldBytes) return false;
  const end = (remap.address + remap.newBytes) / PAGE_SIZE;
  const above = space.vmas.next(vma);
  if (above !== null && above.startVpn < end) return false;
  const wholeBytes = (end - vma.startVpn) * PAGE_SIZE;
  return getUnmappedArea(mm, space, vma.startVpn * PAGE_SIZE, wholeBytes, MAP_FIXED) >= 0;
}

/** mremap_to: MREMAP_FIXED or MREMAP_DONTUNMAP. */
function remapTo(mm: MemoryManager, space: AddressSpace, remap: Remap): number {
  if ((remap.flags & MREMAP_FIXED) !== 0) {
    const unmapped = munmap(mm, space, remap.newAddress, remap.newBytes);
    if (unmapped !== 0) return unmapped;
    // A length that wraps around overlaps nothing, so the source itself may have gone.
    if (lookup(space, remap.address) === null) return -EFAULT;
  }
  if (remap.oldBytes > remap.newBytes) {
    const shrunk = munmap(mm, space, remap.address + remap.newBytes, remap.oldBytes - remap.newBytes);
    if (shrunk !== 0) return shrunk;
    remap.oldBytes = remap.newBytes;
  }
  // Both may have split or joined the VMA.
  const vma = lookup(space, remap.address);
  if (vma === null) return -EFAULT;
  if ((remap.flags & MREMAP_DONTUNMAP) !== 0 && !mayExpandVm(space, vma.flags, remap.oldBytes / PAGE_SIZE))
    return -ENOMEM;
  return moveToNewAddress(mm, space, remap, vma);
}

/** vrm_set_new_addr and move_vma. */
function moveToNewAddress(mm: MemoryManager, space: AddressSpace, remap: Remap, vma: Vma): number {
  const wanted = impliesNewAddress(remap) ? remap.newAddress : 0;
  const fixed = (remap.flags & MREMAP_FIXED) !== 0 ? MAP_FIXED : 0;
  const found = findPlace(mm, space, wanted, remap.newBytes, fixed, vma.file?.hugetlb?.pool ?? placeOf(vma, remap));
  if (found < 0) return found;
  const moved = moveVma(mm, space, vma, {
    from: vpn(remap.address / PAGE_SIZE),
    to: vpn(found / PAGE_SIZE),
    oldPages: remap.oldBytes / PAGE_SIZE,
    newPages: remap.newBytes / PAGE_SIZE,
    source: (remap.flags & MREMAP_DONTUNMAP) !== 0 ? 'keep' : 'unmap',
  });
  return moved === 0 ? found : moved;
}

/** As in mmap, by what is moved. */
function placeOf(vma: Vma, remap: Remap): 'transparent' | 'small' | ShmemPlace {
  if (vma.kind === VMA_SHMEM) return { file: vma.pages, pgoff: vma.pgoff + (remap.address / PAGE_SIZE - vma.startVpn) };
  return vma.kind === VMA_ANON && vma.file === null ? 'transparent' : 'small';
}

/**
 * vma_multi_allowed: a file that chooses its own place might not obey (/dev/zero mapped privately has the choice of shmem; a
 * System V segment, which also is the one that keepsVmasApart, that of its file); a userfaultfd may have to be told of each move.
 */
function movesWithOthers(vma: Vma): boolean {
  if ((vma.flags & VM_UFFD_FLAGS) !== 0) return false;
  return vma.file === null || (vma.file.mapKind !== 'zero' && vma.file.keepsVmasApart !== true);
}

/** remap_move (6.17 and later): a move without change of size may span VMAs; the holes between them are kept. */
function moveAll(mm: MemoryManager, space: AddressSpace, remap: Remap): number {
  const start = vpn(remap.address / PAGE_SIZE);
  const end = vpn((remap.address + remap.oldBytes) / PAGE_SIZE);
  let target = remap.newAddress;
  let result = -EFAULT;
  let seen = false;
  let lastEnd = start;
  let at = start;
  while (at < end || (!seen && start === end)) {
    const vma = space.vmas.find(at);
    if (vma === null || vma.startVpn >= Math.max(end, start + 1)) break;
    const from = Math.max(vma.startVpn, start) as Vpn;
    const to = Math.min(vma.endVpn, end) as Vpn;
    if (!seen && from > start) return -EFAULT;
    if (!movesWithOthers(vma) && (seen || vma.endVpn < end)) return -EFAULT;
    const gapPages = seen ? vma.startVpn - lastEnd : 0;
    lastEnd = vma.endVpn;
    const part: Remap = {
      flags: remap.flags,
      address: from * PAGE_SIZE,
      oldBytes: (to - from) * PAGE_SIZE,
      newBytes: (to - from) * PAGE_SIZE,
      newAddress: target + gapPages * PAGE_SIZE,
      populate: false,
    };
    const checked = checkVma(space, part, vma);
    const moved = checked !== 0 ? checked : remapTo(mm, space, part);
    if (moved < 0) return moved;
    if (!seen) result = moved;
    seen = true;
    target = moved + part.newBytes;
    at = to;
    if (start === end) break;
  }
  return result;
}
