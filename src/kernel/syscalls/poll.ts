import { EBADF, EFAULT, EINTR, EINVAL, ELOOP, EPERM } from '../../abi/errno.ts';
import { O_CLOEXEC, O_RDWR } from '../../abi/fcntl.ts';
import { STICKY_TIMEOUTS } from '../../abi/personality.ts';
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  POLLRDBAND,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
} from '../../abi/poll.ts';
import { RLIMIT_NOFILE } from '../../abi/resource.ts';
import type { WaitQueue } from '../../base/wait-queue.ts';
import type { File } from '../../fs/file.ts';
import { EPOLLEXCLUSIVE, EpollFile } from '../epoll.ts';
import { NR_OPEN } from '../file-table.ts';
import type { Kernel } from '../kernel.ts';
import { restoreTemporaryMask, setTemporaryMask } from '../signals/mask.ts';
import type { Task } from '../task.ts';
import { readBytes, readTimespecNs, writeBytes, writeTimespecNs } from '../user-structs.ts';
import { ERESTARTNOHAND } from '../wait-state.ts';
import { BLOCKED, row, type SyscallRow, type SyscallRun } from './row.ts';
import { anyFileAt, fileAt, filesOf, installFile, readWords } from './user.ts';

/** Waiting for several files at once (fs/select.c, fs/eventpoll.c, 6.18). */

interface Watched {
  readonly queues: Set<WaitQueue>;
  isInputOnly: boolean;
}

/**
 * The deadline of a call: kept over re-runs in wait.deadlineNs. `timeoutNs` is a duration; Infinity: none.
 */
function deadlineOf(k: Kernel, t: Task, timeoutNs: number): number {
  return t.wait?.deadlineNs ?? k.clock.nowNs + timeoutNs;
}

function hasTimedOut(k: Kernel, t: Task, deadlineNs: number): boolean {
  return t.wait?.woken === 'timeout' || k.clock.nowNs >= deadlineNs;
}

function sleep(k: Kernel, t: Task, watched: Watched, deadlineNs: number, onSignal: number): number {
  const { queues } = watched;
  return k.block(t, {
    queues: queues.size === 0 ? [k.never] : [...queues],
    deadlineNs,
    onSignal,
    data: [],
    source: watched.isInputOnly && queues.size > 0 && deadlineNs === Number.POSITIVE_INFINITY ? 'input' : 'event',
  });
}

function watch(watched: Watched, file: File): void {
  for (const queue of file.waitQueues()) watched.queues.add(queue);
  if (!file.isTty) watched.isInputOnly = false;
}

/** poll_select_finish: the temporary mask goes, and the time that is left is written back (not with STICKY_TIMEOUTS). */
function finish(
  k: Kernel,
  t: Task,
  result: number,
  timeAddress: number,
  deadlineNs: number,
  timeoutNs: number,
): number {
  if (result === BLOCKED) return result;
  if (result !== -ERESTARTNOHAND) restoreTemporaryMask(t);
  const isSticky = (t.personality & STICKY_TIMEOUTS) !== 0;
  if (timeAddress !== 0 && !isSticky && timeoutNs !== 0 && timeoutNs !== Number.POSITIVE_INFINITY) {
    const left = Math.max(0, Math.ceil(deadlineNs - k.clock.nowNs));
    if (writeTimespecNs(k, t, timeAddress, left) < 0 && result === -ERESTARTNOHAND) return -EINTR;
  }
  return result;
}

/** Its argument checks come before the mask is set; a re-run skips both. */
function begin(k: Kernel, t: Task, timeAddress: number, maskAddress: number, maskBytes: number): number {
  let timeoutNs = Number.POSITIVE_INFINITY;
  if (timeAddress !== 0 && t.wait === null) {
    timeoutNs = readTimespecNs(k, t, timeAddress);
    if (timeoutNs < 0) return timeoutNs;
  } else if (t.wait !== null) timeoutNs = t.wait.deadlineNs === Number.POSITIVE_INFINITY ? t.wait.deadlineNs : 1;
  if (t.wait === null) {
    const failed = setTemporaryMask(k, t, maskAddress, maskBytes);
    if (failed < 0) return failed;
  }
  return timeoutNs;
}

const ppoll: SyscallRun = (k, t, address, count, timeAddress, maskAddress, maskBytes) => {
  const timeoutNs = begin(k, t, timeAddress, maskAddress, maskBytes);
  if (timeoutNs < 0) return timeoutNs;
  const deadlineNs = deadlineOf(k, t, timeoutNs);
  const result = doPoll(k, t, address, count, deadlineNs);
  return finish(k, t, result, timeAddress, deadlineNs, timeoutNs);
};

