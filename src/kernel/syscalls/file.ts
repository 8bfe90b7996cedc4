import { EAGAIN, EBADF, EFAULT, EINVAL, EISDIR, EOPNOTSUPP, EPIPE, ESPIPE, EXDEV } from '../../abi/errno.ts';
import { O_APPEND, O_NONBLOCK, SEEK_CUR } from '../../abi/fcntl.ts';
import { IN_ACCESS, IN_MODIFY } from '../../abi/inotify.ts';
import { SIGPIPE } from '../../abi/signal.ts';
import { BufferSink, BufferSource } from '../../base/io.ts';
import type { File } from '../../fs/file.ts';
import { notifyFile } from '../../fs/notify.ts';
import type { IoVec } from '../../mm/user-access.ts';
import type { Kernel } from '../kernel.ts';
import { sendToTask, userInfo } from '../signals/send.ts';
import type { Task } from '../task.ts';
import { ERESTARTSYS } from '../wait-state.ts';
import { readVectors, writeVectors } from './blocking-io.ts';
import type { SyscallRow, SyscallRun } from './row.ts';
import { fileAt, MAX_RW_COUNT, readOffset, singleVector, totalBytes, vectorArgument, writeOffset } from './user.ts';

/** Reading, writing and moving bytes between open files (fs/read_write.c, 6.18). */

const RWF_DSYNC = 2;
const RWF_SYNC = 4;
const RWF_NOWAIT = 8;
const RWF_APPEND = 0x10;
const RWF_NOAPPEND = 0x20;
const RWF_ATOMIC = 0x40;
const RWF_DONTCACHE = 0x80;
const RWF_NOSIGNAL = 0x100;
const RWF_SUPPORTED = 0x1ff;

/** kiocb_set_rw_flags: 0 or -ERRNO. No file here writes in one piece or past the page cache (RWF_ATOMIC, RWF_DONTCACHE). */
function checkRwFlags(file: File, flags: number, direction: 'read' | 'write'): number {
  if ((flags & ~RWF_SUPPORTED) !== 0) return -EOPNOTSUPP;
  if ((flags & (RWF_APPEND | RWF_NOAPPEND)) === (RWF_APPEND | RWF_NOAPPEND)) return -EINVAL;
  if ((flags & RWF_NOWAIT) !== 0 && !file.knowsNowait(direction)) return -EOPNOTSUPP;
  return (flags & (RWF_ATOMIC | RWF_DONTCACHE)) !== 0 ? -EOPNOTSUPP : 0;
}

type Vectors = (k: Kernel, t: Task, address: number, length: number) => IoVec[] | number;
const buffer: Vectors = (_k, _t, address, length) => singleVector(address, length);
const vector: Vectors = (k, t, address, count) => vectorArgument(k, t, address, count);

function readAt(k: Kernel, t: Task, fd: number, get: () => IoVec[] | number, pos: number | null, flags = 0): number {
  const file = fileAt(t, fd);
  if (typeof file === 'number') return file;
  if (pos !== null && !file.isSeekable) return -ESPIPE;
  if (!file.readable) return -EBADF;
  const vectors = get();
  if (typeof vectors === 'number') return vectors;
  if (endsBeyondOffsets(pos, vectors)) return -EINVAL;
  const refused = flags === 0 ? 0 : checkRwFlags(file, flags, 'read');
  if (refused < 0) return refused;
  return readVectors(k, t, file, vectors, pos, (flags & RWF_NOWAIT) !== 0 ? 'nonblocking' : 'blocking');
}

function writeAt(k: Kernel, t: Task, fd: number, get: () => IoVec[] | number, pos: number | null, flags = 0): number {
  const file = fileAt(t, fd);
  if (typeof file === 'number') return file;
  if (pos !== null && !file.isSeekable) return -ESPIPE;
  if (!file.writable) return -EBADF;
  const vectors = get();
  if (typeof vectors === 'number') return vectors;
  if (endsBeyondOffsets(pos, vectors)) return -EINVAL;
  const refused = flags === 0 ? 0 : checkRwFlags(file, flags, 'write');
  if (refused < 0) return refused;
  const result = writeFlagged(k, t, file, vectors, pos, flags);
  if (result > 0 && (flags & (RWF_DSYNC | RWF_SYNC)) !== 0) {
    const synced = file.fsync();
    if (synced < 0) return synced;
  }
  return result;
}

