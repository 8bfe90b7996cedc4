import { EFBIG, EISDIR, ENODEV, EOPNOTSUPP } from '../abi/errno.ts';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE } from '../abi/fcntl.ts';
import { S_IFREG } from '../abi/stat.ts';
import type { Timespec } from '../base/timespec.ts';
import type { HostStat } from '../machine/environment.ts';
import { PAGE_SIZE, type Pfn } from '../machine/units.ts';
import { punchHole } from '../mm/page-cache/truncate.ts';
import { MAX_FILE_BYTES } from './file.ts';
import type { DirEntry } from './inode.ts';
import { MemoryInode } from './memory-inode.ts';
import { OverlayBacking } from './overlay-backing.ts';
import type { OverlaySuperblock } from './overlay-superblock.ts';

/** Where an inode comes from on the host. */
export interface LowerFile {
  /** Absolute host path at the time of the mount: what the guest renames or deletes stays there. */
  readonly path: string;
  readonly stat: HostStat;
}

/**
 * A file of a host folder seen through a layer in memory (overlay), or read-only. A folder's `children` hold what the guest
 * made, moved here (an inode) or took away (null, a whiteout); every other name is the host's, if the folder has a lower one.
 *
 * Invariants:
 *  O1 The host is never written.
 *  O2 An inode from the host that the guest changed (isChanged) lives until the unmount, in superblock.lowerInodes.
 *  O3 A name in `children` hides the host's.
 */
export class OverlayInode extends MemoryInode {
  declare readonly superblock: OverlaySuperblock;
  readonly lower: LowerFile | null;
  isChanged = false;
  /** Bytes or names differ from the host's (not only mode, owner, times). */
  isContentChanged = false;
  private backing: OverlayBacking | null = null;

  constructor(superblock: OverlaySuperblock, slot: number, ino: number, mode: number, lower: LowerFile | null) {
    super(superblock, slot, ino, mode);
    this.lower = lower;
    if (lower !== null) {
      const { stat } = lower;
      this.atime = stat.atime;
      this.mtime = stat.mtime;
      this.ctime = stat.ctime;
      this.btime = stat.btime;
      this.nlink = this.isDirectory ? Math.max(2, stat.nlink) : Math.max(1, stat.nlink);
    }
  }

  override get size(): number {
    if (this.type === S_IFREG) return this.backing?.sizeBytes ?? this.lower?.stat.size ?? 0;
    if (this.isDirectory) return 4096;
    return super.size;
  }

  override get blocks512(): number {
    if (this.type !== S_IFREG) return 0;
    const pages = this.backing?.countPages() ?? Math.ceil(this.size / PAGE_SIZE);
    return pages * 8;
  }

  protected override forget(): void {
    if (this.nlink === 0 || (this.lower !== null && !this.isChanged)) this.evict();
  }

  protected override evict(): void {
    this.backing?.free();
    if (this.lower !== null) this.superblock.forgetLower(this);
    super.evict();
  }

  override recharge(): void {
    // Pages are the backing's to count.
  }

  private noteChanged(): void {
    this.isChanged = true;
  }

  override chmod(permissions: number): number {
    this.noteChanged();
    return super.chmod(permissions);
  }
  override chown(uid: number, gid: number): number {
    this.noteChanged();
    return super.chown(uid, gid);
  }
  override setTimes(atime: Timespec | null, mtime: Timespec | null): number {
    this.noteChanged();
    return super.setTimes(atime, mtime);
  }
  override touchModified(): void {
    this.noteChanged();
    this.isContentChanged = true;
    super.touchModified();
  }
  override touchChanged(): void {
    this.noteChanged();
    super.touchChanged();
  }
  override touchAccessed(): void {
    if (!this.superblock.isReadonly) super.touchAccessed();
  }

  // Folders

  protected override find(name: string): MemoryInode | null | number {
    if (this.children === null) return null;
    const own = this.children.get(name);
    if (own !== undefined) return own;
    return this.lower === null ? null : this.superblock.findLower(this.lower, name);
  }

  protected override leave(name: string): void {
    if (this.lower !== null && this.superblock.isOnHost(this.lower, name)) this.children!.set(name, null);
    else this.children!.delete(name);
  }

  protected override isEmptyFolder(): boolean {
    const entries = this.entries();
    return typeof entries !== 'number' && entries.length === 0;
  }

  override entries(): DirEntry[] | number {
    const own = super.entries();
    if (typeof own === 'number' || this.lower === null) return own;
    const names = this.superblock.host.readdir(this.lower.path);
    if (typeof names === 'number') return names;
    const entries: DirEntry[] = [];
    // The host's order differs from machine to machine (D3).
    for (const name of names.sort()) {
      if (this.children!.has(name)) continue;
      const entry = this.superblock.describeLower(this.lower, name);
      if (entry !== null) entries.push(entry);
    }
    return entries.concat(own);
  }

