import { EBADF, EINVAL, ENODEV, ENOTDIR, ENOTTY, ENXIO, ESPIPE } from '../abi/errno.ts';
import { O_ACCMODE, O_APPEND, O_PATH, O_RDONLY, O_WRONLY, SEEK_CUR, SEEK_SET } from '../abi/fcntl.ts';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../abi/poll.ts';
import { assert } from '../base/assert.ts';
import type { IoSink, IoSource } from '../base/io.ts';
import type { WaitQueue } from '../base/wait-queue.ts';
import type { MappableFile } from '../mm/mappable-file.ts';
import type { FilePages } from '../mm/page-cache/file-pages.ts';
import type { FsCore } from './fs-core.ts';
import type { DirEntry, Inode } from './inode.ts';
import { notifyClose } from './notify.ts';
import type { PathRef } from './path.ts';

/** The third argument of ioctl: a number, or the address of a struct that is read and written through the kernel. */
export interface UserArg {
  readonly value: number;
  /** Fills `into` from the address: 0 or -EFAULT. */
  read(into: Uint8Array): number;
  /** 0 or -EFAULT. */
  write(from: Uint8Array): number;
}

/** Offsets stop here: MAX_LFS_FILESIZE is 2^63-1, ours is what a number counts exactly. */
export const MAX_FILE_BYTES = Number.MAX_SAFE_INTEGER;

/**
 * An open file description (Linux: struct file). Descriptors, VMAs and messages on their way share it by reference count.
 * Nothing here blocks: an operation that would wait returns -EAGAIN, and the system call waits on `waitQueues()` and runs it
 * again (unless O_NONBLOCK is set).
 *
 * Invariants:
 *  F1 refcount holders; at 0 the description is gone: onLastRelease has run, path and slot are given back.
 *  F2 It holds one reference to its path for its life.
 */
export abstract class File implements MappableFile {
  readonly path: PathRef;
  /** O_* as given to open, creation flags taken away; F_SETFL changes it. */
  flags: number;
  pos = 0;
  refcount = 1;
  /** F_SETOWN, F_SETSIG. */
  owner = 0;
  ownerSignal = 0;
  private slot: number;

  /** `slot` is one of core.filpSlots, not 0 (takeFilpSlot). */
  constructor(path: PathRef, flags: number, slot: number) {
    assert(slot !== 0, 'fs/file.ts: an open file has a slot');
    this.path = path;
    this.flags = flags;
    this.slot = slot;
    path.retain();
  }

  get inode(): Inode {
    return this.path.dentry.inode;
  }
  /** Which description it is, among those that are open now. */
  get slotNumber(): number {
    return this.slot;
  }
  get core(): FsCore {
    return this.inode.superblock.core;
  }
  get isPathOnly(): boolean {
    return (this.flags & O_PATH) !== 0;
  }
  get readable(): boolean {
    const mode = this.flags & O_ACCMODE;
    return mode !== O_WRONLY && !this.isPathOnly;
  }
  get writable(): boolean {
    return (this.flags & O_ACCMODE) !== O_RDONLY && !this.isPathOnly;
  }
  get isAppend(): boolean {
    return (this.flags & O_APPEND) !== 0;
  }

  // MappableFile

  get noExec(): boolean {
    return this.path.mount.noExec;
  }
  get mapKind(): 'file' | 'shmem' | 'hugetlb' | 'zero' | 'none' {
    return 'none';
  }
  get pages(): FilePages | null {
    return null;
  }
  get devMajor(): number {
    return this.inode.superblock.devMajor;
  }
  get devMinor(): number {
    return this.inode.superblock.devMinor;
  }
  get ino(): number {
    return this.inode.ino;
  }
  displayPath(): string {
    return this.path.displayPath();
  }
  retain(): void {
    this.refcount++;
  }
  release(): void {
    assert(this.refcount > 0, 'fs/file.ts: F1 a file is released as often as retained');
    if (--this.refcount > 0) return;
    const { core } = this;
    notifyClose(this);
    this.inode.locks?.releaseFile(this);
    this.onLastRelease();
    core.filpSlots.free(this.slot);
    this.slot = 0;
    this.path.release();
  }

  /** The last reference is gone. */
  protected onLastRelease(): void {}

  /** A descriptor is closed (f_op->flush): 0, or the -ERRNO that close(2) reports, for example of delayed writes. */
  flush(): number {
    return 0;
  }

  get isSecret(): boolean {
    return false;
  }

  /** Counts in inode.writeCount while it is open for writing (regular files; get_write_access). */
  get countsAsWriter(): boolean {
    return false;
  }

