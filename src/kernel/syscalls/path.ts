import { EAGAIN, EINTR, EINVAL, ENOENT } from '../../abi/errno.ts';
import {
  AT_EMPTY_PATH,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  O_CREAT,
  O_LARGEFILE,
  O_NONBLOCK,
  O_PATH,
  O_TMPFILE,
  RESOLVE_BENEATH,
  RESOLVE_CACHED,
  RESOLVE_IN_ROOT,
} from '../../abi/fcntl.ts';
import { S_IFMT, S_IFREG } from '../../abi/stat.ts';
import type { PathRef } from '../../fs/path.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { readU64s } from '../user-structs.ts';
import { ERESTARTSYS } from '../wait-state.ts';
import { BLOCKED, row, type SyscallRow, type SyscallRun } from './row.ts';
import { baseOf, contextOf, fileAt, filesOf, installFile, pathArgument } from './user.ts';

/** Names: opening, making, removing, renaming (fs/open.c, fs/namei.c, 6.18). */

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

export const pathCalls: readonly SyscallRow[] = [
  row('openat', ['fd', 'path', 'flags:open', 'mode'], openat),
  row('openat2', ['fd', 'path', 'ptr', 'size'], openat2, 'RESOLVE_CACHED always answers EAGAIN'),
  row('mkdirat', ['fd', 'path', 'mode'], mkdirat),
  row('mknodat', ['fd', 'path', 'mode', 'uint'], mknodat),
  row('unlinkat', ['fd', 'path', 'flags:at'], unlinkat),
  row('renameat2', ['fd', 'path', 'fd', 'path', 'uint'], renameat2),
  row('linkat', ['fd', 'path', 'fd', 'path', 'flags:at'], linkat),
  row('symlinkat', ['path', 'fd', 'path'], symlinkat),
];
