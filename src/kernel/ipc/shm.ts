import { CAP_IPC_LOCK } from '../../abi/capability.ts';
import { EINVAL, ENOMEM, ENOSPC, EPERM } from '../../abi/errno.ts';
import { SHM_DEST, SHM_HUGE_MASK, SHM_HUGE_SHIFT, SHM_HUGETLB, SHM_LOCKED, SHM_NORESERVE } from '../../abi/ipc.ts';
import { RLIMIT_MEMLOCK } from '../../abi/resource.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { HugetlbAnonymousFile } from '../../mm/hugetlb/anonymous-file.ts';
import { SharedAnonymousFile } from '../../mm/shared-anonymous-file.ts';
import { lockShmem, unlockShmem } from '../../mm/shmem/shmem-lock.ts';
import { capable } from '../credentials.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { IpcIds, type IpcObject, type IpcPerm, newPerm } from './ipc-ids.ts';

/** shmmax and shmall as Linux has them (SHMMAX, SHMALL): as good as no limit. */
const SHM_UNLIMITED = 2n ** 64n - 1n - (1n << 24n);

/**
 * shmid_kernel: one segment. Its memory is a shmem file that lives as long as the segment.
 *
 * Invariants: H1 nattch is the number of VMAs that map it, and of calls of shmat under way. H2 A segment with SHM_DEST in its
 * mode (or any, with shm_rmid_forced, once its maker is gone) and nattch 0 does not exist.
 */
export class ShmSegment implements IpcObject {
  readonly perm: IpcPerm;
  readonly sizeBytes: number;
  /** "SYSV" and the key that it was made with: removal makes the key IPC_PRIVATE, not the name. */
  readonly name: string;
  readonly memory: ShmMemory;
  nattch = 0;
  /** Seconds since the epoch; 0 never. */
  atime = 0;
  dtime = 0;
  ctime: number;
  readonly creatorPid: number;
  lastPid = 0;
  /** The task that made it, while that lives and shm_rmid_forced may want to know. */
  creator: Task | null;
  /** SHM_LOCKED: the user whose RLIMIT_MEMLOCK it counts against (mlock_ucounts). */
  lockedBy: number | null = null;

  constructor(perm: IpcPerm, sizeBytes: number, memory: ShmMemory, creator: Task, ctime: number) {
    this.perm = perm;
    this.name = `/SYSV${(perm.key >>> 0).toString(16).padStart(8, '0')}`;
    this.sizeBytes = sizeBytes;
    this.memory = memory;
    this.creator = creator;
    this.creatorPid = creator.tgid;
    this.ctime = ctime;
  }

  /** What counts against kernel.shmall: huge pages too are counted by what was asked for. */
  get sizePages(): number {
    return Math.ceil(this.sizeBytes / PAGE_SIZE);
  }

  /** What an attachment maps: whole pages of its kind. */
  get mappedPages(): number {
    return this.memory.pages.sizeBytes / PAGE_SIZE;
  }

  /**
   * Bytes of it that are in memory, as shm_add_rss_swap counts them: 6.18 takes the small pages of a file of huge pages for huge
   * ones.
   */
  get residentBytes(): number {
    const { memory } = this;
    return 'hugetlb' in memory
      ? memory.hugetlb.folios.size * memory.hugetlb.pool.pages * memory.hugetlb.pool.sizeBytes
      : memory.pages.pages.count * PAGE_SIZE;
  }

  /** Bytes of it that are in swap. */
  get swappedBytes(): number {
    const { memory } = this;
    return 'hugetlb' in memory ? 0 : memory.pages.swapped.size * PAGE_SIZE;
  }
}

/** The shared memory of one IPC namespace: limits, segments, and what all of them take. */
export class ShmNamespace {
  readonly ids = new IpcIds<ShmSegment>();
  /** kernel.shmmax in bytes, kernel.shmall in pages, kernel.shmmni. */
  maxBytes = SHM_UNLIMITED;
  allPages = SHM_UNLIMITED;
  maxSegments = 4096;
  rmidForced: 0 | 1 = 0;
  totalPages = 0;
}

type ShmMemory = SharedAnonymousFile | HugetlbAnonymousFile;

/** shmem_kernel_file_setup; MAX_LFS_FILESIZE is -EINVAL. */
function smallMemory(k: Kernel, sizeBytes: number, flags: number): ShmMemory | number {
  if (sizeBytes >= 2 ** 63) return -EINVAL;
  const isReserved = (flags & SHM_NORESERVE) === 0 || k.mm.config.overcommitMemory === 2;
  const pages = Math.ceil(sizeBytes / PAGE_SIZE);
  return SharedAnonymousFile.create(k.mm, pages, isReserved ? 'account' : 'noreserve') ?? -ENOMEM;
}

