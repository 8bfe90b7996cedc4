import { EACCES, EAGAIN, EINVAL, ENOMEM, EOPNOTSUPP, EPERM } from '../../abi/errno.ts';
import {
  MADV_COLD,
  MADV_COLLAPSE,
  MADV_DODUMP,
  MADV_DOFORK,
  MADV_DONTDUMP,
  MADV_DONTFORK,
  MADV_DONTNEED,
  MADV_DONTNEED_LOCKED,
  MADV_FREE,
  MADV_GUARD_INSTALL,
  MADV_GUARD_REMOVE,
  MADV_HUGEPAGE,
  MADV_KEEPONFORK,
  MADV_MERGEABLE,
  MADV_NOHUGEPAGE,
  MADV_NORMAL,
  MADV_PAGEOUT,
  MADV_POPULATE_READ,
  MADV_POPULATE_WRITE,
  MADV_RANDOM,
  MADV_REMOVE,
  MADV_SEQUENTIAL,
  MADV_UNMERGEABLE,
  MADV_WILLNEED,
  MADV_WIPEONFORK,
} from '../../abi/mman.ts';
import { ACCESS_READ, ACCESS_WRITE } from '../../machine/mmu.ts';
import { isPageAligned, PAGE_SIZE, type Pfn, pagesOf, roundUpToPage, type Vpn, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import { objectOf } from '../hugetlb/hugetlb-vma.ts';
import { unmergeRange } from '../ksm/unmerge.ts';
import type { MemoryManager } from '../memory-manager.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import { punchHole } from '../page-cache/truncate.ts';
import { prefetchSwapped } from '../swap/prefetch.ts';
import { collapseRange } from '../thp/collapse.ts';
import { tellRemove } from '../uffd/events.ts';
import {
  isKsmCompatible,
  VM_DONTCOPY,
  VM_DONTDUMP,
  VM_DROPPABLE,
  VM_HUGEPAGE,
  VM_HUGETLB,
  VM_IO,
  VM_LOCKED,
  VM_MAYWRITE,
  VM_MERGEABLE,
  VM_NOHUGEPAGE,
  VM_PFNMAP,
  VM_RAND_READ,
  VM_READ,
  VM_SEALED,
  VM_SEQ_READ,
  VM_SHARED,
  VM_SPECIAL,
  VM_WIPEONFORK,
  VM_WRITE,
} from '../vm-flags.ts';
import { VMA_ANON, VMA_FILE, VMA_HUGETLB, VMA_SHMEM, type Vma } from '../vma.ts';
import { modifyVma, setVmaFlags } from '../vma-merge.ts';
import { zapRange } from '../zap.ts';
import { coolRange } from './cool.ts';
import { installGuards, removeGuards } from './guard.ts';
import { freeLazily } from './lazy-free.ts';
import { faultInVma } from './populate.ts';

/** madvise_behavior_valid; MADV_HWPOISON and MADV_SOFT_OFFLINE need CONFIG_MEMORY_FAILURE. */
const VALID: readonly number[] = [
  MADV_NORMAL,
  MADV_RANDOM,
  MADV_SEQUENTIAL,
  MADV_WILLNEED,
  MADV_DONTNEED,
  MADV_FREE,
  MADV_REMOVE,
  MADV_DONTFORK,
  MADV_DOFORK,
  MADV_MERGEABLE,
  MADV_UNMERGEABLE,
  MADV_HUGEPAGE,
  MADV_NOHUGEPAGE,
  MADV_COLLAPSE,
  MADV_DONTDUMP,
  MADV_DODUMP,
  MADV_WIPEONFORK,
  MADV_KEEPONFORK,
  MADV_COLD,
  MADV_PAGEOUT,
  MADV_POPULATE_READ,
  MADV_POPULATE_WRITE,
  MADV_DONTNEED_LOCKED,
  MADV_GUARD_INSTALL,
  MADV_GUARD_REMOVE,
];

/**
 * madvise(2) (Linux 6.18, mm/madvise.c). 0 or -ERRNO. Advice that this kernel does not have is -EINVAL, as on a kernel built
 * without it. Holes are passed over and give -ENOMEM at the end.
 */
export function madvise(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  lengthBytes: number,
  advice: number,
): number {
  if (!VALID.includes(advice) || !isPageAligned(address)) return -EINVAL;
  const length = roundUpToPage(lengthBytes);
  if (address + length >= 2 ** 64) return -EINVAL;
  if (length === 0) return 0;
  const start = vpn(address / PAGE_SIZE);
  const end = vpn((address + length) / PAGE_SIZE);
  if (advice === MADV_POPULATE_READ || advice === MADV_POPULATE_WRITE) return populate(mm, space, start, end, advice);
  let at = start;
  let hole = 0;
  while (at < end) {
    const vma = space.vmas.find(at);
    if (vma === null) return -ENOMEM;
    if (at < vma.startVpn) {
      hole = -ENOMEM;
      at = vma.startVpn;
      if (at >= end) break;
    }
    const to = Math.min(vma.endVpn, end) as Vpn;
    const result = adviseVma(mm, vma, at, to, advice);
    if (result !== 0) return result;
    at = to;
  }
  return hole;
}

/** madvise_vma_behavior. */
function adviseVma(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn, advice: number): number {
  const { flags } = vma;
  if (!mayAdvise(vma, advice)) return -EPERM;
  switch (advice) {
    case MADV_WILLNEED:
      return readAhead(mm, vma, start, end);
    case MADV_DONTNEED:
    case MADV_DONTNEED_LOCKED:
      if ((flags & VM_PFNMAP) !== 0) return -EINVAL;
      if (advice === MADV_DONTNEED && (flags & VM_LOCKED) !== 0) return -EINVAL;
      if (vma.kind === VMA_HUGETLB) return dropHugePages(mm, vma, start, end);
      zapRange(mm, vma, start, end);
      tellRemove(mm, vma, start, end);
      return 0;
    case MADV_REMOVE:
      return removePages(mm, vma, start, end);
    case MADV_FREE:
      if ((flags & (VM_PFNMAP | VM_HUGETLB | VM_LOCKED)) !== 0 || vma.kind !== VMA_ANON) return -EINVAL;
      freeLazily(mm, vma, start, end);
      tellRemove(mm, vma, start, end);
      return 0;
    case MADV_COLD:
    case MADV_PAGEOUT:
      if ((flags & (VM_LOCKED | VM_PFNMAP | VM_HUGETLB)) !== 0) return -EINVAL;
      coolRange(mm, vma, start, end, advice === MADV_COLD ? 'cold' : 'pageout');
      return 0;
    case MADV_GUARD_INSTALL:
      return installGuards(mm, vma, start, end);
    case MADV_GUARD_REMOVE:
      return removeGuards(mm, vma, start, end);
    case MADV_NORMAL:
      return changeFlags(mm, vma, start, end, flags & ~(VM_RAND_READ | VM_SEQ_READ));
    case MADV_SEQUENTIAL:
      return changeFlags(mm, vma, start, end, (flags & ~VM_RAND_READ) | VM_SEQ_READ);
    case MADV_RANDOM:
      return changeFlags(mm, vma, start, end, (flags & ~VM_SEQ_READ) | VM_RAND_READ);
    case MADV_DONTFORK:
      return changeFlags(mm, vma, start, end, flags | VM_DONTCOPY);
    case MADV_DOFORK:
      return (flags & VM_IO) !== 0 ? -EINVAL : changeFlags(mm, vma, start, end, flags & ~VM_DONTCOPY);
    case MADV_WIPEONFORK:
      if (vma.file !== null || (flags & VM_SHARED) !== 0) return -EINVAL;
      return changeFlags(mm, vma, start, end, flags | VM_WIPEONFORK);
    case MADV_KEEPONFORK:
      if ((flags & VM_DROPPABLE) !== 0) return -EINVAL;
      return changeFlags(mm, vma, start, end, flags & ~VM_WIPEONFORK);
    // hugepage_madvise: any mapping takes the wish.
    case MADV_HUGEPAGE:
      // Whether shared memory may be huge is looked up by the flags that it has till now (khugepaged_enter_vma).
      if (vma.kind === VMA_ANON ? mm.thp.isPossible : mm.thp.isShmemAllowed(vma, 'khugepaged'))
        mm.thp.khugepaged.enter(vma.space);
      return changeFlags(mm, vma, start, end, (flags & ~VM_NOHUGEPAGE) | VM_HUGEPAGE);
    case MADV_COLLAPSE:
      return collapseRange(mm, vma, start, end);
    case MADV_NOHUGEPAGE:
      return changeFlags(mm, vma, start, end, (flags & ~VM_HUGEPAGE) | VM_NOHUGEPAGE);
    case MADV_DONTDUMP:
      return changeFlags(mm, vma, start, end, flags | VM_DONTDUMP);
    case MADV_DODUMP:
      return ((flags & VM_SPECIAL) !== 0 && vma.kind !== VMA_HUGETLB) || (flags & VM_DROPPABLE) !== 0
        ? -EINVAL
        : changeFlags(mm, vma, start, end, flags & ~VM_DONTDUMP);
    case MADV_MERGEABLE:
      return allowMerging(mm, vma, start, end);
    case MADV_UNMERGEABLE: {
      const result = unmergeRange(mm, vma, start, end);
      // madvise_vma_behavior: -EAGAIN for any -ENOMEM.
      return result === 0 ? changeFlags(mm, vma, start, end, flags & ~VM_MERGEABLE) : -EAGAIN;
    }
    default:
      return -EINVAL;
  }
}

const DISCARDS: readonly number[] = [
  MADV_DONTNEED,
  MADV_FREE,
  MADV_REMOVE,
  MADV_DONTFORK,
  MADV_WIPEONFORK,
  MADV_DONTNEED_LOCKED,
  MADV_GUARD_INSTALL,
];

/** can_madvise_modify: a sealed mapping that cannot be written keeps its contents. */
function mayAdvise(vma: Vma, advice: number): boolean {
  if ((vma.flags & VM_SEALED) === 0 || vma.kind !== VMA_ANON || (vma.flags & VM_WRITE) !== 0) return true;
  return !DISCARDS.includes(advice);
}

/** ksm_madvise: ksmd learns of the space with its first such VMA. */
function allowMerging(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): number {
  if ((vma.flags & VM_MERGEABLE) !== 0 || !isKsmCompatible(vma.flags)) return 0;
  if (mm.ksm.enter(vma.space) !== 0) return -EAGAIN;
  return changeFlags(mm, vma, start, end, vma.flags | VM_MERGEABLE);
}

/** madvise_dontneed_free_valid_vma: from a huge page on, and whole ones alone. */
function dropHugePages(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): number {
  const { pages } = objectOf(vma).pool;
  if (start % pages !== 0) return -EINVAL;
  const last = (end - (end % pages)) as Vpn;
  if (last > start) {
    zapRange(mm, vma, start, last);
    tellRemove(mm, vma, start, last);
  }
  return 0;
}

/** madvise_remove: the pages go from the file itself, for all who map it; private copies stay. Only shmem can do it here. */
function removePages(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): number {
  if ((vma.flags & VM_LOCKED) !== 0) return -EINVAL;
  if (vma.pages === null && vma.file === null) return -EINVAL;
  if ((vma.flags & VM_SHARED) === 0 || (vma.flags & VM_MAYWRITE) === 0) return -EACCES;
  if (vma.pages === null || (vma.kind !== VMA_SHMEM && vma.kind !== VMA_HUGETLB)) return -EOPNOTSUPP;
  const sealed = vma.file?.mapWritable?.() ?? 0;
  if (sealed < 0) return sealed;
  const first = vma.pgoff + (start - vma.startVpn);
  tellRemove(mm, vma, start, end);
  if (vma.kind === VMA_HUGETLB) {
    objectOf(vma).punchHole(first * PAGE_SIZE, (first + (end - start)) * PAGE_SIZE);
    return 0;
  }
  punchHole(mm.pageCache, vma.pages, first * PAGE_SIZE, (first + (end - start)) * PAGE_SIZE);
  return 0;
}

/** madvise_update_vma: -EAGAIN where a split cannot be had. */
function changeFlags(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn, flags: number): number {
  if (flags === vma.flags) return 0;
  const target = modifyVma(mm, vma, start, end, flags);
  if (typeof target === 'number') return target === -ENOMEM ? -EAGAIN : target;
  setVmaFlags(mm, target, flags);
  return 0;
}

/** madvise_willneed: reads the file's pages into the page cache, and what is in swap into the swap cache. */
function readAhead(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): number {
  prefetchSwapped(mm, vma, start, end);
  if (vma.kind !== VMA_FILE) return 0;
  const pages = vma.pages as FilePages;
  const first = vma.pgoff + (start - vma.startVpn);
  const last = Math.min(first + (end - start), pagesOf(pages.sizeBytes));
  for (let index = first; index < last; index++) {
    const frame = mm.pageCache.ensurePage(pages, index);
    if (frame < 0) break; // advice only: no memory or a bad disk is not the caller's error
    mm.alloc.putFrame(frame as Pfn);
  }
  return 0;
}

/** madvise_populate: -ENOMEM for a hole, -EINVAL for rights that forbid it, -EFAULT for what would be a signal. */
function populate(mm: MemoryManager, space: AddressSpace, start: Vpn, end: Vpn, advice: number): number {
  const access = advice === MADV_POPULATE_WRITE ? ACCESS_WRITE : ACCESS_READ;
  const right = advice === MADV_POPULATE_WRITE ? VM_WRITE : VM_READ;
  for (let from = start; from < end; ) {
    const vma = space.vmas.find(from);
    if (vma === null || vma.startVpn > from) return -ENOMEM;
    if ((vma.flags & (VM_IO | VM_PFNMAP)) !== 0 || (vma.flags & right) === 0 || vma.file?.isSecret === true)
      return -EINVAL;
    const to = Math.min(end, vma.endVpn) as Vpn;
    const result = faultInVma(mm, vma, from, to, access);
    if (result !== 0) return result;
    from = to;
  }
  return 0;
}
