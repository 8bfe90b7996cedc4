import { EAGAIN, EFAULT, EINTR, EINVAL, ENOMEM, EPERM, ESRCH } from '../../abi/errno.ts';
import {
  MINSIGSTKSZ,
  SA_EXPOSE_TAGBITS,
  SA_NOCLDSTOP,
  SA_NOCLDWAIT,
  SA_NODEFER,
  SA_ONSTACK,
  SA_RESETHAND,
  SA_RESTART,
  SA_SIGINFO,
  SI_KERNEL,
  SI_TKILL,
  SI_USER,
  SIG_BLOCK,
  SIG_IGN,
  SIG_SETMASK,
  SIG_UNBLOCK,
  SIGKILL,
  SIGSEGV,
  SIGSTOP,
  SS_AUTODISARM,
  SS_DISABLE,
  SS_ONSTACK,
} from '../../abi/signal.ts';
import type { Kernel } from '../kernel.ts';
import { isIgnoredByDefault, UNBLOCKABLE_SIGNALS } from '../signals/defaults.ts';
import { isOnAltStack, userMemory } from '../signals/deliver.ts';
import { dequeueSignal } from '../signals/dequeue.ts';
import { readSigSet, SIGSET_BYTES, setMask, writeSigSet } from '../signals/mask.ts';
import { forceSignal, mayKill, sendToProcess, sendToTask, userInfo } from '../signals/send.ts';
import { type Siginfo, siginfo } from '../signals/siginfo.ts';
import { SigSet } from '../signals/sigset.ts';
import type { Task } from '../task.ts';
import { readBytes, readTimespecNs, writeBytes } from '../user-structs.ts';
import { ERESTARTNOHAND } from '../wait-state.ts';
import { NO_RESULT, row, type SyscallRow } from './row.ts';

const UAPI_SA_FLAGS =
  (SA_NOCLDSTOP |
    SA_NOCLDWAIT |
    SA_SIGINFO |
    SA_ONSTACK |
    SA_RESTART |
    SA_NODEFER |
    SA_RESETHAND |
    SA_EXPOSE_TAGBITS) >>>
  0;

const isSignal = (signo: number): boolean => signo >= 1 && signo <= 64;

function rtSigaction(k: Kernel, t: Task, signo: number, next: number, old: number, size: number): number {
  if (size !== SIGSET_BYTES) return -EINVAL;
  const { arch } = k;
  let wanted = null;
  if (next !== 0) {
    const bytes = new Uint8Array(arch.sigActionBytes);
    if (readBytes(k, t, next, bytes) < 0) return -EFAULT;
    wanted = arch.decodeSigAction(bytes);
  }
  if (!isSignal(signo) || (wanted !== null && (signo === SIGKILL || signo === SIGSTOP))) return -EINVAL;
  const action = t.sighand!.actions[signo];
  const before = { ...action };
  if (wanted !== null) {
    const mask = new SigSet();
    mask.set(wanted.maskLow, wanted.maskHigh);
    mask.andNot(UNBLOCKABLE_SIGNALS);
    action.handler = wanted.handler;
    action.flags = (wanted.flags & UAPI_SA_FLAGS) >>> 0;
    action.restorer = wanted.restorer;
    action.maskLow = mask.lo;
    action.maskHigh = mask.hi;
    // POSIX 3.3.1.3: a pending signal that is now ignored is discarded, blocked or not.
    if (action.handler === SIG_IGN || (action.handler === 0 && isIgnoredByDefault(signo))) {
      t.process.shared.discard(signo);
      for (const thread of t.process.threads) thread.pending.discard(signo);
    }
  }
  return old !== 0 ? writeBytes(k, t, old, arch.encodeSigAction(before)) : 0;
}

function rtSigprocmask(k: Kernel, t: Task, how: number, next: number, old: number, size: number): number {
  if (size !== SIGSET_BYTES) return -EINVAL;
  const before = t.sigmask.clone();
  if (next !== 0) {
    const set = readSigSet(k, t, next);
    if (typeof set === 'number') return set;
    const mask = before.clone();
    if (how === SIG_BLOCK) mask.or(set);
    else if (how === SIG_UNBLOCK) mask.andNot(set);
    else if (how === SIG_SETMASK) mask.copyFrom(set);
    else return -EINVAL;
    setMask(t, mask);
  }
  return old !== 0 ? writeSigSet(k, t, old, before) : 0;
}

function rtSigpending(k: Kernel, t: Task, address: number, size: number): number {
  if (size > SIGSET_BYTES) return -EINVAL;
  const set = t.pending.set.clone();
  set.or(t.process.shared.set);
  const unblocked = set.clone();
  unblocked.andNot(t.sigmask);
  set.andNot(unblocked);
  return writeSigSet(k, t, address, set);
}

function rtSigsuspend(k: Kernel, t: Task, address: number, size: number): number {
  if (t.wait === null) {
    if (size !== SIGSET_BYTES) return -EINVAL;
    const set = readSigSet(k, t, address);
    if (typeof set === 'number') return set;
    t.savedMask = t.sigmask.clone();
    setMask(t, set);
  }
  return k.block(t, { queues: [], deadlineNs: Number.POSITIVE_INFINITY, onSignal: ERESTARTNOHAND, data: [] });
}

