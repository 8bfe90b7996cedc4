import { CAP_SYS_CHROOT } from '../../abi/capability.ts';
import {
  EAGAIN,
  EBADF,
  EFAULT,
  EFBIG,
  EINTR,
  EINVAL,
  ENOENT,
  ENOTDIR,
  EOPNOTSUPP,
  EPERM,
  ERANGE,
} from '../../abi/errno.ts';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW,
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_INSERT_RANGE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_UNSHARE_RANGE,
  FALLOC_FL_WRITE_ZEROES,
  FALLOC_FL_ZERO_RANGE,
  O_CREAT,
  O_LARGEFILE,
  O_NONBLOCK,
  O_PATH,
  O_TMPFILE,
  RESOLVE_BENEATH,
  RESOLVE_CACHED,
  RESOLVE_IN_ROOT,
} from '../../abi/fcntl.ts';
import { IN_ACCESS, IN_MODIFY } from '../../abi/inotify.ts';
import { RLIMIT_FSIZE } from '../../abi/resource.ts';
import { SIGXFSZ } from '../../abi/signal.ts';
import { S_IFMT, S_IFREG, UTIME_NOW, UTIME_OMIT } from '../../abi/stat.ts';
import type { Timespec } from '../../base/timespec.ts';
import { encodeUtf8 } from '../../base/utf8.ts';
import type { File } from '../../fs/file.ts';
import type { Inode } from '../../fs/inode.ts';
import { notifyChange, notifyFile } from '../../fs/notify.ts';
import type { PathRef } from '../../fs/path.ts';
import { MAY_EXEC, permission } from '../../fs/permission.ts';
import { capableHere } from '../credentials.ts';
import { INVALID_ID } from '../id-map.ts';
import type { Kernel } from '../kernel.ts';
import { sendToTask, userInfo } from '../signals/send.ts';
import type { Task } from '../task.ts';
import { readLongs, readU64s, writeBytes } from '../user-structs.ts';
import { ERESTARTSYS } from '../wait-state.ts';
import { BLOCKED, type SyscallRow, type SyscallRun } from './row.ts';
import { anyFileAt, baseOf, contextOf, fileAt, filesOf, installFile, pathArgument, walk } from './user.ts';

/** Names: opening, making, removing, renaming, and changing what they name (fs/open.c, fs/namei.c, 6.18). */

/** VALID_OPEN_FLAGS (include/linux/fcntl.h); openat ignores other bits, openat2 refuses them. */
const VALID_OPEN_FLAGS = 0o37777703;

/** All of RESOLVE_*. */
const RESOLVE_ALL = 0x3f;
const RESOLVE_SCOPED = RESOLVE_BENEATH | RESOLVE_IN_ROOT;

const openat: SyscallRun = (k, t, dirfd, path, flags, mode) =>
  open(k, t, dirfd, path, flags & VALID_OPEN_FLAGS, mode & 0o7777);

function open(k: Kernel, t: Task, dirfd: number, address: number, flags: number, mode: number, restrict = 0): number {
  if (t.wait !== null) return finishOpen(k, t, t.wait.data[0]);
  const path = pathArgument(k, t, address);
  if (typeof path === 'number') return path;
  if (path === '') return -ENOENT;
  const base = baseOf(t, dirfd, path);
  if (typeof base === 'number') return base;
  const large = k.arch.wordBytes === 8 && (flags & O_PATH) === 0 ? O_LARGEFILE : 0;
  const file = k.vfs.open(contextOf(t), base, path, flags | large, mode, restrict);
  if (typeof file === 'number') return file;
  const fd = installFile(t, file, flags);
  return fd < 0 || file.isOpenReady || (flags & O_NONBLOCK) !== 0 ? fd : finishOpen(k, t, fd);
}

/** A FIFO waits for its other end with the descriptor already taken; an interruption gives it back. */
function finishOpen(k: Kernel, t: Task, fd: number): number {
  const file = fileAt(t, fd);
  if (typeof file === 'number') return -EINTR;
  if (file.isOpenReady) return fd;
  const result = k.block(t, {
    queues: file.waitQueues(),
    deadlineNs: Number.POSITIVE_INFINITY,
    onSignal: ERESTARTSYS,
    data: [fd],
  });
  if (result !== BLOCKED) filesOf(t).close(fd);
  return result;
}

