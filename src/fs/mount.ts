import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY } from '../abi/mount.ts';
import type { Dentry } from './dentry.ts';
import type { FsCore } from './fs-core.ts';
import { PathRef } from './path.ts';
import type { Superblock } from './superblock.ts';

/**
 * A file system, or a part of one, seen at one place of a tree (Linux: struct mount). Holds its root dentry and its mount point.
 *
 *   MountTable.mount() -> in the tree of `table` --detach()--> in none, as long as there are paths on it --drop()--> gone
 */
export class Mount {
  readonly id: number;
  readonly superblock: Superblock;
  readonly root: Dentry;
  /** The tree that it is in; null: in none. */
  table: MountTable | null = null;
  /** Where it is mounted: null for the root and for mounts that are in no tree (pipes). */
  at: PathRef | null;
  /** MS_RDONLY, MS_NOEXEC, MS_NOSUID, MS_NODEV. */
  flags: number;
  /** First field of /proc/mounts. */
  readonly source: string;
  /** MNT_LOCKED: came with the copy of a tree into the namespace of a lesser user; it must not show what is under it. */
  isLocked = false;
  /** Of `flags`, those that nobody there may take away (MNT_LOCK_READONLY and the like). */
  lockedFlags = 0;
  isUnbindable = false;
  /** Paths that are held on it (files, working folders): a mount that is used is busy. */
  refcount = 0;
  isDetached = false;

  constructor(id: number, root: Dentry, at: PathRef | null, flags: number, source: string) {
    this.id = id;
    this.superblock = root.inode.superblock;
    this.root = root;
    this.at = at;
    this.flags = flags;
    this.source = source;
    this.superblock.mountCount++;
  }

  /** cleanup_mnt: in no tree, and with no path on it, it is no more; with the last mount of a file system that ends too. */
  drop(): void {
    const { superblock, root } = this;
    const { dentries } = superblock.core;
    dentries.release(root);
    if (--superblock.mountCount > 0) return;
    const error = superblock.sync();
    if (error < 0) superblock.core.noteHostError(this.source, error);
    dentries.shrink(dentries.unusedCount);
    superblock.kill();
  }

  get isReadonly(): boolean {
    return (this.flags & MS_RDONLY) !== 0 || this.superblock.isReadonly;
  }
  /** path_noexec. */
  get noExec(): boolean {
    return (this.flags & MS_NOEXEC) !== 0 || this.superblock.noExec;
  }

  /** As /proc/mounts shows them: rw,nosuid,... */
  optionsText(): string {
    const words = [this.isReadonly ? 'ro' : 'rw'];
    if ((this.flags & MS_NOSUID) !== 0) words.push('nosuid');
    if ((this.flags & MS_NODEV) !== 0) words.push('nodev');
    if ((this.flags & MS_NOEXEC) !== 0) words.push('noexec');
    words.push('relatime');
    return words.join(',') + this.superblock.showOptions();
  }
}

/** The tree of one mount namespace, in the order of mounting: what is mounted on a mount comes behind it. */
export class MountTable {
  readonly mounts: Mount[] = [];
  private readonly core: FsCore;

  constructor(core: FsCore) {
    this.core = core;
  }

  /** The root of the tree, what is mounted on it included. */
  get rootPath(): PathRef {
    const [first] = this.mounts;
    return crossMounts(new PathRef(first, first.root));
  }

  /** Mounts what is below `root`, a folder or a file of a file system, at `at`; null: as the root of the tree. */
  mount(root: Dentry, at: PathRef | null, flags: number, source: string): Mount {
    this.core.dentries.retain(root);
    const mount = new Mount(this.core.takeMountId(), root, at, flags, source);
    this.attach(mount, at);
    return mount;
  }

  private attach(mount: Mount, at: PathRef | null): void {
    at?.retain();
    mount.at = at;
    mount.table = this;
    this.mounts.push(mount);
    at?.dentry.mounted.push(mount);
  }

  /**
   * copy_tree of all of it for a new namespace, with the copy of each mount. 'lesser': of a user with fewer rights, who must not take
   * away what hides something.
   */
  copy(owner: 'same' | 'lesser'): { readonly table: MountTable; readonly copies: ReadonlyMap<Mount, Mount> } {
    const table = new MountTable(this.core);
    const copies = new Map<Mount, Mount>();
    for (const mount of this.mounts) {
      const { at, root, flags, source } = mount;
      const place = at === null ? null : new PathRef(copies.get(at.mount) as Mount, at.dentry);
      const copy = table.mount(root, place, flags, source);
      copy.isUnbindable = mount.isUnbindable;
      copy.isLocked = mount.isLocked || (owner === 'lesser' && at !== null);
      copy.lockedFlags = owner === 'lesser' ? flags : mount.lockedFlags;
      copies.set(mount, copy);
    }
    return { table, copies };
  }

  /** Takes it out of the tree, with all that is mounted on it. It lives on while somebody has a path on it. */
  detach(mount: Mount): void {
    for (let child = this.childOf(mount); child !== null; child = this.childOf(mount)) this.detach(child);
    this.mounts.splice(this.mounts.indexOf(mount), 1);
    this.leavePlace(mount);
    mount.table = null;
    mount.isDetached = true;
    if (mount.refcount === 0) mount.drop();
  }

  private leavePlace(mount: Mount): void {
    const { at } = mount;
    mount.at = null;
    if (at === null) return;
    const { mounted } = at.dentry;
    mounted.splice(mounted.indexOf(mount), 1);
    at.release();
  }

  /** do_move_mount: to another place of the same tree, which is not below it. */
  move(mount: Mount, to: PathRef): void {
    this.leavePlace(mount);
    to.retain();
    mount.at = to;
    to.dentry.mounted.push(mount);
    this.order();
  }

  /** Behind the mounts that they are on, otherwise as they were. */
  private order(): void {
    const depth = (mount: Mount): number => (mount.at === null ? 0 : 1 + depth(mount.at.mount));
    this.mounts.sort((a, b) => depth(a) - depth(b));
  }

  /** A mount whose root folder or place is under this one, or null. */
  childOf(mount: Mount): Mount | null {
    return this.mounts.find((other) => other.at?.mount === mount) ?? null;
  }

  /** The newest mount on that place, or null. */
  mountedAt(mount: Mount, dentry: Dentry): Mount | null {
    for (let i = dentry.mounted.length - 1; i >= 0; i--) {
      if (dentry.mounted[i].at!.mount === mount) return dentry.mounted[i];
    }
    return null;
  }
}

/** The place itself, or the root of what is mounted there. */
export function crossMounts(path: PathRef): PathRef {
  let at = path;
  while (at.dentry.mounted.length > 0) {
    const on = at.dentry.mounted.findLast((mount) => mount.at!.mount === at.mount);
    if (on === undefined) break;
    at = new PathRef(on, on.root);
  }
  return at;
}
