import { CAP_SYS_ADMIN } from '../../abi/capability.ts';
import { EBUSY, EFAULT, EINVAL, ELOOP, ENODEV, ENOTDIR, EPERM } from '../../abi/errno.ts';
import {
  MNT_DETACH,
  MNT_EXPIRE,
  MNT_FORCE,
  MS_BIND,
  MS_MGC_MSK,
  MS_MGC_VAL,
  MS_MOVE,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_REMOUNT,
  MS_SHARED,
  MS_SLAVE,
  MS_UNBINDABLE,
  UMOUNT_NOFOLLOW,
} from '../../abi/mount.ts';
import { HugetlbfsSuperblock } from '../../fs/hugetlbfs.ts';
import { parseHugetlbfsOptions } from '../../fs/hugetlbfs-options.ts';
import { MemorySuperblock } from '../../fs/memory-superblock.ts';
import type { Mount, MountTable } from '../../fs/mount.ts';
import { PathRef, resolve } from '../../fs/path.ts';
import { parseTmpfsOptions } from '../../fs/tmpfs-options.ts';
import { readUserString } from '../../mm/user-access.ts';
import { applyCgroupOptions, mountCgroup2 } from '../cgroup/cgroupfs.ts';
import { capable, nsCapable } from '../credentials.ts';
import { INVALID_ID } from '../id-map.ts';
import type { Kernel } from '../kernel.ts';
import { mountProcfsAt } from '../procfs/procfs.ts';
import type { Task } from '../task.ts';
import type { SyscallRow, SyscallRun } from './row.ts';
import { contextOf, pathArgument, spaceOf } from './user.ts';

/** mount(2) and umount2(2) (6.18, fs/namespace.c). */

/** Mount options are at most a page (copy_mount_options). */
const DATA_BYTES = 4096;
const KEPT_FLAGS = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
const PROPAGATION = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;

/** may_mount. */
function mayMount(t: Task): boolean {
  return t.mounts !== null && nsCapable(t.cred, t.mounts.userNs, CAP_SYS_ADMIN);
}

/** check_mnt: is the mount in the caller's namespace? */
function tableOf(t: Task, mount: Mount): MountTable | null {
  return mount.table === t.mounts?.table ? mount.table : null;
}

interface Request {
  readonly type: string;
  readonly source: string;
  readonly data: string;
  readonly at: PathRef;
  readonly flags: number;
}

const mount: SyscallRun = (k, t, sourceAddress, targetAddress, typeAddress, asked, dataAddress) => {
  const text = (address: number): string | number =>
    address === 0 ? '' : readUserString(k.mm, spaceOf(t), address, DATA_BYTES);
  const type = text(typeAddress);
  const source = text(sourceAddress);
  const data = text(dataAddress);
  if (typeof type === 'number' || typeof source === 'number' || typeof data === 'number') return -EFAULT;
  const path = pathArgument(k, t, targetAddress);
  if (typeof path === 'number') return path;
  const at = resolve(contextOf(t), null, path, 'follow');
  if (typeof at === 'number') return at;
  const flags = ((asked & MS_MGC_MSK) >>> 0 === MS_MGC_VAL ? asked & ~MS_MGC_MSK : asked) >>> 0;
  if (!mayMount(t)) return -EPERM;
  const request = { type, source, data, at, flags };
  // path_mount.
  if ((flags & MS_REMOUNT) !== 0) return remount(k, t, request);
  if ((flags & MS_BIND) !== 0) return bind(t, request);
  if ((flags & PROPAGATION) !== 0) return changePropagation(t, request);
  if ((flags & MS_MOVE) !== 0) return move(t, request);
  return mountNew(k, t, request);
};

