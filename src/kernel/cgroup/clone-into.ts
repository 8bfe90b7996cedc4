import { EACCES, EBADF, ENOENT } from '../../abi/errno.ts';
import { MAY_WRITE, permission } from '../../fs/permission.ts';
import type { Task } from '../task.ts';
import type { Cgroup } from './cgroup.ts';
import { CgroupDirectoryInode } from './cgroupfs.ts';
import { vetDestination } from './membership.ts';

/** CLONE_INTO_CGROUP (6.18, cgroup_css_set_fork): the cgroup of an open directory, where the caller may put processes; or -ERRNO. */
export function cgroupForClone(t: Task, fd: number): Cgroup | number {
  const file = t.files?.get(fd) ?? null;
  if (file === null) return -EBADF;
  const { inode } = file;
  if (!(inode instanceof CgroupDirectoryInode)) return -EBADF;
  const { cgroup } = inode;
  if (!cgroup.isAlive) return -ENOENT;
  const procs = inode.lookup('cgroup.procs');
  if (typeof procs === 'number') return procs;
  procs.retain();
  const denied = permission(t.cred, procs, MAY_WRITE);
  procs.release();
  if (denied < 0) return -EACCES;
  const refused = vetDestination(cgroup);
  return refused < 0 ? refused : cgroup;
}