/** Appends, or not, for this one call. */
function writeFlagged(k: Kernel, t: Task, file: File, vectors: IoVec[], pos: number | null, flags: number): number {
  const wasAppend = file.flags & O_APPEND;
  if ((flags & RWF_APPEND) !== 0) file.flags |= O_APPEND;
  if ((flags & RWF_NOAPPEND) !== 0) file.flags &= ~O_APPEND;
  const result = writeVectors(k, t, file, vectors, pos, {
    waits: (flags & RWF_NOWAIT) !== 0 ? 'nonblocking' : 'blocking',
    onBroken: (flags & RWF_NOSIGNAL) !== 0 ? 'silent' : 'signal',
  });
  file.flags = (file.flags & ~O_APPEND) | wasAppend;
  return result;
}

/** rw_verify_area: the end of the range is no loff_t any more. */
function endsBeyondOffsets(pos: number | null, vectors: readonly IoVec[]): boolean {
  return pos !== null && pos + totalBytes(vectors) >= 2 ** 63 && totalBytes(vectors) > 0;
}

const read: SyscallRun = (k, t, fd, address, length) => readAt(k, t, fd, () => buffer(k, t, address, length), null);
const write: SyscallRun = (k, t, fd, address, length) => writeAt(k, t, fd, () => buffer(k, t, address, length), null);
const pread64: SyscallRun = (k, t, fd, address, length, pos) =>
  pos < 0 ? -EINVAL : readAt(k, t, fd, () => buffer(k, t, address, length), pos);
const pwrite64: SyscallRun = (k, t, fd, address, length, pos) =>
  pos < 0 ? -EINVAL : writeAt(k, t, fd, () => buffer(k, t, address, length), pos);
const readv: SyscallRun = (k, t, fd, address, count) => readAt(k, t, fd, () => vector(k, t, address, count), null);
const writev: SyscallRun = (k, t, fd, address, count) => writeAt(k, t, fd, () => vector(k, t, address, count), null);
const preadv: SyscallRun = (k, t, fd, address, count, pos) =>
  pos < 0 ? -EINVAL : readAt(k, t, fd, () => vector(k, t, address, count), pos);
const pwritev: SyscallRun = (k, t, fd, address, count, pos) =>
  pos < 0 ? -EINVAL : writeAt(k, t, fd, () => vector(k, t, address, count), pos);

/** Position -1: the file's own. */
const preadv2: SyscallRun = (k, t, fd, address, count, pos, _high, flags) => {
  if (pos < -1) return -EINVAL;
  return readAt(k, t, fd, () => vector(k, t, address, count), pos === -1 ? null : pos, flags);
};
const pwritev2: SyscallRun = (k, t, fd, address, count, pos, _high, flags) => {
  if (pos < -1) return -EINVAL;
  return writeAt(k, t, fd, () => vector(k, t, address, count), pos === -1 ? null : pos, flags);
};

const lseek: SyscallRun = (_k, t, fd, offset, whence) => {
  const file = fileAt(t, fd);
  if (typeof file === 'number') return file;
  if (whence > 4) return -EINVAL;
  return file.isSeekable || whence !== SEEK_CUR ? file.seek(offset, whence) : -ESPIPE;
};

/** A kernel buffer's worth of bytes moved in one go: sendfile and copy_file_range loop over it. */
const COPY_CHUNK = 65536;

/** Bytes moved from `from` at `fromPos` to `to`; 0 at the end; -ERRNO. Only what was written counts as read. */
function copyChunk(from: File, fromPos: number, to: File, toPos: number | null, length: number): number {
  const sink = new BufferSink(Math.min(length, COPY_CHUNK));
  const got = from.read(sink, fromPos);
  if (got <= 0) return got;
  return to.write(new BufferSource(sink.filled), toPos);
}

