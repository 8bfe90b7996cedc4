import { EBADF, EINVAL, ENOTDIR } from '../../abi/errno.ts';
import { AT_FDCWD, O_CLOEXEC, O_NONBLOCK } from '../../abi/fcntl.ts';
import { ALL_INOTIFY_BITS, IN_DONT_FOLLOW, IN_MASK_ADD, IN_MASK_CREATE, IN_ONLYDIR } from '../../abi/inotify.ts';
import { InotifyFile, makeInotifyFile } from '../../fs/inotify.ts';
import { MAY_READ, permission } from '../../fs/permission.ts';
import type { Task } from '../task.ts';
import type { SyscallRow, SyscallRun } from './row.ts';
import { fileAt, installFile, walk } from './user.ts';

/** fs/notify/inotify/inotify_user.c, 6.18. */

const inotifyInit1: SyscallRun = (k, t, flags) => {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  const file = makeInotifyFile(k.vfs.core, flags, t.cred.uid);
  return typeof file === 'number' ? file : installFile(t, file, flags);
};

function inotifyAt(t: Task, fd: number): InotifyFile | number {
  const file = fileAt(t, fd);
  if (typeof file === 'number') return -EBADF;
  return file instanceof InotifyFile ? file : -EINVAL;
}

const inotifyAddWatch: SyscallRun = (k, t, fd, path, mask) => {
  if ((mask & ~ALL_INOTIFY_BITS) !== 0 || mask === 0) return -EINVAL;
  if (typeof fileAt(t, fd) === 'number') return -EBADF;
  if ((mask & IN_MASK_ADD) !== 0 && (mask & IN_MASK_CREATE) !== 0) return -EINVAL;
  const file = inotifyAt(t, fd);
  if (typeof file === 'number') return file;
  const place = walk(k, t, AT_FDCWD, path, (mask & IN_DONT_FOLLOW) !== 0 ? 'nofollow' : 'follow');
  if (typeof place === 'number') return place;
  if ((mask & IN_ONLYDIR) !== 0 && !place.inode.isDirectory) return -ENOTDIR;
  const denied = permission(t.cred, place.inode, MAY_READ);
  return denied < 0 ? denied : file.watch(place.inode, mask);
};

const inotifyRmWatch: SyscallRun = (_k, t, fd, id) => {
  const file = inotifyAt(t, fd);
  return typeof file === 'number' ? file : file.unwatch(id);
};

export const inotifyCalls: readonly SyscallRow[] = [
  { name: 'inotify_init1', args: ['int'], run: inotifyInit1, support: 'full', note: '' },
  { name: 'inotify_add_watch', args: ['fd', 'path', 'uint'], run: inotifyAddWatch, support: 'full', note: '' },
  { name: 'inotify_rm_watch', args: ['fd', 'int'], run: inotifyRmWatch, support: 'full', note: '' },
];
