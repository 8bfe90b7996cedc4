import { EFBIG, EINVAL, EISDIR, ENOENT, ENOMEM, ENOTDIR, EOPNOTSUPP, EPERM, ESTALE } from '../abi/errno.ts';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, RENAME_EXCHANGE } from '../abi/fcntl.ts';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../abi/stat.ts';
import type { Timespec } from '../base/timespec.ts';
import type { HostStat } from '../machine/environment.ts';
import { PAGE_SIZE, type Pfn } from '../machine/units.ts';
import { DirectoryFile } from './directory-file.ts';
import { type File, MAX_FILE_BYTES, takeFilpSlot } from './file.ts';
import { HostBacking } from './host-backing.ts';
import type { HostSuperblock } from './host-superblock.ts';
import { type DirEntry, Inode } from './inode.ts';
import { byteLength, type PathRef } from './path.ts';
import { RegularFile } from './regular-file.ts';
import { openSpecial } from './special.ts';

/**
 * A file of a host folder mounted `rw`. Names are changed on the host at once; bytes go through the page cache and reach the
 * host on fsync, msync, the last close, write-back and reclaim. What fsync and msync wrote, and what mappings stored, the host has synced.
 *
 * Invariants:
 *  H1 hostPath() is built from the mount's folder and names that the guest walked: never outside of the folder, and the host
 *     calls do not follow links, so a link cannot lead out.
 *  H2 An inode without a name left (isOrphan) is not on the host any more: its bytes are in `backing.orphan`.
 */
export class HostInode extends Inode {
  declare readonly superblock: HostSuperblock;
  readonly key: string;
  /** Where it is: folder and name, one for each hard link that was walked. A mount's root has a null folder and its full path. */
  private names: { parent: HostInode | null; name: string }[];
  private sizeAtStat: number;
  private backing: HostBacking | null = null;
  private hasFailed = false;

  constructor(
    superblock: HostSuperblock,
    slot: number,
    ino: number,
    key: string,
    stat: HostStat,
    parent: HostInode | null,
    name: string,
  ) {
    super(superblock, superblock.core.inodeSlots, slot, ino, stat.mode);
    this.key = key;
    this.names = [{ parent, name }];
    this.sizeAtStat = stat.size;
    this.nlink = stat.nlink;
    this.atime = stat.atime;
    this.mtime = stat.mtime;
    this.ctime = stat.ctime;
    this.btime = stat.btime;
  }

  private get core() {
    return this.superblock.core;
  }
  private get host() {
    return this.superblock.host;
  }

  override get size(): number {
    return this.backing?.sizeBytes ?? this.sizeAtStat;
  }

  get isOrphan(): boolean {
    return this.names.length === 0;
  }

  /** The host path, or null where it has no name any more. */
  hostPath(): string | null {
    const [at] = this.names;
    if (at === undefined) return null;
    if (at.parent === null) return at.name;
    const folder = at.parent.hostPath();
    return folder === null ? null : folder === '/' ? `/${at.name}` : `${folder}/${at.name}`;
  }

  private childPath(name: string): string | null {
    const folder = this.hostPath();
    return folder === null ? null : folder === '/' ? `/${name}` : `${folder}/${name}`;
  }

  addName(parent: HostInode | null, name: string): void {
    if (!this.names.some((at) => at.parent === parent && at.name === name)) this.names.push({ parent, name });
  }

  private removeName(parent: HostInode, name: string): void {
    this.names = this.names.filter((at) => at.parent !== parent || at.name !== name);
  }

  protected override evict(): void {
    if (this.pages !== null) {
      this.flush();
      this.core.mm.pageCache.evict(this.pages);
      this.pages = null;
    }
    this.superblock.forget(this);
    super.evict();
  }

  // Folders

  override lookup(name: string): Inode | number {
    if (!this.isDirectory) return -ENOTDIR;
    const path = this.childPath(name);
    if (path === null) return -ENOENT;
    const stat = this.host.stat(path);
    return typeof stat === 'number' ? stat : this.superblock.inodeOf(stat, this, name);
  }

  override entries(): DirEntry[] | number {
    const folder = this.hostPath();
    if (folder === null) return [];
    const names = this.host.readdir(folder);
    if (typeof names === 'number') return names;
    const entries: DirEntry[] = [];
    for (const name of names.sort()) {
      const stat = this.host.stat(this.childPath(name)!);
      if (typeof stat === 'number') continue;
      entries.push({ name, ino: this.superblock.numberOf(stat), type: (stat.mode >>> 12) & 15 });
    }
    return entries;
  }

