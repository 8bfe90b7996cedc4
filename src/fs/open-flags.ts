import { EINVAL } from '../abi/errno.ts';
import {
  __O_TMPFILE,
  O_ACCMODE,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOCTTY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_TRUNC,
} from '../abi/fcntl.ts';

/** Flags that open uses up: what F_GETFL does not show (do_dentry_open). */
export const CREATION_FLAGS = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC;

/** build_open_flags (6.18, fs/open.c) for open and openat: the flags that count, or -EINVAL. */
export function checkOpenFlags(flags: number): number {
  if ((flags & O_PATH) !== 0) return flags & (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC);
  if ((flags & (O_CREAT | O_DIRECTORY)) === (O_CREAT | O_DIRECTORY)) return -EINVAL;
  if ((flags & __O_TMPFILE) !== 0) {
    if ((flags & O_DIRECTORY) === 0 || (flags & O_CREAT) !== 0) return -EINVAL;
    if ((flags & O_ACCMODE) === O_RDONLY) return -EINVAL;
  }
  return flags;
}
