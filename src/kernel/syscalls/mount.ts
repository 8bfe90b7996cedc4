import { EFAULT, EINVAL, ENODEV, ENOTDIR, EPERM } from '../../abi/errno.ts';
import {
  MNT_DETACH,
  MNT_EXPIRE,
  MNT_FORCE,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  UMOUNT_NOFOLLOW,
} from '../../abi/mount.ts';
import { HugetlbfsSuperblock } from '../../fs/hugetlbfs.ts';
import { parseHugetlbfsOptions } from '../../fs/hugetlbfs-options.ts';
import { resolve } from '../../fs/path.ts';
import { readUserString } from '../../mm/user-access.ts';
import { applyCgroupOptions, CgroupSuperblock, mountCgroup2 } from '../cgroup/cgroupfs.ts';
import type { SyscallRow, SyscallRun } from './row.ts';
import { contextOf, pathArgument, spaceOf } from './user.ts';

/** Mount options are at most a page (copy_mount_options). */
const DATA_BYTES = 4096;
/** CAP_SYS_ADMIN is 21. */
const CAP_SYS_ADMIN_BIT = 1 << 21;
const KEPT_FLAGS = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;

/** mount(2), for hugetlbfs and cgroup2: every other file system comes from outside. */
const mount: SyscallRun = (k, t, sourceAddress, targetAddress, typeAddress, flags, dataAddress) => {
  const type = typeAddress === 0 ? '' : readUserString(k.mm, spaceOf(t), typeAddress, DATA_BYTES);
  if (typeof type === 'number') return -EFAULT;
  const source = sourceAddress === 0 ? 'none' : readUserString(k.mm, spaceOf(t), sourceAddress, DATA_BYTES);
  if (typeof source === 'number') return -EFAULT;
  const data = dataAddress === 0 ? '' : readUserString(k.mm, spaceOf(t), dataAddress, DATA_BYTES);
  if (typeof data === 'number') return -EFAULT;
  const path = pathArgument(k, t, targetAddress);
  if (typeof path === 'number') return path;
  const at = resolve(contextOf(t), null, path, 'follow');
  if (typeof at === 'number') return at;
  if ((t.cred.capEffective[0] & CAP_SYS_ADMIN_BIT) === 0) return -EPERM;
  if (type === 'cgroup') return -ENODEV;
  if ((type !== 'hugetlbfs' && type !== 'cgroup2') || (flags & ~KEPT_FLAGS) !== 0) return -EPERM;
  if (type === 'cgroup2') {
    const applied = applyCgroupOptions(k, data);
    if (applied < 0) return applied;
    return at.inode.isDirectory ? mountCgroup2(k, at, flags, source) : -ENOTDIR;
  }
  const options = parseHugetlbfsOptions(k.mm.hugetlb, data);
  if (typeof options === 'number') return options;
  if (!at.inode.isDirectory) return -ENOTDIR;
  const superblock = HugetlbfsSuperblock.create(k.vfs.core, options);
  if (typeof superblock === 'number') return superblock;
  return k.vfs.mountHugetlbfs(superblock, options, at, flags, source);
};

/** umount2(2), for what mount(2) mounts. */
const umount2: SyscallRun = (k, t, targetAddress, flags) => {
  if ((flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW)) !== 0) return -EINVAL;
  const path = pathArgument(k, t, targetAddress);
  if (typeof path === 'number') return path;
  const at = resolve(contextOf(t), null, path, (flags & UMOUNT_NOFOLLOW) !== 0 ? 'nofollow' : 'follow');
  if (typeof at === 'number') return at;
  if (at.dentry !== at.mount.root) return -EINVAL;
  if ((t.cred.capEffective[0] & CAP_SYS_ADMIN_BIT) === 0) return -EPERM;
  const { superblock } = at.mount;
  if (!(superblock instanceof HugetlbfsSuperblock) && !(superblock instanceof CgroupSuperblock)) return -EPERM;
  return k.vfs.umount(at, (flags & MNT_DETACH) !== 0);
};

const note = 'hugetlbfs and cgroup2 alone; other mounts come from outside (--mount): EPERM';

export const mountCalls: readonly SyscallRow[] = [
  { name: 'mount', args: ['ptr', 'path', 'ptr', 'ulong', 'ptr'], run: mount, support: 'partial', note },
  { name: 'umount2', args: ['path', 'int'], run: umount2, support: 'partial', note },
];
