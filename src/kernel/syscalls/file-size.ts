import { EBADF, EFBIG, EINVAL, EOPNOTSUPP } from '../../abi/errno.ts';
import {
  AT_FDCWD,
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_INSERT_RANGE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_UNSHARE_RANGE,
  FALLOC_FL_WRITE_ZEROES,
  FALLOC_FL_ZERO_RANGE,
} from '../../abi/fcntl.ts';
import { IN_MODIFY } from '../../abi/inotify.ts';
import { RLIMIT_FSIZE } from '../../abi/resource.ts';
import { SIGXFSZ } from '../../abi/signal.ts';
import type { Inode } from '../../fs/inode.ts';
import { notifyChange, notifyFile } from '../../fs/notify.ts';
import type { Kernel } from '../kernel.ts';
import { sendToTask, userInfo } from '../signals/send.ts';
import type { Task } from '../task.ts';
import { row, type SyscallRow, type SyscallRun } from './row.ts';
import { fileAt, walk } from './user.ts';

/** How long a file is: truncate, ftruncate, fallocate (fs/open.c, 6.18). */

const truncate: SyscallRun = (k, t, path, length) => {
  if (length < 0) return -EINVAL;
  const place = walk(k, t, AT_FDCWD, path, 'follow');
  if (typeof place === 'number') return place;
  return checkNewSize(k, t, place.inode, length) || k.vfs.truncate(place, length, t.cred);
};

/** inode_newsize_ok: growing beyond RLIMIT_FSIZE is SIGXFSZ and -EFBIG. 0 or -ERRNO. */
function checkNewSize(k: Kernel, t: Task, inode: Inode, size: number): number {
  if (!inode.isRegular || size <= inode.size || size <= t.process.rlimits[RLIMIT_FSIZE].soft) return 0;
  sendToTask(k, t, userInfo(t, SIGXFSZ));
  return -EFBIG;
}

const ftruncate: SyscallRun = (k, t, fd, length) => {
  if (length < 0) return -EINVAL;
  const file = fileAt(t, fd);
  if (typeof file === 'number') return file;
  if (!file.inode.isRegular || !file.writable) return -EINVAL;
  const result = checkNewSize(k, t, file.inode, length) || file.truncate(length);
  if (result >= 0) notifyChange(file.path.dentry, IN_MODIFY);
  return result;
};

/** The modes that exist; hole, collapse, insert and write-zeroes leave no choice about KEEP_SIZE (vfs_fallocate, 6.18). */
function checkFallocateMode(mode: number): number {
  switch (mode) {
    case 0:
    case FALLOC_FL_KEEP_SIZE:
    case FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE:
    case FALLOC_FL_COLLAPSE_RANGE:
    case FALLOC_FL_ZERO_RANGE:
    case FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE:
    case FALLOC_FL_INSERT_RANGE:
    case FALLOC_FL_UNSHARE_RANGE:
    case FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE:
    case FALLOC_FL_WRITE_ZEROES:
      return 0;
    default:
      return -EOPNOTSUPP;
  }
}

const fallocate: SyscallRun = (k, t, fd, mode, offset, length) => {
  const file = fileAt(t, fd);
  if (typeof file === 'number') return file;
  if (offset < 0 || length <= 0) return -EINVAL;
  // vfs_fallocate (6.18): what the mode may be comes before the right to write.
  const checkedMode = checkFallocateMode(mode);
  if (checkedMode < 0) return checkedMode;
  if (!file.writable) return -EBADF;
  const grows = (mode & FALLOC_FL_KEEP_SIZE) === 0;
  const checked = grows ? checkNewSize(k, t, file.inode, offset + length) : 0;
  const result = checked || file.fallocate(mode, offset, length);
  if (result >= 0) notifyFile(file, IN_MODIFY);
  return result;
};

export const fileSizeCalls: readonly SyscallRow[] = [
  row('truncate', ['path', 'off'], truncate),
  row('ftruncate', ['fd', 'off'], ftruncate),
  row('fallocate', ['fd', 'int', 'off', 'off'], fallocate),
];
