import { EINVAL, ERRNO_NAMES, ESRCH } from './abi/errno.ts';
import { SI_USER } from './abi/signal.ts';
import { RISCV64_PAGING } from './arch/riscv64/address-layout.ts';
import { riscv64Arch } from './arch/riscv64/arch.ts';
import { Riscv64Cpu } from './arch/riscv64/cpu.ts';
import { MACHINE_AREA_BYTES } from './arch/riscv64/layout.ts';
import { assert } from './base/assert.ts';
import { NOT_STATE } from './base/checkpointed.ts';
import { EVENT_KINDS, type EventName } from './base/event-kinds.ts';
import type { EventListener } from './base/events.ts';
import { EventSink } from './base/events.ts';
import { Rng } from './base/rng.ts';
import { Vmstat } from './base/vmstat.ts';
import { WakeList } from './base/wait-queue.ts';
import { DrivenProcess } from './driven-process.ts';
import { FsContext } from './fs/fs-context.ts';
import { makeInitialTree, readWholeFile, writeWholeFile } from './fs/initial-tree.ts';
import { resolve } from './fs/path.ts';
import { Vfs } from './fs/vfs.ts';
import { mountCgroupsAtBoot } from './kernel/cgroup/cgroupfs.ts';
import { checkCgroups } from './kernel/cgroup/check-cgroups.ts';
import { DEFAULT_BOOT_REAL_NS, DEFAULT_SLICE_NS, Kernel } from './kernel/kernel.ts';
import { mountProcfs } from './kernel/procfs/procfs.ts';
import { issued, type RunLimits, type RunPart, type RunStatus } from './kernel/run-loop.ts';
import { sendToProcess } from './kernel/signals/send.ts';
import { siginfo } from './kernel/signals/siginfo.ts';
import { Strace } from './kernel/strace.ts';
import { addSwapDevice, swapOn } from './kernel/swap-files.ts';
import { ALL_CALLS } from './kernel/syscalls/table.ts';
import { mountSysfs } from './kernel/sysfs/sysfs.ts';
import type { Task } from './kernel/task.ts';
import { VirtualClock } from './machine/clock.ts';
import { Ram } from './machine/ram.ts';
import { PAGE_SIZE, vaddr, vpnOf } from './machine/units.ts';
import { checkInvariants } from './mm/invariants.ts';
import { commitReserves, MemoryManager } from './mm/memory-manager.ts';
import { FaultInjector, type InjectCounts } from './mm/phys/inject.ts';
import { createPhysicalMemory } from './mm/physical-memory.ts';
import { policiesByName, RECLAIM_POLICIES } from './mm/reclaim/kinds.ts';
import { MAX_SWAP_SLOTS } from './mm/swap/entry.ts';
import { createVmaIndex } from './mm/vma-index/kinds.ts';
import { FaultDescriber, type FaultDescription, formatFault } from './observe/fault-trace.ts';
import { type LevelsReport, reportLevelsAtExit } from './observe/levels-at-exit.ts';
import { type PageView, viewPage } from './observe/page-view.ts';
import { peekMemory } from './observe/peek-memory.ts';
import type { Journal, MachineCall } from './observe/recording/journal.ts';
import { RecordingEnvironment } from './observe/recording/recording-environment.ts';
import { collectStats, type RunStats } from './observe/stats.ts';
import type { ExitStatus, MountOptions, SpawnRequest, SwapSource, SystemOptions } from './system-options.ts';

/** mkswap's least: ten pages; and what the kernel counts of an area (swap/entry.ts). */
const MIN_SWAP_BYTES = 40 * 1024;
const MAX_SWAP_BYTES = MAX_SWAP_SLOTS * PAGE_SIZE;
const MIN_MEMORY_BYTES = 4 * 2 ** 20;
/** Frames below this are the kernel image's: never allocated, and a bug that hands out frame 0 shows. */
const RESERVED_FRAMES = 16;

