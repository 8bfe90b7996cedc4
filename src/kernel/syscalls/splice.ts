import { EAGAIN, EBADF, EFAULT, EINVAL, EPIPE, ESPIPE } from '../../abi/errno.ts';
import { O_APPEND, O_NONBLOCK } from '../../abi/fcntl.ts';
import { IN_ACCESS, IN_MODIFY } from '../../abi/inotify.ts';
import { SIGPIPE } from '../../abi/signal.ts';
import { BufferSink, BufferSource } from '../../base/io.ts';
import type { WaitQueue } from '../../base/wait-queue.ts';
import type { File } from '../../fs/file.ts';
import { notifyFile } from '../../fs/notify.ts';
import { PipeFile } from '../../fs/pipe.ts';
import { offsetInPage, PAGE_SIZE, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import type { IoVec } from '../../mm/user-access.ts';
import { UserIo } from '../../mm/user-io.ts';
import type { Kernel } from '../kernel.ts';
import { sendToTask, userInfo } from '../signals/send.ts';
import type { Task } from '../task.ts';
import { ERESTARTSYS } from '../wait-state.ts';
import { readVectors } from './blocking-io.ts';
import type { SyscallRow, SyscallRun } from './row.ts';
import { fileAt, MAX_RW_COUNT, readOffset, spaceOf, totalBytes, vectorArgument, writeOffset } from './user.ts';

/**
 * splice, tee and vmsplice (fs/splice.c, 6.18). Bytes are copied, where Linux hands pages over: a program that changes memory
 * after vmsplice sees the difference.
 */
const SPLICE_F_NONBLOCK = 2;
/** MOVE, NONBLOCK, MORE, GIFT. */
const SPLICE_F_ALL = 0xf;

function waitOn(k: Kernel, t: Task, queues: readonly WaitQueue[]): number {
  return k.block(t, { queues, deadlineNs: Number.POSITIVE_INFINITY, onSignal: ERESTARTSYS, data: [] });
}

/** ipipe_prep: 0 when the pipe has bytes or has ended, else what the call returns. */
function awaitBytes(k: Kernel, t: Task, from: PipeFile, isNonblocking: boolean): number {
  if (from.pipe.buffers.length > 0 || from.pipe.writers === 0) return 0;
  return isNonblocking ? -EAGAIN : waitOn(k, t, [from.pipe.readQueue]);
}

/** opipe_prep, wait_for_space: 0 when a page fits. */
function awaitRoom(k: Kernel, t: Task, to: PipeFile, isNonblocking: boolean): number {
  if (to.pipe.readers === 0) {
    sendToTask(k, t, userInfo(t, SIGPIPE));
    return -EPIPE;
  }
  if (!to.pipe.isFull) return 0;
  return isNonblocking ? -EAGAIN : waitOn(k, t, [to.pipe.writeQueue]);
}

const splice: SyscallRun = (k, t, inFd, inAddress, outFd, outAddress, length, flags) => {
  if (length === 0) return 0;
  if ((flags & ~SPLICE_F_ALL) !== 0) return -EINVAL;
  const from = fileAt(t, inFd);
  if (typeof from === 'number') return from;
  const to = fileAt(t, outFd);
  if (typeof to === 'number') return to;
  if ((from instanceof PipeFile && inAddress !== 0) || (to instanceof PipeFile && outAddress !== 0)) return -ESPIPE;
  const inOffset = inAddress === 0 ? null : readOffset(k, t, inAddress);
  const outOffset = outAddress === 0 ? null : readOffset(k, t, outAddress);
  if (inOffset === 'fault' || outOffset === 'fault') return -EFAULT;
  if (!from.readable || !to.writable) return -EBADF;
  const size = Math.min(length, MAX_RW_COUNT);
  const wantsNoWait = (flags & SPLICE_F_NONBLOCK) !== 0;
  let result: number;
  if (from instanceof PipeFile && to instanceof PipeFile) {
    if (from.pipe === to.pipe) return -EINVAL;
    result = pipeToPipe(k, t, from, to, size, wantsNoWait || ((from.flags | to.flags) & O_NONBLOCK) !== 0, 'take');
  } else if (from instanceof PipeFile) {
    if (outOffset !== null && (!to.isSeekable || outOffset < 0)) return -EINVAL;
    if ((to.flags & O_APPEND) !== 0) return -EINVAL;
    result = pipeToFile(k, t, from, to, outOffset, size, wantsNoWait);
  } else if (to instanceof PipeFile) {
    if (inOffset !== null && (!from.isSeekable || inOffset < 0)) return -EINVAL;
    if (from.inode.isDirectory) return -EINVAL;
    result = fileToPipe(k, t, from, inOffset, to, size, wantsNoWait || (from.flags & O_NONBLOCK) !== 0);
  } else return -EINVAL;
  if (result > 0 && inOffset !== null && writeOffset(k, t, inAddress, inOffset + result) < 0) return -EFAULT;
  if (result > 0 && outOffset !== null && writeOffset(k, t, outAddress, outOffset + result) < 0) return -EFAULT;
  return result;
};

function fileToPipe(
  k: Kernel,
  t: Task,
  from: File,
  pos: number | null,
  to: PipeFile,
  size: number,
  isNonblocking: boolean,
): number {
  const wait = awaitRoom(k, t, to, isNonblocking);
  if (wait !== 0) return wait;
  const room = (to.pipe.slotCount - to.pipe.buffers.length) * PAGE_SIZE;
  const sink = new BufferSink(Math.min(size, room));
  const got = from.read(sink, pos);
  if (got === -EAGAIN && !isNonblocking) return waitOn(k, t, from.waitQueues());
  if (got <= 0) return got;
  notifyFile(from, IN_ACCESS);
  return to.pipe.write(new BufferSource(sink.filled));
}

function pipeToFile(
  k: Kernel,
  t: Task,
  from: PipeFile,
  to: File,
  offset: number | null,
  size: number,
  isNonblocking: boolean,
): number {
  const wait = awaitBytes(k, t, from, isNonblocking);
  if (wait !== 0) return wait;
  let done = 0;
  while (done < size && from.pipe.buffers.length > 0) {
    const bytes = from.pipe.peek(size - done);
    const result = to.write(new BufferSource(bytes), offset === null ? null : offset + done);
    if (result === -EPIPE) sendToTask(k, t, userInfo(t, SIGPIPE));
    if (result === -EAGAIN && done === 0 && (to.flags & O_NONBLOCK) === 0) return waitOn(k, t, to.waitQueues());
    if (result <= 0) return done > 0 ? done : result;
    from.pipe.read(new BufferSink(result));
    done += result;
    if (result < bytes.length) break;
  }
  if (done > 0) notifyFile(to, IN_MODIFY);
  return done;
}

/** splice_pipe_to_pipe, link_pipe: buffer by buffer while the one has bytes and the other room. */
function pipeToPipe(
  k: Kernel,
  t: Task,
  from: PipeFile,
  to: PipeFile,
  size: number,
  isNonblocking: boolean,
  mode: 'take' | 'copy',
): number {
  const wait = awaitBytes(k, t, from, isNonblocking) || awaitRoom(k, t, to, isNonblocking);
  if (wait !== 0) return wait;
  let done = 0;
  for (let i = 0; done < size && !to.pipe.isFull; ) {
    if (i >= from.pipe.buffers.length) break;
    const bytes = from.pipe.peek(size - done, i);
    const result = to.pipe.write(new BufferSource(bytes));
    if (result <= 0) return done > 0 ? done : result;
    done += result;
    if (mode === 'take') from.pipe.read(new BufferSink(result));
    else i++;
    if (result < bytes.length) break;
  }
  return done;
}

const tee: SyscallRun = (k, t, inFd, outFd, length, flags) => {
  if ((flags & ~SPLICE_F_ALL) !== 0) return -EINVAL;
  if (length === 0) return 0;
  const from = fileAt(t, inFd);
  if (typeof from === 'number') return from;
  const to = fileAt(t, outFd);
  if (typeof to === 'number') return to;
  if (!from.readable || !to.writable) return -EBADF;
  if (!(from instanceof PipeFile) || !(to instanceof PipeFile) || from.pipe === to.pipe) return -EINVAL;
  const isNonblocking = (flags & SPLICE_F_NONBLOCK) !== 0 || ((from.flags | to.flags) & O_NONBLOCK) !== 0;
  return pipeToPipe(k, t, from, to, Math.min(length, MAX_RW_COUNT), isNonblocking, 'copy');
};

/** A writing end: memory to the pipe, as much as fits now; a reading end: the other way. */
const vmsplice: SyscallRun = (k, t, fd, address, count, flags) => {
  if ((flags & ~SPLICE_F_ALL) !== 0) return -EINVAL;
  const file = fileAt(t, fd);
  if (typeof file === 'number') return file;
  if (!(file instanceof PipeFile)) return -EBADF;
  const vectors = vectorArgument(k, t, address, count);
  if (typeof vectors === 'number') return vectors;
  if (totalBytes(vectors) === 0) return 0;
  const isNonblocking = (flags & SPLICE_F_NONBLOCK) !== 0;
  if (!file.writable) return readVectors(k, t, file, vectors, null, isNonblocking ? 'nonblocking' : 'blocking');
  const wait = awaitRoom(k, t, file, isNonblocking);
  return wait !== 0 ? wait : pagesToPipe(k, t, file, vectors);
};

/** Of memory that the kernel lends to nobody (check_vma_flags). */
function isSecret(space: AddressSpace, address: number): boolean {
  const page = Math.floor(address / PAGE_SIZE);
  const vma = page < space.taskSize ? space.vmas.find(vpn(page)) : null;
  return vma !== null && vma.startVpn <= page && vma.file?.isSecret === true;
}

/** iter_to_pipe: page by page of the memory, until one is not there or the pipe is full. */
function pagesToPipe(k: Kernel, t: Task, to: PipeFile, vectors: readonly IoVec[]): number {
  let done = 0;
  for (const { address, lengthBytes } of vectors) {
    for (let at = 0; at < lengthBytes; ) {
      const part = Math.min(lengthBytes - at, PAGE_SIZE - offsetInPage(address + at));
      if (isSecret(spaceOf(t), address + at)) return done > 0 ? done : -EFAULT;
      const result = to.write(new UserIo(k.mm, spaceOf(t), [{ address: address + at, lengthBytes: part }]));
      if (result < 0) return done > 0 ? done : result;
      done += result;
      if (result < part) return done;
      at += part;
    }
  }
  return done;
}

const row = (name: string, args: SyscallRow['args'], run: SyscallRun): SyscallRow => ({
  name,
  args,
  run,
  support: 'partial',
  note: 'copies the bytes',
});

export const spliceCalls: readonly SyscallRow[] = [
  row('splice', ['fd', 'ptr', 'fd', 'ptr', 'size', 'uint'], splice),
  row('tee', ['fd', 'fd', 'size', 'uint'], tee),
  row('vmsplice', ['fd', 'ptr', 'ulong', 'uint'], vmsplice),
];
