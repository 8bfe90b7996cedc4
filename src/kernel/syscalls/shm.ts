import { CAP_IPC_LOCK } from '../../abi/capability.ts';
import { EACCES, EFAULT, EINVAL, EPERM } from '../../abi/errno.ts';
import {
  IPC_INFO,
  IPC_PRIVATE,
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  SHM_DEST,
  SHM_EXEC,
  SHM_INFO,
  SHM_LOCK,
  SHM_RDONLY,
  SHM_REMAP,
  SHM_RND,
  SHM_STAT,
  SHM_STAT_ANY,
  SHM_UNLOCK,
} from '../../abi/ipc.ts';
import { MAP_FIXED, MAP_SHARED, PROT_EXEC, PROT_READ, PROT_WRITE } from '../../abi/mman.ts';
import { RLIMIT_MEMLOCK } from '../../abi/resource.ts';
import { isPageAligned, PAGE_SIZE, roundDownToPage, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import { mmap } from '../../mm/ops/mmap.ts';
import { unmapRange } from '../../mm/ops/munmap.ts';
import type { Vma } from '../../mm/vma.ts';
import { nsCapable } from '../credentials.ts';
import { checkIpcOwner, checkIpcPerm, lookupKey, updateIpcPerm } from '../ipc/ipc-ids.ts';
import { destroySegment, lockPages, newSegment, type ShmSegment, unlockPages } from '../ipc/shm.ts';
import { ShmFile } from '../ipc/shm-file.ts';
import { decodePerm, permBytes, WordWriter } from '../ipc/structs.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { readBytes, writeBytes } from '../user-structs.ts';
import type { SyscallRow } from './row.ts';
import { ipcOf, spaceOf } from './user.ts';

/** System V shared memory (6.18, ipc/shm.c). */

function shmget(k: Kernel, t: Task, key: number, sizeBytes: number, flags: number): number {
  const ns = ipcOf(t).shm;
  const found = lookupKey(ns.ids, t.cred, key, flags, (segment) => (segment.sizeBytes < sizeBytes ? -EINVAL : 0));
  if (found !== null) return found;
  return newSegment(k, ns, t, key, sizeBytes, flags);
}

function shmat(k: Kernel, t: Task, id: number, wanted: number, flags: number): number {
  if (id < 0) return -EINVAL;
  let address = wanted;
  let mapFlags = MAP_SHARED;
  if (address !== 0) {
    if (!isPageAligned(address)) {
      if ((flags & SHM_RND) === 0) return -EINVAL;
      address = roundDownToPage(address);
      if (address === 0 && (flags & SHM_REMAP) !== 0) return -EINVAL;
    }
    mapFlags |= MAP_FIXED;
  } else if ((flags & SHM_REMAP) !== 0) return -EINVAL;
  const isReadonly = (flags & SHM_RDONLY) !== 0;
  const isExec = (flags & SHM_EXEC) !== 0;
  const prot = PROT_READ | (isReadonly ? 0 : PROT_WRITE) | (isExec ? PROT_EXEC : 0);
  const asked = 0o444 | (isReadonly ? 0 : 0o222) | (isExec ? 0o111 : 0);
  const segment = ipcOf(t).shm.ids.find(id);
  if (segment === null) return -EINVAL;
  if (checkIpcPerm(t.cred, segment.perm, asked) < 0) return -EACCES;
  const space = spaceOf(t);
  const lengthBytes = segment.mappedPages * PAGE_SIZE;
  if (address !== 0 && (flags & SHM_REMAP) === 0 && isTaken(space, address, lengthBytes)) return -EINVAL;
  const file = new ShmFile(k, ipcOf(t), segment, isReadonly ? 'readonly' : 'readwrite');
  const result = mmap(k.mm, space, { address, lengthBytes, prot, flags: mapFlags, file, offsetBytes: 0 });
  file.endAttach();
  return result;
}

/** find_vma_intersection. */
function isTaken(space: AddressSpace, address: number, lengthBytes: number): boolean {
  if (address + lengthBytes > space.taskSize * PAGE_SIZE) return false;
  const vma = space.vmas.find(vpn(address / PAGE_SIZE));
  return vma !== null && vma.startVpn < (address + lengthBytes) / PAGE_SIZE;
}

/** A VMA that lies where an attachment at `page` would have put this part of a segment. */
function partOf(vma: Vma, page: number): ShmFile | null {
  return vma.file instanceof ShmFile && vma.startVpn - page === vma.pgoff ? vma.file : null;
}

/** ksys_shmdt: every part of the first segment that was attached at the address. */
function shmdt(k: Kernel, t: Task, address: number): number {
  if (!isPageAligned(address)) return -EINVAL;
  const space = spaceOf(t);
  const page = address / PAGE_SIZE;
  let vma = page >= space.taskSize ? null : space.vmas.find(vpn(page));
  while (vma !== null && partOf(vma, page) === null) vma = space.vmas.next(vma);
  if (vma === null) return -EINVAL;
  const file = partOf(vma, page);
  const endPage = page + file!.segment.mappedPages;
  while (vma !== null && vma.endVpn <= endPage) {
    const { endVpn, startVpn } = vma;
    if (partOf(vma, page) === file) unmapRange(k.mm, space, startVpn, endVpn);
    vma = space.vmas.find(endVpn);
  }
  return 0;
}

function encodeSegment(k: Kernel, t: Task, segment: ShmSegment): Uint8Array {
  const { wordBytes } = k.arch;
  return new WordWriter(permBytes(wordBytes) + wordBytes * 7 + 8, wordBytes)
    .perm(segment.perm, t.cred.userNs)
    .long(segment.sizeBytes, segment.atime, segment.dtime, segment.ctime)
    .int(t.pidNs.numberOf(segment.creatorPid), t.pidNs.numberOf(segment.lastPid))
    .long(segment.nattch, 0, 0).bytes;
}

function shmctl(k: Kernel, t: Task, id: number, command: number, address: number): number {
  if (command < 0 || id < 0) return -EINVAL;
  const ns = ipcOf(t).shm;
  const { wordBytes } = k.arch;
  switch (command) {
    case IPC_INFO: {
      const { maxBytes, maxSegments, allPages } = ns;
      const info = new WordWriter(wordBytes * 9, wordBytes).long(maxBytes, 1, maxSegments, maxSegments, allPages);
      return writeBytes(k, t, address, info.bytes) < 0 ? -EFAULT : ns.ids.highestIndex;
    }
    case SHM_INFO: {
      const resident = ns.ids.list().reduce((sum, segment) => sum + segment.residentBytes / PAGE_SIZE, 0);
      const swapped = ns.ids.list().reduce((sum, segment) => sum + segment.swappedBytes / PAGE_SIZE, 0);
      const info = new WordWriter(wordBytes * 6, wordBytes);
      info.int(ns.ids.count).long(ns.totalPages, resident, swapped, 0, 0);
      return writeBytes(k, t, address, info.bytes) < 0 ? -EFAULT : ns.ids.highestIndex;
    }
    case IPC_STAT:
    case SHM_STAT:
    case SHM_STAT_ANY: {
      const segment = command === IPC_STAT ? ns.ids.find(id) : ns.ids.at(id);
      if (segment === null) return -EINVAL;
      if (command !== SHM_STAT_ANY && checkIpcPerm(t.cred, segment.perm, 0o444) < 0) return -EACCES;
      if (writeBytes(k, t, address, encodeSegment(k, t, segment)) < 0) return -EFAULT;
      return command === IPC_STAT ? 0 : segment.perm.id;
    }
    case IPC_SET:
    case IPC_RMID:
      return changeSegment(k, t, id, command, address);
    case SHM_LOCK:
    case SHM_UNLOCK:
      return lockSegment(k, t, id, command);
    default:
      return -EINVAL;
  }
}

/** shmctl_down. */
function changeSegment(k: Kernel, t: Task, id: number, command: number, address: number): number {
  const ns = ipcOf(t).shm;
  const bytes = new Uint8Array(permBytes(k.arch.wordBytes));
  if (command === IPC_SET && readBytes(k, t, address, bytes) < 0) return -EFAULT;
  const segment = ns.ids.find(id);
  if (segment === null) return -EINVAL;
  const { perm } = segment;
  const allowed = checkIpcOwner(t.cred, perm);
  if (allowed < 0) return allowed;
  if (command === IPC_SET) {
    const changed = updateIpcPerm(t.cred, perm, decodePerm(bytes));
    if (changed === 0) segment.ctime = k.realTime().seconds;
    return changed;
  }
  // do_shm_rmid: with somebody attached the key goes now, the rest with the last of them.
  if (segment.nattch > 0) {
    perm.mode |= SHM_DEST;
    perm.key = IPC_PRIVATE;
  } else destroySegment(k, ns, segment);
  return 0;
}

/** SHM_LOCK and SHM_UNLOCK (shmctl_do_lock), which say nothing to huge pages. */
function lockSegment(k: Kernel, t: Task, id: number, command: number): number {
  const segment = ipcOf(t).shm.ids.find(id);
  if (segment === null) return -EINVAL;
  const { perm } = segment;
  const { cred } = t;
  if (!nsCapable(cred, ipcOf(t).userNs, CAP_IPC_LOCK)) {
    if (cred.euid !== perm.uid && cred.euid !== perm.cuid) return -EPERM;
    if (command === SHM_LOCK && t.process.rlimits[RLIMIT_MEMLOCK].soft === 0) return -EPERM;
  }
  if ('hugetlb' in segment.memory) return 0;
  if (command === SHM_LOCK) return lockPages(k, t, segment);
  unlockPages(k, segment);
  return 0;
}

const full = { support: 'full', note: '' } as const;
export const shmCalls: readonly SyscallRow[] = [
  {
    name: 'shmget',
    args: ['int', 'size', 'int'],
    run: shmget,
    ...full,
  },
  { name: 'shmat', args: ['int', 'ptr', 'int'], run: shmat, ...full },
  { name: 'shmdt', args: ['ptr'], run: shmdt, ...full },
  { name: 'shmctl', args: ['int', 'int', 'ptr'], run: shmctl, ...full },
];
