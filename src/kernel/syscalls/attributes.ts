import { EFAULT, EINVAL } from '../../abi/errno.ts';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from '../../abi/fcntl.ts';
import { UTIME_NOW, UTIME_OMIT } from '../../abi/stat.ts';
import type { Timespec } from '../../base/timespec.ts';
import type { PathRef } from '../../fs/path.ts';
import { INVALID_ID } from '../id-map.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { readLongs } from '../user-structs.ts';
import { row, type SyscallRow, type SyscallRun } from './row.ts';
import { fileAt, walk } from './user.ts';

/** What a file says of itself: mode, owner, times (fs/open.c, fs/utimes.c, 6.18). */

const fchmod: SyscallRun = (k, t, fd, mode) => {
  const file = fileAt(t, fd);
  return typeof file === 'number' ? file : k.vfs.chmod(file.path, mode & 0o7777, t.cred);
};

function chmodAt(k: Kernel, t: Task, dirfd: number, path: number, mode: number, flags: number): number {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const place = walkFlags(k, t, dirfd, path, flags);
  return typeof place === 'number' ? place : k.vfs.chmod(place, mode & 0o7777, t.cred);
}

function walkFlags(k: Kernel, t: Task, dirfd: number, path: number, flags: number): PathRef | number {
  const last = (flags & AT_SYMLINK_NOFOLLOW) !== 0 ? 'nofollow' : 'follow';
  return walk(k, t, dirfd, path, last, (flags & AT_EMPTY_PATH) !== 0 ? 'emptyAllowed' : 'emptyFails');
}

const fchmodat: SyscallRun = (k, t, dirfd, path, mode) => chmodAt(k, t, dirfd, path, mode, 0);
const fchmodat2: SyscallRun = (k, t, dirfd, path, mode, flags) => chmodAt(k, t, dirfd, path, mode, flags);

/** chown_common: -1 stays; what has no meaning in the caller's user namespace is -EINVAL. */
function chownTo(k: Kernel, t: Task, place: PathRef, uid: number, gid: number): number {
  const { uids, gids } = t.cred.userNs;
  const owner = uid === -1 ? -1 : uids.toKernel(uid >>> 0);
  const group = gid === -1 ? -1 : gids.toKernel(gid >>> 0);
  if (owner === INVALID_ID || group === INVALID_ID) return -EINVAL;
  return k.vfs.chown(place, owner, group, t.cred);
}

const fchown: SyscallRun = (k, t, fd, uid, gid) => {
  const file = fileAt(t, fd);
  return typeof file === 'number' ? file : chownTo(k, t, file.path, uid, gid);
};

const fchownat: SyscallRun = (k, t, dirfd, path, uid, gid, flags) => {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const place = walkFlags(k, t, dirfd, path, flags);
  return typeof place === 'number' ? place : chownTo(k, t, place, uid, gid);
};

const utimensat: SyscallRun = (k, t, dirfd, path, times, flags) => {
  let atime: Timespec | null = k.vfs.core.now();
  let mtime: Timespec | null = atime;
  let wanted: 'now' | 'given' = 'now';
  if (times !== 0) {
    const longs = readLongs(k, t, times, 4);
    if (typeof longs === 'number') return longs;
    if (longs[1] === UTIME_OMIT && longs[3] === UTIME_OMIT) return 0;
    for (const nsec of [longs[1], longs[3]]) {
      if (nsec !== UTIME_NOW && nsec !== UTIME_OMIT && (nsec < 0 || nsec > 999_999_999)) return -EINVAL;
    }
    if (longs[1] !== UTIME_NOW || longs[3] !== UTIME_NOW) wanted = 'given';
    atime = timeOf(longs[0], longs[1], atime);
    mtime = timeOf(longs[2], longs[3], mtime);
  }
  if (path === 0 && dirfd !== AT_FDCWD) {
    if (flags !== 0) return -EINVAL;
    const file = fileAt(t, dirfd);
    return typeof file === 'number' ? file : k.vfs.setTimes(file.path, atime, mtime, wanted, t.cred);
  }
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  if (path === 0) return -EFAULT;
  const place = walkFlags(k, t, dirfd, path, flags);
  return typeof place === 'number' ? place : k.vfs.setTimes(place, atime, mtime, wanted, t.cred);
};

function timeOf(seconds: number, nanoseconds: number, now: Timespec): Timespec | null {
  if (nanoseconds === UTIME_OMIT) return null;
  return nanoseconds === UTIME_NOW ? now : { seconds, nanoseconds };
}

export const attributeCalls: readonly SyscallRow[] = [
  row('fchmod', ['fd', 'mode'], fchmod),
  row('fchmodat', ['fd', 'path', 'mode'], fchmodat),
  row('fchmodat2', ['fd', 'path', 'mode', 'flags:at'], fchmodat2),
  row('fchown', ['fd', 'int', 'int'], fchown),
  row('fchownat', ['fd', 'path', 'int', 'int', 'flags:at'], fchownat),
  row('utimensat', ['fd', 'path', 'ptr', 'flags:at'], utimensat),
];