/** do_new_mount. */
function mountNew(k: Kernel, t: Task, { type, source, data, at, flags }: Request): number {
  const name = source === '' ? 'none' : source;
  if (type === '') return -EINVAL;
  const isForUsers = type === 'tmpfs' || type === 'proc';
  if (!isForUsers && type !== 'hugetlbfs' && type !== 'cgroup2') return -ENODEV;
  // mount_capable: few kinds may be mounted by the root of a user namespace.
  if (!isForUsers && !capable(t.cred, CAP_SYS_ADMIN)) return -EPERM;
  if (tableOf(t, at.mount) === null) return -EINVAL;
  if (!at.inode.isDirectory) return -ENOTDIR;
  const kept = flags & KEPT_FLAGS;
  if (type === 'proc') {
    // mount_too_revealing: not for who could not see one before.
    const seesOne = t.mounts?.table.mounts.some(({ superblock }) => superblock.fsType === 'proc');
    if (seesOne !== true && !capable(t.cred, CAP_SYS_ADMIN)) return -EPERM;
    return mountProcfsAt(k, t.pidNs, at, kept, name);
  }
  if (type === 'tmpfs') return mountTmpfs(k, t, data, at, kept, name);
  if (type === 'cgroup2') {
    const applied = applyCgroupOptions(k, data);
    return applied < 0 ? applied : mountCgroup2(k, at, kept, name);
  }
  const options = parseHugetlbfsOptions(k.mm.hugetlb, data);
  if (typeof options === 'number') return options;
  const superblock = HugetlbfsSuperblock.create(k.vfs.core, options);
  if (typeof superblock === 'number') return superblock;
  return k.vfs.mountMemory(superblock, options, at, kept, name);
}

function mountTmpfs(k: Kernel, t: Task, data: string, at: PathRef, flags: number, source: string): number {
  const options = parseTmpfsOptions(data, k.mm.alloc.totalCount);
  if (typeof options === 'number') return options;
  const { cred } = t;
  const uid = options.uid === null ? cred.fsuid : cred.userNs.uids.toKernel(options.uid);
  const gid = options.gid === null ? cred.fsgid : cred.userNs.gids.toKernel(options.gid);
  if (uid === INVALID_ID || gid === INVALID_ID) return -EINVAL;
  const superblock = new MemorySuperblock(k.vfs.core, options);
  return k.vfs.mountMemory(superblock, { mode: options.mode, uid, gid }, at, flags, source);
}

/** do_remount, do_reconfigure_mnt: the flags of this one mount; without MS_BIND the options of a cgroup2 too. */
function remount(k: Kernel, t: Task, { at, flags, data }: Request): number {
  const { mount: changed } = at;
  if (tableOf(t, changed) === null || at.dentry !== changed.root) return -EINVAL;
  const wanted = flags & KEPT_FLAGS;
  // can_change_locked_flags.
  if ((changed.lockedFlags & ~wanted) !== 0) return -EPERM;
  if ((flags & MS_BIND) === 0 && changed.superblock.fsType === 'cgroup2') {
    if (!capable(t.cred, CAP_SYS_ADMIN)) return -EPERM;
    const applied = applyCgroupOptions(k, data);
    if (applied < 0) return applied;
  }
  if ((flags & MS_BIND) === 0 && changed.superblock instanceof MemorySuperblock) {
    const options = changed.superblock.fsType === 'tmpfs' ? parseTmpfsOptions(data, k.mm.alloc.totalCount) : null;
    if (typeof options === 'number') return options;
    if (options !== null && options.huge !== null) changed.superblock.huge = options.huge;
  }
  changed.flags = wanted;
  return 0;
}

/** do_loopback: the same file system, or a part of it, at another place; with MS_REC what is mounted in it too. */
function bind(t: Task, { source, at, flags }: Request): number {
  if (source === '') return -EINVAL;
  const from = resolve(contextOf(t), null, source, 'follow');
  if (typeof from === 'number') return from;
  const table = tableOf(t, at.mount);
  if (table === null || tableOf(t, from.mount) === null || from.mount.isUnbindable) return -EINVAL;
  if (at.inode.isDirectory !== from.inode.isDirectory) return -ENOTDIR;
  const isDeep = (flags & MS_REC) !== 0;
  // has_locked_children: a part must not show what a mount hides.
  if (!isDeep && lockedBelow(table, from)) return -EINVAL;
  const inside = isDeep ? mountsBelow(table, from).filter((each) => !each.isUnbindable) : [];
  const copies = new Map<Mount, Mount>();
  copies.set(from.mount, copyOf(table, from.mount, from, at));
  for (const each of inside) {
    const { at: place } = each;
    const on = copies.get((place as PathRef).mount);
    if (on === undefined) continue;
    const top = new PathRef(each, each.root);
    copies.set(each, copyOf(table, each, top, new PathRef(on, (place as PathRef).dentry)));
  }
  return 0;
}