/**
 * A machine: RAM, a CPU, a kernel and its files. This constructor is the boot order.
 *
 *   const system = new System({ environment });
 *   system.mount({ host: '/tmp/hello', guest: '/hello', mode: 'ro' });
 *   const pid = system.spawn('/hello', ['/hello']);
 *   while (system.run({ instructions: 1e6 }) !== 'exited');
 *   system.exitStatus(pid);   // { code: 0, signal: null }
 *   system.shutdown();
 */
export class System {
  static readonly [NOT_STATE] = ['journal'];
  /** The kernel, for reading: tasks, memory manager, counters. */
  readonly kernel: Kernel;
  private readonly freeFramesAtBoot: number;
  private readonly injector: FaultInjector | null;
  private readonly journal: Journal | null;

  /** Throws RangeError, in one line, if the host cannot give the memory or the size is none that a machine can have. */
  constructor(options: SystemOptions) {
    const memoryBytes = options.memoryBytes ?? 256 * 2 ** 20;
    if (memoryBytes < MIN_MEMORY_BYTES) throw new RangeError(`${memoryBytes} bytes are too few; a machine needs 4M`);
    const ram = new Ram({ ramBytes: Math.floor(memoryBytes / 65536) * 65536, machineAreaBytes: MACHINE_AREA_BYTES });
    const { format, layout } = RISCV64_PAGING[options.paging ?? 'sv39'];
    const indexKind = options.vmaIndex ?? 'maple';
    const cpu = new Riscv64Cpu(ram, format, options.jit ?? 'on');
    const clock = new VirtualClock(cpu);
    const events = new EventSink(clock);
    const vmstat = new Vmstat();
    const wakeList = new WakeList();
    const seed = options.seed ?? 1;
    const journal = options.journal ?? null;
    this.journal = journal;
    const environment = journal === null ? options.environment : new RecordingEnvironment(options.environment, journal);

    this.injector = options.inject === undefined ? null : new FaultInjector(options.inject, seed);
    const reclaim = options.reclaim ?? RECLAIM_POLICIES[0];
    const physical = createPhysicalMemory({
      ram,
      vmstat,
      events,
      clock,
      // RISC-V has no DMA zone; RAM below 4 GiB is DMA32 (arch/riscv/mm/init.c, zone_sizes_init).
      zones: [{ name: 'DMA32', startPfn: 0, endPfn: ram.frameCount }],
      reservedFrames: RESERVED_FRAMES,
      injector: this.injector,
      disk: options.disk ?? 'nvme',
      reclaim: typeof reclaim === 'string' ? policiesByName(reclaim) : reclaim,
      wakeList,
    });
    const mm = new MemoryManager(
      { ram, format, mmu: cpu, clock, events, vmstat, ...physical },
      {
        layout,
        randomizeVaSpace: 2,
        rng: new Rng(seed),
        overcommitMemory: 0,
        overcommitRatio: 50,
        overcommitKbytes: 0,
        ...commitReserves(physical.alloc.freeCount),
        mmapMinAddrBytes: 65536,
        maxMapCount: 65530,
        stackGuardGapPages: 256,
        legacyVaLayout: false,
        createIndex: () => createVmaIndex(indexKind),
      },
    );
    mm.slab.shrink();
    this.freeFramesAtBoot = mm.alloc.freeCount;
    for (const { sizeBytes, count } of options.hugepages ?? []) fillPool(mm, sizeBytes, count);
    const vfs = new Vfs(mm, environment, wakeList, clock);
    this.kernel = new Kernel(
      {
        mm,
        vfs,
        arch: riscv64Arch(layout),
        cpu,
        clock,
        events,
        vmstat,
        environment,
        wakeList,
        calls: ALL_CALLS,
      },
      {
        bootRealNs: DEFAULT_BOOT_REAL_NS,
        clockSource: options.clock ?? 'virtual',
        rng: new Rng(seed ^ 0x5eed),
        sliceNs: DEFAULT_SLICE_NS,
      },
    );
    this.makeTree(options.root ?? null);
    this.checkEvery(options.invariants ?? 'never');
  }

