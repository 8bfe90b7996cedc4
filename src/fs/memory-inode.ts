import {
  EBUSY,
  EEXIST,
  EFBIG,
  EINVAL,
  EISDIR,
  ENAMETOOLONG,
  ENOENT,
  ENOMEM,
  ENOSPC,
  ENOTDIR,
  ENOTEMPTY,
  EOPNOTSUPP,
  EPERM,
} from '../abi/errno.ts';
import {
  F_SEAL_EXEC,
  F_SEAL_FUTURE_WRITE,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  PATH_MAX,
  RENAME_EXCHANGE,
} from '../abi/fcntl.ts';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../abi/stat.ts';
import { assert } from '../base/assert.ts';
import { PAGE_SIZE, roundDownToPage } from '../machine/units.ts';
import type { FilePages } from '../mm/page-cache/file-pages.ts';
import { punchHole } from '../mm/page-cache/truncate.ts';
import type { ShmemHuge, ShmemOwner } from '../mm/shmem/shmem-huge.ts';
import { VM_MAYWRITE, VM_SHARED } from '../mm/vm-flags.ts';
import { DirectoryFile } from './directory-file.ts';
import { type File, MAX_FILE_BYTES, takeFilpSlot } from './file.ts';
import { type DirEntry, Inode } from './inode.ts';
import type { MemorySuperblock } from './memory-superblock.ts';
import { byteLength, type PathRef } from './path.ts';
import { RegularFile } from './regular-file.ts';
import { openSpecial } from './special.ts';

/** BOGO_DIRENT_SIZE: what an entry adds to the size of a tmpfs folder. */
const ENTRY_BYTES = 20;

/**
 * A file, folder, link or node whose content is in RAM (tmpfs). Bytes of a regular file are pages without a store behind them
 * (kind 'shmem'). The overlay builds on it (overlay-inode.ts).
 *
 * Invariants:
 *  T1 nlink of a folder is 2 + its folders, of anything else the number of entries that name it; an inode with nlink > 0 lives.
 *  T2 chargedPages is what this inode has in superblock.usedPages.
 */
export class MemoryInode extends Inode implements ShmemOwner {
  declare readonly superblock: MemorySuperblock;
  /** A folder's entries; null is a whiteout (overlay). */
  readonly children: Map<string, MemoryInode | null> | null;
  linkTarget: string | null = null;
  chargedPages = 0;
  /** F_SEAL_*; memfd alone can have less than F_SEAL_SEAL. */
  seals = F_SEAL_SEAL;

  constructor(superblock: MemorySuperblock, slot: number, ino: number, mode: number) {
    super(superblock, superblock.slots, slot, ino, mode);
    const type = mode & S_IFMT;
    this.children = type === S_IFDIR ? new Map() : null;
    if (type === S_IFDIR) this.nlink = 2;
    superblock.inodeCount++;
    this.btime = this.ctime;
  }

  override get size(): number {
    if (this.pages !== null) return this.pages.sizeBytes;
    if (this.linkTarget !== null) return byteLength(this.linkTarget);
    return this.children === null ? 0 : this.entryCount() * ENTRY_BYTES;
  }

  override get blocks512(): number {
    return this.pages === null ? 0 : this.pages.pageCount * 8;
  }

  protected override forget(): void {
    if (this.nlink === 0) this.evict();
  }

  protected override evict(): void {
    assert(this.refcount === 0, 'fs/memory-inode.ts: an inode in use is not evicted');
    if (this.pages !== null) {
      this.core.mm.pageCache.evict(this.pages);
      this.pages = null;
      this.recharge();
    }
    this.superblock.inodeCount--;
    super.evict();
  }

  protected get core() {
    return this.superblock.core;
  }

  /** T2, after an operation that may have added or dropped pages. */
  recharge(): void {
    const count = this.pages?.kind === 'shmem' ? this.pages.pageCount : 0;
    this.superblock.usedPages += count - this.chargedPages;
    this.chargedPages = count;
  }

  // Folders

  /** The entry as it is now: null where there is none. */
  protected find(name: string): MemoryInode | null | number {
    return this.children?.get(name) ?? null;
  }
  protected entryCount(): number {
    return this.children?.size ?? 0;
  }
  /** Enters a name (linking), without looking at what was there. */
  protected enter(name: string, inode: MemoryInode): void {
    this.children!.set(name, inode);
  }
  /** Takes a name away. */
  protected leave(name: string): void {
    this.children!.delete(name);
  }
  protected isEmptyFolder(): boolean {
    return this.entryCount() === 0;
  }

  override lookup(name: string): Inode | number {
    if (this.children === null) return -ENOTDIR;
    return this.find(name) ?? -ENOENT;
  }

  override entries(): DirEntry[] | number {
    if (this.children === null) return -ENOTDIR;
    const entries: DirEntry[] = [];
    for (const [name, inode] of this.children) {
      if (inode !== null) entries.push({ name, ino: inode.ino, type: inode.type >>> 12 });
    }
    return entries;
  }

