import { EAGAIN, EFAULT, EINVAL } from '../../abi/errno.ts';
import { MSG_DONTWAIT, MSG_WAITFORONE } from '../../abi/socket.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { NS_PER_S, readLongs, writeI32s, writeLongs } from '../user-structs.ts';
import { BLOCKED, type SyscallRow, type SyscallRun } from './row.ts';
import { messageBytes, recvmsg, sendmsg } from './socket.ts';
import { socketAt } from './socket-arguments.ts';

/** Several messages in one call (net/socket.c, 6.18: __sys_sendmmsg, do_recvmmsg). */

const UIO_MAXIOV = 1024;
const WORDS_OF_MSGHDR = 7;

/** struct mmsghdr: a msghdr, the length of its message (int), filled up to a word. */
const entryAt = (k: Kernel, vector: number, index: number): number =>
  vector + index * (WORDS_OF_MSGHDR + 1) * k.arch.wordBytes;

const writeLength = (k: Kernel, t: Task, entry: number, bytes: number): number =>
  writeI32s(k, t, entry + WORDS_OF_MSGHDR * k.arch.wordBytes, [bytes]);

/**
 * A message that has to wait is one wait of the whole call: data[0] is the message's own progress, data[1] says how many were
 * done before it, data[2] when the call gives up between two messages (0: never).
 */
function keepPlace(t: Task, done: number, endNs: number): void {
  const data = t.wait?.data;
  if (data === undefined) return;
  data[1] = done;
  data[2] = endNs;
}

const sendmmsg: SyscallRun = (k, t, fd, vector, count, flags) => {
  const socket = socketAt(t, fd);
  if (typeof socket === 'number') return socket;
  const limit = Math.min(count, UIO_MAXIOV);
  let result = 0;
  let done = t.wait?.data[1] ?? 0;
  while (done < limit) {
    const entry = entryAt(k, vector, done);
    result = sendmsg(k, t, fd, entry, flags, 0, 0, 0);
    if (result === BLOCKED) {
      keepPlace(t, done, 0);
      return BLOCKED;
    }
    t.wait = null;
    if (result < 0) break;
    const isWhole = result >= messageBytes(k, t, entry);
    result = writeLength(k, t, entry, result);
    if (result < 0) break;
    done++;
    if (!isWhole) break;
  }
  return done > 0 ? done : result;
};

const recvmmsg: SyscallRun = (k, t, fd, vector, count, flags, timeout) => {
  const isFirstRun = t.wait === null;
  let endNs = t.wait?.data[2] ?? 0;
  if (timeout !== 0 && isFirstRun) {
    const longs = readLongs(k, t, timeout, 2);
    if (typeof longs === 'number') return -EFAULT;
    const [seconds, nanoseconds] = longs;
    if (seconds < 0 || nanoseconds < 0 || nanoseconds >= NS_PER_S) return -EINVAL;
    endNs = k.clock.nowNs + seconds * NS_PER_S + nanoseconds;
  }
  const socket = socketAt(t, fd);
  if (typeof socket === 'number') return socket;
  if (isFirstRun && socket.hasError) return -socket.takeError();
  let result = 0;
  let done = t.wait?.data[1] ?? 0;
  while (done < count) {
    const waitsNot = done > 0 && (flags & MSG_WAITFORONE) !== 0 ? MSG_DONTWAIT : 0;
    const entry = entryAt(k, vector, done);
    result = recvmsg(k, t, fd, entry, (flags & ~MSG_WAITFORONE) | waitsNot, 0, 0, 0);
    if (result === BLOCKED) {
      keepPlace(t, done, endNs);
      return BLOCKED;
    }
    t.wait = null;
    if (result < 0) break;
    result = writeLength(k, t, entry, result);
    if (result < 0) break;
    done++;
    // The time is looked at between messages alone: a message that does not come is waited for.
    if (timeout !== 0 && endNs - k.clock.nowNs <= 0) break;
  }
  if (done === 0) return result;
  if (result < 0 && result !== -EAGAIN) socket.noteError(-result);
  const leftNs = Math.max(0, endNs - k.clock.nowNs);
  const left = [Math.floor(leftNs / NS_PER_S), Math.floor(leftNs) % NS_PER_S];
  return timeout !== 0 && writeLongs(k, t, timeout, left) < 0 ? -EFAULT : done;
};

const row = (name: string, args: SyscallRow['args'], run: SyscallRun): SyscallRow => ({
  name,
  args,
  run,
  support: 'partial',
  note: 'as sendmsg and recvmsg',
});

export const socketBatchCalls: readonly SyscallRow[] = [
  row('sendmmsg', ['fd', 'ptr', 'uint', 'uint'], sendmmsg),
  row('recvmmsg', ['fd', 'ptr', 'uint', 'uint', 'ptr'], recvmmsg),
];