  /** FMODE_NOWAIT: RWF_NOWAIT has a meaning. */
  knowsNowait(_direction: 'read' | 'write'): boolean {
    return false;
  }

  // Operations. `pos` null: at the file's own position, which moves along; a number: pread and pwrite.

  read(_sink: IoSink, _pos: number | null): number {
    return -EINVAL;
  }
  write(_source: IoSource, _pos: number | null): number {
    return -EINVAL;
  }
  /** False: pread, pwrite and lseek are -ESPIPE (FMODE_PREAD, FMODE_LSEEK). */
  get isSeekable(): boolean {
    return false;
  }
  /** The new position or -ERRNO. */
  seek(_offset: number, _whence: number): number {
    return -ESPIPE;
  }
  truncate(_sizeBytes: number): number {
    return -EINVAL;
  }
  /** vfs_fallocate: nothing but regular files has it. */
  fallocate(_mode: number, _offset: number, _lengthBytes: number): number {
    return this.writable ? -ENODEV : -EBADF;
  }
  /** Events that are true now, of POLLIN ... POLLRDHUP. */
  poll(): number {
    return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
  }
  /** False for regular files and folders, which epoll refuses with -EPERM. */
  get canPoll(): boolean {
    return false;
  }
  /** What a change of poll() wakes. */
  waitQueues(): readonly WaitQueue[] {
    return [];
  }
  /** A read gives up after so long and returns what it has: VTIME. Infinity: it waits. */
  get readTimeoutNs(): number {
    return Number.POSITIVE_INFINITY;
  }
  /** A write that waits gives up after so long. */
  get writeTimeoutNs(): number {
    return Number.POSITIVE_INFINITY;
  }
  /** What a transfer that gave up and moved nothing returns. */
  get timeoutResult(): number {
    return 0;
  }
  /** False while open(2) itself has to wait (a FIFO without the other end). */
  get isOpenReady(): boolean {
    return true;
  }
  ioctl(_request: number, _arg: UserArg): number {
    return -ENOTTY;
  }
  /** The entry at `pos` (0 and 1 are . and ..), null at the end; the caller moves `pos` on by one. */
  entryAt(_pos: number): DirEntry | null | number {
    return -ENOTDIR;
  }
  fsync(): number {
    return -EINVAL;
  }
  syncPages(_first: number, _end: number): number {
    return 0;
  }
  /** An error of write-back since it was opened, or since this was last asked: once (f_wb_err). */
  takeWritebackError(): number {
    return 0;
  }
  /** The same of its whole file system, for syncfs (f_sb_err). */
  takeSuperblockError(): number {
    return 0;
  }
  /** Lines of /proc/PID/fdinfo behind the common ones. */
  fdinfo(): string {
    return '';
  }
  get isTty(): boolean {
    return false;
  }
  pageMkwrite(_index: number): number {
    return 0;
  }
  admitPage(_index: number): number {
    return 0;
  }
  mapWritable(): number {
    return 0;
  }

  /** Access mode as lock calls check it: -EBADF if it is not open for the kind of lock. */
  checkLockMode(kind: 'read' | 'write'): number {
    return (kind === 'read' ? this.readable : this.writable) ? 0 : -EBADF;
  }
}

/** A slot for a new File, or 0 (then the call is -ENFILE; Linux: alloc_empty_file gives -ENOMEM). */
export function takeFilpSlot(core: FsCore): number {
  return core.filpSlots.alloc();
}

/** generic_file_llseek_size without SEEK_DATA and SEEK_HOLE. */
export function seekIn(file: File, offset: number, whence: number, endBytes: number): number {
  if (whence < SEEK_SET || whence > 4) return -EINVAL;
  let to: number;
  if (whence === SEEK_SET) to = offset;
  else if (whence === SEEK_CUR) to = file.pos + offset;
  else if (whence === 2) to = endBytes + offset;
  else if (offset < 0 || offset >= endBytes) return -ENXIO;
  else to = whence === 3 ? offset : endBytes;
  if (to < 0 || to > MAX_FILE_BYTES) return -EINVAL;
  file.pos = to;
  return to;
}

/** What O_PATH opens: a place and nothing else. */
export class PathFile extends File {
  override ioctl(): number {
    return -EBADF;
  }
  override read(): number {
    return -EBADF;
  }
  override write(): number {
    return -EBADF;
  }
  override seek(): number {
    return -EBADF;
  }
  override truncate(): number {
    return -EBADF;
  }
  override fallocate(): number {
    return -EBADF;
  }
  override fsync(): number {
    return -EBADF;
  }
  override entryAt(): number {
    return -EBADF;
  }
}