  private checkEvery(when: 'never' | 'every-trap' | { readonly everyTraps: number }): void {
    if (when === 'never') return;
    const period = when === 'every-trap' ? 1 : when.everyTraps;
    if (!Number.isSafeInteger(period) || period < 1)
      throw new RangeError(`invariants: every ${period} traps is no period`);
    let left = period;
    this.kernel.afterTrap = () => {
      if (--left > 0) return;
      left = period;
      this.checkInvariants();
    };
  }

  /** The guest's folders: its own root in memory, or a host folder over it, and the kernel's file systems on top. */
  private makeTree(root: { readonly host: string } | null): void {
    const { vfs } = this.kernel;
    if (root === null) must(makeInitialTree(vfs), 'the root folder');
    else this.mountHost({ host: root.host, guest: '/', mode: 'overlay' });
    must(vfs.mountDev('/dev'), '/dev');
    must(vfs.mountTmpfs('/dev/shm'), '/dev/shm');
    must(vfs.mountTmpfs('/tmp'), '/tmp');
    must(mountProcfs(this.kernel), '/proc');
    must(mountSysfs(this.kernel), '/sys');
    must(mountCgroupsAtBoot(this.kernel), '/sys/fs/cgroup');
  }

  /** Creates or replaces a file of the guest: 0 or -ERRNO. */
  writeFile(path: string, bytes: Uint8Array, mode = 0o644): number {
    this.noteCall({ name: 'writeFile', path, mode }, bytes);
    return writeWholeFile(this.kernel.vfs, path, bytes, mode);
  }

  /** Makes a symbolic link of the guest at `path`: 0 or -ERRNO. */
  symlink(target: string, path: string): number {
    this.noteCall({ name: 'symlink', target, path });
    const { vfs } = this.kernel;
    const context = vfs.makeContext();
    const result = vfs.symlink(context, target, null, path);
    context.release();
    return result;
  }

  /** A file of the guest, whole, or -ERRNO. */
  readFile(path: string): Uint8Array | number {
    this.noteCall({ name: 'readFile', path });
    return readWholeFile(this.kernel.vfs, path);
  }

  /** Shows a host file or folder to the guest; throws RangeError, in one line, where it cannot. */
  mount(options: MountOptions): void {
    const { host, guest, mode } = options;
    this.noteCall({ name: 'mount', host, guest, mode });
    this.mountHost(options);
  }

  private mountHost(options: MountOptions): void {
    const result = this.kernel.vfs.mountHost(options.host, options.guest, options.mode);
    if (result < 0) throw new RangeError(`cannot mount ${options.host} at ${options.guest} (${ERRNO_NAMES[-result]})`);
  }

  /**
   * Gives the machine a swap area: so many bytes of memory outside of its RAM, as /dev/zramN; so many bytes of pages that are kept
   * compressed in its RAM, as /dev/zramN too; or a host file that mkswap was run on, which is mounted below /swap. Throws RangeError,
   * in one line, where it cannot.
   */
  addSwap(source: SwapSource): void {
    this.noteCall({ name: 'addSwap', source });
    let path: string | number;
    const sizeBytes = 'host' in source ? 0 : 'zramBytes' in source ? source.zramBytes : source.sizeBytes;
    if (!('host' in source)) {
      if (sizeBytes < MIN_SWAP_BYTES || sizeBytes > MAX_SWAP_BYTES)
        throw new RangeError(`${sizeBytes} bytes are no size of a swap area; it has 40K to less than 16T`);
      path = addSwapDevice(this.kernel, sizeBytes, 'zramBytes' in source ? 'zram' : 'host-memory');
    } else {
      path = `/swap/${this.kernel.swapFiles.users.length}`;
      this.mountHost({ host: source.host, guest: path, mode: 'rw' });
    }
    const context = this.kernel.vfs.makeContext();
    const result = typeof path === 'number' ? path : swapOn(this.kernel, context, path, 0);
    context.release();
    if (result >= 0) return;
    const name = 'host' in source ? source.host : `${sizeBytes} bytes`;
    const advice =
      result === -EINVAL ? 'is no swap area: run mkswap on it' : `cannot be used (${ERRNO_NAMES[-result]})`;
    throw new RangeError(`${name} ${advice}`);
  }

