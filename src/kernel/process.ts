import type { WakeList } from '../base/wait-queue.ts';
import { WaitQueue } from '../base/wait-queue.ts';
import type { Tty } from '../fs/tty.ts';
import { DEFAULT_FILTER } from './coredump/core-file.ts';
import { newTimeSplit } from './process-times.ts';
import { PendingSignals } from './signals/pending.ts';
import type { Task } from './task.ts';
import type { UserNamespace } from './user-namespace.ts';

/** Index: RLIMIT_*; soft and hard in the limit's unit, Infinity is RLIM_INFINITY. */
export interface Rlimit {
  soft: number;
  hard: number;
}

/** setitimer's three: REAL, VIRTUAL, PROF. */
export interface IntervalTimer {
  /** REAL: virtual time since boot; VIRTUAL, PROF: process CPU time. 0: not armed. */
  expiresNs: number;
  intervalNs: number;
}

/** timer_create's. */
export interface PosixTimer {
  readonly id: number;
  readonly clockId: number;
  readonly notify: number;
  readonly signo: number;
  readonly valueLow: number;
  readonly valueHigh: number;
  /** SIGEV_THREAD_ID: the thread. */
  readonly tid: number;
  expiresNs: number;
  intervalNs: number;
  overrun: number;
  lastOverrun: number;
  /** Its signal is queued and not yet delivered. */
  pending: boolean;
}

/**
 * A thread group: signal_struct and what Linux keeps on the group leader. Plain data.
 *
 * Invariants:
 *  P1 threads holds the live and the not yet released tasks of the group, the leader included until it is reaped.
 *  P2 parent is never null but for init (pid 1) and kthreadd (pid 2).
 *  P3 A zombie is in its parent's children until it is waited for (or the parent ignores SIGCHLD).
 */
export class Process {
  readonly pid: number;
  readonly slot: number;
  /** The thread whose tid is the pid; after de_thread the caller of execve. */
  leader: Task;
  readonly threads: Task[] = [];
  parent: Process | null = null;
  readonly children: Process[] = [];
  /** Tasks that threads of this process trace (ptraced), in the order of attaching. */
  readonly tracees: Task[] = [];
  pgrp: number;
  session: number;
  /** Controlling terminal. */
  tty: Tty | null = null;
  /** WNOHANG's opposite: tids that wait for a child of this process to change. */
  readonly childQueue: WaitQueue;
  /** Woken when the process ends (pidfd poll). */
  readonly exitQueue: WaitQueue;

  readonly shared = new PendingSignals();
  readonly rlimits: Rlimit[];
  readonly itimers: IntervalTimer[] = [];
  readonly posixTimers: PosixTimer[] = [];
  nextTimerId = 0;

  /** exit_group or a fatal signal has begun: every thread ends with groupExitCode. */
  groupExit = false;
  /** As wait4 encodes it: code << 8, or the signal number. */
  groupExitCode = 0;
  /** All threads are gone; waits to be reaped. */
  isZombie = false;
  exitStatus = 0;
  /** The group is stopped by this signal; 0 if not. */
  stopSignal = 0;
  /** State change not yet reported to the parent: 'stopped', 'continued' or none. */
  report: 'none' | 'stopped' | 'continued' = 'none';
  hasExeced = false;
  isChildSubreaper = false;
  dumpable = 1;
  /** mm->user_ns: over whom one must have CAP_SYS_PTRACE to look into memory that is not dumpable; that of its last execve. */
  memoryUserNs: UserNamespace;
  /** /proc/PID/coredump_filter. Linux keeps it in the mm, which exec hands on. */
  coredumpFilter = DEFAULT_FILTER;
  /** /proc/PID/oom_score_adj. */
  oomScoreAdj = 0;

  /** Of ended threads; the living are summed at a reading. */
  utimeNs = 0;
  stimeNs = 0;
  minflt = 0;
  majflt = 0;
  nvcsw = 0;
  nivcsw = 0;
  /** Of children waited for. */
  cutimeNs = 0;
  cstimeNs = 0;
  cminflt = 0;
  cmajflt = 0;
  cnvcsw = 0;
  cnivcsw = 0;
  /** task_io_accounting: bytes and calls of read and write, all threads. */
  rchar = 0;
  wchar = 0;
  syscr = 0;
  syscw = 0;
  inblock = 0;
  oublock = 0;
  /** Peak RSS in KiB of ended spaces, and of the largest child. */
  maxRssKb = 0;
  cmaxRssKb = 0;
  startTimeNs = 0;
  /** Who made it: init for what is started from outside. */
  makerPid = 0;
  /** What its virtual time went into (process-times.ts). */
  readonly times = newTimeSplit();
  /** Pages that faults brought back from swap, of ended threads; entries that reclaim made lead to swap, of spaces that are gone. */
  swapIns = 0;
  swapOuts = 0;

  constructor(pid: number, slot: number, wakeList: WakeList, rlimits: readonly Rlimit[], memoryUserNs: UserNamespace) {
    this.pid = pid;
    this.slot = slot;
    this.leader = null as unknown as Task;
    this.memoryUserNs = memoryUserNs;
    this.pgrp = pid;
    this.session = pid;
    this.childQueue = new WaitQueue(wakeList);
    this.exitQueue = new WaitQueue(wakeList);
    this.rlimits = rlimits.map((limit) => ({ ...limit }));
    for (let i = 0; i < 3; i++) this.itimers.push({ expiresNs: 0, intervalNs: 0 });
  }
}