function copyOf(table: MountTable, original: Mount, from: PathRef, at: PathRef): Mount {
  const copy = table.mount(from.dentry, at, original.flags, original.source);
  copy.lockedFlags = original.lockedFlags;
  return copy;
}

/** Is the place at or below the other, within its mount? */
function isBelow(place: PathRef, top: PathRef): boolean {
  for (let at: PathRef | null = place; at !== null; at = at.mount.at) {
    if (at.mount !== top.mount) continue;
    for (let { dentry } = at; ; dentry = dentry.parent) {
      if (dentry === top.dentry) return true;
      if (dentry.parent === null) return false;
    }
  }
  return false;
}

function mountsBelow(table: MountTable, top: PathRef): readonly Mount[] {
  return table.mounts.filter((each) => each !== top.mount && each.at !== null && isBelow(each.at, top));
}

function lockedBelow(table: MountTable, top: PathRef): boolean {
  return mountsBelow(table, top).some((each) => each.isLocked && each.at?.mount === top.mount);
}

/** do_change_type. Every mount is private, so that there is nobody to be a slave of. */
function changePropagation(t: Task, { at, flags }: Request): number {
  const type = flags & ~(MS_REC | 32768);
  if (![MS_SHARED, MS_PRIVATE, MS_SLAVE, MS_UNBINDABLE].includes(type)) return -EINVAL;
  const table = tableOf(t, at.mount);
  if (table === null || at.dentry !== at.mount.root || type === MS_SHARED) return -EINVAL;
  const inside = (flags & MS_REC) !== 0 ? mountsBelow(table, at) : [];
  for (const each of [at.mount, ...inside]) {
    if (type !== MS_SLAVE) each.isUnbindable = type === MS_UNBINDABLE;
  }
  return 0;
}

/** do_move_mount. */
function move(t: Task, { source, at }: Request): number {
  if (source === '') return -EINVAL;
  const from = resolve(contextOf(t), null, source, 'follow');
  if (typeof from === 'number') return from;
  const table = tableOf(t, at.mount);
  const { mount: moved } = from;
  if (table === null || tableOf(t, moved) === null) return -EINVAL;
  if (from.dentry !== moved.root || moved.at === null || moved.isLocked) return -EINVAL;
  if (at.inode.isDirectory !== from.inode.isDirectory) return -EINVAL;
  if (isBelow(at, from)) return -ELOOP;
  table.move(moved, at);
  return 0;
}

const umount2: SyscallRun = (k, t, targetAddress, flags) => {
  if ((flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW)) !== 0) return -EINVAL;
  if (!mayMount(t)) return -EPERM;
  const path = pathArgument(k, t, targetAddress);
  if (typeof path === 'number') return path;
  const at = resolve(contextOf(t), null, path, (flags & UMOUNT_NOFOLLOW) !== 0 ? 'nofollow' : 'follow');
  if (typeof at === 'number') return at;
  // can_umount.
  if (at.dentry !== at.mount.root || tableOf(t, at.mount) === null || at.mount.isLocked) return -EINVAL;
  if ((flags & MNT_EXPIRE) !== 0) return (flags & (MNT_FORCE | MNT_DETACH)) !== 0 ? -EINVAL : -EBUSY;
  return k.vfs.umount(at, (flags & MNT_DETACH) !== 0 ? 'lazy' : 'unused');
};

export const mountCalls: readonly SyscallRow[] = [
  {
    name: 'mount',
    args: ['ptr', 'path', 'ptr', 'ulong', 'ptr'],
    run: mount,
    support: 'partial',
    note: 'tmpfs, proc, hugetlbfs and cgroup2, MS_BIND, MS_MOVE, MS_REMOUNT of a mount, MS_PRIVATE, MS_SLAVE and MS_UNBINDABLE; no shared mounts',
  },
  { name: 'umount2', args: ['path', 'int'], run: umount2, support: 'partial', note: 'no MNT_EXPIRE' },
];