  /** 0 if the guest sees something at the path, else -ERRNO (-ENOENT ...). */
  access(path: string): number {
    this.noteCall({ name: 'access', path });
    const { rootPath } = this.kernel.vfs;
    const context = new FsContext(rootPath, rootPath);
    const found = resolve(context, null, path, 'follow');
    context.release();
    return typeof found === 'number' ? found : 0;
  }

  /** Starts a program with descriptors 0, 1, 2 of the environment: its pid, or -ERRNO of execve. */
  spawn(program: string, argv: readonly string[], request: SpawnRequest = {}): number {
    const { env = [], cwd = '/' } = request;
    this.noteCall({ name: 'spawn', program, argv, env, cwd });
    return this.kernel.spawn(program, argv, env, { cwd });
  }

  /** A process that the caller drives: no program runs in it. What it does is not part of a recording, so a recorded machine has none. */
  createProcess(name = 'driven'): DrivenProcess {
    if (this.journal !== null) throw new RangeError('a machine that is recorded cannot be driven');
    const task = this.kernel.createProcess({ comm: name });
    if (typeof task === 'number') throw new RangeError('the machine is out of memory');
    return new DrivenProcess(this.kernel, task);
  }

  /**
   * Runs until every program has ended ('exited'), about so many instructions retired ('budget'), or all wait for terminal input
   * ('idle-input': give the environment some and run again). With `idle: 'wait'` also 'idle-timer': all sleep, the first one
   * for idleNs(); let time pass with skipIdle().
   */
  run(limits: RunLimits & RunPart): RunStatus {
    this.noteCall({ name: 'run', limits });
    this.injector?.start();
    const status = this.kernel.run(limits);
    this.journal?.add({ op: 'ran', ran: { status, issued: this.issued, nowNs: this.kernel.clock.nowNs } });
    return status;
  }

  /** Instructions retired and traps so far: a point of the run. */
  get issued(): number {
    return issued(this.kernel);
  }

  private noteCall(call: MachineCall, bytes: Uint8Array = new Uint8Array(0)): void {
    this.journal?.add({ op: 'call', call, bytes });
  }

  /** Virtual ns until the next timer fires. */
  idleNs(): number {
    const { timers, clock } = this.kernel;
    return Math.max(0, timers.nextDeadlineNs - clock.nowNs);
  }

  /** After 'idle-timer': virtual time moves on by `ns`, at most to the next timer. */
  skipIdle(ns: number): void {
    this.noteCall({ name: 'skipIdle', ns });
    const { clock } = this.kernel;
    clock.skipTo(clock.nowNs + Math.min(ns, this.idleNs()));
  }

  /** How a spawned program ended; both null while it runs. */
  exitStatus(pid: number): ExitStatus {
    const status = this.kernel.spawnedStatus.get(pid);
    if (status === undefined || status === null) return { code: null, signal: null };
    const signal = status & 0x7f;
    return signal !== 0 ? { code: null, signal } : { code: (status >> 8) & 0xff, signal: null };
  }

  /** Sends a signal (Linux's number) from outside to a process, as kill(2) by the superuser: 0, or -ESRCH, -EINVAL. */
  sendSignal(pid: number, signo: number): number {
    this.noteCall({ name: 'sendSignal', pid, signo });
    const process = this.kernel.processes.get(pid);
    if (process === undefined) return -ESRCH;
    if (signo < 1 || signo > 64) return -EINVAL;
    return Math.min(0, sendToProcess(this.kernel, process, siginfo(signo, SI_USER)));
  }

  stats(host: { readonly wallMs: number }): RunStats {
    return collectStats(this.kernel, host.wallMs);
  }

  /** How often something was made to fail so far; null without `inject`. */
  get injected(): InjectCounts | null {
    return this.injector?.counts ?? null;
  }

