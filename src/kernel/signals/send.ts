import { CAP_KILL } from '../../abi/capability.ts';
import { EAGAIN, EPERM, ESRCH } from '../../abi/errno.ts';
import { RLIMIT_SIGPENDING } from '../../abi/resource.ts';
import {
  CLD_CONTINUED,
  SI_KERNEL,
  SI_USER,
  SIG_DFL,
  SIG_IGN,
  SIGCONT,
  SIGKILL,
  SIGRTMIN,
  SIGSTOP,
} from '../../abi/signal.ts';
import { nsCapable } from '../credentials.ts';
import type { Kernel } from '../kernel.ts';
import { notifyParentOfState } from '../notify-parent.ts';
import { isReaper } from '../pid-namespace.ts';
import type { Process } from '../process.ts';
import { resumeTracee } from '../ptrace/stop.ts';
import { makeRunnable, wakeTask } from '../scheduler.ts';
import type { Task } from '../task.ts';
import { UNINTERRUPTIBLE } from '../wait-state.ts';
import { dumpsCore, isIgnoredByDefault, STOP_SIGNALS, stopsByDefault } from './defaults.ts';
import { hasPendingSignal } from './pending-test.ts';
import { type Siginfo, siginfo } from './siginfo.ts';

/**
 * Sending: __send_signal_locked and complete_signal (6.18, kernel/signal.c). A signal is queued on a task or on its process;
 * acting on it is deliver.ts's, at the receiver's next return to user mode.
 */
export function sendToTask(k: Kernel, target: Task, info: Siginfo): number {
  return send(k, target, info, 'task');
}

export function sendToProcess(k: Kernel, target: Process, info: Siginfo): number {
  return send(k, target.leader, info, 'process');
}

/** 0 if at least one process got it, else -ESRCH (or the last failure). */
export function sendToGroup(k: Kernel, pgrp: number, info: Siginfo): number {
  let result = -ESRCH;
  let sent = false;
  for (const process of [...k.processes.values()]) {
    if (process.pgrp !== pgrp || process.leader.kind === 'kthread' || process === k.init) continue;
    const r = info.signo === 0 ? 0 : sendToProcess(k, process, info);
    if (r === 0) sent = true;
    else result = r;
  }
  return sent ? 0 : result;
}

/** A signal of the kernel itself to every process of a group (terminal, orphaned groups). */
export function sendKernelSignalToGroup(k: Kernel, pgrp: number, signo: number): void {
  sendToGroup(k, pgrp, siginfo(signo, SI_KERNEL));
}

/** force_sig_info: cannot be ignored or blocked; a blocked or ignored one gets its default action. */
export function forceSignal(k: Kernel, target: Task, info: Siginfo, mode: 'handler' | 'fatal' = 'handler'): void {
  const { sighand } = target;
  if (sighand === null) return;
  const action = sighand.actions[info.signo];
  const isBlocked = target.sigmask.has(info.signo);
  if (isBlocked || action.handler === SIG_IGN || mode === 'fatal') {
    action.handler = SIG_DFL;
    if (isBlocked) target.sigmask.delete(info.signo);
  }
  target.pending.discard(info.signo);
  enqueue(k, target, info, 'task');
}

/** check_kill_permission. */
export function mayKill(sender: Task, target: Process): number {
  const from = sender.cred;
  const to = target.leader.cred;
  if (sender.process === target) return 0;
  if (from.euid === to.suid || from.euid === to.uid || from.uid === to.suid || from.uid === to.uid) return 0;
  return nsCapable(from, to.userNs, CAP_KILL) ? 0 : -EPERM;
}

export function userInfo(sender: Task, signo: number, code = SI_USER): Siginfo {
  return siginfo(signo, code, { pid: sender.pidNs.numberOf(sender.tgid), uid: sender.cred.uid });
}

function send(k: Kernel, target: Task, info: Siginfo, scope: 'task' | 'process'): number {
  const { process } = target;
  // Init and kernel threads have no default actions and install no handlers (SIGNAL_UNKILLABLE, PF_KTHREAD).
  if (target.kind === 'kthread' || process === k.init) return 0;
  if (process.isZombie || target.sighand === null) {
    if (scope === 'task' || process.isZombie) return 0;
    const living = process.threads.find((thread) => thread.sighand !== null);
    return living === undefined ? 0 : send(k, living, info, scope);
  }
  prepare(k, process, info.signo);
  if (isIgnored(target, info.signo)) return 0;
  // send_signal_locked: a sender whom the receiver cannot see has no number, and reaches the first process of a namespace.
  const isFromOutside = k.current !== null && info.code <= 0 && target.pidNs.numberOf(k.current.tid) === 0;
  if (isReaper(process) && isKeptFrom(target, info.signo, isFromOutside)) return 0;
  const told = target.cred.userNs.isInitial ? info : { ...info, uid: target.cred.userNs.uids.show(info.uid) };
  return enqueue(k, target, isFromOutside ? { ...told, pid: 0 } : told, scope);
}

/** prepare_signal: SIGCONT and the stop signals cancel each other. */
function prepare(k: Kernel, process: Process, signo: number): void {
  if (stopsByDefault(signo)) {
    process.shared.discard(SIGCONT);
    for (const thread of process.threads) thread.pending.discard(SIGCONT);
  } else if (signo === SIGCONT) {
    for (const stop of STOP_SIGNALS) {
      process.shared.discard(stop);
      for (const thread of process.threads) thread.pending.discard(stop);
    }
    continueProcess(k, process);
  }
}