  /** A new inode in this folder, entered as `name`. */
  private addNew(name: string, mode: number, prepare?: (inode: MemoryInode) => void): Inode | number {
    if (this.children === null) return -ENOTDIR;
    if (this.nlink === 0) return -ENOENT;
    const found = this.find(name);
    if (found !== null) return typeof found === 'number' ? found : -EEXIST;
    const inode = this.superblock.makeInode(mode);
    if (typeof inode === 'number') return inode;
    prepare?.(inode);
    this.enter(name, inode);
    if (inode.isDirectory) this.nlink++;
    this.touchModified();
    return inode;
  }

  override create(name: string, mode: number): Inode | number {
    return this.addNew(name, S_IFREG | (mode & 0o7777));
  }
  override mkdir(name: string, mode: number): Inode | number {
    return this.addNew(name, S_IFDIR | (mode & 0o7777));
  }
  override mknod(name: string, mode: number, rdev: number): Inode | number {
    return this.addNew(name, mode, (inode) => {
      inode.rdev = rdev;
    });
  }
  override symlink(name: string, target: string): Inode | number {
    if (byteLength(target) >= PATH_MAX) return -ENAMETOOLONG;
    return this.addNew(name, S_IFLNK | 0o777, (inode) => {
      inode.linkTarget = target;
    });
  }
  override tmpfile(mode: number): Inode | number {
    const inode = this.superblock.makeInode(S_IFREG | (mode & 0o7777));
    if (typeof inode !== 'number') inode.nlink = 0;
    return inode;
  }

  override link(existing: Inode, name: string): number {
    const found = this.find(name);
    if (found !== null) return typeof found === 'number' ? found : -EEXIST;
    this.enter(name, existing as MemoryInode);
    existing.nlink++;
    existing.touchChanged();
    this.touchModified();
    return 0;
  }

  override unlink(name: string, victim: Inode): number {
    this.leave(name);
    victim.nlink--;
    victim.touchChanged();
    this.touchModified();
    (victim as MemoryInode).dropIfUnused();
    return 0;
  }

  override rmdir(name: string, victim: Inode): number {
    if (!(victim as MemoryInode).isEmptyFolder()) return -ENOTEMPTY;
    this.leave(name);
    victim.nlink = 0;
    this.nlink--;
    this.touchModified();
    (victim as MemoryInode).dropIfUnused();
    return 0;
  }

  private dropIfUnused(): void {
    if (this.refcount === 0) this.forget();
  }

  override rename(
    oldName: string,
    moved: Inode,
    newDirectory: Inode,
    newName: string,
    target: Inode | null,
    flags: number,
  ): number {
    const to = newDirectory as MemoryInode;
    const source = moved as MemoryInode;
    if (flags === RENAME_EXCHANGE) {
      const other = target as MemoryInode;
      this.leave(oldName);
      to.leave(newName);
      this.enter(oldName, other);
      to.enter(newName, source);
      if (source.isDirectory !== other.isDirectory && this !== to) {
        this.nlink += source.isDirectory ? -1 : 1;
        to.nlink += source.isDirectory ? 1 : -1;
      }
      other.touchChanged();
    } else {
      if (target?.isDirectory === true && !(target as MemoryInode).isEmptyFolder()) return -ENOTEMPTY;
      if (target !== null) {
        const error = target.isDirectory ? to.rmdir(newName, target) : to.unlink(newName, target);
        if (error < 0) return error;
      }
      this.leave(oldName);
      to.enter(newName, source);
      if (source.isDirectory) {
        this.nlink--;
        to.nlink++;
      }
    }
    source.touchChanged();
    this.touchModified();
    to.touchModified();
    return 0;
  }

  override readlink(): string | number {
    return this.linkTarget ?? -EINVAL;
  }

  // Regular files

