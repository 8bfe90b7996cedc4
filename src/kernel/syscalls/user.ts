import { EBADF, EFAULT, EINVAL, ENOENT } from '../../abi/errno.ts';
import { AT_FDCWD, PATH_MAX } from '../../abi/fcntl.ts';
import { RLIMIT_NOFILE } from '../../abi/resource.ts';
import { panic } from '../../base/assert.ts';
import type { File, UserArg } from '../../fs/file.ts';
import type { FsContext } from '../../fs/fs-context.ts';
import { type LastLink, type PathRef, resolve } from '../../fs/path.ts';
import type { FsActor } from '../../fs/permission.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import { type IoVec, readUserString } from '../../mm/user-access.ts';
import type { FileTable } from '../file-table.ts';
import type { IpcNamespace } from '../ipc/namespace.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { readBytes, writeBytes } from '../user-structs.ts';

/** What nearly every file call does first: descriptors to files, addresses to paths, vectors to lists. */

/** Linux cuts every transfer here (include/linux/fs.h): INT_MAX without its page offset. */
export const MAX_RW_COUNT = 0x7fff_f000;
const UIO_MAXIOV = 1024;
/** TASK_SIZE_MAX of access_ok on 64-bit: addresses with the top bit set are refused before any is touched. */
const USER_LIMIT = 2 ** 63;

export function filesOf(t: Task): FileTable {
  return t.files ?? panic('kernel/syscalls: a calling task has a file table');
}

/** The task's folders, walked with its own rights. */
export function contextOf(t: Task): FsContext {
  const { fs } = t;
  if (fs === null) return panic('kernel/syscalls: a calling task has a root and working folder');
  fs.actor = t.cred;
  return fs;
}

export function ipcOf(t: Task): IpcNamespace {
  return t.ipc ?? panic('kernel/syscalls: a calling task is in an IPC namespace');
}

export function spaceOf(t: Task): AddressSpace {
  return t.space ?? panic('kernel/syscalls: a calling task has an address space');
}

/** fdget: descriptors of O_PATH are not there for calls that do something with the file. */
export function fileAt(t: Task, fd: number): File | number {
  const file = filesOf(t).get(fd);
  return file === null || file.isPathOnly ? -EBADF : file;
}

/** fdget_raw: O_PATH descriptors too. */
export function anyFileAt(t: Task, fd: number): File | number {
  return filesOf(t).get(fd) ?? -EBADF;
}

export function installFile(t: Task, file: File, flags: number, from = 0): number {
  return filesOf(t).install(file, flags, t.process.rlimits[RLIMIT_NOFILE].soft, from);
}

/** getname: -EFAULT, -ENAMETOOLONG, or the path. */
export function pathArgument(k: Kernel, t: Task, address: number): string | number {
  return readUserString(k.mm, spaceOf(t), address, PATH_MAX);
}

/** Where a relative path starts: null is the working folder; -EBADF for a descriptor that is not there. */
export function baseOf(t: Task, dirfd: number, path: string): PathRef | null | number {
  if (path.startsWith('/') || dirfd === AT_FDCWD) return null;
  const file = anyFileAt(t, dirfd);
  return typeof file === 'number' ? file : file.path;
}

/** A path argument and its base, walked to the place. */
export function walk(
  k: Kernel,
  t: Task,
  dirfd: number,
  address: number,
  last: LastLink,
  empty: 'emptyAllowed' | 'emptyFails' = 'emptyFails',
  actor: FsActor = t.cred,
): PathRef | number {
  // Since 6.11 a null path with AT_EMPTY_PATH is an empty one.
  const path = empty === 'emptyAllowed' && address === 0 ? '' : pathArgument(k, t, address);
  if (typeof path === 'number') return path;
  if (path === '' && empty === 'emptyFails') return -ENOENT;
  const base = baseOf(t, dirfd, path);
  if (typeof base === 'number') return base;
  const context = contextOf(t);
  context.actor = actor;
  return resolve(context, base, path, last, { isEmptyAllowed: empty === 'emptyAllowed' });
}