/** struct open_how: flags, mode, resolve. */
const openat2: SyscallRun = (k, t, dirfd, path, how, size) => {
  if (size < 24) return -EINVAL;
  const words = readU64s(k, t, how, 3);
  if (typeof words === 'number') return words;
  const [flags, mode, resolve] = words;
  if (flags > 0xffff_ffff || (flags & ~VALID_OPEN_FLAGS) !== 0 || resolve > RESOLVE_ALL) return -EINVAL;
  if ((resolve & RESOLVE_SCOPED) === RESOLVE_SCOPED) return -EINVAL;
  const creates = (flags & O_CREAT) !== 0 || (flags & O_TMPFILE) === O_TMPFILE;
  if (mode > 0o7777 || (!creates && mode !== 0)) return -EINVAL;
  // No walk here can tell what is cached: as if nothing were.
  if ((resolve & RESOLVE_CACHED) !== 0) return -EAGAIN;
  return open(k, t, dirfd, path, flags, mode, resolve);
};

type TwoPaths = { readonly base: PathRef | null; readonly path: string };

function pathAt(k: Kernel, t: Task, dirfd: number, address: number): TwoPaths | number {
  const path = pathArgument(k, t, address);
  if (typeof path === 'number') return path;
  const base = baseOf(t, dirfd, path);
  return typeof base === 'number' ? base : { base, path };
}

const mkdirat: SyscallRun = (k, t, dirfd, path, mode) => {
  const at = pathAt(k, t, dirfd, path);
  return typeof at === 'number' ? at : k.vfs.mkdir(contextOf(t), at.base, at.path, mode);
};

const mknodat: SyscallRun = (k, t, dirfd, path, mode, dev) => {
  const at = pathAt(k, t, dirfd, path);
  const typed = (mode & S_IFMT) === 0 ? mode | S_IFREG : mode;
  return typeof at === 'number' ? at : k.vfs.mknod(contextOf(t), at.base, at.path, typed, dev);
};

const unlinkat: SyscallRun = (k, t, dirfd, path, flags) => {
  if ((flags & ~AT_REMOVEDIR) !== 0) return -EINVAL;
  const at = pathAt(k, t, dirfd, path);
  if (typeof at === 'number') return at;
  const context = contextOf(t);
  return flags === 0 ? k.vfs.unlink(context, at.base, at.path) : k.vfs.rmdir(context, at.base, at.path);
};

const renameat2: SyscallRun = (k, t, oldDirfd, oldPath, newDirfd, newPath, flags) => {
  const from = pathAt(k, t, oldDirfd, oldPath);
  if (typeof from === 'number') return from;
  const to = pathAt(k, t, newDirfd, newPath);
  if (typeof to === 'number') return to;
  return k.vfs.rename(contextOf(t), from.base, from.path, to.base, to.path, flags);
};

const linkat: SyscallRun = (k, t, oldDirfd, oldPath, newDirfd, newPath, flags) => {
  if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const from = pathAt(k, t, oldDirfd, oldPath);
  if (typeof from === 'number') return from;
  const to = pathAt(k, t, newDirfd, newPath);
  if (typeof to === 'number') return to;
  return k.vfs.link(contextOf(t), from.base, from.path, to.base, to.path, flags);
};

const symlinkat: SyscallRun = (k, t, target, dirfd, path) => {
  const text = pathArgument(k, t, target);
  if (typeof text === 'number') return text;
  if (text === '') return -ENOENT;
  const at = pathAt(k, t, dirfd, path);
  return typeof at === 'number' ? at : k.vfs.symlink(contextOf(t), text, at.base, at.path);
};

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

const getcwd: SyscallRun = (k, t, address, size) => {
  const { root, cwd } = contextOf(t);
  if (cwd.isDeleted) return -ENOENT;
  const bytes = encodeUtf8(`${cwd.displayPath(root)}\0`);
  if (bytes.length > size) return -ERANGE;
  const failed = writeBytes(k, t, address, bytes);
  return failed < 0 ? failed : bytes.length;
};

const chdir: SyscallRun = (k, t, path) => {
  const place = walk(k, t, AT_FDCWD, path, 'follow');
  if (typeof place === 'number') return place;
  if (!place.inode.isDirectory) return -ENOTDIR;
  const denied = permission(t.cred, place.inode, MAY_EXEC);
  if (denied < 0) return denied;
  contextOf(t).setCwd(place);
  return 0;
};

