import type { Kernel } from '../../kernel/kernel.ts';
import { PSS_UNIT, sizesOfSpace } from '../../kernel/procfs/smaps.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { commandOf } from '../command-line.ts';
import { pidOfSpace } from '../space-owner.ts';

/** The columns of procrank, in bytes. PSS is not rounded: each page counts by 1/4096 of a byte, as in smaps. */
export interface SampledProcess {
  readonly pid: number;
  readonly cmdline: string;
  readonly vss: number;
  readonly rss: number;
  readonly pss: number;
  readonly uss: number;
  readonly swap: number;
}

export interface MemorySample {
  readonly nowNs: number;
  readonly processes: readonly SampledProcess[];
}

/** What each process has now, as /proc/PID/smaps_rollup and statm say it. Processes that share a space are one, by their lowest pid. Changes nothing. */
export function sampleMemory(kernel: Kernel): MemorySample {
  const processes: SampledProcess[] = [];
  for (const space of kernel.mm.spaces) {
    const pid = pidOfSpace(kernel, space);
    if (pid === 0) continue;
    const { rss, pss, privateClean, privateDirty, swap } = sizesOfSpace(kernel.mm, space);
    const uss = privateClean + privateDirty;
    const vss = space.totalVm * PAGE_SIZE;
    processes.push({ pid, cmdline: commandOf(kernel, space, pid), vss, rss, pss: pss / PSS_UNIT, uss, swap });
  }
  return { nowNs: kernel.clock.nowNs, processes: processes.sort((a, b) => a.pid - b.pid) };
}
