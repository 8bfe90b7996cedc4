import { EAGAIN, EFBIG, EPIPE } from '../../abi/errno.ts';
import { O_NONBLOCK } from '../../abi/fcntl.ts';
import { IN_ACCESS, IN_MODIFY } from '../../abi/inotify.ts';
import { RLIMIT_FSIZE } from '../../abi/resource.ts';
import { SIGPIPE, SIGXFSZ } from '../../abi/signal.ts';
import type { File } from '../../fs/file.ts';
import { notifyFile } from '../../fs/notify.ts';
import type { IoVec } from '../../mm/user-access.ts';
import { UserIo } from '../../mm/user-io.ts';
import { progressAt, sleepInCall, sleepOnRequest } from '../fault-wait.ts';
import type { Kernel } from '../kernel.ts';
import { sendToTask, userInfo } from '../signals/send.ts';
import type { Task } from '../task.ts';
import { ERESTARTSYS } from '../wait-state.ts';
import { BLOCKED } from './row.ts';
import { checkTerminal } from './terminal.ts';
import { spaceOf, totalBytes, vectorsAfter } from './user.ts';

/**
 * read and write on any file, as data-driven waits: a file never blocks (it answers -EAGAIN), so here the task sleeps on the
 * file's queues and the call runs again. `wait.data[0]` is what a blocking write has moved so far. `pos` null: the file's own.
 */
export function readVectors(
  k: Kernel,
  t: Task,
  file: File,
  vectors: readonly IoVec[],
  pos: number | null,
  mode: 'blocking' | 'nonblocking' = 'blocking',
): number {
  const controlled = checkTerminal(k, t, file, 'read');
  if (controlled < 0) return controlled;
  if (file.isSeekable) return readSeekable(k, t, file, vectors, pos, mode);
  const result = file.read(new UserIo(k.mm, spaceOf(t), vectors), pos);
  if (result !== -EAGAIN) {
    countRead(t, file, result);
    return result;
  }
  if ((file.flags & O_NONBLOCK) !== 0 || mode === 'nonblocking') return result;
  if (t.wait?.woken === 'timeout') return file.timeoutResult;
  return k.block(t, {
    queues: file.waitQueues(),
    deadlineNs: t.wait?.deadlineNs ?? k.clock.nowNs + file.readTimeoutNs,
    onSignal: ERESTARTSYS,
    data: [],
    source: file.isTty ? 'input' : 'event',
  });
}

/**
 * A read that never waits for data, but may for a page that a device is reading (folio_wait_locked_killable), and for those that it
 * fills: `wait.data[0]` is what it has moved so far.
 */
function readSeekable(
  k: Kernel,
  t: Task,
  file: File,
  vectors: readonly IoVec[],
  pos: number | null,
  mode: 'blocking' | 'nonblocking',
): number {
  const done = t.wait?.data[0] ?? 0;
  const io = new UserIo(k.mm, spaceOf(t), vectorsAfter(vectors, done), 'stop');
  const result = file.read(io, pos === null ? null : pos + done);
  const moved = done + Math.max(0, result);
  if (io.isAtLockedPage) {
    if (mode === 'blocking') {
      sleepOnRequest(k, t);
      return sleepInCall(k, t, progressAt(t, moved));
    }
    countRead(t, file, moved);
    return moved > 0 ? moved : -EAGAIN;
  }
  if (io.faulted && t.waiter.source !== null) return sleepInCall(k, t, progressAt(t, moved));
  const total = moved > 0 ? moved : result;
  countRead(t, file, total);
  return total;
}

/** Whether a write waits for room, and whether one to a pipe that nobody reads raises SIGPIPE. */
export interface WriteManner {
  readonly waits: 'blocking' | 'nonblocking';
  readonly onBroken: 'signal' | 'silent';
}
const PLAIN: WriteManner = { waits: 'blocking', onBroken: 'signal' };

export function writeVectors(
  k: Kernel,
  t: Task,
  file: File,
  vectors: readonly IoVec[],
  pos: number | null,
  how: WriteManner = PLAIN,
): number {
  const controlled = checkTerminal(k, t, file, 'write');
  if (controlled < 0) return controlled;
  const limited = limitFileSize(k, t, file, vectors, pos);
  if (typeof limited === 'number') return limited;
  let done = t.wait?.data[0] ?? 0;
  const total = totalBytes(limited);
  for (;;) {
    const io = new UserIo(k.mm, spaceOf(t), vectorsAfter(limited, done));
    const result = file.write(io, pos);
    if (io.faulted && t.waiter.source !== null) return sleepInCall(k, t, progressAt(t, done + Math.max(0, result)));
    // A file that can be seeked never waits for room: the error is its own (memory.reclaim).
    if (result === -EAGAIN && !file.isSeekable) {
      if ((file.flags & O_NONBLOCK) !== 0 || how.waits === 'nonblocking')
        return done > 0 ? finish(t, file, done) : result;
      if (t.wait?.woken === 'timeout') return finish(t, file, done > 0 ? done : file.timeoutResult);
      const blocked = k.block(t, {
        queues: file.waitQueues(),
        deadlineNs: t.wait?.deadlineNs ?? k.clock.nowNs + file.writeTimeoutNs,
        onSignal: ERESTARTSYS,
        data: [done],
      });
      return blocked !== BLOCKED && done > 0 ? finish(t, file, done) : blocked;
    }
    if (result < 0) {
      if (result === -EPIPE && how.onBroken === 'signal') sendToTask(k, t, userInfo(t, SIGPIPE));
      return done > 0 ? finish(t, file, done) : finish(t, file, result);
    }
    done += result;
    // A regular file that takes less has its reason; a stream is asked again until it says -EAGAIN.
    if (done >= total || result === 0 || io.faulted || file.isSeekable) return finish(t, file, done);
  }
}

function finish(t: Task, file: File, result: number): number {
  t.process.syscw++;
  if (result > 0) {
    t.process.wchar += result;
    notifyFile(file, IN_MODIFY);
  }
  return result;
}

function countRead(t: Task, file: File, result: number): void {
  t.process.syscr++;
  if (result <= 0) return;
  t.process.rchar += result;
  notifyFile(file, IN_ACCESS);
}

/** generic_write_check_limits: RLIMIT_FSIZE of regular files; at the limit SIGXFSZ and -EFBIG. */
function limitFileSize(
  k: Kernel,
  t: Task,
  file: File,
  vectors: readonly IoVec[],
  pos: number | null,
): readonly IoVec[] | number {
  const limit = t.process.rlimits[RLIMIT_FSIZE].soft;
  if (limit === Number.POSITIVE_INFINITY || !file.inode.isRegular) return vectors;
  const start = pos ?? (file.isAppend ? file.inode.size : file.pos);
  const total = totalBytes(vectors);
  if (total === 0) return vectors;
  if (start >= limit) {
    sendToTask(k, t, userInfo(t, SIGXFSZ));
    return -EFBIG;
  }
  let left = limit - start;
  return vectors.map(({ address, lengthBytes }) => {
    const cut = Math.min(lengthBytes, left);
    left -= cut;
    return { address, lengthBytes: cut };
  });
}