function rtSigtimedwait(k: Kernel, t: Task, set: number, info: number, timeout: number, size: number): number {
  if (size !== SIGSET_BYTES) return -EINVAL;
  const these = readSigSet(k, t, set);
  if (typeof these === 'number') return these;
  these.andNot(UNBLOCKABLE_SIGNALS);
  let deadlineNs = t.wait?.deadlineNs ?? Number.POSITIVE_INFINITY;
  if (t.wait === null && timeout !== 0) {
    const ns = readTimespecNs(k, t, timeout);
    if (ns < 0) return ns;
    deadlineNs = k.clock.nowNs + ns;
  }
  const blocked = new SigSet();
  blocked.set(~these.lo, ~these.hi);
  if (t.realMask !== null) {
    t.sigmask.copyFrom(t.realMask);
    t.realMask = null;
  }
  const found = dequeueSignal(k, t, blocked);
  if (found !== null) {
    if (info !== 0 && writeBytes(k, t, info, k.arch.encodeSiginfo(found)) < 0) return -EFAULT;
    return found.signo;
  }
  if (t.wait?.woken === 'timeout' || deadlineNs <= k.clock.nowNs) return -EAGAIN;
  // The awaited signals wake the task although they are blocked; sig_ignored looks at realMask.
  const real = t.sigmask.clone();
  t.sigmask.andNot(these);
  t.realMask = real;
  const r = k.block(t, { queues: [], deadlineNs, onSignal: EINTR, data: [] });
  if (r === -EINTR) {
    t.sigmask.copyFrom(real);
    t.realMask = null;
  }
  return r;
}

/** do_sigaltstack. */
function setAltStack(
  t: Task,
  sp: number,
  next: { address: number; flags: number; sizeBytes: number },
  min: number,
): number {
  if (isOnAltStack(t.altstack, sp)) return -EPERM;
  const mode = (next.flags & ~SS_AUTODISARM) >>> 0;
  if (mode !== SS_DISABLE && mode !== SS_ONSTACK && mode !== 0) return -EINVAL;
  if (mode === SS_DISABLE) {
    t.altstack.address = 0;
    t.altstack.sizeBytes = 0;
  } else {
    if (next.sizeBytes < min) return -ENOMEM;
    t.altstack.address = next.address;
    t.altstack.sizeBytes = next.sizeBytes;
  }
  t.altstack.flags = next.flags >>> 0;
  return 0;
}

function sigaltstack(k: Kernel, t: Task, next: number, old: number): number {
  const word = k.arch.wordBytes;
  const sp = k.arch.sp(k.registersOf(t));
  const before = { ...t.altstack };
  const flags =
    (before.sizeBytes === 0 ? SS_DISABLE : isOnAltStack(before, sp) ? SS_ONSTACK : 0) | (before.flags & SS_AUTODISARM);
  if (next !== 0) {
    const bytes = new Uint8Array(word * 3);
    if (readBytes(k, t, next, bytes) < 0) return -EFAULT;
    const view = new DataView(bytes.buffer);
    const long = (at: number): number =>
      view.getUint32(at, true) + (word === 8 ? view.getUint32(at + 4, true) * 2 ** 32 : 0);
    const wanted = { address: long(0), flags: view.getUint32(word, true), sizeBytes: long(word * 2) };
    const failed = setAltStack(t, sp, wanted, MINSIGSTKSZ);
    if (failed < 0) return failed;
  }
  if (old === 0) return 0;
  const bytes = new Uint8Array(word * 3);
  const view = new DataView(bytes.buffer);
  const put = (at: number, value: number): void => {
    view.setUint32(at, value >>> 0, true);
    if (word === 8) view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
  };
  put(0, before.address);
  view.setUint32(word, flags >>> 0, true);
  put(word * 2, before.sizeBytes);
  return writeBytes(k, t, old, bytes);
}

function rtSigreturn(k: Kernel, t: Task): number {
  t.restart = null;
  const registers = k.registersOf(t);
  const frame = k.arch.popSignalFrame(registers, userMemory(k, t));
  if (frame === null) {
    forceSignal(k, t, siginfo(SIGSEGV, SI_KERNEL));
    return NO_RESULT;
  }
  const mask = new SigSet();
  mask.set(frame.maskLow, frame.maskHigh);
  setMask(t, mask);
  // restore_altstack: what is wrong with it is nobody's business.
  setAltStack(t, k.arch.sp(registers), frame.stack, MINSIGSTKSZ);
  return NO_RESULT;
}

function restartSyscall(k: Kernel, t: Task): number {
  const { restart } = t;
  if (restart === null) return -EINTR;
  t.wait ??= { ...restart.wait, woken: 'signal' };
  const run = k.rows[restart.nr]?.run;
  if (run === null || run === undefined) return -EINTR;
  const { args } = restart;
  return run(k, t, args[0], args[1], args[2], args[3], args[4], args[5]);
}