  override readlink(): string | number {
    if (this.linkTarget === null && this.lower !== null) {
      const target = this.superblock.host.readlink(this.lower.path);
      if (typeof target === 'number') return target;
      this.linkTarget = target;
    }
    return super.readlink();
  }

  // Regular files

  protected override ensurePages(): number {
    if (this.pages !== null) return 0;
    this.backing = new OverlayBacking(this.superblock, this.lower);
    this.pages = this.core.mm.pageCache.createFile(this.backing);
    return 0;
  }

  override admitWrite(pos: number, lengthBytes: number): number {
    return this.backing!.reserve(pos, lengthBytes);
  }

  /** As ext4 on a disk with sectors of 512 bytes; a host folder that is written through is 9p's, which takes anything. */
  override get directAlignBytes(): number {
    return 512;
  }

  override sync(first = 0, end = Number.MAX_SAFE_INTEGER): number {
    if (this.pages === null) return 0;
    const { pageCache } = this.core.mm;
    const result = pageCache.writeback(this.pages, first, end);
    pageCache.io.flush();
    return result;
  }

  /** What the store has, and what has been written and is on its way there. */
  override findStored(index: number, what: 'data' | 'hole'): number {
    const { pages, backing } = this;
    const end = Math.ceil(this.size / PAGE_SIZE);
    if (pages === null || backing === null) return what === 'data' ? index : end;
    const isDirty = (at: number): boolean => pages.pages.next(at, 'dirty') === at;
    if (what === 'hole') {
      let at = index;
      while (at < end && (backing.hasPage(at) || isDirty(at))) at++;
      return at;
    }
    const stored = backing.nextPage(index);
    const dirty = pages.pages.next(index, 'dirty');
    return stored < 0 || dirty < 0 ? Math.max(stored, dirty) : Math.min(stored, dirty);
  }

  override truncate(sizeBytes: number): number {
    if (this.isDirectory) return -EISDIR;
    if (sizeBytes > MAX_FILE_BYTES) return -EFBIG;
    this.ensurePages();
    const oldBytes = this.size;
    if (sizeBytes % PAGE_SIZE !== 0 && sizeBytes < oldBytes) {
      // The part of the last page that is cut off must read as zeroes later: keep that page ourselves.
      const admitted = this.admitWrite(sizeBytes - 1, 1);
      if (admitted < 0) return admitted;
      const frame = this.core.mm.pageCache.ensurePage(this.pages!, Math.floor(sizeBytes / PAGE_SIZE), 'none');
      if (frame < 0) return frame;
      this.core.mm.pageCache.markDirty(frame as Pfn);
      this.core.mm.alloc.putFrame(frame as Pfn);
    }
    this.core.mm.pageCache.truncate(this.pages!, sizeBytes);
    this.backing!.cutAt(sizeBytes);
    this.touchModified();
    return 0;
  }

  override fallocate(mode: number, offset: number, lengthBytes: number): number {
    if (this.ensurePages() < 0) return -ENODEV;
    if (offset + lengthBytes > MAX_FILE_BYTES) return -EFBIG;
    if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) !== 0) return -EOPNOTSUPP;
    if (mode === FALLOC_FL_PUNCH_HOLE || (mode & FALLOC_FL_ZERO_RANGE) !== 0) return -EOPNOTSUPP;
    const end = offset + lengthBytes;
    const { pageCache } = this.core.mm;
    if ((mode & FALLOC_FL_PUNCH_HOLE) === 0) {
      const admitted = this.backing!.reserve(offset, lengthBytes);
      if (admitted < lengthBytes) return admitted < 0 ? admitted : -28;
      if (end > this.size && (mode & FALLOC_FL_KEEP_SIZE) === 0) pageCache.truncate(this.pages!, end);
    } else {
      const upTo = Math.min(end, Math.ceil(this.size / PAGE_SIZE) * PAGE_SIZE);
      // Pages at both ends keep a part: they must be in the cache to be zeroed in it.
      for (const edge of [offset, end]) {
        if (edge % PAGE_SIZE === 0 || edge >= this.size) continue;
        const admitted = this.backing!.reserve(edge, 1);
        if (admitted < 0) return admitted;
        const frame = pageCache.ensurePage(this.pages!, Math.floor(edge / PAGE_SIZE), 'none');
        if (frame < 0) return frame;
        this.core.mm.alloc.putFrame(frame as Pfn);
      }
      const error = this.backing!.punch(Math.ceil(offset / PAGE_SIZE), Math.floor(upTo / PAGE_SIZE));
      if (error < 0) return error;
      punchHole(pageCache, this.pages!, offset, end);
    }
    this.touchModified();
    return 0;
  }
}