function doPoll(k: Kernel, t: Task, address: number, count: number, deadlineNs: number): number {
  if (count > Math.min(t.process.rlimits[RLIMIT_NOFILE].soft, NR_OPEN)) return -EINVAL;
  const bytes = new Uint8Array(count * 8);
  if (readBytes(k, t, address, bytes) < 0) return -EFAULT;
  const view = new DataView(bytes.buffer);
  const watched: Watched = { queues: new Set(), isInputOnly: true };
  let ready = 0;
  for (let i = 0; i < count; i++) {
    const fd = view.getInt32(i * 8, true);
    const wanted = view.getUint16(i * 8 + 4, true) | POLLERR | POLLHUP;
    const found = fd < 0 ? 0 : pollOne(t, fd, wanted, watched);
    view.setUint16(i * 8 + 6, found, true);
    if (found !== 0) ready++;
  }
  if (ready === 0 && !hasTimedOut(k, t, deadlineNs)) return sleep(k, t, watched, deadlineNs, ERESTARTNOHAND);
  return writeBytes(k, t, address, bytes) < 0 ? -EFAULT : ready;
}

function pollOne(t: Task, fd: number, wanted: number, watched: Watched): number {
  const file = fileAt(t, fd);
  if (typeof file === 'number') return POLLNVAL;
  watch(watched, file);
  return file.poll() & wanted;
}

const IN_SET = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR;
const OUT_SET = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR;
const EX_SET = POLLPRI;

const pselect6: SyscallRun = (k, t, count, inAddress, outAddress, exAddress, timeAddress, sigAddress) =>
  selectWithMask(k, t, [count, inAddress, outAddress, exAddress, timeAddress, sigAddress]);

function selectWithMask(k: Kernel, t: Task, args: readonly number[]): number {
  const [count, inAddress, outAddress, exAddress, timeAddress, sigAddress] = args;
  let mask = 0;
  let maskBytes = 0;
  if (sigAddress !== 0) {
    const words = readWords(k, t, sigAddress, 2);
    if (typeof words === 'number') return words;
    [mask, maskBytes] = words;
  }
  const timeoutNs = begin(k, t, timeAddress, mask, maskBytes);
  if (timeoutNs < 0) return timeoutNs;
  const deadlineNs = deadlineOf(k, t, timeoutNs);
  const result = doSelect(k, t, count, [inAddress, outAddress, exAddress], deadlineNs);
  return finish(k, t, result, timeAddress, deadlineNs, timeoutNs);
}

/** core_sys_select: the sets are cut to the size of the descriptor table. */
function doSelect(k: Kernel, t: Task, count: number, addresses: readonly number[], deadlineNs: number): number {
  if (count < 0) return -EINVAL;
  const limit = Math.min(count, filesOf(t).sizeFds);
  const wordBits = k.arch.wordBytes * 8;
  const sizeBytes = Math.ceil(limit / wordBits) * k.arch.wordBytes;
  const sets: Uint8Array[] = [];
  for (const address of addresses) {
    const set = new Uint8Array(sizeBytes);
    if (address !== 0 && readBytes(k, t, address, set) < 0) return -EFAULT;
    sets.push(set);
  }
  const results = sets.map(() => new Uint8Array(sizeBytes));
  const watched: Watched = { queues: new Set(), isInputOnly: true };
  const masks = [IN_SET, OUT_SET, EX_SET];
  let ready = 0;
  for (let fd = 0; fd < limit; fd++) {
    const bit = 1 << (fd & 7);
    const at = fd >> 3;
    if (((sets[0][at] | sets[1][at] | sets[2][at]) & bit) === 0) continue;
    const file = fileAt(t, fd);
    if (typeof file === 'number') return -EBADF;
    watch(watched, file);
    const events = file.poll();
    for (let i = 0; i < 3; i++) {
      if ((sets[i][at] & bit) === 0 || (events & masks[i]) === 0) continue;
      results[i][at] |= bit;
      ready++;
    }
  }
  if (ready === 0 && !hasTimedOut(k, t, deadlineNs)) return sleep(k, t, watched, deadlineNs, ERESTARTNOHAND);
  for (const [i, address] of addresses.entries())
    if (address !== 0 && writeBytes(k, t, address, results[i]) < 0) return -EFAULT;
  return ready;
}

const epollCreate1: SyscallRun = (k, t, flags) => {
  if ((flags & ~O_CLOEXEC) !== 0) return -EINVAL;
  const file = k.vfs.anonFile('anon_inode:[eventpoll]', (path, slot) => new EpollFile(path, O_RDWR, slot));
  return typeof file === 'number' ? file : installFile(t, file, flags);
};

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
/** EP_MAX_NESTS. */
const MAX_NESTS = 4;

