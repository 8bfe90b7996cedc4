import type { FsContext } from '../fs/fs-context.ts';
import type { Mount, MountTable } from '../fs/mount.ts';
import { PathRef } from '../fs/path.ts';
import type { Kernel } from './kernel.ts';
import { namespaceIno } from './namespace-ino.ts';
import type { Task } from './task.ts';
import type { UserNamespace } from './user-namespace.ts';

/** PROC_MNT_INIT_INO (include/uapi/linux/nsfs.h). */
const INITIAL_INO = 0xefff_fff8;

/**
 * struct mnt_namespace (6.18, fs/namespace.c): the tree of mounts that its tasks see. Every mount is private: what is mounted in one
 * namespace shows in no other.
 *
 * Invariant MN1: users is the number of tasks in it and of open files of it; the first one has one more. At 0 its mounts go.
 */
export class MountNamespace {
  readonly kind = 'mnt';
  readonly ino: number;
  readonly userNs: UserNamespace;
  readonly table: MountTable;
  users = 1;

  constructor(table: MountTable, userNs: UserNamespace, ino = INITIAL_INO) {
    this.table = table;
    this.userNs = userNs;
    this.ino = ino;
  }

  retain(): void {
    this.users++;
  }

  release(_k: Kernel): void {
    if (--this.users > 0) return;
    const [root] = this.table.mounts;
    if (root !== undefined) this.table.detach(root);
  }
}

/** copy_mnt_ns: one user, the caller's. The folders of `fs` are the same ones, in the copy. */
export function newMountNamespace(
  k: Kernel,
  from: MountNamespace,
  userNs: UserNamespace,
  fs: FsContext | null,
): MountNamespace {
  const { table, copies } = from.table.copy(from.userNs === userNs ? 'same' : 'lesser');
  if (fs !== null) {
    fs.setRoot(inCopy(fs.root, copies));
    fs.setCwd(inCopy(fs.cwd, copies));
  }
  return new MountNamespace(table, userNs, namespaceIno(k));
}

function inCopy(path: PathRef, copies: ReadonlyMap<Mount, Mount>): PathRef {
  const copy = copies.get(path.mount);
  return copy === undefined ? path : new PathRef(copy, path.dentry);
}

/** The namespace that `t` is in is `ns` from now on; takes over the caller's use. */
export function enterMounts(k: Kernel, t: Task, ns: MountNamespace): void {
  leaveMounts(k, t);
  t.mounts = ns;
}

export function leaveMounts(k: Kernel, t: Task): void {
  const { mounts } = t;
  t.mounts = null;
  mounts?.release(k);
}

/** mntns_install: root and working folder become the root of the tree. */
export function goToRoot(fs: FsContext, ns: MountNamespace): void {
  const { rootPath } = ns.table;
  fs.setCwd(rootPath);
  fs.setRoot(rootPath);
}