/**
 * hugetlb_file_setup with HUGETLB_SHMFS_INODE: -EINVAL for a size of huge page that there is not; -EPERM without CAP_IPC_LOCK and
 * outside of vm.hugetlb_shm_group; -ENOMEM where the pool cannot promise the pages (SHM_NORESERVE: it need not).
 */
function hugeMemory(k: Kernel, t: Task, sizeBytes: number, flags: number): ShmMemory | number {
  const pool = k.mm.hugetlb.poolOfShift((flags >>> SHM_HUGE_SHIFT) & SHM_HUGE_MASK);
  if (pool === null) return -EINVAL;
  const { cred } = t;
  const isInGroup = cred.fsgid === k.hugetlbShmGroup || cred.groups.includes(k.hugetlbShmGroup);
  if (!capable(cred, CAP_IPC_LOCK) && !isInGroup) return -EPERM;
  const count = Math.ceil(sizeBytes / pool.sizeBytes);
  const memory = new HugetlbAnonymousFile(k.mm, pool, count * pool.sizeBytes, 'when-made');
  if ((flags & SHM_NORESERVE) !== 0 || memory.hugetlb.reserve(0, count) === 0) return memory;
  memory.release();
  return -ENOMEM;
}

/** newseg (6.18, ipc/shm.c): the id, or -ERRNO. */
export function newSegment(
  k: Kernel,
  ns: ShmNamespace,
  t: Task,
  key: number,
  sizeBytes: number,
  flags: number,
): number {
  if (sizeBytes < 1 || BigInt(sizeBytes) > ns.maxBytes) return -EINVAL;
  const pages = Math.ceil(sizeBytes / PAGE_SIZE);
  if (BigInt(ns.totalPages + pages) > ns.allPages) return -ENOSPC;
  const memory = (flags & SHM_HUGETLB) !== 0 ? hugeMemory(k, t, sizeBytes, flags) : smallMemory(k, sizeBytes, flags);
  if (typeof memory === 'number') return memory;
  const segment = new ShmSegment(
    newPerm(key, flags, t.cred, t.ipc!.userNs),
    sizeBytes,
    memory,
    t,
    k.realTime().seconds,
  );
  const id = ns.ids.add(segment, ns.maxSegments);
  if (id < 0) {
    memory.release();
    return id;
  }
  ns.totalPages += pages;
  return id;
}

/** shmem_lock and user_shm_lock: 0, or -ENOMEM where the user has as much locked as the caller's RLIMIT_MEMLOCK lets it. */
export function lockPages(k: Kernel, t: Task, segment: ShmSegment): number {
  if (segment.lockedBy !== null) return 0;
  const { uid } = t.cred;
  const locked = (k.shmLockedPages.get(uid) ?? 0) + segment.sizePages;
  const limit = Math.floor(t.process.rlimits[RLIMIT_MEMLOCK].soft / PAGE_SIZE);
  if (locked > limit && !capable(t.cred, CAP_IPC_LOCK)) return -ENOMEM;
  k.shmLockedPages.set(uid, locked);
  segment.lockedBy = uid;
  segment.perm.mode |= SHM_LOCKED;
  lockShmem(segment.memory.pages);
  return 0;
}

/** user_shm_unlock. */
export function unlockPages(k: Kernel, segment: ShmSegment): void {
  const { lockedBy } = segment;
  if (lockedBy === null) return;
  k.shmLockedPages.set(lockedBy, (k.shmLockedPages.get(lockedBy) ?? 0) - segment.sizePages);
  segment.lockedBy = null;
  segment.perm.mode &= ~SHM_LOCKED;
  unlockShmem(k.mm.pageCache, segment.memory.pages);
}

/** shm_may_destroy. */
export function mayDestroy(ns: ShmNamespace, segment: ShmSegment): boolean {
  return segment.nattch === 0 && (ns.rmidForced === 1 || (segment.perm.mode & SHM_DEST) !== 0);
}

/** shm_destroy: the segment is no more, its memory goes. */
export function destroySegment(k: Kernel, ns: ShmNamespace, segment: ShmSegment): void {
  unlockPages(k, segment);
  ns.ids.remove(segment);
  ns.totalPages -= segment.sizePages;
  segment.creator = null;
  segment.memory.release();
}

/** exit_shm: the maker of segments ends. With shm_rmid_forced those that nobody has attached go with it. */
export function exitShm(k: Kernel, t: Task): void {
  for (const { shm: ns } of k.ipcNamespaces) {
    if (ns.ids.count === 0) continue;
    for (const segment of ns.ids.list()) {
      if (segment.creator !== t) continue;
      segment.creator = null;
      if (ns.rmidForced === 1 && mayDestroy(ns, segment)) destroySegment(k, ns, segment);
    }
  }
}

/** shm_destroy_orphaned: shm_rmid_forced was just set. */
export function destroyOrphans(k: Kernel, ns: ShmNamespace): void {
  for (const segment of ns.ids.list())
    if (segment.creator === null && mayDestroy(ns, segment)) destroySegment(k, ns, segment);
}
