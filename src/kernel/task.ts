import type { FsContext } from '../fs/fs-context.ts';
import type { AddressSpace } from '../mm/address-space.ts';
import type { Stall } from '../mm/block/stall.ts';
import { FaultWaiter } from '../mm/fault/waiter.ts';
import type { Mempolicy } from '../mm/mempolicy.ts';
import type { Cgroup } from './cgroup/cgroup.ts';
import type { CgroupNamespace } from './cgroup/namespace.ts';
import type { Credentials } from './credentials.ts';
import type { FileTable } from './file-table.ts';
import type { IpcNamespace } from './ipc/namespace.ts';
import type { SemUndoList } from './ipc/sem.ts';
import type { MountNamespace } from './mount-namespace.ts';
import type { NetNamespace } from './net-namespace.ts';
import type { PidNamespace } from './pid-namespace.ts';
import type { Process } from './process.ts';
import type { TimeKind } from './process-times.ts';
import type { PsiGroup } from './psi/psi-group.ts';
import type { StopPoint, TraceState } from './ptrace/trace-state.ts';
import { PendingSignals } from './signals/pending.ts';
import type { Sighand } from './signals/sighand.ts';
import { SigSet } from './signals/sigset.ts';
import type { TimeNamespace } from './time-namespace.ts';
import type { UtsNamespace } from './uts-namespace.ts';
import type { Wait } from './wait-state.ts';

/**
 *   'R' runnable or running --block()--> 'S' / 'D' --wakeTask()--> 'R'
 *   'R','S' --joinStop() (SIGSTOP..)--> 'T' --continueProcess()--> 'R'
 *   'R' --stopForTracer() (ptrace/stop.ts)--> 't' --resumeTracee()--> 'R'
 *   'R' --exitTask()--> 'Z' (leader, until reaped) --freeTask()--> 'X' (no longer in kernel.tasks)
 */
export type TaskState = 'R' | 'S' | 'D' | 'T' | 't' | 'Z' | 'X' | 'I';

/** sigaltstack's stack_t. */
export interface AltStack {
  address: number;
  flags: number;
  sizeBytes: number;
}

/** A system call that a signal interrupted and restart_syscall continues (ERESTART_RESTARTBLOCK). */
export interface RestartBlock {
  readonly nr: number;
  readonly args: readonly number[];
  readonly wait: Wait;
}

/** The call that a task is in: its number and decoded arguments, kept while it sleeps. */
export interface CurrentCall {
  nr: number;
  readonly args: number[];
  /** First-argument register words on entry, for restarts (orig_a0). */
  origLow: number;
  origHigh: number;
}

/**
 * task_struct: one thread. Plain data (decision D4).
 *
 * Invariants:
 *  T1 `registers` is the truth unless the task is kernel.current; then the CPU's register file is.
 *  T2 wait !== null exactly while a system call or a page fault sleeps, or is about to be tried again; call !== null but for
 *     the faults of the program itself.
 *  T3 A kernel thread has space = null and runs on kernel.activeSpace.
 */
export class Task {
  /** execve in a thread gives it the leader's. */
  tid: number;
  readonly slot: number;
  /** Slot of its struct pid, in the 'pid' cache. */
  pidSlot: number;
  process: Process;
  readonly registers: Uint32Array;
  /** null for kernel threads and after exit. */
  space: AddressSpace | null = null;
  files: FileTable | null = null;
  fs: FsContext | null = null;
  sighand: Sighand | null = null;
  cred: Credentials;
  /** At most 15 bytes. */
  comm: string;
  state: TaskState = 'R';
  /** Why it sleeps, and since when: written by setStall alone. */
  stall: Stall = 0;
  stalledSinceNs = 0;
  /** It runs, and for want of memory does nothing of its own. */
  isInMemstall = false;
  /** Time that it has slept for devices (delayacct blkio_delay). */
  blkioDelayNs = 0;
  /** Whose pressure it counts in, and what it is counted as (psi-feed.ts). */
  psi: PsiGroup;
  psiFlags = 0;
  /** What it does, and since when (process-times.ts); null: nothing yet, or no more. */
  timeKind: TimeKind | null = null;
  timeSinceNs = 0;
  /** On the run queue (or running). */
  queued = false;
  wait: Wait | null = null;
  /** What its page faults leave it to wait for. */
  waiter: FaultWaiter;
  call: CurrentCall | null = null;
  restart: RestartBlock | null = null;
  /** EV_SYS_EXIT and the tracer still owe an exit for this call. */
  inSyscall = false;

