import type { Siginfo } from '../signals/siginfo.ts';
import type { Task } from '../task.ts';

/**
 * Where a traced task stopped, which is where it goes on: plain data, acted on at its next return to user mode
 * (resume-point.ts).
 *
 *   signal      get_signal, before `info` acts: the tracer may take it away, change it or let it act
 *   call-enter  a system call is decoded and has not begun
 *   call-exit   a system call has its result
 *   event       fork, vfork, clone, exec: `again` where the call itself is not done yet
 *   exit        do_exit, with everything still there
 *   trap        a group stop, or PTRACE_INTERRUPT
 */
export type StopPoint =
  | { readonly kind: 'signal'; info: Siginfo }
  | { readonly kind: 'call-enter' | 'call-exit' | 'event' | 'trap' }
  | { readonly kind: 'exit'; readonly status: number };

/** A stop that waits for the call's end: its code as the tracer sees it, and PTRACE_GETEVENTMSG's number. */
export interface PendingStop {
  readonly code: number;
  readonly message: number;
  readonly kind: 'call-exit' | 'event';
}

/**
 * What a traced task has on top (task_struct's ptrace fields; 6.18, kernel/ptrace.c).
 *
 * Invariants: TR1 task.trace.tracer lives, and task is in its tracees. TR2 A task in state 't' has a stop point.
 */
export class TraceState {
  tracer: Task;
  readonly attach: 'attached' | 'seized';
  /** PTRACE_O_*. */
  options: number;
  /** PTRACE_GETEVENTMSG. */
  message = 0;
  /** What wait reports (signal, and event << 8), while 't'. */
  stopCode = 0;
  /** The stop has not been waited for. */
  isReported = true;
  /** PTRACE_GETSIGINFO's; null in a group stop that was not seized. */
  lastInfo: Siginfo | null = null;
  /** PTRACE_SYSCALL: the next system call stops. */
  tracesCalls = false;
  /** PTRACE_INTERRUPT, a change of a group stop, or the first stop of a seized child: a stop is due. */
  trapPending = false;
  /** PTRACE_LISTEN: stopped for the tracer's requests no more, but not running either. */
  isListening = false;
  /** Stops that come at the end of the present call. */
  readonly pending: PendingStop[] = [];

  constructor(tracer: Task, attach: 'attached' | 'seized', options: number) {
    this.tracer = tracer;
    this.attach = attach;
    this.options = options;
  }

  /** ptrace_event_enabled. */
  wants(event: number): boolean {
    return (this.options & (1 << event)) !== 0;
  }
}
