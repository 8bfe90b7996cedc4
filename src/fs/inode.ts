import { EINVAL, ENOTDIR, EOPNOTSUPP, EPERM, ETXTBSY } from '../abi/errno.ts';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../abi/stat.ts';
import { assert } from '../base/assert.ts';
import { compareTimespec, type Timespec } from '../base/timespec.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import type { FilePages } from '../mm/page-cache/file-pages.ts';
import type { KmemCache } from '../mm/phys/slab.ts';
import type { File } from './file.ts';
import type { InotifyWatch } from './inotify.ts';
import type { InodeLocks } from './locks.ts';
import type { PathRef } from './path.ts';
import type { Pipe } from './pipe.ts';
import type { Superblock } from './superblock.ts';

export interface DirEntry {
  readonly name: string;
  readonly ino: number;
  /** DT_*. */
  readonly type: number;
}

/**
 * A file, folder, link, device or pipe apart from its names (Linux: struct inode). Operations return 0 or more, or -ERRNO.
 * An operation that a kind of inode does not have answers with Linux's error for it.
 *
 * Invariants:
 *  I1 slot is held from construction to evict(); evict() runs once.
 *  I2 refcount = dentries and files without a dentry that hold it. At 0 `forget` decides whether it lives on (tmpfs: linked).
 */
export abstract class Inode {
  readonly superblock: Superblock;
  readonly ino: number;
  /** st_mode: type and permission bits. */
  mode: number;
  uid = 0;
  gid = 0;
  nlink = 1;
  /** dev_t of a device node, as makeDev builds it. */
  rdev = 0;
  /** Who watches it (inotify.ts), in the order of the watches' making; null: nobody. */
  watches: InotifyWatch[] | null = null;
  /** When it was made; null on a file system that does not tell (procfs, pipes). */
  btime: Timespec | null = null;
  atime: Timespec;
  mtime: Timespec;
  ctime: Timespec;
  /** The page cache of a regular file, else null. */
  pages: FilePages | null = null;
  refcount = 0;
  /** flock and fcntl locks; null until the first. */
  locks: InodeLocks | null = null;
  /** The pipe behind a FIFO that somebody has open (i_pipe). */
  fifo: Pipe | null = null;
  /** i_writecount: open for writing if positive, being executed if negative. */
  writeCount = 0;
  /** S_SWAPFILE: a swap area lies on it, so nobody writes, cuts or removes it. */
  isSwapFile = false;
  slot: number;
  private readonly slots: KmemCache;

  /** `slot` comes from `slots` and is not 0. */
  constructor(superblock: Superblock, slots: KmemCache, slot: number, ino: number, mode: number) {
    assert(slot !== 0, 'fs/inode.ts: I1 an inode has a slot');
    this.superblock = superblock;
    this.slots = slots;
    this.slot = slot;
    this.ino = ino;
    this.mode = mode;
    const now = superblock.core.now();
    this.atime = now;
    this.mtime = now;
    this.ctime = now;
  }

  /** st_size. */
  get size(): number {
    return 0;
  }
  get type(): number {
    return this.mode & S_IFMT;
  }
  get isDirectory(): boolean {
    return this.type === S_IFDIR;
  }
  get isSymlink(): boolean {
    return this.type === S_IFLNK;
  }
  get isRegular(): boolean {
    return this.type === S_IFREG;
  }
  get blockBytes(): number {
    return 4096;
  }
  /** st_blocks: units of 512 bytes. */
  get blocks512(): number {
    return this.pages === null ? 0 : Math.ceil(this.size / 4096) * 8;
  }

  retain(): void {
    this.refcount++;
  }

  release(): void {
    this.refcount--;
    assert(this.refcount >= 0, 'fs/inode.ts: I2 an inode is released as often as retained');
    if (this.refcount === 0) this.forget();
  }

  /** Nobody refers to it any more. The default: it goes. */
  protected forget(): void {
    this.evict();
  }

  /** Gives back pages and slot. */
  protected evict(): void {
    assert(this.slot !== 0, 'fs/inode.ts: I1 an inode is evicted once');
    this.slots.free(this.slot);
    this.slot = 0;
  }

  /** What becomes of the verdict of the mode, 0 or -EACCES (i_op->permission). */
  admit(byMode: number): number {
    return byMode;
  }

  touchModified(): void {
    this.mtime = this.ctime = this.superblock.core.now();
  }

  touchChanged(): void {
    this.ctime = this.superblock.core.now();
  }

  /** relatime (touch_atime): moves atime when it is not after mtime and ctime, or a day old. */
  touchAccessed(): void {
    const now = this.superblock.core.now();
    const isAfterChanges = compareTimespec(this.atime, this.mtime) > 0 && compareTimespec(this.atime, this.ctime) > 0;
    if (isAfterChanges && now.seconds - this.atime.seconds < 86_400) return;
    this.atime = now;
  }