/** access_ok: no byte may be fetched or stored yet. */
export function isUserRange(address: number, lengthBytes: number): boolean {
  return lengthBytes <= USER_LIMIT && address <= USER_LIMIT - lengthBytes;
}

/** One buffer as a vector, cut to what Linux moves at most; -EFAULT outside user addresses. */
export function singleVector(address: number, lengthBytes: number): IoVec[] | number {
  if (!isUserRange(address, lengthBytes)) return -EFAULT;
  return [{ address, lengthBytes: Math.min(lengthBytes, MAX_RW_COUNT) }];
}

/** import_iovec: -EINVAL for a bad count or length, -EFAULT for a bad address; the total is cut to MAX_RW_COUNT. */
export function vectorArgument(k: Kernel, t: Task, address: number, count: number): IoVec[] | number {
  if (count < 0 || count > UIO_MAXIOV) return -EINVAL;
  if (count === 0) return [];
  const words = readWords(k, t, address, count * 2);
  if (typeof words === 'number') return words;
  const vectors: IoVec[] = [];
  let total = 0;
  for (let i = 0; i < count; i++) {
    const base = words[i * 2];
    const length = words[i * 2 + 1];
    if (length >= USER_LIMIT) return -EINVAL;
    if (!isUserRange(base, length)) return -EFAULT;
    const lengthBytes = Math.min(length, MAX_RW_COUNT - total);
    total += lengthBytes;
    vectors.push({ address: base, lengthBytes });
  }
  return vectors;
}

export function totalBytes(vectors: readonly IoVec[]): number {
  let sum = 0;
  for (const vector of vectors) sum += vector.lengthBytes;
  return sum;
}

/** The vectors without their first `bytes` bytes. */
export function vectorsAfter(vectors: readonly IoVec[], bytes: number): readonly IoVec[] {
  if (bytes === 0) return vectors;
  const rest: IoVec[] = [];
  let skip = bytes;
  for (const { address, lengthBytes } of vectors) {
    const cut = Math.min(skip, lengthBytes);
    skip -= cut;
    if (cut < lengthBytes) rest.push({ address: address + cut, lengthBytes: lengthBytes - cut });
  }
  return rest;
}

/** Unsigned words of the architecture, or -EFAULT. */
export function readWords(k: Kernel, t: Task, address: number, count: number): number[] | number {
  const { wordBytes } = k.arch;
  const bytes = new Uint8Array(count * wordBytes);
  if (!isUserRange(address, bytes.length) || readBytes(k, t, address, bytes) < 0) return -EFAULT;
  const view = new DataView(bytes.buffer);
  const words: number[] = [];
  for (let i = 0; i < count; i++) {
    const low = view.getUint32(i * wordBytes, true);
    words.push(wordBytes === 4 ? low : low + view.getUint32(i * 8 + 4, true) * 2 ** 32);
  }
  return words;
}

/** A signed 64-bit number in memory (off_t pointers), or -EFAULT as 'fault'. */
export function readOffset(k: Kernel, t: Task, address: number): number | 'fault' {
  const bytes = new Uint8Array(8);
  if (readBytes(k, t, address, bytes) < 0) return 'fault';
  const view = new DataView(bytes.buffer);
  return view.getUint32(0, true) + view.getInt32(4, true) * 2 ** 32;
}

export function writeOffset(k: Kernel, t: Task, address: number, value: number): number {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, value >>> 0, true);
  view.setUint32(4, Math.floor(value / 2 ** 32) >>> 0, true);
  return writeBytes(k, t, address, bytes);
}

/** The third argument of ioctl. */
export class IoctlArgument implements UserArg {
  readonly value: number;
  private readonly k: Kernel;
  private readonly t: Task;

  constructor(k: Kernel, t: Task, value: number) {
    this.k = k;
    this.t = t;
    this.value = value;
  }

  read(into: Uint8Array): number {
    return readBytes(this.k, this.t, this.value, into);
  }

  write(from: Uint8Array): number {
    return writeBytes(this.k, this.t, this.value, from);
  }
}
