/**
 * What the kernel tells a reader of system calls and signals (strace). A tracer never changes kernel or user state; with
 * `kernel.tracer === null` nothing is called. The order of calls for one task is the order in which the events happen.
 */
export interface TracedTask {
  readonly tid: number;
}

/** The fields of a siginfo that a reader may want; those that do not apply to the signal are 0. */
export interface TracedSignal {
  readonly signo: number;
  readonly code: number;
  readonly pid: number;
  readonly uid: number;
  readonly address: number;
  readonly status: number;
}

export interface Tracer<T extends TracedTask = TracedTask> {
  /** First run of a call only, not when it is run again after a block. `args` are the six decoded arguments. */
  syscallEnter(task: T, name: string, args: readonly number[]): void;
  /** The call has a result (a number or -ERRNO, the kernel's internal restart codes 512 to 516 included). */
  syscallExit(task: T, result: number): void;
  /** A signal is about to act: run a handler, or end the process. */
  signalDelivered(task: T, signal: TracedSignal): void;
  taskNew(parent: T, child: T): void;
  /** `status` is what wait4 reports: exit code times 256, or the signal number (or 0x80 when dumped). */
  taskExit(task: T, status: number): void;
}
