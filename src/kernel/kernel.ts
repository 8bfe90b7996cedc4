import type { Arch } from '../arch/arch.ts';
import { NOT_STATE } from '../base/checkpointed.ts';
import type { EventSink } from '../base/events.ts';
import type { Rng } from '../base/rng.ts';
import { timespecOfNs } from '../base/timespec.ts';
import type { Vmstat } from '../base/vmstat.ts';
import { WaitQueue, type WakeList } from '../base/wait-queue.ts';
import { DEV_USERFAULTFD } from '../fs/char-devices.ts';
import type { File } from '../fs/file.ts';
import type { FsContext } from '../fs/fs-context.ts';
import type { Vfs } from '../fs/vfs.ts';
import type { VirtualClock } from '../machine/clock.ts';
import type { Cpu } from '../machine/cpu.ts';
import type { Environment } from '../machine/environment.ts';
import type { AddressSpace } from '../mm/address-space.ts';
import type { MemoryManager } from '../mm/memory-manager.ts';
import { exitSpace } from '../mm/ops/exit.ts';
import { CallCounts } from './call-counts.ts';
import type { CgroupSuperblock } from './cgroup/cgroupfs.ts';
import { Cgroups } from './cgroup/cgroups.ts';
import { CgroupNamespace } from './cgroup/namespace.ts';
import type { CoreSettings } from './coredump/coredump.ts';
import { DiskAlarm } from './disk-alarm.ts';
import { type DrivenOptions, spawnDriven } from './driven.ts';
import { FutexTable } from './futex.ts';
import { bootKernelTasks } from './init.ts';
import { IpcNamespace } from './ipc/namespace.ts';
import { adoptTerminal, KernelJobControl } from './job-control.ts';
import { KernelCaches } from './kernel-caches.ts';
import { Kswapd } from './kswapd.ts';
import { LoadAverage } from './load-average.ts';
import { MountNamespace } from './mount-namespace.ts';
import { NetNamespace } from './net-namespace.ts';
import { PidNamespace } from './pid-namespace.ts';
import type { Process } from './process.ts';
import { EndedProcesses } from './process-stats.ts';
import { PsiMonitors } from './psi/psi-watch.ts';
import { type RunLimits, type RunPart, type RunStatus, runMachine } from './run-loop.ts';
import { block } from './scheduler.ts';
import { endAllProcesses, shutdownKernel } from './shutdown.ts';
import { userMemory } from './signals/deliver.ts';
import { type SpawnOptions, spawnProgram } from './spawn.ts';
import { RunningMemstall, Stalls } from './stalls.ts';
import { SwapFiles } from './swap-files.ts';
import { type ArgWidth, argWidthsOf, type SyscallRow } from './syscalls/row.ts';
import type { Task } from './task.ts';
import { currentTime, TimeNamespace, timeDataOf } from './time-namespace.ts';
import { TimerHeap } from './timers.ts';
import type { Tracer } from './tracer.ts';
import { UserNamespace } from './user-namespace.ts';
import { UserfaultDriver } from './userfaultfd.ts';
import { UtsNamespace } from './uts-namespace.ts';
import { buildVdso, mapVdso, type VdsoMapping } from './vdso-mapping.ts';
import type { WaitRequest } from './wait-state.ts';

export interface KernelParts {
  readonly mm: MemoryManager;
  readonly vfs: Vfs;
  readonly arch: Arch;
  readonly cpu: Cpu;
  readonly clock: VirtualClock;
  readonly events: EventSink;
  readonly vmstat: Vmstat;
  readonly environment: Environment;
  readonly wakeList: WakeList;
  /** Every row that the kernel answers (syscalls/table.ts ALL_CALLS). */
  readonly calls: readonly SyscallRow[];
}

export interface KernelConfig {
  /** Wall-clock time of boot in ns since the epoch; DEFAULT_BOOT_REAL_NS keeps runs the same. */
  bootRealNs: number;
  clockSource: 'virtual' | 'host';
  /** AT_RANDOM and pids need none; getrandom has its own. */
  readonly rng: Rng;
  /** Length of a time slice in virtual time. */
  sliceNs: number;
}