const fchdir: SyscallRun = (_k, t, fd) => {
  const file = anyFileAt(t, fd);
  if (typeof file === 'number') return file;
  if (!file.inode.isDirectory) return -ENOTDIR;
  const denied = permission(t.cred, file.inode, MAY_EXEC);
  if (denied < 0) return denied;
  contextOf(t).setCwd(file.path);
  return 0;
};

const chroot: SyscallRun = (k, t, path) => {
  const place = walk(k, t, AT_FDCWD, path, 'follow');
  if (typeof place === 'number') return place;
  if (!place.inode.isDirectory) return -ENOTDIR;
  const denied = permission(t.cred, place.inode, MAY_EXEC);
  if (denied < 0) return denied;
  if (!capableHere(t.cred, CAP_SYS_CHROOT)) return -EPERM;
  contextOf(t).setRoot(place);
  return 0;
};

const umask: SyscallRun = (_k, t, mask) => {
  const context = contextOf(t);
  const old = context.umask;
  context.umask = mask & 0o777;
  return old;
};

/** linux_dirent64: ino, off, reclen, type, name; each a multiple of 8 bytes. */
const getdents64: SyscallRun = (k, t, fd, address, count) => {
  const file = fileAt(t, fd);
  if (typeof file === 'number') return file;
  if (!file.inode.isDirectory) return -ENOTDIR;
  if (file.path.isDeleted) return -ENOENT;
  const bytes = new Uint8Array(Math.min(count, 65536));
  const start = file.pos;
  const used = fillEntries(file, bytes);
  if (used < 0) return used;
  if (writeBytes(k, t, address, bytes.subarray(0, used)) < 0) {
    file.pos = start;
    return -EFAULT;
  }
  file.inode.touchAccessed();
  notifyFile(file, IN_ACCESS);
  return used;
};

function fillEntries(file: File, bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer);

  let used = 0;
  for (;;) {
    const entry = file.entryAt(file.pos);
    if (typeof entry === 'number') return used > 0 ? used : entry;
    if (entry === null) return used;
    const name = encodeUtf8(entry.name);
    const length = Math.ceil((19 + name.length + 1) / 8) * 8;
    if (used + length > bytes.length) return used > 0 ? used : -EINVAL;
    view.setUint32(used, entry.ino >>> 0, true);
    view.setUint32(used + 4, Math.floor(entry.ino / 2 ** 32), true);
    view.setUint32(used + 8, file.pos + 1, true);
    view.setUint16(used + 16, length, true);
    bytes[used + 18] = entry.type;
    bytes.set(name, used + 19);
    used += length;
    file.pos++;
  }
}

const row = (name: string, args: SyscallRow['args'], run: SyscallRun, note = ''): SyscallRow => ({
  name,
  args,
  run,
  support: note === '' ? 'full' : 'partial',
  note,
});

export const pathCalls: readonly SyscallRow[] = [
  row('openat', ['fd', 'path', 'flags:open', 'mode'], openat),
  row('openat2', ['fd', 'path', 'ptr', 'size'], openat2, 'RESOLVE_CACHED always answers EAGAIN'),
  row('mkdirat', ['fd', 'path', 'mode'], mkdirat),
  row('mknodat', ['fd', 'path', 'mode', 'uint'], mknodat),
  row('unlinkat', ['fd', 'path', 'flags:at'], unlinkat),
  row('renameat2', ['fd', 'path', 'fd', 'path', 'uint'], renameat2),
  row('linkat', ['fd', 'path', 'fd', 'path', 'flags:at'], linkat),
  row('symlinkat', ['path', 'fd', 'path'], symlinkat),
  row('truncate', ['path', 'off'], truncate),
  row('ftruncate', ['fd', 'off'], ftruncate),
  row('fallocate', ['fd', 'int', 'off', 'off'], fallocate),
  row('fchmod', ['fd', 'mode'], fchmod),
  row('fchmodat', ['fd', 'path', 'mode'], fchmodat),
  row('fchmodat2', ['fd', 'path', 'mode', 'flags:at'], fchmodat2),
  row('fchown', ['fd', 'int', 'int'], fchown),
  row('fchownat', ['fd', 'path', 'int', 'int', 'flags:at'], fchownat),
  row('utimensat', ['fd', 'path', 'ptr', 'flags:at'], utimensat),
  row('getcwd', ['ptr', 'size'], getcwd),
  row('chdir', ['path'], chdir),
  row('fchdir', ['fd'], fchdir),
  row('chroot', ['path'], chroot),
  row('umask', ['mode'], umask),
  row('getdents64', ['fd', 'ptr', 'uint'], getdents64),
];