  /** deny_write_access (exec): 0 or -ETXTBSY. */
  denyWrite(): number {
    if (this.writeCount > 0) return -ETXTBSY;
    this.writeCount--;
    return 0;
  }

  allowWrite(): void {
    this.writeCount++;
  }

  // What a folder can do. Names are one component; `lookup` answers -ENOENT where there is none.

  lookup(_name: string): Inode | number {
    return -ENOTDIR;
  }
  create(_name: string, _mode: number): Inode | number {
    return -EPERM;
  }
  mkdir(_name: string, _mode: number): Inode | number {
    return -EPERM;
  }
  /** `mode` holds the type: S_IFIFO, S_IFCHR, S_IFBLK, S_IFSOCK. */
  mknod(_name: string, _mode: number, _rdev: number): Inode | number {
    return -EPERM;
  }
  symlink(_name: string, _target: string): Inode | number {
    return -EPERM;
  }
  link(_existing: Inode, _name: string): number {
    return -EPERM;
  }
  unlink(_name: string, _victim: Inode): number {
    return -EPERM;
  }
  rmdir(_name: string, _victim: Inode): number {
    return -EPERM;
  }
  /** Same superblock. `target` is what newName names now, or null. flags: RENAME_EXCHANGE or 0. */
  rename(
    _oldName: string,
    _moved: Inode,
    _newDirectory: Inode,
    _newName: string,
    _target: Inode | null,
    _flags: number,
  ): number {
    return -EPERM;
  }
  tmpfile(_mode: number): Inode | number {
    return -EOPNOTSUPP;
  }
  /** Without . and .., in the order that getdents64 shows. */
  entries(): DirEntry[] | number {
    return -ENOTDIR;
  }

  // What regular files do for RegularFile.

  /** How many of `lengthBytes` at `pos` may be written now; 0 with room for none is -ENOSPC, -EPERM by seals. */
  admitWrite(_pos: number, lengthBytes: number): number {
    return lengthBytes;
  }
  /** A mapping's fault is about to make the page: 0 or -ENOSPC. */
  /** Before a shared mapping first writes a page (page_mkwrite): 0 or -ERRNO. */
  admitMappedWrite(index: number): number {
    return Math.min(0, this.admitWrite(index * PAGE_SIZE, 1));
  }
  admitPage(_index: number): number {
    return 0;
  }
  /** Bytes were written or a shared mapping may be about to. */
  noteWritten(): void {
    this.touchModified();
  }
  /**
   * The first page from `index` on that has bytes, or -1; or that has none, the end of the file at the latest. Here: all have, up to
   * the end (generic_file_llseek), which a file system with holes knows better.
   */
  findStored(index: number, what: 'data' | 'hole'): number {
    return what === 'data' ? index : Math.ceil(this.size / PAGE_SIZE);
  }
  /** May shared mappings that can be written be made (memfd seals)? */
  mapWritable(): number {
    return 0;
  }
  /** A description that was open for writing is closed (flush): write back what must not stay. */
  flush(): number {
    return 0;
  }

  // What files can do.

  readlink(): string | number {
    return -EINVAL;
  }
  /** A procfs link that leads straight to an object (nd_jump_link); null for any other inode. */
  followMagic(): PathRef | number | null {
    return null;
  }
  chmod(permissions: number): number {
    this.mode = this.type | (permissions & 0o7777);
    this.touchChanged();
    return 0;
  }
  /** -1 leaves an owner as it is. */
  chown(uid: number, gid: number): number {
    if (uid !== -1) this.uid = uid;
    if (gid !== -1) this.gid = gid;
    this.touchChanged();
    return 0;
  }
  /** null leaves a time as it is. */
  setTimes(atime: Timespec | null, mtime: Timespec | null): number {
    if (atime !== null) this.atime = atime;
    if (mtime !== null) this.mtime = mtime;
    this.touchChanged();
    return 0;
  }
  truncate(_sizeBytes: number): number {
    return -EINVAL;
  }
  fallocate(_mode: number, _offset: number, _lengthBytes: number): number {
    return -EOPNOTSUPP;
  }
  /** Up-to-date attributes before stat: generated files refresh size or link target here. */
  refresh(): void {}
  /** What O_DIRECT wants positions and lengths to be multiples of. */
  get directAlignBytes(): number {
    return 1;
  }
  /** fsync of pages [first, end): 0 or -ERRNO. */
  sync(_first?: number, _end?: number): number {
    return 0;
  }
  /** A new open file description at `path`; O_CREAT, O_EXCL and O_TRUNC are done with. */
  abstract open(path: PathRef, flags: number): File | number;
}
