import { EBADF, EFAULT, EINVAL, ENOENT, EPERM, ESRCH } from '../../abi/errno.ts';
import { O_CLOEXEC, O_NONBLOCK } from '../../abi/fcntl.ts';
import { SI_TKILL, SI_USER } from '../../abi/signal.ts';
import type { File } from '../../fs/file.ts';
import { mayAccessTask } from '../access-task.ts';
import { EpollFile } from '../epoll.ts';
import type { Kernel } from '../kernel.ts';
import { makePidFile, PIDFD_THREAD, pidFileAt } from '../pidfd.ts';
import { mayKill, sendToProcess, sendToTask, userInfo } from '../signals/send.ts';
import type { Siginfo } from '../signals/siginfo.ts';
import type { Task } from '../task.ts';
import { readBytes } from '../user-structs.ts';
import type { SyscallRow } from './row.ts';
import { readInfo } from './signal.ts';
import { installFile } from './user.ts';

/** Process descriptors, and the comparison of what two processes share (6.18: kernel/pid.c, signal.c, kcmp.c). */

function pidfdOpen(k: Kernel, t: Task, pid: number, flags: number): number {
  if ((flags & ~(O_NONBLOCK | PIDFD_THREAD)) !== 0) return -EINVAL;
  if (pid <= 0) return -EINVAL;
  const target = k.tasks.get(pid);
  if (target === undefined) return -ESRCH;
  // pidfd_prepare (6.16 and later): a thread that leads no group is no process.
  if (!target.isLeader && (flags & PIDFD_THREAD) === 0) return -ENOENT;
  const file = makePidFile(k, target, flags);
  return typeof file === 'number' ? file : installFile(t, file, O_CLOEXEC);
}

const PIDFD_SIGNAL_THREAD = 1;
const PIDFD_SIGNAL_THREAD_GROUP = 2;
const PIDFD_SIGNAL_PROCESS_GROUP = 4;

function pidfdSendSignal(k: Kernel, t: Task, fd: number, signo: number, address: number, flags: number): number {
  // One scope at most: a power of two.
  if ((flags & ~7) !== 0 || (flags & (flags - 1)) !== 0) return -EINVAL;
  const file = pidFileAt(t, fd);
  if (typeof file === 'number') return file;
  const byThread = flags === PIDFD_SIGNAL_THREAD || (flags === 0 && file.thread !== null);
  const { target } = file;
  let info: Siginfo;
  if (address !== 0) {
    const given = readInfo(k, t, address, null);
    if (typeof given === 'number') return given;
    if (given.signo !== signo) return -EINVAL;
    const isOwn = target !== null && target.tid === t.tid;
    const mayPretend = isOwn && (flags === 0 || flags === PIDFD_SIGNAL_THREAD || flags === PIDFD_SIGNAL_THREAD_GROUP);
    if (!mayPretend && (given.code >= 0 || given.code === SI_TKILL)) return -EPERM;
    info = given;
  } else info = userInfo(t, signo, byThread ? SI_TKILL : SI_USER);
  if (signo < 0 || signo > 64) return -EINVAL;
  if (target === null) return -ESRCH;
  if (flags === PIDFD_SIGNAL_PROCESS_GROUP) return signalGroup(k, t, target.process.pgrp, info);
  const allowed = mayKill(t, target.process);
  if (allowed < 0) return allowed;
  if (signo === 0) return 0;
  return byThread ? sendToTask(k, target, info) : sendToProcess(k, target.process, info);
}

/** kill_pgrp_info: 0 where one member got it. */
function signalGroup(k: Kernel, t: Task, pgrp: number, info: Siginfo): number {
  let result = -ESRCH;
  for (const process of [...k.processes.values()]) {
    if (process.pgrp !== pgrp || process === k.init || process.leader.kind === 'kthread') continue;
    const allowed = mayKill(t, process);
    const sent = allowed < 0 || info.signo === 0 ? allowed : sendToProcess(k, process, info);
    if (sent === 0) result = 0;
    else if (result !== 0) result = sent;
  }
  return result;
}

