import type { Kernel } from './kernel.ts';
import type { Process } from './process.ts';
import { TIME_KINDS, type TimeKind, timesOf } from './process-times.ts';

/** What one process took, from its fork to its end or to now. The same for the same program, files, options and seed. */
export interface ProcessStats {
  readonly pid: number;
  /** Who made it; 1: it was started from outside. */
  readonly parentPid: number;
  /** The name that it had last (comm). */
  readonly name: string;
  readonly startNs: number;
  /** null: it had not ended. */
  readonly endNs: number | null;
  /**
   * Its virtual time, all threads together: running, making room or waiting for memory or swap, waiting for a disk, waiting for the
   * processor, sleeping of its own accord.
   */
  readonly time: Readonly<Record<`${TimeKind}Ns`, number>>;
  /** ru_minflt, ru_majflt. */
  readonly minorFaults: number;
  readonly majorFaults: number;
  readonly peakRssKb: number;
  /** Pages that its faults brought back from swap, and page-table entries of it that reclaim made lead to swap. */
  readonly swapIns: number;
  readonly swapOuts: number;
}

/** Ended processes that are kept one by one; what a run with more of them leaves out is counted. */
const MAX_ENDED_PROCESSES = 10_000;

/** The processes of a run: those that have ended, and how many more there were than are kept. */
export class EndedProcesses {
  readonly kept: ProcessStats[] = [];
  omitted = 0;

  add(stats: ProcessStats): void {
    if (this.kept.length < MAX_ENDED_PROCESSES) this.kept.push(stats);
    else this.omitted++;
  }
}

/** Of a process that is there, or is ending. */
export function collectProcessStats(k: Kernel, process: Process, endNs: number | null): ProcessStats {
  const { leader, threads } = process;
  const times = timesOf(k, process);
  const sum = (field: 'minflt' | 'majflt' | 'swapIns'): number =>
    threads.reduce((total, thread) => total + thread[field], process[field]);
  const time = Object.fromEntries(TIME_KINDS.map((kind, at) => [`${kind}Ns`, times[at]]));
  return {
    pid: process.pid,
    parentPid: process.makerPid,
    name: leader.comm,
    startNs: process.startTimeNs,
    endNs,
    time: time as Record<`${TimeKind}Ns`, number>,
    minorFaults: sum('minflt'),
    majorFaults: sum('majflt'),
    peakRssKb: Math.max(process.maxRssKb, (leader.space?.hiwaterRssPages ?? 0) * 4),
    swapIns: sum('swapIns'),
    swapOuts: process.swapOuts + (leader.space?.swapOuts ?? 0),
  };
}
