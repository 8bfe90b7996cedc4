import { constants } from 'node:os';

/** Linux's numbers of the error names that Node's file system calls give, whatever the host's own numbers are (macOS). */
const LINUX_ERRNO: Readonly<Record<string, number>> = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTTY: 25,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EMLINK: 31,
  EPIPE: 32,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  EOVERFLOW: 75,
  EOPNOTSUPP: 95,
  ENOTSUP: 95,
  ETIMEDOUT: 110,
  ESTALE: 116,
  EDQUOT: 122,
};

/** -ERRNO, in Linux's numbers, of what a node:fs call threw; -EIO for anything that has no name there. */
export function linuxErrno(error: unknown): number {
  const { code, errno } = error as NodeJS.ErrnoException;
  if (code !== undefined && LINUX_ERRNO[code] !== undefined) return -LINUX_ERRNO[code];
  if (errno !== undefined) {
    const name = Object.entries(constants.errno).find(([, number]) => number === Math.abs(errno))?.[0];
    if (name !== undefined && LINUX_ERRNO[name] !== undefined) return -LINUX_ERRNO[name];
  }
  return -LINUX_ERRNO.EIO;
}