  override admitWrite(pos: number, lengthBytes: number): number {
    if ((this.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) return -EPERM;
    if ((this.seals & F_SEAL_GROW) !== 0 && pos + lengthBytes > this.size) {
      // shmem_write_begin: page by page, and of the page in which the file ends nothing.
      const whole = roundDownToPage(this.size) - pos;
      return whole > 0 ? whole : -EPERM;
    }
    return this.superblock.admitPages(this, pos, lengthBytes);
  }

  /** shmem has no page_mkwrite: what was mapped for writing before F_SEAL_FUTURE_WRITE stays so. */
  override admitMappedWrite(index: number): number {
    return Math.min(0, this.superblock.admitPages(this, index * PAGE_SIZE, 1));
  }

  override admitPage(index: number): number {
    if (this.pages === null || this.pages.has(index)) return 0;
    return Math.min(0, this.superblock.admitPages(this, index * PAGE_SIZE, 1));
  }

  get huge(): ShmemHuge {
    return this.superblock.huge;
  }

  get isUnnamed(): boolean {
    return this.nlink === 0;
  }

  hasRoom(file: FilePages, pages: number): boolean {
    return this.superblock.hasRoom(this, file, pages);
  }

  makeRoom(pages: number): void {
    this.superblock.makeRoom(pages);
  }

  override noteWritten(): void {
    this.recharge();
    this.touchModified();
  }

  override mapWritable(): number {
    return (this.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0 ? -EPERM : 0;
  }

  override truncate(sizeBytes: number): number {
    if (this.isDirectory) return -EISDIR;
    if (this.pages === null) return -EINVAL;
    if (sizeBytes > MAX_FILE_BYTES) return -EFBIG;
    if (sizeBytes < this.size && (this.seals & F_SEAL_SHRINK) !== 0) return -EPERM;
    if (sizeBytes > this.size && (this.seals & F_SEAL_GROW) !== 0) return -EPERM;
    this.core.mm.pageCache.truncate(this.pages, sizeBytes);
    this.noteWritten();
    return 0;
  }

  /** shmem_fallocate: mode 0, KEEP_SIZE, PUNCH_HOLE|KEEP_SIZE. */
  override fallocate(mode: number, offset: number, lengthBytes: number): number {
    if (offset < 0 || lengthBytes <= 0) return -EINVAL;
    if (offset + lengthBytes > MAX_FILE_BYTES) return -EFBIG;
    if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) !== 0) return -EOPNOTSUPP;
    if (mode === FALLOC_FL_PUNCH_HOLE || (mode & FALLOC_FL_ZERO_RANGE) !== 0) return -EOPNOTSUPP;
    if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0) {
      if ((this.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) return -EPERM;
      punchHole(this.core.mm.pageCache, this.pages!, offset, offset + lengthBytes);
      this.noteWritten();
      return 0;
    }
    const end = offset + lengthBytes;
    if (end > this.size && (this.seals & F_SEAL_GROW) !== 0) return -EPERM;
    const result = this.superblock.fillPages(this, offset, end);
    if (result === 0 && end > this.size && (mode & FALLOC_FL_KEEP_SIZE) === 0) this.pages!.sizeBytes = end;
    this.noteWritten();
    return result;
  }

  /** shmem_setattr: F_SEAL_EXEC keeps the executable bits. */
  override chmod(permissions: number): number {
    if ((this.seals & F_SEAL_EXEC) !== 0 && ((this.mode ^ permissions) & 0o111) !== 0) return -EPERM;
    return super.chmod(permissions);
  }

  /** fcntl F_ADD_SEALS (memfd_add_seals): 0, -EPERM, -EINVAL, -EBUSY (mapping_deny_writable). */
  addSeals(wanted: number): number {
    if ((wanted & ~0x3f) !== 0) return -EINVAL;
    if ((this.seals & F_SEAL_SEAL) !== 0) return -EPERM;
    // A file that is executable now and for ever is not written either.
    const isExecutable = (wanted & F_SEAL_EXEC) !== 0 && (this.mode & 0o111) !== 0;
    const implied = isExecutable ? F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE : 0;
    const seals = wanted | implied;
    if ((seals & ~this.seals & F_SEAL_WRITE) !== 0 && this.isMappedForWriting()) return -EBUSY;
    this.seals |= seals;
    return 0;
  }

  private isMappedForWriting(): boolean {
    const shared = VM_SHARED | VM_MAYWRITE;
    let isMapped = false;
    this.pages?.i_mmap.forEachOverlap(0, Number.MAX_SAFE_INTEGER, (vma) => {
      isMapped ||= (vma.flags & shared) === shared;
      return !isMapped;
    });
    return isMapped;
  }

  open(path: PathRef, flags: number): File | number {
    if (this.type === S_IFREG) {
      const error = this.ensurePages();
      if (error < 0) return error;
    } else if (this.type !== S_IFDIR) return openSpecial(path, flags);
    const slot = takeFilpSlot(this.core);
    if (slot === 0) return -ENOMEM;
    return this.type === S_IFDIR ? new DirectoryFile(path, flags, slot) : new RegularFile(path, flags, slot);
  }

  /** shmem's holes are the pages that it does not have. */
  override findStored(index: number, what: 'data' | 'hole'): number {
    const { pages } = this;
    const { pageCache } = this.core.mm;
    if (pages === null) return super.findStored(index, what);
    const end = Math.ceil(this.size / PAGE_SIZE);
    if (what === 'hole') {
      let at = index;
      while (at < end && pageCache.hasData(pages, at)) at++;
      return at;
    }
    let at = pages.pages.next(index, 'any');
    while (at >= 0 && !pageCache.isFilled(pages, at)) at = pages.pages.next(at + 1, 'any');
    for (const out of pages.swapped.keys()) if (out >= index && (at < 0 || out < at)) at = out;
    return at;
  }

  /** A regular file has its (empty) page cache from the start; the overlay makes it at the first use. */
  protected ensurePages(): number {
    return this.pages === null ? -ENOSPC : 0;
  }
}