function continueProcess(k: Kernel, process: Process): void {
  const wasStopped = process.stopSignal !== 0;
  process.stopSignal = 0;
  for (const thread of process.threads) {
    thread.stopPending = false;
    if (thread.state === 'T') makeRunnable(k, thread);
    // ptrace_trap_notify: a seized one is told that the stop is over, where it listens at once.
    const { trace } = thread;
    if (trace === null || trace.attach !== 'seized' || !wasStopped) continue;
    trace.trapPending = true;
    if (trace.isListening) resumeTracee(k, thread, 0);
  }
  if (!wasStopped) return;
  process.report = 'continued';
  notifyParentOfState(k, process, CLD_CONTINUED, SIGCONT);
}

/** sig_ignored: a blocked signal is kept, for its action may change. */
function isIgnored(target: Task, signo: number): boolean {
  // A tracer wants to see ignored signals too.
  if (target.trace !== null && signo !== SIGKILL) return false;
  if (target.sigmask.has(signo) || (target.realMask?.has(signo) ?? false)) return false;
  if (signo === SIGKILL || signo === SIGSTOP) return false;
  const handler = target.sighand?.actions[signo].handler ?? SIG_DFL;
  return handler === SIG_IGN || (handler === SIG_DFL && isIgnoredByDefault(signo));
}

/** sig_task_ignored of a process that is SIGNAL_UNKILLABLE: default actions do not reach it, but SIGKILL and SIGSTOP from outside. */
function isKeptFrom(target: Task, signo: number, isFromOutside: boolean): boolean {
  if (target.sighand?.actions[signo].handler !== SIG_DFL) return false;
  return !(isFromOutside && (signo === SIGKILL || signo === SIGSTOP));
}

function enqueue(k: Kernel, target: Task, info: Siginfo, scope: 'task' | 'process'): number {
  const { process } = target;
  const pending = scope === 'task' ? target.pending : process.shared;
  // legacy_queue: a standard signal that is pending already is not queued again.
  if (info.signo < SIGRTMIN && pending.set.has(info.signo)) return 0;
  if (
    info.signo >= SIGRTMIN &&
    process.shared.queue.length + target.pending.queue.length >= process.rlimits[RLIMIT_SIGPENDING].soft
  ) {
    if (info.code !== SI_USER) return -EAGAIN;
  } else if (info.signo !== SIGKILL) pending.queue.push(info);
  const busy = process.threads.filter(hasPendingSignal);
  pending.set.add(info.signo);
  // signalfd_notify.
  target.sighand?.readers?.wakeAll();
  complete(k, target, info.signo, scope, busy);
  return 0;
}

/** complete_signal: who is to act, and the short cut of a fatal signal. `busy` had signals to act on before. */
function complete(k: Kernel, target: Task, signo: number, scope: 'task' | 'process', busy: readonly Task[]): void {
  const { process } = target;
  let receiver: Task | null = null;
  if (wants(k, target, signo, busy)) receiver = target;
  else if (scope === 'process') receiver = process.threads.find((thread) => wants(k, thread, signo, busy)) ?? null;
  if (receiver === null) return;
  const handler = receiver.sighand?.actions[signo].handler ?? SIG_DFL;
  const isFatal = signo === SIGKILL || (handler === SIG_DFL && !isIgnoredByDefault(signo) && !stopsByDefault(signo));
  const isWaitedFor = receiver.realMask?.has(signo) ?? false;
  if (
    isFatal &&
    !process.groupExit &&
    !isWaitedFor &&
    (signo === SIGKILL || (!dumpsCore(signo) && receiver.trace === null))
  ) {
    process.groupExit = true;
    process.groupExitCode = signo;
    process.stopSignal = 0;
    for (const thread of process.threads) killThread(k, thread);
    return;
  }
  wakeForSignal(k, receiver, signo === SIGKILL ? 'fatal' : 'normal');
}

/** The thread ends at its next return to user mode, and is made to return. */
export function killThread(k: Kernel, thread: Task): void {
  if (thread.state === 'Z' || thread.state === 'X') return;
  thread.killed = true;
  thread.stopPending = false;
  wakeForSignal(k, thread, 'fatal');
}

/** signal_wake_up_state. */
export function wakeForSignal(k: Kernel, task: Task, kind: 'fatal' | 'normal'): void {
  if (task.wait !== null && task.state !== 't') {
    if (kind === 'fatal' || task.wait.onSignal !== UNINTERRUPTIBLE) wakeTask(k, task, 'signal');
  } else if (kind === 'fatal' && (task.state === 'T' || task.state === 't' || task.isFrozen)) {
    task.isFrozen = false;
    makeRunnable(k, task);
  }
}

function wants(k: Kernel, task: Task, signo: number, busy: readonly Task[]): boolean {
  if (task.sighand === null || task.state === 'Z' || task.state === 'X') return false;
  if (task.sigmask.has(signo)) return false;
  if (signo === SIGKILL) return true;
  if (task.state === 'T' || task.state === 't') return false;
  return task === k.running || !busy.includes(task);
}