  /** After the host made the name. */
  private adopt(name: string, result: number): Inode | number {
    if (result < 0) return result;
    this.touchModified();
    const inode = this.lookup(name);
    if (typeof inode !== 'number' && inode.isDirectory) this.nlink++;
    return inode;
  }

  override create(name: string, mode: number): Inode | number {
    const path = this.childPath(name);
    return path === null ? -ENOENT : this.adopt(name, this.host.create(path, mode & 0o7777));
  }
  override mkdir(name: string, mode: number): Inode | number {
    const path = this.childPath(name);
    return path === null ? -ENOENT : this.adopt(name, this.host.mkdir(path, mode & 0o7777));
  }
  override mknod(): number {
    // Device and pipe nodes would be the host's own: not through here.
    return -EPERM;
  }
  override symlink(name: string, target: string): Inode | number {
    const path = this.childPath(name);
    return path === null ? -ENOENT : this.adopt(name, this.host.symlink(target, path));
  }

  override link(existing: Inode, name: string): number {
    const from = (existing as HostInode).hostPath();
    const to = this.childPath(name);
    if (from === null || to === null) return -ENOENT;
    const result = this.host.link(from, to);
    if (result < 0) return result;
    (existing as HostInode).addName(this, name);
    existing.nlink++;
    existing.touchChanged();
    this.touchModified();
    return 0;
  }

  /** Before a name goes: an open file that loses its last one takes its bytes along (H2). 0 or -ERRNO. */
  private rescue(): number {
    if (this.names.length > 1 || this.nlink > 1 || this.refcount === 0) return 0;
    if (this.type !== S_IFREG) return 0;
    this.ensurePages();
    return this.backing!.makeOrphan();
  }

  private lostName(parent: HostInode, name: string): void {
    this.removeName(parent, name);
    if (this.nlink > 0) this.nlink--;
    if (this.nlink === 0 || this.names.length === 0) this.superblock.disown(this);
    this.touchChanged();
  }

  override unlink(name: string, victim: Inode): number {
    const file = victim as HostInode;
    const path = this.childPath(name);
    if (path === null) return -ENOENT;
    const error = file.rescue();
    if (error < 0) return error;
    const result = this.host.unlink(path);
    if (result < 0) {
      file.backing?.undoOrphan();
      return result;
    }
    file.lostName(this, name);
    this.touchModified();
    return 0;
  }

  override rmdir(name: string, victim: Inode): number {
    const path = this.childPath(name);
    if (path === null) return -ENOENT;
    const result = this.host.rmdir(path);
    if (result < 0) return result;
    const folder = victim as HostInode;
    folder.removeName(this, name);
    folder.nlink = 0;
    this.superblock.disown(folder);
    this.nlink--;
    this.touchModified();
    return 0;
  }

  override rename(
    oldName: string,
    moved: Inode,
    newDirectory: Inode,
    newName: string,
    target: Inode | null,
    flags: number,
  ): number {
    // The host offers no exchange that could not be seen half done.
    if (flags === RENAME_EXCHANGE) return -EINVAL;
    const to = newDirectory as HostInode;
    const source = moved as HostInode;
    const replaced = target as HostInode | null;
    const fromPath = this.childPath(oldName);
    const toPath = to.childPath(newName);
    if (fromPath === null || toPath === null) return -ENOENT;
    const error = replaced?.rescue() ?? 0;
    if (error < 0) return error;
    const result = this.host.rename(fromPath, toPath);
    if (result < 0) {
      replaced?.backing?.undoOrphan();
      return result;
    }
    if (replaced !== null) {
      if (replaced.isDirectory) {
        replaced.nlink = 1;
        to.nlink--;
      }
      replaced.lostName(to, newName);
    }
    source.removeName(this, oldName);
    source.addName(to, newName);
    if (source.isDirectory && this !== to) {
      this.nlink--;
      to.nlink++;
    }
    source.touchChanged();
    this.touchModified();
    to.touchModified();
    return 0;
  }

  override readlink(): string | number {
    if (this.type !== S_IFLNK) return -EINVAL;
    const path = this.hostPath();
    return path === null ? -ESTALE : this.host.readlink(path);
  }

  // Attributes: the host's change with ours. Owners are kept here only (the host's are the user who runs us).

  override chmod(permissions: number): number {
    const path = this.hostPath();
    const result = path === null ? 0 : this.host.chmod(path, permissions & 0o7777);
    return result < 0 ? result : super.chmod(permissions);
  }

  override setTimes(atime: Timespec | null, mtime: Timespec | null): number {
    const error = this.flush();
    if (error < 0) return error;
    const path = this.hostPath();
    const result = path === null ? 0 : this.host.utimes(path, atime ?? this.atime, mtime ?? this.mtime);
    return result < 0 ? result : super.setTimes(atime, mtime);
  }

