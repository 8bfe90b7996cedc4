import type { Kernel } from '../kernel/kernel.ts';
import { PSS_UNIT, sizesOfSpace } from '../kernel/procfs/smaps.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import { argumentsOf } from './command-line.ts';

/** What one process has of the machine's memory now; KiB. */
export interface ProcessMemory {
  readonly pid: number;
  readonly state: string;
  /** Mapped, resident, resident by its shares, resident and nobody else's (VmSize, Rss, Pss, Private_* of smaps). */
  readonly vssKb: number;
  readonly rssKb: number;
  readonly pssKb: number;
  readonly ussKb: number;
  readonly swapKb: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  /** Its command line, as far as it is resident; its name where it is not. */
  readonly command: string;
}

/** Bytes. */
const LONGEST_COMMAND = 200;

/** Every process with memory, the largest share first. Reads and changes nothing, so that it may be asked at any time of a run. */
export function collectProcessMemory(kernel: Kernel): ProcessMemory[] {
  const all: ProcessMemory[] = [];
  for (const { pid, leader, threads, minflt, majflt } of kernel.processes.values()) {
    const { space } = leader;
    if (space === null || leader.kind !== 'user') continue;
    const sizes = sizesOfSpace(kernel.mm, space);
    all.push({
      pid,
      state: leader.state,
      vssKb: (space.totalVm * PAGE_SIZE) / 1024,
      rssKb: sizes.rss / 1024,
      pssKb: Math.floor(sizes.pss / PSS_UNIT / 1024),
      ussKb: (sizes.privateClean + sizes.privateDirty) / 1024,
      swapKb: sizes.swap / 1024,
      minorFaults: threads.reduce((sum, thread) => sum + thread.minflt, minflt),
      majorFaults: threads.reduce((sum, thread) => sum + thread.majflt, majflt),
      command: printable(argumentsOf(kernel, space, LONGEST_COMMAND)) || leader.comm,
    });
  }
  return all.sort((a, b) => b.pssKb - a.pssKb || a.pid - b.pid);
}

/** Control characters would disturb a terminal. */
function printable(text: string): string {
  return [...text].map((letter) => (letter < ' ' || letter === '\x7f' ? '?' : letter)).join('');
}