/** 2026-01-01T00:00:00Z. */
export const DEFAULT_BOOT_REAL_NS = 1_767_225_600_000_000_000;
/** 4 ms: one tick of the 250 Hz that distributions build; the round-robin slice of SCHED_RR is longer, of CFS about this. */
export const DEFAULT_SLICE_NS = 4_000_000;

/**
 * The kernel of one machine: all state that is neither memory nor files. Operations are functions in their own files that
 * take the kernel first; the methods here are the surface for system.ts and the system calls.
 *
 * Invariants:
 *  K1 tasks holds every task that is not 'X'; processes every process with a task or a zombie leader.
 *  K2 pid 1 is init and pid 2 kthreadd: kernel tasks without user memory. Programs start behind the kernel threads, as on Linux, where no
 *     ordinary program is pid 1 (which signals' default actions would not reach).
 *  K3 current is the task whose registers are in the CPU, or null.
 */
export class Kernel {
  readonly mm: MemoryManager;
  readonly vfs: Vfs;
  readonly arch: Arch;
  readonly cpu: Cpu;
  readonly clock: VirtualClock;
  readonly events: EventSink;
  readonly vmstat: Vmstat;
  readonly environment: Environment;
  readonly config: KernelConfig;
  readonly wakeList: WakeList;
  readonly caches: KernelCaches;
  readonly tasks = new Map<number, Task>();
  readonly processes = new Map<number, Process>();
  readonly timers = new TimerHeap();
  readonly futexes = new FutexTable();
  /** The first one; which one a task is in, the task says. */
  readonly initialUser = new UserNamespace(null);
  readonly initialUts = new UtsNamespace(this.initialUser);
  readonly initialIpc = new IpcNamespace(this.initialUser);
  readonly ipcNamespaces = new Set([this.initialIpc]);
  /** Pages that a user has locked with SHM_LOCK, by uid (UCOUNT_RLIMIT_MEMLOCK). */
  readonly shmLockedPages = new Map<number, number>();
  readonly initialTime = new TimeNamespace(this.initialUser);
  readonly initialPid = new PidNamespace(null, this.initialUser);
  readonly initialNet: NetNamespace;
  readonly cgroups: Cgroups;
  readonly initialCgroup: CgroupNamespace;
  /** Made with the first mount. */
  cgroupfs: CgroupSuperblock | null = null;
  readonly initialMounts: MountNamespace;
  lastNamespace = 0;
  /** /proc/sys/kernel/random/boot_id: drawn once a boot. */
  readonly bootId = new Uint8Array(16);
  /** Tids, first in first run. */
  readonly runQueue: number[] = [];
  current: Task | null = null;
  /** current while it has the CPU: then it is in no queue, and a wake-up leaves it there. */
  running: Task | null = null;
  /** The task at the head of runQueue whose slice a limit of run() cut: it goes on with what is left. 0: none. */
  cutSliceTid = 0;
  /** The space that the CPU is set to (a kernel thread borrows it). */
  activeSpace: AddressSpace | null = null;
  /** pid 1. */
  init!: Process;
  lastPid = 0;
  /** User processes that are not reaped zombies: the run ends when it falls to 0. */
  liveProcesses = 0;
  /** Status of programs that were spawned from outside, by pid, as wait4 encodes it; null while one runs. */
  readonly spawnedStatus = new Map<number, number | null>();
  readonly rows: (SyscallRow | undefined)[] = [];
  /** How the six arguments of each row's call are decoded. */
  readonly argWidths: (readonly ArgWidth[] | undefined)[] = [];
  /** Which arguments of a call are numbers of processes; undefined: none. */
  readonly pidArguments: (readonly number[] | undefined)[] = [];
  readonly namesByNumber: (string | undefined)[] = [];
  readonly syscallCounts = new CallCounts();
  readonly absentSyscalls = new Map<string, number>();
  static readonly [NOT_STATE] = ['afterTrap', 'tracer'];
  tracer: Tracer<Task> | null = null;
  /** The last lines of the kernel log, as dmesg shows them without the time. */
  readonly dmesg: { timeNs: number; text: string }[] = [];
  readonly loadAverage = new LoadAverage();
  contextSwitches = 0;
  /** Times that the CPU came back from user mode, the ends of a budget among them. */
  traps = 0;
  forks = 0;
  vdso: VdsoMapping | null = null;
  /** Slots of fs_cache, by the context that lives in one. */
  readonly fsSlots = new Map<FsContext, number>();
  readonly coreSettings: CoreSettings = { pattern: 'core', usesPid: false };
  /** Host time of boot, with the host's clock; set at the first reading. */
  hostBootNs = 0;
  readonly swapFiles = new SwapFiles();
  readonly kswapd = new Kswapd(this);
  readonly stalls = new Stalls();
  readonly psiMonitors = new PsiMonitors();
  readonly endedProcesses = new EndedProcesses();
  flusherTid = 0;
  flusherArmed = false;
  /** When khugepaged scans next; Infinity: it waits for work. */
  khugepagedDeadlineNs = Number.POSITIVE_INFINITY;
  ksmdTid = 0;
  /** When ksmd scans next; Infinity: it waits for work. */
  ksmdDeadlineNs = Number.POSITIVE_INFINITY;
  /** sleep_millisecs when it went to sleep. */
  ksmdSleepMillisecs = 0;
  /** Processes driven from TypeScript: they count in liveProcesses but do not keep a run going. */
  drivenProcesses = 0;
  /** Wait queues that a timer wakes (timerfd), by id. */
  readonly timerQueues = new Map<number, WaitQueue>();
  lastTimerFile = 0;
  /** vm.oom_dump_tasks: not 0: the report of an OOM kill lists who has memory. */
  oomDumpTasks = 1;
  /** vm.oom_kill_allocating_task: not 0: who asks for the memory dies. */
  oomKillAllocatingTask = 0;
  /** vm.hugetlb_shm_group: a group whose members may make segments of huge pages. */
  hugetlbShmGroup = 0;
  /** vm.unprivileged_userfaultfd. */
  unprivilegedUserfaultfd: 0 | 1 = 0;
  /** Called after every trap; the test configuration checks invariants here. */
  afterTrap: (() => void) | null = null;
  /** What a driven task waits on: nothing ever wakes it. */
  readonly never: WaitQueue;