/** kill_something_info. */
function kill(k: Kernel, t: Task, pid: number, signo: number): number {
  if (signo < 0 || signo > 64) return -EINVAL;
  const info = userInfo(t, signo);
  if (pid > 0) {
    const target = k.tasks.get(pid)?.process;
    return target === undefined ? -ESRCH : killProcess(k, t, target.pid, info);
  }
  if (pid === -0x8000_0000) return -ESRCH;
  const group = pid === 0 ? t.process.pgrp : -pid;
  let result = -ESRCH;
  let sent = false;
  for (const process of [...k.processes.values()]) {
    if (process.leader.kind === 'kthread') continue;
    if (pid === -1 ? process === t.process || t.pidNs.numberOf(process.pid) <= 1 : process.pgrp !== group) continue;
    const r = killProcess(k, t, process.pid, info);
    if (r === 0) sent = true;
    else if (pid !== -1 || r !== -EPERM) result = r;
  }
  return sent ? 0 : result;
}

function killProcess(k: Kernel, t: Task, pid: number, info: Siginfo): number {
  const target = k.processes.get(pid);
  if (target === undefined) return -ESRCH;
  const allowed = mayKill(t, target);
  if (allowed < 0) return allowed;
  return info.signo === 0 ? 0 : sendToProcess(k, target, info);
}

function tgkillTo(k: Kernel, t: Task, tgid: number, tid: number, info: Siginfo): number {
  const target = k.tasks.get(tid);
  if (target === undefined || (tgid > 0 && target.tgid !== tgid)) return -ESRCH;
  const allowed = mayKill(t, target.process);
  if (allowed < 0) return allowed;
  return info.signo === 0 ? 0 : sendToTask(k, target, info);
}

function tgkill(k: Kernel, t: Task, tgid: number, tid: number, signo: number): number {
  if (tgid <= 0 || tid <= 0 || signo < 0 || signo > 64) return -EINVAL;
  return tgkillTo(k, t, tgid, tid, userInfo(t, signo, SI_TKILL));
}

function tkill(k: Kernel, t: Task, tid: number, signo: number): number {
  if (tid <= 0 || signo < 0 || signo > 64) return -EINVAL;
  return tgkillTo(k, t, 0, tid, userInfo(t, signo, SI_TKILL));
}

/** copy_siginfo_from_user; `signo` null keeps the one that stands there. */
export function readInfo(k: Kernel, t: Task, address: number, signo: number | null): Siginfo | number {
  const bytes = new Uint8Array(128);
  if (readBytes(k, t, address, bytes) < 0) return -EFAULT;
  const info = k.arch.decodeSiginfo(bytes);
  return signo === null ? info : { ...info, signo };
}

/** Nobody may pretend to be the kernel or kill(2) (do_rt_sigqueueinfo). */
const mayQueue = (t: Task, info: Siginfo, pid: number): boolean =>
  (info.code < SI_USER && info.code !== SI_TKILL) || t.tgid === pid;

function rtSigqueueinfo(k: Kernel, t: Task, pid: number, signo: number, address: number): number {
  const info = readInfo(k, t, address, signo);
  if (typeof info === 'number') return info;
  if (!mayQueue(t, info, pid)) return -EPERM;
  if (signo < 0 || signo > 64) return -EINVAL;
  const target = k.tasks.get(pid)?.process;
  return target === undefined ? -ESRCH : killProcess(k, t, target.pid, info);
}

function rtTgsigqueueinfo(k: Kernel, t: Task, tgid: number, tid: number, signo: number, address: number): number {
  if (tgid <= 0 || tid <= 0) return -EINVAL;
  const info = readInfo(k, t, address, signo);
  if (typeof info === 'number') return info;
  if (!mayQueue(t, info, tid)) return -EPERM;
  if (signo < 0 || signo > 64) return -EINVAL;
  return tgkillTo(k, t, tgid, tid, info);
}

export const signalCalls: readonly SyscallRow[] = [
  row('rt_sigaction', ['sig', 'ptr', 'ptr', 'size'], rtSigaction),
  row('rt_sigprocmask', ['int', 'ptr', 'ptr', 'size'], rtSigprocmask),
  row('rt_sigpending', ['ptr', 'size'], rtSigpending),
  row('rt_sigsuspend', ['ptr', 'size'], rtSigsuspend),
  row('rt_sigtimedwait', ['ptr', 'ptr', 'ptr', 'size'], rtSigtimedwait),
  row('rt_sigreturn', [], rtSigreturn),
  row('rt_sigqueueinfo', ['pid', 'sig', 'ptr'], rtSigqueueinfo),
  row('rt_tgsigqueueinfo', ['pid', 'pid', 'sig', 'ptr'], rtTgsigqueueinfo),
  row('sigaltstack', ['ptr', 'ptr'], sigaltstack),
  row('restart_syscall', [], restartSyscall),
  row('kill', ['pid', 'sig'], kill),
  row('tkill', ['pid', 'sig'], tkill),
  row('tgkill', ['pid', 'pid', 'sig'], tgkill),
];
