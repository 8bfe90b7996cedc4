import { ENOENT, ENOMEM } from '../abi/errno.ts';
import { OVERLAYFS_SUPER_MAGIC, V9FS_MAGIC } from '../abi/mount.ts';
import { assert } from '../base/assert.ts';
import type { HostFiles, HostStat } from '../machine/environment.ts';
import type { FsCore } from './fs-core.ts';
import type { DirEntry } from './inode.ts';
import type { MemoryInode } from './memory-inode.ts';
import { MemorySuperblock } from './memory-superblock.ts';
import { type LowerFile, OverlayInode } from './overlay-inode.ts';

/** What an overlay may hold, in pages: 1 GiB. A guess that keeps a runaway program from filling the host's memory. */
const LIMIT_PAGES = 262_144;

/** A host folder (or file) seen read-only, or through a layer in memory that is dropped at the end. */
export class OverlaySuperblock extends MemorySuperblock {
  readonly host: HostFiles;
  readonly hostRoot: string;
  /** By the host's device and inode: hard links are one inode. */
  private readonly lowerInodes = new Map<string, OverlayInode>();
  /** Inode numbers handed out stay with the file when its inode is forgotten and looked up again. */
  private readonly numbers = new Map<string, number>();

  constructor(core: FsCore, hostRoot: string, mode: 'ro' | 'overlay') {
    super(core, {
      fsType: mode === 'ro' ? '9p' : 'overlay',
      magic: mode === 'ro' ? V9FS_MAGIC : OVERLAYFS_SUPER_MAGIC,
      isReadonly: mode === 'ro',
      limitPages: LIMIT_PAGES,
    });
    assert(core.hostFiles !== null, 'fs/overlay-superblock.ts: a host mount needs host files');
    this.host = core.hostFiles;
    this.hostRoot = hostRoot;
  }

  /** The mounted folder or file itself, retained by the caller's dentry; or the host's -ERRNO. */
  rootInode(): OverlayInode | number {
    const stat = this.host.stat(this.hostRoot);
    return typeof stat === 'number' ? stat : this.inodeOf({ path: this.hostRoot, stat });
  }

  override makeInode(mode: number): MemoryInode | number {
    const slot = this.slots.alloc();
    return slot === 0 ? -ENOMEM : new OverlayInode(this, slot, this.takeIno(), mode, null);
  }

  private inodeOf(lower: LowerFile): OverlayInode | number {
    const key = keyOf(lower.stat);
    const known = this.lowerInodes.get(key);
    if (known !== undefined) return known;
    const slot = this.slots.alloc();
    if (slot === 0) return -ENOMEM;
    const inode = new OverlayInode(this, slot, this.numberOf(key), lower.stat.mode, lower);
    this.lowerInodes.set(key, inode);
    return inode;
  }

  private numberOf(key: string): number {
    let ino = this.numbers.get(key);
    if (ino === undefined) {
      ino = this.takeIno();
      this.numbers.set(key, ino);
    }
    return ino;
  }

  /** What the host has under that name: an inode, null for nothing, or the host's -ERRNO. */
  findLower(folder: LowerFile, name: string): OverlayInode | null | number {
    const path = childPath(folder.path, name);
    const stat = this.host.stat(path);
    if (typeof stat === 'number') return stat === -ENOENT ? null : stat;
    const inode = this.inodeOf({ path, stat });
    // The file was deleted through another of its names, and this one is a hard link that is still there.
    if (typeof inode !== 'number' && inode.nlink === 0) return null;
    return inode;
  }

  isOnHost(folder: LowerFile, name: string): boolean {
    return typeof this.host.stat(childPath(folder.path, name)) !== 'number';
  }

  describeLower(folder: LowerFile, name: string): DirEntry | null {
    const stat = this.host.stat(childPath(folder.path, name));
    if (typeof stat === 'number') return null;
    return { name, ino: this.numberOf(keyOf(stat)), type: (stat.mode >>> 12) & 15 };
  }

  forgetLower(inode: OverlayInode): void {
    this.lowerInodes.delete(keyOf(inode.lower!.stat));
  }

  /** Files that the guest made, moved or changed, as paths below the mount point (without a leading slash), sorted. */
  changedPaths(root: OverlayInode, isMountPoint: (inode: MemoryInode) => boolean): string[] {
    const paths: string[] = [];
    const seen = new Set<MemoryInode>();
    const visit = (inode: MemoryInode, path: string) => {
      if (isMountPoint(inode) || seen.has(inode)) return;
      if (!inode.isDirectory) {
        seen.add(inode);
        paths.push(path);
        return;
      }
      const entries = inode.entries();
      if (typeof entries !== 'number' && entries.length === 0) paths.push(`${path}/`);
      visitChildren(inode, path);
    };
    const visitChildren = (inode: MemoryInode, path: string) => {
      for (const [name, child] of inode.children ?? [])
        if (child !== null) visit(child, path === '' ? name : `${path}/${name}`);
    };
    if (root.isDirectory) visitChildren(root, '');
    for (const inode of this.lowerInodes.values()) {
      if (inode.nlink === 0 || seen.has(inode)) continue;
      const path = inode.lower!.path.slice(this.hostRoot.length).replace(/^\//, '');
      if (inode.isDirectory) {
        if (inode !== root) visitChildren(inode, path);
      } else if (inode.isContentChanged) paths.push(path);
    }
    return paths.sort();
  }

  override sync(): number {
    return 0;
  }

  override showOptions(): string {
    return this.isReadonly ? ',trans=host' : `,lowerdir=${this.hostRoot}`;
  }

  override killTree(root: MemoryInode): void {
    const changed = [...this.lowerInodes.values()];
    super.killTree(root);
    for (const inode of changed) super.killTree(inode);
  }
}

function keyOf(stat: HostStat): string {
  return `${stat.dev}:${stat.ino}`;
}

function childPath(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`;
}