  constructor(parts: KernelParts, config: KernelConfig) {
    this.mm = parts.mm;
    this.vfs = parts.vfs;
    this.cgroups = new Cgroups(parts.mm);
    this.initialCgroup = new CgroupNamespace(this.cgroups.root, this.initialUser);
    this.initialNet = new NetNamespace(parts.vfs.core.sockets, this.initialUser);
    this.initialMounts = new MountNamespace(parts.vfs.mounts, this.initialUser);
    this.arch = parts.arch;
    this.cpu = parts.cpu;
    this.clock = parts.clock;
    this.events = parts.events;
    this.vmstat = parts.vmstat;
    this.environment = parts.environment;
    this.wakeList = parts.wakeList;
    this.config = config;
    this.never = new WaitQueue(parts.wakeList);
    for (const [name, nr] of parts.arch.syscallNumbers) this.namesByNumber[nr] = name;
    for (const row of parts.calls) {
      const nr = parts.arch.syscallNumbers.get(row.name);
      if (nr !== undefined) this.rows[nr] = row;
    }
    for (const { name, args, run, support, note } of parts.arch.ownCalls) {
      this.rows[parts.arch.syscallNumbers.get(name) as number] = {
        name,
        args,
        run: (k, t, ...values) => run(userMemory(k, t), values),
        support,
        note,
      };
    }
    this.rows.forEach((row, nr) => {
      if (row === undefined) return;
      this.argWidths[nr] = argWidthsOf(row);
      const pids = row.args.flatMap((kind, i) => (kind === 'pid' ? [i] : []));
      if (pids.length > 0) this.pidArguments[nr] = pids;
    });
    this.caches = new KernelCaches(parts.mm.slab);
    this.vfs.core.jobControl = new KernelJobControl(this);
    this.vfs.core.bootTime = timespecOfNs(config.bootRealNs);
    this.vdso = buildVdso(this);
    this.vfs.core.devices.register(DEV_USERFAULTFD, new UserfaultDriver(this));
    parts.mm.block.alarm = new DiskAlarm(this.timers);
    parts.mm.block.memstall = new RunningMemstall(this);
    bootKernelTasks(this);
  }

