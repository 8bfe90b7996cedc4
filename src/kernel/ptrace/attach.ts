import { EINVAL, EIO, EPERM } from '../../abi/errno.ts';
import {
  PTRACE_EVENT_CLONE,
  PTRACE_EVENT_FORK,
  PTRACE_EVENT_VFORK,
  PTRACE_O_EXITKILL,
  PTRACE_O_MASK,
  PTRACE_O_SUSPEND_SECCOMP,
} from '../../abi/ptrace.ts';
import { CLONE_PTRACE, CLONE_UNTRACED, CLONE_VFORK } from '../../abi/sched.ts';
import { SI_KERNEL, SIGCHLD, SIGKILL, SIGSTOP } from '../../abi/signal.ts';
import { mayAccessTask } from '../access-task.ts';
import { releaseProcess, releaseThread } from '../exit.ts';
import type { Kernel } from '../kernel.ts';
import { notifyParentOfExit } from '../notify-parent.ts';
import { makeRunnable } from '../scheduler.ts';
import { sendToTask, wakeForSignal } from '../signals/send.ts';
import { siginfo } from '../signals/siginfo.ts';
import type { Task } from '../task.ts';
import { resumeTracee } from './stop.ts';
import { TraceState } from './trace-state.ts';

/** Who traces whom (6.18, kernel/ptrace.c). */

function link(tracee: Task, trace: TraceState): void {
  tracee.trace = trace;
  trace.tracer.process.tracees.push(tracee);
}

/** __ptrace_unlink without what becomes of the tracee. */
export function unlinkTracee(tracee: Task): void {
  const { trace } = tracee;
  if (trace === null) return;
  const { tracees } = trace.tracer.process;
  const at = tracees.indexOf(tracee);
  if (at >= 0) tracees.splice(at, 1);
  tracee.trace = null;
}

/** check_ptrace_options: 0 or -EINVAL. */
export function checkOptions(options: number): number {
  return (options & ~PTRACE_O_MASK) !== 0 || (options & PTRACE_O_SUSPEND_SECCOMP) !== 0 ? -EINVAL : 0;
}

/** ptrace_traceme: by the task that made the caller. */
export function traceMe(k: Kernel, t: Task): number {
  if (t.trace !== null) return -EPERM;
  const { parent } = t.process;
  const maker = k.tasks.get(t.makerTid);
  const tracer = maker !== undefined && maker.process === parent ? maker : parent?.leader;
  if (tracer === undefined || tracer.kind === 'kthread') return -EPERM;
  const allowed = mayAccessTask(tracer, t, 'real');
  if (allowed < 0) return allowed;
  link(t, new TraceState(tracer, 'attached', 0));
  return 0;
}

/** ptrace_attach: PTRACE_ATTACH sends SIGSTOP; PTRACE_SEIZE stops nothing. */
export function attachTo(k: Kernel, t: Task, target: Task, how: 'attached' | 'seized', options: number): number {
  if (how === 'seized' && checkOptions(options) < 0) return -EIO;
  if (target.kind === 'kthread' || target.process === t.process || target.process === k.init) return -EPERM;
  const allowed = mayAccessTask(t, target, 'real');
  if (allowed < 0) return allowed;
  if (target.state === 'Z' || target.state === 'X' || target.trace !== null) return -EPERM;
  const trace = new TraceState(t, how, options);
  link(target, trace);
  if (how === 'attached') sendToTask(k, target, siginfo(SIGSTOP, SI_KERNEL));
  // A task that job control has stopped stops for its tracer instead.
  if (target.state === 'T') {
    trace.trapPending = true;
    makeRunnable(k, target);
  }
  return 0;
}

/** PTRACE_INTERRUPT: a stop is due at the next return to user mode, which comes now. */
export function interruptTracee(k: Kernel, target: Task): void {
  target.trace!.trapPending = true;
  if (target.trace!.isListening) resumeTracee(k, target, 0);
  else wakeForSignal(k, target, 'normal');
}

/** The child of a traced task, as the options and CLONE_PTRACE have it: which event the parent stops for, 0 none. */
export function inheritTrace(t: Task, child: Task, flags: number, exitSignal: number): number {
  const { trace } = t;
  if (trace === null || (flags & CLONE_UNTRACED) !== 0) return 0;
  let event = PTRACE_EVENT_FORK;
  if ((flags & CLONE_VFORK) !== 0) event = PTRACE_EVENT_VFORK;
  else if (exitSignal !== SIGCHLD) event = PTRACE_EVENT_CLONE;
  if (!trace.wants(event)) event = 0;
  if (event === 0 && (flags & CLONE_PTRACE) === 0) return 0;
  const own = new TraceState(trace.tracer, trace.attach, trace.options);
  link(child, own);
  if (trace.attach === 'seized') own.trapPending = true;
  else child.pending.set.add(SIGSTOP);
  return event;
}

/** ptrace_detach: the tracee goes on (or, if its group is stopped, stops) with `signo`. */
export function detach(k: Kernel, target: Task, signo: number): void {
  const wasStopped = target.state === 't';
  unlinkTracee(target);
  if (wasStopped) resumeTracee(k, target, signo);
  if (wasStopped && target.process.stopSignal !== 0 && target.stopPoint?.kind === 'trap') target.stopPending = true;
}

/** exit_ptrace: a tracer ends. Its tracees go on without it, or are killed (PTRACE_O_EXITKILL). */
export function exitTracer(k: Kernel, t: Task): void {
  for (const tracee of t.process.tracees.filter((each) => each.trace?.tracer === t)) {
    const mustDie = ((tracee.trace?.options ?? 0) & PTRACE_O_EXITKILL) !== 0;
    if (tracee.state === 'Z') {
      forgetDeadTracee(k, tracee);
      continue;
    }
    detach(k, tracee, 0);
    if (mustDie) sendToTask(k, tracee, siginfo(SIGKILL, SI_KERNEL));
  }
}

/** A zombie whose tracer has seen its end: its own parent may now (__ptrace_detach, wait_task_zombie). */
export function forgetDeadTracee(k: Kernel, tracee: Task): void {
  const { process } = tracee;
  const wasForeign = tracee.trace !== null && tracee.trace.tracer.process !== process.parent;
  unlinkTracee(tracee);
  if (!tracee.isLeader) {
    releaseThread(k, tracee);
    process.exitQueue.wakeAll();
    process.parent?.childQueue.wakeAll();
    return;
  }
  if (!process.isZombie || !wasForeign) return;
  if (notifyParentOfExit(k, process, tracee.exitSignal) === 'reap') releaseProcess(k, process);
}
