import { EFAULT, EINVAL, EIO, ESRCH } from '../../abi/errno.ts';
import * as p from '../../abi/ptrace.ts';
import { SI_USER, SIGKILL, SIGTRAP } from '../../abi/signal.ts';
import { readRemote, writeRemote } from '../../mm/remote-access.ts';
import type { Kernel } from '../kernel.ts';
import { attachTo, checkOptions, detach, interruptTracee, traceMe } from '../ptrace/attach.ts';
import { resumeTracee } from '../ptrace/stop.ts';
import { UNBLOCKABLE_SIGNALS } from '../signals/defaults.ts';
import { readSigSet, SIGSET_BYTES, writeSigSet } from '../signals/mask.ts';
import { sendToTask } from '../signals/send.ts';
import { siginfo } from '../signals/siginfo.ts';
import type { Task } from '../task.ts';
import { readBytes, readLongs, writeBytes, writeLongs } from '../user-structs.ts';
import type { SyscallRow } from './row.ts';
import { readInfo } from './signal.ts';

/** ptrace(2) (6.18, kernel/ptrace.c): requests of a tracer. Riscv has no single step in hardware: PTRACE_SINGLESTEP is -EIO there. */

function ptrace(k: Kernel, t: Task, request: number, pid: number, address: number, data: number): number {
  if (request === p.PTRACE_TRACEME) return traceMe(k, t);
  const target = k.tasks.get(pid);
  if (target === undefined || pid <= 0) return -ESRCH;
  if (request === p.PTRACE_ATTACH) return attachTo(k, t, target, 'attached', 0);
  if (request === p.PTRACE_SEIZE) {
    // ptrace_attach: first the address, then the options, both EIO.
    return address !== 0 ? -EIO : attachTo(k, t, target, 'seized', data);
  }
  const needsStop = request !== p.PTRACE_KILL && request !== p.PTRACE_INTERRUPT;
  // ptrace_check_attach: by the thread that attached, and stopped (not only listening).
  if (target.trace?.tracer !== t) return -ESRCH;
  if (needsStop && (target.state !== 't' || target.trace.isListening || target.killed)) return -ESRCH;
  if (request === p.PTRACE_DETACH) {
    if (data > 64) return -EIO;
    detach(k, target, data);
    return 0;
  }
  return stoppedRequest(k, t, target, request, address, data);
}

/** ptrace_request. */
function stoppedRequest(k: Kernel, t: Task, target: Task, request: number, address: number, data: number): number {
  const trace = target.trace!;
  switch (request) {
    case p.PTRACE_PEEKTEXT:
    case p.PTRACE_PEEKDATA:
      return peek(k, t, target, address, data);
    case p.PTRACE_POKETEXT:
    case p.PTRACE_POKEDATA:
      return poke(k, t, target, address);
    case p.PTRACE_SETOPTIONS: {
      const checked = checkOptions(data);
      if (checked === 0) trace.options = data;
      return checked;
    }
    case p.PTRACE_GETEVENTMSG:
      return writeLongs(k, t, data, [trace.message]);
    case p.PTRACE_GETSIGINFO:
      if (trace.lastInfo === null) return -EINVAL;
      return writeBytes(k, t, data, k.arch.encodeSiginfo(trace.lastInfo));
    case p.PTRACE_SETSIGINFO: {
      const info = readInfo(k, t, data, null);
      if (typeof info === 'number') return info;
      if (trace.lastInfo === null) return -EINVAL;
      trace.lastInfo = info;
      if (target.stopPoint?.kind === 'signal') target.stopPoint.info = info;
      return 0;
    }
    case p.PTRACE_GETSIGMASK:
      return address === SIGSET_BYTES ? writeSigSet(k, t, data, target.savedMask ?? target.sigmask) : -EINVAL;
    case p.PTRACE_SETSIGMASK:
      return setSignalMask(k, t, target, address, data);
    case p.PTRACE_PEEKSIGINFO:
      return peekSiginfo(k, t, target, address, data);
    case p.PTRACE_INTERRUPT:
      if (trace.attach !== 'seized') return -EIO;
      interruptTracee(k, target);
      return 0;
    case p.PTRACE_LISTEN:
      return listen(k, target);
    case p.PTRACE_CONT:
    case p.PTRACE_SYSCALL:
      if (data > 64) return -EIO;
      trace.tracesCalls = request === p.PTRACE_SYSCALL;
      resumeTracee(k, target, data);
      return 0;
    case p.PTRACE_KILL:
      sendToTask(k, target, siginfo(SIGKILL, SI_USER, { pid: t.tgid, uid: t.cred.uid }));
      return 0;
    case p.PTRACE_GETREGSET:
    case p.PTRACE_SETREGSET:
      return registerSet(k, t, target, request, address, data);
    case p.PTRACE_GET_SYSCALL_INFO:
      return syscallInfo(k, t, target, address, data);
    default:
      return -EIO;
  }
}

/** generic_ptrace_peekdata: the word is stored at `data` (the C library returns it). */
function peek(k: Kernel, t: Task, target: Task, address: number, data: number): number {
  const bytes = new Uint8Array(k.arch.wordBytes);
  if (target.space === null || readRemote(k.mm, target.space, address, bytes, 'force') < bytes.length) return -EIO;
  return writeBytes(k, t, data, bytes);
}