const epollCtl: SyscallRun = (k, t, epfd, operation, fd, address) => {
  let events = 0;
  let low = 0;
  let high = 0;
  if (operation !== EPOLL_CTL_DEL) {
    const bytes = new Uint8Array(k.arch.structs.epollEventBytes);
    if (readBytes(k, t, address, bytes) < 0) return -EFAULT;
    const view = new DataView(bytes.buffer);
    events = view.getUint32(0, true);
    low = view.getUint32(k.arch.structs.epollDataOffset, true);
    high = view.getUint32(k.arch.structs.epollDataOffset + 4, true);
  }
  const epoll = fileAt(t, epfd);
  if (typeof epoll === 'number') return epoll;
  const file = fileAt(t, fd);
  if (typeof file === 'number') return file;
  if (!file.canPoll) return -EPERM;
  if (file === epoll || !(epoll instanceof EpollFile)) return -EINVAL;
  if ((events & EPOLLEXCLUSIVE) !== 0 && (operation === EPOLL_CTL_MOD || file instanceof EpollFile)) return -EINVAL;
  switch (operation) {
    case EPOLL_CTL_ADD:
      if (file instanceof EpollFile && file.reaches(epoll, MAX_NESTS)) return -ELOOP;
      return epoll.add(fd, file, events, low, high);
    case EPOLL_CTL_DEL:
      return epoll.remove(fd, file);
    case EPOLL_CTL_MOD:
      return epoll.modify(fd, file, events, low, high);
    default:
      return -EINVAL;
  }
};

/** EP_MAX_EVENTS: INT_MAX / sizeof(struct epoll_event). */
const MAX_EVENTS = 0x7ff_ffff;

const epollPwait: SyscallRun = (k, t, epfd, address, max, timeoutMs, maskAddress, maskBytes) =>
  epollWait(k, t, [epfd, address, max], timeoutMs < 0 ? Number.POSITIVE_INFINITY : timeoutMs * 1e6, [
    maskAddress,
    maskBytes,
  ]);

const epollPwait2: SyscallRun = (k, t, epfd, address, max, timeAddress, maskAddress, maskBytes) => {
  let timeoutNs = Number.POSITIVE_INFINITY;
  if (timeAddress !== 0 && t.wait === null) {
    timeoutNs = readTimespecNs(k, t, timeAddress);
    if (timeoutNs < 0) return timeoutNs;
  }
  return epollWait(k, t, [epfd, address, max], timeoutNs, [maskAddress, maskBytes]);
};

function epollWait(
  k: Kernel,
  t: Task,
  [epfd, address, max]: readonly number[],
  timeoutNs: number,
  [maskAddress, maskBytes]: readonly number[],
): number {
  if (t.wait === null) {
    const failed = setTemporaryMask(k, t, maskAddress, maskBytes);
    if (failed < 0) return failed;
  }
  const result = doEpollWait(k, t, epfd, address, max, deadlineOf(k, t, timeoutNs));
  // Linux keeps the mask for the handler when the wait was interrupted.
  if (result !== BLOCKED && result !== -EINTR) restoreTemporaryMask(t);
  return result;
}

function doEpollWait(k: Kernel, t: Task, epfd: number, address: number, max: number, deadlineNs: number): number {
  if (max <= 0 || max > MAX_EVENTS) return -EINVAL;
  const epoll = anyFileAt(t, epfd);
  if (typeof epoll === 'number') return epoll;
  if (!(epoll instanceof EpollFile)) return -EINVAL;
  const ready = epoll.collect(max);
  if (ready.length === 0) {
    if (hasTimedOut(k, t, deadlineNs)) return 0;
    const watched: Watched = { queues: new Set(epoll.waitQueues()), isInputOnly: false };
    return sleep(k, t, watched, deadlineNs, EINTR);
  }
  const { epollEventBytes, epollDataOffset } = k.arch.structs;
  const bytes = new Uint8Array(ready.length * epollEventBytes);
  const view = new DataView(bytes.buffer);
  for (const [i, event] of ready.entries()) {
    view.setUint32(i * epollEventBytes, event.events, true);
    view.setUint32(i * epollEventBytes + epollDataOffset, event.dataLow, true);
    view.setUint32(i * epollEventBytes + epollDataOffset + 4, event.dataHigh, true);
  }
  return writeBytes(k, t, address, bytes) < 0 ? -EFAULT : ready.length;
}

export const pollCalls: readonly SyscallRow[] = [
  row('ppoll', ['ptr', 'uint', 'ptr', 'ptr', 'size'], ppoll),
  row('pselect6', ['int', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr'], pselect6),
  row('epoll_create1', ['int'], epollCreate1),
  row('epoll_ctl', ['fd', 'int', 'fd', 'ptr'], epollCtl),
  row('epoll_pwait', ['fd', 'ptr', 'int', 'int', 'ptr', 'size'], epollPwait),
  row('epoll_pwait2', ['fd', 'ptr', 'int', 'ptr', 'ptr', 'size'], epollPwait2),
];