  // Regular files

  private ensurePages(): void {
    if (this.pages !== null) return;
    this.backing = new HostBacking(this.host, this, this.sizeAtStat);
    this.pages = this.core.mm.pageCache.createFile(this.backing);
  }

  override truncate(sizeBytes: number): number {
    if (this.isDirectory) return -EISDIR;
    if ((this.mode & S_IFMT) !== S_IFREG) return -EINVAL;
    if (sizeBytes > MAX_FILE_BYTES) return -EFBIG;
    this.ensurePages();
    const path = this.hostPath();
    if (path !== null) {
      const result = this.host.truncate(path, sizeBytes);
      if (result < 0) return result;
    }
    this.backing!.cutOrphanAt(sizeBytes);
    this.core.mm.pageCache.truncate(this.pages!, sizeBytes);
    this.touchModified();
    return 0;
  }

  override fallocate(mode: number, offset: number, lengthBytes: number): number {
    if (mode !== 0 && mode !== FALLOC_FL_KEEP_SIZE && mode !== (FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
      return -EOPNOTSUPP;
    const end = offset + lengthBytes;
    if (end > MAX_FILE_BYTES) return -EFBIG;
    this.ensurePages();
    if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0) return this.zeroRange(offset, Math.min(end, this.size));
    if (end <= this.size || mode === FALLOC_FL_KEEP_SIZE) return 0;
    return this.truncate(end);
  }

  /** A hole as zeroes: the host's files have no holes that we could make. */
  private zeroRange(start: number, end: number): number {
    const { pageCache, ram, alloc } = this.core.mm;
    for (let at = start; at < end; ) {
      const index = Math.floor(at / PAGE_SIZE);
      const stop = Math.min(end, (index + 1) * PAGE_SIZE);
      const frame = pageCache.ensurePage(this.pages!, index, 'none');
      if (frame < 0) return frame;
      ram.beforeWrite(frame as Pfn);
      ram.bytesOf(frame as Pfn).fill(0, at - index * PAGE_SIZE, stop - index * PAGE_SIZE);
      pageCache.markDirty(frame as Pfn);
      alloc.putFrame(frame as Pfn);
      at = stop;
    }
    this.touchModified();
    return 0;
  }

  /** Dirty pages on their way to the host (v9fs_dir_release: filemap_fdatawrite); those of a mapping are safe there when this returns. */
  override flush(): number {
    const { pages } = this;
    if (pages === null || this.isOrphan) return 0;
    if (pages.wasStoredTo) {
      pages.wasStoredTo = false;
      return this.sync();
    }
    const result = this.core.mm.pageCache.startWriteback(pages);
    return result < 0 ? result : this.extendHost();
  }

  override sync(first = 0, end = Number.MAX_SAFE_INTEGER): number {
    const { pages } = this;
    if (pages === null || this.isOrphan) return 0;
    const { pageCache } = this.core.mm;
    const written = pageCache.writeback(pages, first, end);
    if (written < 0) return written;
    const extended = this.extendHost();
    if (extended < 0) return extended;
    const path = this.hostPath();
    pageCache.io.flush();
    const backing = this.backing!;
    if (path === null || !backing.isUnsafe) return 0;
    backing.isUnsafe = false;
    const result = this.host.fsync(path);
    if (result < 0) pages.noteWritebackError(result);
    return result;
  }

  private extendHost(): number {
    const result = this.backing!.extendHost();
    if (result < 0) this.pages!.noteWritebackError(result);
    return result;
  }

  /** Whatever the program is told, the person at the machine learns of it at the end. */
  noteWriteError(error: number): void {
    this.superblock.writebackErrors.note(error);
    if (this.hasFailed) return;
    this.hasFailed = true;
    this.core.noteHostError(this.hostPath() ?? '', error);
  }

  open(path: PathRef, flags: number): File | number {
    const type = this.mode & S_IFMT;
    if (type !== S_IFREG && type !== S_IFDIR) return openSpecial(path, flags);
    if (type === S_IFREG) this.ensurePages();
    const slot = takeFilpSlot(this.core);
    if (slot === 0) return -ENOMEM;
    return type === S_IFDIR ? new DirectoryFile(path, flags, slot) : new RegularFile(path, flags, slot);
  }

  /** Length of a link's text is its size; other kinds as the host said. */
  override refresh(): void {
    if (this.type !== S_IFLNK) return;
    const target = this.readlink();
    if (typeof target === 'string') this.sizeAtStat = byteLength(target);
  }
}