function pidfdGetfd(_k: Kernel, t: Task, fd: number, theirs: number, flags: number): number {
  if (flags !== 0) return -EINVAL;
  const pidFile = pidFileAt(t, fd);
  if (typeof pidFile === 'number') return pidFile;
  const { target } = pidFile;
  if (target === null) return -ESRCH;
  const allowed = mayAccessTask(t, target, 'real');
  if (allowed < 0) return allowed;
  // __pidfd_fget: of a task that exits, ESRCH.
  if (target.files === null) return -ESRCH;
  const file = target.files.get(theirs);
  if (file === null) return -EBADF;
  file.retain();
  return installFile(t, file, O_CLOEXEC);
}

const KCMP_FILE = 0;
const KCMP_VM = 1;
const KCMP_FILES = 2;
const KCMP_FS = 3;
const KCMP_SIGHAND = 4;
const KCMP_IO = 5;
const KCMP_SYSVSEM = 6;
const KCMP_EPOLL_TFD = 7;

/** kcmp_epoll_target: the file that another task's epoll watches under a number. struct kcmp_epoll_slot: efd, tfd, toff. */
function epollTarget(k: Kernel, caller: Task, task: Task, address: number): File | number {
  const bytes = new Uint8Array(12);
  if (readBytes(k, caller, address, bytes) < 0) return -EFAULT;
  const view = new DataView(bytes.buffer);
  const epoll = task.files?.get(view.getInt32(0, true)) ?? null;
  if (epoll === null) return -EBADF;
  if (!(epoll instanceof EpollFile)) return -EINVAL;
  return epoll.watched(view.getInt32(4, true), view.getUint32(8, true)) ?? -ENOENT;
}

/** kcmp: 0 the same, 1 and 2 an order of the objects (that of their slots). */
function kcmp(k: Kernel, t: Task, pid1: number, pid2: number, type: number, index1: number, index2: number): number {
  const one = k.tasks.get(pid1);
  const two = k.tasks.get(pid2);
  if (one === undefined || two === undefined) return -ESRCH;
  if (mayAccessTask(t, one, 'real') < 0 || mayAccessTask(t, two, 'real') < 0) return -EPERM;
  const order = (a: number, b: number): number => (a === b ? 0 : a < b ? 1 : 2);
  switch (type) {
    case KCMP_FILE: {
      // A task that ends has no table any more (get_file_raw_ptr).
      const file1 = one.files?.get(index1) ?? null;
      const file2 = two.files?.get(index2) ?? null;
      if (file1 === null || file2 === null) return -EBADF;
      return order(file1.slotNumber, file2.slotNumber);
    }
    case KCMP_EPOLL_TFD: {
      const target = epollTarget(k, t, two, index2);
      if (target === -EFAULT) return target;
      const file = one.files?.get(index1) ?? null;
      if (file === null) return -EBADF;
      return typeof target === 'number' ? target : order(file.slotNumber, target.slotNumber);
    }
    case KCMP_VM:
      return order(one.space?.slot ?? 0, two.space?.slot ?? 0);
    case KCMP_FILES:
      return order(one.files?.slot ?? 0, two.files?.slot ?? 0);
    case KCMP_FS: {
      const slotOf = (task: Task): number => (task.fs === null ? 0 : (k.fsSlots.get(task.fs) ?? 0));
      return order(slotOf(one), slotOf(two));
    }
    case KCMP_SIGHAND:
      return order(one.sighand?.slot ?? 0, two.sighand?.slot ?? 0);
    case KCMP_IO:
      return 0; // nobody has an I/O context
    case KCMP_SYSVSEM:
      return order(one.semUndo?.id ?? 0, two.semUndo?.id ?? 0);
    default:
      return -EINVAL;
  }
}

export const pidfdCalls: readonly SyscallRow[] = [
  { name: 'pidfd_open', args: ['pid', 'uint'], run: pidfdOpen, support: 'full', note: '' },
  { name: 'pidfd_send_signal', args: ['fd', 'sig', 'ptr', 'uint'], run: pidfdSendSignal, support: 'full', note: '' },
  { name: 'pidfd_getfd', args: ['fd', 'fd', 'uint'], run: pidfdGetfd, support: 'full', note: '' },
  {
    name: 'kcmp',
    args: ['pid', 'pid', 'int', 'ulong', 'ulong'],
    run: kcmp,
    support: 'full',
    note: '',
  },
];
