import { EINTR } from '../../abi/errno.ts';
import {
  CLD_STOPPED,
  CLD_TRAPPED,
  SA_NODEFER,
  SA_ONSTACK,
  SA_RESETHAND,
  SA_RESTART,
  SI_KERNEL,
  SIG_DFL,
  SIG_IGN,
  SIGKILL,
  SIGSEGV,
  SIGSTOP,
  SS_AUTODISARM,
  SS_DISABLE,
} from '../../abi/signal.ts';
import { EV_SIGNAL_DELIVER } from '../../base/event-kinds.ts';
import { COST_SIGNAL_NS } from '../../machine/cost-model.ts';
import { copyFromUser, copyToUser } from '../../mm/user-access.ts';
import { freezeNow } from '../cgroup/freezer.ts';
import { dumpCore } from '../coredump/coredump.ts';
import { exitGroup, exitTask } from '../exit.ts';
import type { Kernel } from '../kernel.ts';
import { isOrphanedGroup, notifyParentOfState } from '../notify-parent.ts';
import { stopForTracer, stopForTrap } from '../ptrace/stop.ts';
import type { AltStack, Task } from '../task.ts';
import { ERESTART_RESTARTBLOCK, ERESTARTNOHAND, ERESTARTNOINTR, ERESTARTSYS } from '../wait-state.ts';
import { dumpsCore, isIgnoredByDefault, stopsByDefault } from './defaults.ts';
import { dequeueSignal } from './dequeue.ts';
import { forceSignal, wakeForSignal } from './send.ts';
import type { SigAction } from './sighand.ts';
import { type Siginfo, siginfo } from './siginfo.ts';

/** Of a wait status (WCOREFLAG). */
const CORE_DUMPED = 0x80;

/**
 * arch_do_signal_or_restart and get_signal (6.18): called on the way to user mode for the current task whenever a signal waits
 * or the last system call asked for a restart. Afterwards the task may run, be stopped, or be gone (see task.state).
 */
export function handleSignals(k: Kernel, t: Task): void {
  for (;;) {
    if (t.killed || t.process.groupExit) {
      exitTask(k, t, t.process.groupExitCode);
      return;
    }
    if (t.stopPending) {
      joinStop(k, t);
      return;
    }
    if (t.freezePending) {
      freezeNow(k, t);
      return;
    }
    if (t.trace?.trapPending === true) {
      stopForTrap(k, t);
      return;
    }
    const info = dequeueSignal(k, t, t.sigmask);
    if (info === null) break;
    if (t.trace !== null && info.signo !== SIGKILL) {
      const point = { kind: 'signal', info } as const;
      stopForTracer(k, t, t.trace, { code: info.signo, info, point, why: CLD_TRAPPED });
      return;
    }
    if (actOnSignal(k, t, info) === 'done') return;
  }
  restartCall(k, t);
  if (t.savedMask !== null) {
    t.sigmask.copyFrom(t.savedMask);
    t.savedMask = null;
  }
}

/** What a signal does: 'next' where that is nothing, 'done' where a handler runs, or the task is stopped or gone. */
export function actOnSignal(k: Kernel, t: Task, info: Siginfo): 'next' | 'done' {
  const action = t.sighand!.actions[info.signo];
  if (action.handler === SIG_IGN) return 'next';
  if (action.handler !== SIG_DFL) {
    callHandler(k, t, info, action);
    return 'done';
  }
  if (isIgnoredByDefault(info.signo)) return 'next';
  if (stopsByDefault(info.signo)) {
    if (info.signo !== SIGSTOP && isOrphanedGroup(k, t.process.pgrp)) return 'next';
    tell(k, t, info);
    startStop(k, t, info.signo);
    return 'done';
  }
  tell(k, t, info);
  const isDumped = dumpsCore(info.signo) && dumpCore(k, t, info);
  exitGroup(k, t, info.signo | (isDumped ? CORE_DUMPED : 0));
  return 'done';
}

/** The interrupted system call goes on as if nothing had happened (no handler ran). */
function restartCall(k: Kernel, t: Task): void {
  const { restartResult, call } = t;
  t.restartResult = 0;
  if (restartResult === 0 || call === null) return;
  const number =
    restartResult === -ERESTART_RESTARTBLOCK ? (k.arch.syscallNumbers.get('restart_syscall') as number) : null;
  k.arch.rewindSyscall(k.registersOf(t), call.origLow, call.origHigh, number);
}