/** The word is the last argument itself: all its bits, as they are in the register. */
function poke(k: Kernel, t: Task, target: Task, address: number): number {
  const bytes = k.arch.argumentBytes(k.registersOf(t), 3);
  if (target.space === null) return -EIO;
  return writeRemote(k.mm, target.space, address, bytes, 'force') < bytes.length ? -EIO : 0;
}

function setSignalMask(k: Kernel, t: Task, target: Task, size: number, address: number): number {
  if (size !== SIGSET_BYTES) return -EINVAL;
  const set = readSigSet(k, t, address);
  if (typeof set === 'number') return set;
  set.andNot(UNBLOCKABLE_SIGNALS);
  target.sigmask.copyFrom(set);
  target.savedMask = null;
  return 0;
}

/** ptrace_peek_siginfo: offset, flags and count at `address`. How many it copied. */
function peekSiginfo(k: Kernel, t: Task, target: Task, address: number, data: number): number {
  const bytes = new Uint8Array(16);
  if (readBytes(k, t, address, bytes) < 0) return -EFAULT;
  const view = new DataView(bytes.buffer);
  const flags = view.getUint32(8, true);
  const count = view.getInt32(12, true);
  if ((flags & ~p.PTRACE_PEEKSIGINFO_SHARED) !== 0 || count < 0) return -EINVAL;
  const { queue } = (flags & p.PTRACE_PEEKSIGINFO_SHARED) !== 0 ? target.process.shared : target.pending;
  if (view.getUint32(4, true) !== 0) return 0;
  const from = view.getUint32(0, true);
  let copied = 0;
  for (const info of queue.slice(from, from + count)) {
    if (writeBytes(k, t, data + copied * 128, k.arch.encodeSiginfo(info)) < 0) return copied > 0 ? copied : -EFAULT;
    copied++;
  }
  return copied;
}

/** PTRACE_LISTEN: only in a stop of job control, and of a task that was seized. */
function listen(k: Kernel, target: Task): number {
  const trace = target.trace!;
  if (trace.attach !== 'seized') return -EIO;
  if ((trace.lastInfo?.code ?? 0) >> 8 !== p.PTRACE_EVENT_STOP) return -EIO;
  trace.isListening = true;
  if (trace.trapPending) resumeTracee(k, target, 0);
  return 0;
}

/** ptrace_regset: `data` is an iovec, whose length becomes what was moved. */
function registerSet(k: Kernel, t: Task, target: Task, request: number, note: number, data: number): number {
  const vector = readLongs(k, t, data, 2);
  if (typeof vector === 'number') return vector;
  const [base, length] = vector;
  const registers = k.registersOf(target);
  const whole = k.arch.readRegset(registers, note);
  if (whole === null || length % k.arch.wordBytes !== 0) return -EINVAL;
  const size = Math.min(length < 0 ? whole.length : length, whole.length);
  if (request === p.PTRACE_GETREGSET) {
    if (writeBytes(k, t, base, whole.subarray(0, size)) < 0) return -EFAULT;
  } else {
    const bytes = whole.slice();
    if (readBytes(k, t, base, bytes.subarray(0, size)) < 0) return -EFAULT;
    k.arch.writeRegset(registers, note, bytes);
  }
  return writeLongs(k, t, data, [base, size]);
}

/** struct ptrace_syscall_info: 24 bytes of head, then what the kind of stop has. */
const INFO_BYTES = 88;

function syscallInfo(k: Kernel, t: Task, target: Task, size: number, data: number): number {
  const trace = target.trace!;
  const registers = k.registersOf(target);
  const bytes = new Uint8Array(INFO_BYTES);
  const view = new DataView(bytes.buffer);
  const put = (at: number, value: number): void => view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
  view.setUint32(4, k.arch.auditArch, true);
  put(8, k.arch.pc(registers));
  put(16, k.arch.sp(registers));
  let actual = 24;
  if (trace.lastInfo?.code === (SIGTRAP | 0x80)) {
    if (trace.message === p.PTRACE_EVENTMSG_SYSCALL_ENTRY) {
      bytes[0] = p.PTRACE_SYSCALL_INFO_ENTRY;
      put(24, k.arch.syscallNumber(registers));
      const { origLow, origHigh } = target.call!;
      view.setUint32(32, origLow, true);
      view.setUint32(36, origHigh, true);
      for (let i = 1; i < 6; i++) bytes.set(k.arch.argumentBytes(registers, i), 32 + i * 8);
      actual = 80;
    } else if (trace.message === p.PTRACE_EVENTMSG_SYSCALL_EXIT) {
      bytes[0] = p.PTRACE_SYSCALL_INFO_EXIT;
      bytes.set(k.arch.argumentBytes(registers, 0), 24);
      const result = k.arch.argument(registers, 0, 'i64');
      bytes[32] = result < 0 && result >= -4095 ? 1 : 0;
      actual = 33;
    }
  }
  return writeBytes(k, t, data, bytes.subarray(0, Math.min(size, actual))) < 0 ? -EFAULT : actual;
}

export const ptraceCalls: readonly SyscallRow[] = [
  {
    name: 'ptrace',
    args: ['long', 'pid', 'ulong', 'ulong'],
    run: ptrace,
    support: 'partial',
    note: 'no single step (as riscv: EIO), no seccomp and rseq requests, no PTRACE_SET_SYSCALL_INFO',
  },
];
