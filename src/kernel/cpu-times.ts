import type { Process } from './process.ts';

export interface CpuTimes {
  readonly utimeNs: number;
  readonly stimeNs: number;
}

/** thread_group_cputime: the ended threads' and the living ones'. */
export function cpuTimesOf(process: Process): CpuTimes {
  let { utimeNs, stimeNs } = process;
  for (const thread of process.threads) {
    utimeNs += thread.utimeNs;
    stimeNs += thread.stimeNs;
  }
  return { utimeNs, stimeNs };
}