  /** Raw events by name; `listener` must copy what it keeps. Returns the function that ends it. */
  on(names: readonly EventName[], listener: EventListener): () => void {
    const kinds = names.map((name) => EVENT_KINDS.findIndex((kind) => kind.name === name));
    return this.kernel.events.subscribe(kinds, listener);
  }

  /** Every page fault, described. Returns the function that ends it. */
  onFault(listener: (fault: FaultDescription) => void): () => void {
    return new FaultDescriber(this.kernel).subscribe(listener);
  }

  /** One line a fault, without a line end. */
  traceFaults(write: (line: string) => void): () => void {
    return this.onFault((fault) => write(formatFault(fault)));
  }

  /** What page tables each address space has when it ends, and would have with one to five levels. Returns the function that ends it. */
  onSpaceExit(listener: (report: LevelsReport) => void): () => void {
    return reportLevelsAtExit(this.kernel, listener);
  }

  /** One line a system call, in strace's format. */
  traceSyscalls(write: (line: string) => void): void {
    const { mm } = this.kernel;
    this.kernel.tracer = new Strace<Task>(write, (task) => (address, into) => {
      return task.space === null ? 0 : peekMemory(mm, task.space, vaddr(address), into);
    });
  }

  /** Resident bytes of a process's memory, from the front, without a fault; fewer than asked for where a page is not present. */
  readMemory(pid: number, address: number, lengthBytes: number): Uint8Array {
    const space = this.kernel.processes.get(pid)?.leader.space ?? null;
    const bytes = new Uint8Array(lengthBytes);
    return space === null
      ? bytes.subarray(0, 0)
      : bytes.subarray(0, peekMemory(this.kernel.mm, space, vaddr(address), bytes));
  }

  /** A page of a running process, from the mapping down to the page-table entry; null where there is no such process. */
  page(pid: number, address: number): PageView | null {
    const space = this.kernel.processes.get(pid)?.leader.space ?? null;
    return space === null ? null : viewPage(this.kernel.mm, space, vpnOf(vaddr(address)));
  }

  /** Recomputes counts, maps, reverse maps and resident sets from the page tables; throws KernelPanic that names what does not hold. */
  checkInvariants(): void {
    checkInvariants(this.kernel.mm);
    checkCgroups(this.kernel);
  }

  /**
   * Ends whatever still runs, writes back what belongs on the host and gives all memory back. `leakedFrames` is what is missing
   * against boot: 0, or the kernel has a bug.
   */
  shutdown(): { droppedFiles: string[]; hostErrors: readonly string[]; leakedFrames: number } {
    this.noteCall({ name: 'shutdown' });
    const { vfs, mm } = this.kernel;
    this.injector?.stop();
    mm.block.drain();
    // Open files end first: their last bytes count. The folders are gone after kernel.shutdown.
    this.kernel.endAll();
    const droppedFiles = vfs.droppedFiles();
    this.kernel.shutdown();
    for (const pool of mm.hugetlb.pools) pool.resize(0);
    mm.thp.releaseZeroPage();
    mm.ksm.release();
    mm.slab.shrink();
    return { droppedFiles, hostErrors: vfs.core.hostErrors, leakedFrames: this.freeFramesAtBoot - mm.alloc.freeCount };
  }
}

/** hugetlb_hstate_alloc_pages: throws RangeError, in one line, where the machine has no such size or too little memory. */
function fillPool(mm: MemoryManager, sizeBytes: number, count: number): void {
  const pool = mm.hugetlb.poolOfBytes(sizeBytes);
  const kib = `${sizeBytes / 1024} KiB`;
  if (pool === null) throw new RangeError(`there are no huge pages of ${kib} on this machine`);
  pool.resize(count);
  if (pool.totalPages === count) return;
  throw new RangeError(
    `${count} huge pages of ${kib} do not fit the machine's memory (${pool.totalPages} do): give it more`,
  );
}

function must(result: number, what: string): void {
  assert(result >= 0, `system.ts: ${what} is there at boot (error ${-result})`);
}
