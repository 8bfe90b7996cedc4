import { EACCES, EAGAIN, EEXIST, EINVAL, ENODEV, ENOMEM, EOPNOTSUPP, EOVERFLOW, EPERM } from '../../abi/errno.ts';
import {
  MAP_ANONYMOUS,
  MAP_DENYWRITE,
  MAP_DROPPABLE,
  MAP_EXECUTABLE,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN,
  MAP_HUGE_SHIFT,
  MAP_HUGETLB,
  MAP_LOCKED,
  MAP_NONBLOCK,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  MAP_SHARED_VALIDATE,
  MAP_STACK,
  MAP_SYNC,
  MAP_TYPE,
  MAP_UNINITIALIZED,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from '../../abi/mman.ts';
import {
  isPageAligned,
  PAGE_SIZE,
  pagesOf,
  roundDownToPage,
  roundUpToPage,
  type Vpn,
  vpn,
} from '../../machine/units.ts';
import { canDoMlock, mlockFutureOk } from '../accounting.ts';
import type { AddressSpace } from '../address-space.ts';
import { HugetlbAnonymousFile } from '../hugetlb/anonymous-file.ts';
import type { HugePool } from '../hugetlb/huge-pool.ts';
import type { MappableFile } from '../mappable-file.ts';
import type { MemoryManager } from '../memory-manager.ts';
import {
  VM_DONTDUMP,
  VM_DROPPABLE,
  VM_EXEC,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYSHARE,
  VM_MAYWRITE,
  VM_NOHUGEPAGE,
  VM_NORESERVE,
  VM_SHARED,
  VM_SYNC,
  VM_WIPEONFORK,
  VM_WRITE,
} from '../vm-flags.ts';
import { VMA_SHMEM } from '../vma.ts';
import { mapRegion } from './mmap-region.ts';
import { populateRange } from './populate.ts';
import { findPlace, type ShmemPlace } from './unmapped-area.ts';

export interface MmapRequest {
  /** MAP_FIXED address or hint, in bytes. */
  readonly address: number;
  readonly lengthBytes: number;
  readonly prot: number;
  readonly flags: number;
  /** The open file; ignored with MAP_ANONYMOUS. The VMA takes its own reference. */
  readonly file: MappableFile | null;
  /** A multiple of the page size; a negative one is the large unsigned number that Linux takes it for. */
  readonly offsetBytes: number;
}

/** Flags that MAP_SHARED always let pass (LEGACY_MAP_MASK); MAP_SHARED_VALIDATE refuses all others. */
const LEGACY_MAP_MASK =
  MAP_SHARED |
  MAP_PRIVATE |
  MAP_FIXED |
  MAP_ANONYMOUS |
  MAP_DENYWRITE |
  MAP_EXECUTABLE |
  MAP_GROWSDOWN |
  MAP_LOCKED |
  MAP_NORESERVE |
  MAP_POPULATE |
  MAP_NONBLOCK |
  MAP_STACK |
  MAP_HUGETLB |
  MAP_UNINITIALIZED |
  (21 << MAP_HUGE_SHIFT) |
  (30 << MAP_HUGE_SHIFT);
const MAP_HUGE_MASK = 0x3f;
/** s_maxbytes of regular files on 64 bits: MAX_LFS_FILESIZE. */
const MAX_FILE_BYTES = 2 ** 63;

/**
 * mmap(2) (Linux 6.18: ksys_mmap_pgoff, do_mmap): byte address of the mapping, or -ERRNO in Linux's order of checks. The
 * caller has turned a bad descriptor into -EBADF (after the offset's alignment).
 */
export function mmap(mm: MemoryManager, space: AddressSpace, request: MmapRequest): number {
  const offsetBytes = request.offsetBytes < 0 ? request.offsetBytes + 2 ** 64 : request.offsetBytes;
  if (!isPageAligned(offsetBytes)) return -EINVAL;
  const file = (request.flags & MAP_ANONYMOUS) !== 0 ? null : request.file;
  if (file !== null) {
    if (file.hugetlb !== undefined) return mapFile(mm, space, wholeHugePages(request, file.hugetlb.pool), file);
    // Neither a file of huge pages nor anonymous: the caller's descriptor was looked at already.
    return (request.flags & MAP_HUGETLB) !== 0 ? -EINVAL : mapFile(mm, space, request, file);
  }
  if ((request.flags & MAP_HUGETLB) === 0) return mapFile(mm, space, request, null);
  const pool = mm.hugetlb.poolOfShift((request.flags >>> MAP_HUGE_SHIFT) & MAP_HUGE_MASK);
  if (pool === null) return -EINVAL;
  const whole = wholeHugePages(request, pool);
  const own = new HugetlbAnonymousFile(mm, pool, whole.lengthBytes, 'when-mapped');
  const address = mapFile(mm, space, whole, own);
  own.release();
  return address;
}

/** A length that is rounded up to huge pages. */
function wholeHugePages(request: MmapRequest, pool: HugePool): MmapRequest {
  return { ...request, lengthBytes: Math.ceil(request.lengthBytes / pool.sizeBytes) * pool.sizeBytes };
}

/** do_mmap. `file`: what is mapped, null for anonymous memory of small pages. */
function mapFile(mm: MemoryManager, space: AddressSpace, request: MmapRequest, file: MappableFile | null): number {
  const prot = impliedProt(space, request.prot, file);
  const offsetBytes = request.offsetBytes < 0 ? request.offsetBytes + 2 ** 64 : request.offsetBytes;
  if (request.lengthBytes === 0) return -EINVAL;
  let flags = request.flags;
  if ((flags & MAP_FIXED_NOREPLACE) !== 0) flags |= MAP_FIXED;
  let address = request.address;
  if ((flags & MAP_FIXED) === 0) address = roundHintToMin(mm, address);
  if (request.lengthBytes > 2 ** 64 - PAGE_SIZE) return -ENOMEM;
  const lengthBytes = roundUpToPage(request.lengthBytes);
  let pgoff = offsetBytes / PAGE_SIZE;
  if (space.mapCount > mm.config.maxMapCount) return -ENOMEM;

  let vmFlags = vmFlagsOf(prot, flags) | space.defFlags | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
  const align = file?.hugetlb?.pool.pages ?? 1;
  // hugetlb_get_unmapped_area.
  if ((flags & MAP_FIXED) !== 0 && address % (align * PAGE_SIZE) !== 0 && file?.hugetlb !== undefined) return -EINVAL;
  address = findPlace(mm, space, address, lengthBytes, flags, file?.hugetlb?.pool ?? placeFor(file, flags, pgoff));
  if (address < 0) return address;
  const start = vpn(address / PAGE_SIZE);
  const end = vpn((address + lengthBytes) / PAGE_SIZE);
  if ((flags & MAP_FIXED_NOREPLACE) !== 0) {
    const there = space.vmas.find(start);
    if (there !== null && there.startVpn < end) return -EEXIST;
  }
  if ((flags & MAP_LOCKED) !== 0 && !canDoMlock(space)) return -EPERM;
  if (!mlockFutureOk(space, vmFlags, pagesOf(lengthBytes))) return -EAGAIN;

  if (file !== null) {
    const checked = checkFile(file, prot, flags, vmFlags, offsetBytes, lengthBytes);
    if (checked < 0) return checked;
    vmFlags = checked;
  } else {
    const type = flags & MAP_TYPE;
    if (type === MAP_SHARED) {
      if ((vmFlags & VM_GROWSDOWN) !== 0) return -EINVAL;
      pgoff = 0;
      vmFlags |= VM_SHARED | VM_MAYSHARE;
    } else if (type === MAP_DROPPABLE) {
      if ((flags & (MAP_LOCKED | MAP_HUGETLB)) !== 0 || (vmFlags & VM_GROWSDOWN) !== 0) return -EINVAL;
      vmFlags |= VM_DROPPABLE | VM_NORESERVE | VM_WIPEONFORK | VM_DONTDUMP;
      pgoff = start;
    } else if (type === MAP_PRIVATE) pgoff = start;
    else return -EINVAL;
  }
  // Huge pages are promised one by one, whatever the overcommit mode, unless MAP_NORESERVE.
  const mayOvercommit = mm.config.overcommitMemory !== 2 || file?.hugetlb !== undefined;
  if ((flags & MAP_NORESERVE) !== 0 && mayOvercommit) vmFlags |= VM_NORESERVE;

  let regionFlags = vmFlags;
  if (file?.isSecret === true) {
    // secretmem_mmap.
    if ((vmFlags & (VM_SHARED | VM_MAYSHARE)) === 0) return -EINVAL;
    if (!mlockFutureOk(space, vmFlags | VM_LOCKED, pagesOf(lengthBytes))) return -EAGAIN;
    regionFlags |= VM_LOCKED | VM_DONTDUMP;
  }
  const result = mapRegion(mm, space, start, end, regionFlags, pgoff, file);
  if (result < 0) return result;
  if (mm.pageCache.shmemHuge.wantsAlignment(file?.pages ?? null)) tellKhugepaged(mm, space, start);
  if ((vmFlags & VM_LOCKED) !== 0 || (flags & (MAP_POPULATE | MAP_NONBLOCK)) === MAP_POPULATE)
    populateRange(mm, space, start, end as Vpn);
  return address;
}

/** khugepaged_enter_vma, for shared memory: anonymous memory is told of when a fault makes a huge page. */
function tellKhugepaged(mm: MemoryManager, space: AddressSpace, start: Vpn): void {
  const vma = space.vmas.find(start);
  if (vma !== null && vma.kind === VMA_SHMEM && mm.thp.isShmemAllowed(vma, 'khugepaged'))
    mm.thp.khugepaged.enter(space);
}

/** What the place of a mapping depends on, but of the pools' (__get_unmapped_area). */
function placeFor(file: MappableFile | null, flags: number, pgoff: number): 'transparent' | 'small' | ShmemPlace {
  if (file === null) return (flags & MAP_SHARED) === 0 ? 'transparent' : { file: null, pgoff: 0 };
  return file.mapKind === 'shmem' ? { file: file.pages, pgoff } : 'small';
}

/** READ_IMPLIES_EXEC, but not of files that must not be executed. */
function impliedProt(space: AddressSpace, prot: number, file: MappableFile | null): number {
  if (!space.readImpliesExec || (prot & PROT_READ) === 0 || file?.noExec === true) return prot;
  return prot | PROT_EXEC;
}

/** round_hint_to_min. */
function roundHintToMin(mm: MemoryManager, hint: number): number {
  const page = roundDownToPage(hint);
  return page !== 0 && page < mm.config.mmapMinAddrBytes ? roundUpToPage(mm.config.mmapMinAddrBytes) : page;
}

/** calc_vm_prot_bits and calc_vm_flag_bits. MAP_STACK asks for no huge pages (6.7 and later). */
function vmFlagsOf(prot: number, flags: number): number {
  let vmFlags = prot & (PROT_READ | PROT_WRITE | PROT_EXEC);
  if ((flags & MAP_GROWSDOWN) !== 0) vmFlags |= VM_GROWSDOWN;
  if ((flags & MAP_LOCKED) !== 0) vmFlags |= VM_LOCKED;
  if ((flags & MAP_SYNC) !== 0) vmFlags |= VM_SYNC;
  if ((flags & MAP_STACK) !== 0) vmFlags |= VM_NOHUGEPAGE;
  return vmFlags;
}

/** do_mmap's checks of a file mapping: the VM_* flags, or -ERRNO. */
function checkFile(
  file: MappableFile,
  prot: number,
  flags: number,
  vmFlags: number,
  offsetBytes: number,
  lengthBytes: number,
): number {
  if (file.mapKind !== 'zero' && file.mapKind !== 'none') {
    if (offsetBytes + lengthBytes >= MAX_FILE_BYTES) return -EOVERFLOW;
  }
  let result = vmFlags;
  const type = flags & MAP_TYPE;
  if (type === MAP_SHARED || type === MAP_SHARED_VALIDATE) {
    // Bits that a plain MAP_SHARED carries beyond the legacy ones are ignored.
    if (type === MAP_SHARED_VALIDATE && (flags & ~(LEGACY_MAP_MASK | MAP_SHARED_VALIDATE)) !== 0) return -EOPNOTSUPP;
    if ((prot & PROT_WRITE) !== 0 && !file.writable) return -EACCES;
    if (file.appendOnly === true && file.writable) return -EACCES;
    result |= VM_SHARED | VM_MAYSHARE;
    if (!file.writable) result &= ~(VM_MAYWRITE | VM_SHARED);
  } else if (type !== MAP_PRIVATE) return -EINVAL;
  if (!file.readable) return -EACCES;
  if (file.noExec) {
    if ((result & VM_EXEC) !== 0) return -EPERM;
    result &= ~VM_MAYEXEC;
  }
  if (file.mapKind === 'none') return -ENODEV;
  if ((result & VM_GROWSDOWN) !== 0) return -EINVAL;
  return checkWriteSeal(file, result);
}

/** memfd_check_seals_mmap: what is sealed may be mapped shared for reading, and mprotect cannot change that. */
function checkWriteSeal(file: MappableFile, vmFlags: number): number {
  if ((vmFlags & VM_SHARED) === 0) return vmFlags;
  const sealed = file.mapWritable?.() ?? 0;
  if (sealed === 0) return vmFlags;
  return (vmFlags & VM_WRITE) !== 0 ? sealed : vmFlags & ~VM_MAYWRITE;
}
