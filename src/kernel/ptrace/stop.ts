import {
  PTRACE_EVENT_STOP,
  PTRACE_EVENTMSG_SYSCALL_ENTRY,
  PTRACE_EVENTMSG_SYSCALL_EXIT,
  PTRACE_O_TRACESYSGOOD,
} from '../../abi/ptrace.ts';
import { CLD_STOPPED, CLD_TRAPPED, SIGTRAP } from '../../abi/signal.ts';
import type { Kernel } from '../kernel.ts';
import { notifyTracer } from '../notify-parent.ts';
import { makeRunnable } from '../scheduler.ts';
import { type Siginfo, siginfo } from '../signals/siginfo.ts';
import type { Task } from '../task.ts';
import type { StopPoint, TraceState } from './trace-state.ts';

/**
 * ptrace_stop (6.18, kernel/signal.c): the task stops for its tracer, which learns of it, and goes on at `point` when
 * PTRACE_CONT or another request lets it.
 *
 *   'R' --stopForTracer()--> 't' --resumeTracee()--> 'R' (resume-point.ts acts on the point)
 */
export function stopForTracer(
  k: Kernel,
  t: Task,
  trace: TraceState,
  stop: { code: number; info: Siginfo | null; point: StopPoint; why: number },
): void {
  trace.stopCode = stop.code;
  trace.lastInfo = stop.info;
  trace.isReported = false;
  trace.trapPending = false;
  trace.isListening = false;
  t.stopPoint = stop.point;
  t.stopSignal = 0;
  t.state = 't';
  notifyTracer(k, t, trace.tracer.process, stop.why, stop.code & 0x7f);
}

/** The siginfo of a stop that no signal made (ptrace_do_notify). */
function trapInfo(t: Task, code: number): Siginfo {
  return siginfo(SIGTRAP, code, { pid: t.tid, uid: t.cred.uid });
}

/** ptrace_event: a stop with SIGTRAP and the event's number. */
export function stopForEvent(k: Kernel, t: Task, event: number, message: number, point: StopPoint): void {
  const trace = t.trace!;
  const code = SIGTRAP | (event << 8);
  trace.message = message;
  stopForTracer(k, t, trace, { code, info: trapInfo(t, code), point, why: CLD_TRAPPED });
}

/** ptrace_report_syscall. */
export function stopForCall(k: Kernel, t: Task, when: 'call-enter' | 'call-exit'): void {
  const trace = t.trace!;
  const code = SIGTRAP | ((trace.options & PTRACE_O_TRACESYSGOOD) !== 0 ? 0x80 : 0);
  trace.message = when === 'call-enter' ? PTRACE_EVENTMSG_SYSCALL_ENTRY : PTRACE_EVENTMSG_SYSCALL_EXIT;
  stopForTracer(k, t, trace, { code, info: trapInfo(t, code), point: { kind: when }, why: CLD_TRAPPED });
}

/** do_jobctl_trap: a group stop, PTRACE_INTERRUPT, or the news that a group stop is over. */
export function stopForTrap(k: Kernel, t: Task): void {
  const trace = t.trace!;
  const groupSignal = t.process.stopSignal;
  if (trace.attach === 'attached') {
    stopForTracer(k, t, trace, { code: groupSignal, info: null, point: { kind: 'trap' }, why: CLD_STOPPED });
    return;
  }
  const code = (groupSignal === 0 ? SIGTRAP : groupSignal) | (PTRACE_EVENT_STOP << 8);
  const info = siginfo(groupSignal === 0 ? SIGTRAP : groupSignal, code, { pid: t.tid, uid: t.cred.uid });
  trace.message = 0;
  stopForTracer(k, t, trace, { code, info, point: { kind: 'trap' }, why: CLD_STOPPED });
}

/** The next of the stops that the end of a call brings, if one is left. */
export function takePendingStop(k: Kernel, t: Task): void {
  const { trace } = t;
  const next = trace?.pending.shift();
  if (trace === null || next === undefined || t.killed) return;
  if (next.kind === 'call-exit') stopForCall(k, t, 'call-exit');
  else stopForEvent(k, t, next.code, next.message, { kind: 'event' });
}

/** ptrace_resume and ptrace_detach: it runs again, with `signo` for what it stopped for (0: none). */
export function resumeTracee(k: Kernel, t: Task, signo: number): void {
  t.stopSignal = signo;
  if (t.trace !== null) {
    t.trace.lastInfo = null;
    t.trace.isReported = true;
    t.trace.isListening = false;
  }
  if (t.state === 't') makeRunnable(k, t);
}