/** do_sendfile: the source must have positions; what a pipe does not take is not lost, because it is read again. */
const sendfile: SyscallRun = (k, t, outFd, inFd, offsetAddress, count) => {
  const from = fileAt(t, inFd);
  if (typeof from === 'number') return from;
  if (!from.readable) return -EBADF;
  const given = offsetAddress === 0 ? null : readOffset(k, t, offsetAddress);
  if (given === 'fault') return -EFAULT;
  if (given !== null && !from.isSeekable) return -ESPIPE;
  const to = fileAt(t, outFd);
  if (typeof to === 'number') return to;
  if (!to.writable) return -EBADF;
  if (!from.isSeekable || from.inode.isDirectory || (to.flags & O_APPEND) !== 0) return -EINVAL;
  if (given !== null && given < 0) return -EINVAL;
  const limit = Math.min(count, MAX_RW_COUNT);
  let done = 0;
  let result = 0;
  const start = given ?? from.pos;
  while (done < limit) {
    result = copyChunk(from, start + done, to, null, limit - done);
    if (result <= 0) break;
    done += result;
  }
  if (result === -EPIPE) sendToTask(k, t, userInfo(t, SIGPIPE));
  if (done === 0 && result === -EAGAIN && (to.flags & O_NONBLOCK) === 0)
    return k.block(t, {
      queues: to.waitQueues(),
      deadlineNs: Number.POSITIVE_INFINITY,
      onSignal: ERESTARTSYS,
      data: [],
    });
  if (given === null) from.pos = start + done;
  else if (writeOffset(k, t, offsetAddress, start + done) < 0) return -EFAULT;
  t.process.rchar += done;
  t.process.wchar += done;
  if (done > 0) notifyMoved(from, to);
  return done > 0 ? done : result;
};

function notifyMoved(from: File, to: File): void {
  notifyFile(from, IN_ACCESS);
  notifyFile(to, IN_MODIFY);
}

const copyFileRange: SyscallRun = (k, t, inFd, inAddress, outFd, outAddress, count, flags) => {
  if (flags !== 0) return -EINVAL;
  const from = fileAt(t, inFd);
  if (typeof from === 'number') return from;
  const to = fileAt(t, outFd);
  if (typeof to === 'number') return to;
  const inOffset = inAddress === 0 ? from.pos : readOffset(k, t, inAddress);
  const outOffset = outAddress === 0 ? to.pos : readOffset(k, t, outAddress);
  if (inOffset === 'fault' || outOffset === 'fault') return -EFAULT;
  if (from.inode.isDirectory || to.inode.isDirectory) return -EISDIR;
  if (!from.inode.isRegular || !to.inode.isRegular) return -EINVAL;
  if (!from.readable || !to.writable || (to.flags & O_APPEND) !== 0) return -EBADF;
  if (from.inode.superblock !== to.inode.superblock) return -EXDEV;
  if (inOffset < 0 || outOffset < 0) return -EINVAL;
  const limit = Math.min(count, MAX_RW_COUNT, Math.max(0, from.inode.size - inOffset));
  const overlaps = from.inode === to.inode && inOffset < outOffset + limit && outOffset < inOffset + limit;
  if (overlaps && limit > 0) return -EINVAL;
  let done = 0;
  let result = 0;
  while (done < limit) {
    result = copyChunk(from, inOffset + done, to, outOffset + done, limit - done);
    if (result <= 0) break;
    done += result;
  }
  if (done > 0) notifyMoved(from, to);
  if (inAddress === 0) from.pos = inOffset + done;
  else if (writeOffset(k, t, inAddress, inOffset + done) < 0) return -EFAULT;
  if (outAddress === 0) to.pos = outOffset + done;
  else if (writeOffset(k, t, outAddress, outOffset + done) < 0) return -EFAULT;
  return done > 0 ? done : result;
};

const row = (
  name: string,
  args: SyscallRow['args'],
  run: SyscallRun,
  support: SyscallRow['support'] = 'full',
  note = '',
): SyscallRow => ({ name, args, run, support, note });

const OFFSET_ARGS = ['fd', 'ptr', 'size', 'off'] as const;
const VECTOR_ARGS = ['fd', 'ptr', 'int', 'off', 'ulong'] as const;

export const fileCalls: readonly SyscallRow[] = [
  row('read', ['fd', 'ptr', 'size'], read),
  row('write', ['fd', 'ptr', 'size'], write),
  row('pread64', OFFSET_ARGS, pread64),
  row('pwrite64', OFFSET_ARGS, pwrite64),
  row('readv', ['fd', 'ptr', 'int'], readv),
  row('writev', ['fd', 'ptr', 'int'], writev),
  row('preadv', VECTOR_ARGS, preadv),
  row('pwritev', VECTOR_ARGS, pwritev),
  row('preadv2', [...VECTOR_ARGS, 'uint'], preadv2),
  row('pwritev2', [...VECTOR_ARGS, 'uint'], pwritev2),
  row('lseek', ['fd', 'off', 'uint'], lseek),
  row('sendfile', ['fd', 'fd', 'ptr', 'size'], sendfile),
  row('copy_file_range', ['fd', 'ptr', 'fd', 'ptr', 'size', 'uint'], copyFileRange),
];