  /** Puts the calling task to sleep: BLOCKED, or -onSignal when a signal is to be handled first. See syscalls/row.ts. */
  block(task: Task, request: WaitRequest): number {
    return block(this, task, request);
  }

  /** The register file that holds the task's state now. */
  registersOf(task: Task): Uint32Array {
    return task === this.current ? this.cpu.registers : task.registers;
  }

  /** Starts a program in a new process of its own session with descriptors 0, 1, 2; its pid, or -ERRNO of execve. */
  spawn(program: string, argv: readonly string[], env: readonly string[], options: SpawnOptions): number {
    return spawnProgram(this, program, argv, env, options);
  }

  /** A process without a program, driven from TypeScript: never scheduled, with an empty space; or -ENOMEM. */
  createProcess(options: DrivenOptions): Task | number {
    return spawnDriven(this, options);
  }

  /** Runs until every process has ended, a limit is reached, or nothing can run before outside input comes. */
  run(limits: RunLimits & RunPart): RunStatus {
    return runMachine(this, limits);
  }

  /** Ends whatever still lives and gives back all that the kernel holds. */
  shutdown(): void {
    shutdownKernel(this);
    this.vfs.shutdown();
  }

  /** Kills and reaps every user process. */
  endAll(): void {
    endAllProcesses(this);
  }

  /** CLOCK_REALTIME in ns since the epoch. */
  get realTimeNs(): number {
    return this.config.clockSource === 'host'
      ? this.environment.hostTimeNs()
      : this.config.bootRealNs + Math.floor(this.clock.nowNs);
  }

  /** CLOCK_REALTIME, exact: a number of ns since the epoch has no room for single ns. */
  realTime(): { seconds: number; ns: number } {
    if (this.config.clockSource === 'host') {
      const now = this.environment.hostTimeNs();
      const seconds = Math.floor(now / 1e9);
      return { seconds, ns: Math.floor(now - seconds * 1e9) };
    }
    const up = Math.floor(this.clock.nowNs);
    const bootSeconds = Math.floor(this.config.bootRealNs / 1e9);
    return { seconds: bootSeconds + Math.floor(up / 1e9), ns: up % 1e9 };
  }

  /** CLOCK_MONOTONIC in ns. With the host's clock the time since the first reading passes as it does there. */
  monotonicNs(): number {
    if (this.config.clockSource !== 'host') return this.clock.nowNs;
    const now = this.environment.hostTimeNs();
    if (this.hostBootNs === 0) this.hostBootNs = now - this.clock.nowNs;
    return now - this.hostBootNs;
  }

  /** The terminal of a program's standard input becomes its controlling terminal. */
  adoptTerminal(task: Task, file: File): void {
    adoptTerminal(this, task, file);
  }

  mapVdso(space: AddressSpace): number {
    return mapVdso(this, space, timeDataOf(this, currentTime(this)));
  }

  /** A space whose last user went before it ran. */
  freeSpace(space: AddressSpace): void {
    exitSpace(this.mm, space);
  }

  log(text: string): void {
    this.dmesg.push({ timeNs: this.clock.nowNs, text });
    if (this.dmesg.length > 1000) this.dmesg.shift();
  }
}