/** What the interrupted call does when a handler runs: -EINTR, or once more after the handler. */
function interruptCall(k: Kernel, t: Task, action: SigAction): void {
  const { restartResult, call } = t;
  t.restartResult = 0;
  if (restartResult === 0 || call === null) return;
  const registers = k.registersOf(t);
  const again =
    -restartResult === ERESTARTNOINTR || (-restartResult === ERESTARTSYS && (action.flags & SA_RESTART) !== 0);
  if (again) k.arch.rewindSyscall(registers, call.origLow, call.origHigh, null);
  else k.arch.setResult(registers, -EINTR);
}

export function isRestartCode(result: number): boolean {
  return (
    result === -ERESTARTSYS ||
    result === -ERESTARTNOINTR ||
    result === -ERESTARTNOHAND ||
    result === -ERESTART_RESTARTBLOCK
  );
}

function tell(k: Kernel, t: Task, info: Siginfo): void {
  if (k.events.enabled[EV_SIGNAL_DELIVER] !== 0) k.events.emit(EV_SIGNAL_DELIVER, t.tid, info.signo, info.code);
  k.tracer?.signalDelivered(t, info);
}

/** handle_signal. */
function callHandler(k: Kernel, t: Task, info: Siginfo, action: SigAction): void {
  tell(k, t, info);
  k.clock.charge(COST_SIGNAL_NS);
  interruptCall(k, t, action);
  const { signo } = info;
  const wanted: SigAction = { ...action };
  if ((action.flags & SA_RESETHAND) !== 0) action.handler = SIG_DFL;
  const mask = t.savedMask ?? t.sigmask;
  const registers = k.registersOf(t);
  const sp = k.arch.sp(registers);
  const onStack = isOnAltStack(t.altstack, sp);
  const useAlt = (wanted.flags & SA_ONSTACK) !== 0 && !onStack && hasAltStack(t.altstack);
  const stack = t.altstack;
  const pushed = k.arch.pushSignalFrame(registers, userMemory(k, t), {
    info,
    action: wanted,
    maskLow: mask.lo,
    maskHigh: mask.hi,
    stack: { ...stack },
    top: useAlt ? stack.address + stack.sizeBytes : sp,
    floor: onStack ? stack.address + 1 : 0,
    sigreturn: (t.space?.vdso ?? 0) + k.arch.vdso.sigreturnOffset,
  });
  if (!pushed) {
    // force_sigsegv: a SIGSEGV whose frame cannot be written ends the process.
    forceSignal(k, t, siginfo(SIGSEGV, SI_KERNEL), signo === SIGSEGV ? 'fatal' : 'handler');
    handleSignals(k, t);
    return;
  }
  if ((stack.flags & SS_AUTODISARM) !== 0) resetAltStack(stack);
  t.savedMask = null;
  t.sigmask.set(t.sigmask.lo | wanted.maskLow, t.sigmask.hi | wanted.maskHigh);
  if ((wanted.flags & SA_NODEFER) === 0) t.sigmask.add(signo);
}

export function userMemory(k: Kernel, t: Task) {
  const space = t.space!;
  return {
    read: (address: number, into: Uint8Array) => copyFromUser(k.mm, space, address, into) === into.length,
    write: (address: number, from: Uint8Array) => copyToUser(k.mm, space, address, from) === from.length,
  };
}

export function resetAltStack(stack: AltStack): void {
  stack.address = 0;
  stack.sizeBytes = 0;
  stack.flags = SS_DISABLE;
}

function hasAltStack(stack: AltStack): boolean {
  return stack.sizeBytes !== 0;
}

/** on_sig_stack: the stack grows down, so its first byte is outside. */
export function isOnAltStack(stack: AltStack, sp: number): boolean {
  if ((stack.flags & SS_AUTODISARM) !== 0) return false;
  return sp > stack.address && sp - stack.address <= stack.sizeBytes;
}

/** do_signal_stop: the whole group stops; each thread joins at its next return to user mode. */
function startStop(k: Kernel, t: Task, signo: number): void {
  const { process } = t;
  process.stopSignal = signo;
  for (const thread of process.threads) {
    if (thread === t || thread.state === 'T' || thread.state === 't' || thread.sighand === null) continue;
    thread.stopPending = true;
    wakeForSignal(k, thread, 'normal');
  }
  joinStop(k, t);
}

function joinStop(k: Kernel, t: Task): void {
  const { process } = t;
  t.stopPending = false;
  if (t.trace !== null) stopForTrap(k, t);
  else t.state = 'T';
  if (process.threads.some((thread) => thread.stopPending)) return;
  process.report = 'stopped';
  notifyParentOfState(k, process, CLD_STOPPED, process.stopSignal);
}