  readonly sigmask = new SigSet();
  /** sigsuspend, ppoll: the mask to restore when no handler runs. */
  savedMask: SigSet | null = null;
  /** sigtimedwait: the true mask, while sigmask lets the awaited signals through (real_blocked). */
  realMask: SigSet | null = null;
  /** Result of the last system call if it is an ERESTART* code that the return to user mode must act on; else 0. */
  restartResult = 0;
  readonly pending = new PendingSignals();
  readonly altstack: AltStack = { address: 0, flags: 2, sizeBytes: 0 };
  /** SIGKILL or a group exit is on its way: set by the sender, acted on at the next return to user mode. */
  killed = false;
  /** A group stop that this task has yet to join. */
  stopPending = false;
  /** Set by freezing operations of the kernel itself: exit_group code etc. live in process. */

  /** Being traced; null: not. */
  trace: TraceState | null = null;
  /** Where it stopped for its tracer, and the signal that it is to go on with. Outlives the tracer. */
  stopPoint: StopPoint | null = null;
  stopSignal = 0;
  /** PTRACE_EVENT_EXIT has been told. */
  exitTold = false;
  /** The task that made it (PTRACE_TRACEME's tracer). */
  makerTid = 0;

  /** set_mempolicy's; null: MPOL_DEFAULT. */
  mempolicy: Mempolicy | null = null;
  cgroup: Cgroup;
  cgroupNs: CgroupNamespace;
  /** cgroup.freeze: it is to stop at its next return to user mode, or has. */
  freezePending = false;
  isFrozen = false;
  /** Charged to it beyond memory.high since it last ran its program (memcg_nr_pages_over_high). */
  pagesOverHigh = 0;

  /** Its IPC namespace; null once it has ended (exit_task_namespaces). */
  ipc: IpcNamespace | null = null;
  net: NetNamespace;
  uts: UtsNamespace;
  /** The mounts that it sees; null once it has ended. */
  mounts: MountNamespace | null = null;
  /** Where it has its number, and where its children will. */
  pidNs: PidNamespace;
  pidNsForChildren: PidNamespace;
  /** The clocks that it reads, and those that its children will. */
  time: TimeNamespace | null = null;
  timeForChildren: TimeNamespace | null = null;
  /** What semop is to take back at its end (SEM_UNDO); shared with CLONE_SYSVSEM. */
  semUndo: SemUndoList | null = null;

  robustListHead = 0;
  clearChildTid = 0;
  setChildTid = 0;
  /** The child of vfork holds its parent's tid here until exec or exit; 0 none. */
  vforkParent = 0;
  /** exit_signal of clone; 0 none, -1 for threads. */
  exitSignal = 17;
  pdeathSignal = 0;

  /** Virtual time of the task: user instructions, and kernel costs charged on its behalf. */
  utimeNs = 0;
  stimeNs = 0;
  startTimeNs = 0;
  minflt = 0;
  majflt = 0;
  swapIns = 0;
  nvcsw = 0;
  nivcsw = 0;
  /** End of the current time slice. */
  sliceEndNs = 0;
  timerSlackNs = 50_000;

  policy = 0;
  nice = 0;
  rtPriority = 0;
  resetOnFork = false;
  personality = 0;
  noNewPrivs = false;
  exitCode = 0;
  /** PF_KTHREAD: body run by scheduler/kthreads. */
  readonly kind: 'user' | 'kthread' | 'driven';

  constructor(options: {
    tid: number;
    slot: number;
    pidSlot: number;
    process: Process;
    registerWords: number;
    cred: Credentials;
    comm: string;
    kind: 'user' | 'kthread' | 'driven';
    pidNs: PidNamespace;
    net: NetNamespace;
    cgroup: Cgroup;
    cgroupNs: CgroupNamespace;
    uts: UtsNamespace;
  }) {
    this.tid = options.tid;
    this.waiter = new FaultWaiter(options.tid);
    this.slot = options.slot;
    this.pidSlot = options.pidSlot;
    this.process = options.process;
    this.registers = new Uint32Array(options.registerWords);
    this.cred = options.cred;
    this.comm = options.comm;
    this.kind = options.kind;
    this.net = options.net;
    this.cgroup = options.cgroup;
    this.cgroupNs = options.cgroupNs;
    this.psi = options.cgroup.psi;
    this.uts = options.uts;
    this.pidNs = options.pidNs;
    this.pidNsForChildren = options.pidNs;
  }

  /** What events and messages call the task's process. */
  get tgid(): number {
    return this.process.pid;
  }

  get isLeader(): boolean {
    return this.process.pid === this.tid;
  }
}
