import type { Kernel } from '../kernel/kernel.ts';
import { collectProcessStats, type ProcessStats } from '../kernel/process-stats.ts';
import { nameOf } from '../kernel/syscalls/dispatch.ts';
import { FAULT_KINDS, type FaultKind } from '../mm/address-space.ts';

/** What a run did, in counters. All are exact and the same for the same program, files, options and seed, but for wallMs. */
export interface RunStats {
  /** Instructions retired in user mode, all processes. */
  readonly instructions: number;
  readonly virtualNs: number;
  /**
   * Its parts: somebody ran; one made room, or brought pages back from swap in memory, or all slept and some of them for that; all slept,
   * and some of them for the disk; nobody wanted to run.
   */
  readonly time: {
    readonly runningNs: number;
    readonly memoryNs: number;
    readonly diskNs: number;
    readonly idleNs: number;
  };
  /** Of /proc/pressure/memory: time in which some task, and in which all that were not idle, waited for memory. */
  readonly pressure: { readonly memorySomeNs: number; readonly memoryFullNs: number };
  /** Host time, given by the caller: nothing below cli/ reads a wall clock. */
  readonly wallMs: number;
  /** Linux's /proc/vmstat counters. */
  readonly pgfault: number;
  readonly pgmajfault: number;
  readonly faults: Readonly<Record<FaultKind, number>>;
  /** The largest resident set that one process reached, KiB (ru_maxrss). */
  readonly peakRssKb: number;
  /** The most RAM that page tables held at one time, all processes, KiB. */
  readonly pageTableKbPeak: number;
  readonly contextSwitches: number;
  readonly forks: number;
  /** TLB refills by a walk, and the page-table entries that the walks read. */
  readonly tlbMisses: number;
  readonly walkReferences: number;
  /** Calls by name, in the order of names. */
  readonly syscalls: Readonly<Record<string, number>>;
  /** Those of them that answered ENOSYS because they are not there. */
  readonly absentSyscalls: Readonly<Record<string, number>>;
  /** Pages written to swap and read from it (pswpout, pswpin), and pages of zeroes, which cost no slot's bytes. */
  readonly swap: { readonly outs: number; readonly ins: number; readonly zeroOuts: number; readonly zeroIns: number };
  /** Processes in the order of their starts; how many more there were, that ended after the first 10,000. */
  readonly processes: readonly ProcessStats[];
  readonly omittedProcesses: number;
}

export function collectStats(kernel: Kernel, wallMs: number): RunStats {
  const { mm, cpu, vmstat } = kernel;
  const { memoryWaitNs, diskWaitNs, idleNs, nowNs } = kernel.clock;
  const { psi } = kernel.cgroups.root;
  const { busyNs } = kernel.stalls;
  const faults = Object.fromEntries(FAULT_KINDS.map((kind, at) => [kind, mm.faultCounts[at]]));
  return {
    instructions: cpu.retired,
    virtualNs: nowNs,
    time: {
      runningNs: nowNs - memoryWaitNs - busyNs - diskWaitNs - idleNs,
      memoryNs: memoryWaitNs + busyNs,
      diskNs: diskWaitNs,
      idleNs,
    },
    pressure: {
      memorySomeNs: psi.totalNs('memory', 'some', nowNs),
      memoryFullNs: psi.totalNs('memory', 'full', nowNs),
    },
    wallMs,
    pgfault: vmstat.pgfault,
    pgmajfault: vmstat.pgmajfault,
    faults: faults as Record<FaultKind, number>,
    peakRssKb: mm.peakRssPages * 4,
    pageTableKbPeak: mm.pageTables.peakFrames * 4,
    contextSwitches: kernel.contextSwitches,
    forks: kernel.forks,
    tlbMisses: cpu.tlbMisses,
    walkReferences: cpu.walkReferences,
    syscalls: sortedCounts(kernel.syscallCounts.named((nr) => nameOf(kernel, nr))),
    absentSyscalls: sortedCounts(kernel.absentSyscalls),
    swap: { outs: vmstat.pswpout, ins: vmstat.pswpin, zeroOuts: vmstat.swpout_zero, zeroIns: vmstat.swpin_zero },
    processes: processesOf(kernel),
    omittedProcesses: kernel.endedProcesses.omitted,
  };
}

function processesOf(kernel: Kernel): ProcessStats[] {
  const living = [...kernel.processes.values()].filter(({ leader, isZombie }) => leader.kind === 'user' && !isZombie);
  const all = [...kernel.endedProcesses.kept, ...living.map((each) => collectProcessStats(kernel, each, null))];
  return all.sort((a, b) => a.startNs - b.startNs || a.pid - b.pid);
}

function sortedCounts(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
