import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY } from '../abi/mount.ts';
import type { Dentry } from './dentry.ts';
import type { FsCore } from './fs-core.ts';
import { PathRef } from './path.ts';
import type { Superblock } from './superblock.ts';

/** A file system seen at one place of the tree (Linux: struct mount). Holds its root dentry and its mount point. */
export class Mount {
  readonly id: number;
  readonly superblock: Superblock;
  readonly root: Dentry;
  /** Where it is mounted: null for the root and for mounts that are in no tree (pipes). */
  readonly at: PathRef | null;
  /** MS_RDONLY, MS_NOEXEC, MS_NOSUID, MS_NODEV. */
  flags: number;
  /** First field of /proc/mounts. */
  readonly source: string;
  /** Paths that are held on it (files, working folders): a mount that is used is busy. */
  refcount = 0;

  constructor(id: number, root: Dentry, at: PathRef | null, flags: number, source: string) {
    this.id = id;
    this.superblock = root.inode.superblock;
    this.root = root;
    this.at = at;
    this.flags = flags;
    this.source = source;
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

/** All mounts of the machine (one mount namespace), in the order of mounting. */
export class MountTable {
  readonly mounts: Mount[] = [];
  private readonly core: FsCore;
  private lastId = 0;

  constructor(core: FsCore) {
    this.core = core;
  }

  /** Mounts the file system whose root inode's dentry is `root` at `at`; null: as the root of the tree. */
  mount(root: Dentry, at: PathRef | null, flags: number, source: string): Mount {
    this.core.dentries.retain(root);
    at?.retain();
    const mount = new Mount(++this.lastId, root, at, flags, source);
    this.mounts.push(mount);
    at?.dentry.mounted.push(mount);
    return mount;
  }

  /** A mount in no tree (pipefs, sockfs): not listed. */
  mountDetached(root: Dentry, source: string): Mount {
    this.core.dentries.retain(root);
    return new Mount(++this.lastId, root, null, 0, source);
  }

  /** Takes it out of the tree; the caller has checked that it is not busy. */
  unmount(mount: Mount): void {
    const at = this.mounts.indexOf(mount);
    if (at >= 0) this.mounts.splice(at, 1);
    if (mount.at !== null) {
      const { mounted } = mount.at.dentry;
      mounted.splice(mounted.indexOf(mount), 1);
      mount.at.release();
    }
    this.core.dentries.release(mount.root);
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
