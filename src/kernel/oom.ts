import { SI_KERNEL, SIGKILL } from '../abi/signal.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import { MM_ANONPAGES, MM_FILEPAGES, MM_SHMEMPAGES, MM_SWAPENTS } from '../mm/address-space.ts';
import type { OomKiller } from '../mm/fault/waiter.ts';
import { reapSpace } from '../mm/ops/reap.ts';
import type { Kernel } from './kernel.ts';
import { reportOom } from './oom-report.ts';
import type { Process } from './process.ts';
import { sendToProcess } from './signals/send.ts';
import { siginfo } from './signals/siginfo.ts';

/** Memory and swap: what badness is measured against (constrained_alloc). */
export function oomTotalPages(k: Kernel): number {
  return k.mm.alloc.totalCount + k.mm.swap.totalPages;
}

/** oom_badness: resident pages, swap and page tables, shifted by oom_score_adj; -Infinity: never. */
export function oomBadness(k: Kernel, process: Process): number {
  const space = process.leader.space ?? process.threads.find((thread) => thread.space !== null)?.space;
  if (space === null || space === undefined || process === k.init || process.oomScoreAdj === -1000)
    return Number.NEGATIVE_INFINITY;
  const points = space.rssPages + space.rss[MM_SWAPENTS] + space.pgtablesBytes / PAGE_SIZE;
  return points + (process.oomScoreAdj * oomTotalPages(k)) / 1000;
}

/**
 * out_of_memory: kills the process with the most memory, or with vm.oom_kill_allocating_task the one that asks, if it may be killed.
 * False when there is none to kill.
 */
export function outOfMemory(k: Kernel, asking: Process): boolean {
  let victim: Process | null = null;
  let worst = Number.NEGATIVE_INFINITY;
  for (const process of k.processes.values()) {
    if (process.isZombie || process.leader.kind !== 'user') continue;
    // One that is dying already will free its memory: wait for that.
    if (process.groupExit) return true;
    const points = oomBadness(k, process);
    if (points > worst) {
      victim = process;
      worst = points;
    }
  }
  if (victim === null) return false;
  if (k.oomKillAllocatingTask !== 0 && oomBadness(k, asking) > Number.NEGATIVE_INFINITY) victim = asking;
  k.vmstat.oom_kill++;
  reportOom(k, asking, victim);
  const space = victim.leader.space;
  const kb = (pages: number): string => `${pages * 4}kB`;
  k.log(
    `Out of memory: Killed process ${victim.pid} (${victim.leader.comm}) total-vm:${kb(space?.totalVm ?? 0)}, anon-rss:${kb(space?.rss[MM_ANONPAGES] ?? 0)}, file-rss:${kb(space?.rss[MM_FILEPAGES] ?? 0)}, shmem-rss:${kb(space?.rss[MM_SHMEMPAGES] ?? 0)}, UID:${victim.leader.cred.uid} pgtables:${Math.round((space?.pgtablesBytes ?? 0) / 1024)}kB oom_score_adj:${victim.oomScoreAdj}`,
  );
  sendToProcess(k, victim, siginfo(SIGKILL, SI_KERNEL));
  if (victim !== asking) reap(k, victim);
  return true;
}

/** oom_reaper: the victim's memory comes back at once, however long it takes to end; not where a process that lives shares it. */
function reap(k: Kernel, victim: Process): void {
  const space = victim.threads.find((thread) => thread.space !== null)?.space ?? null;
  if (space === null) return;
  for (const process of k.processes.values())
    if (!process.groupExit && process.threads.some((thread) => thread.space === space)) return;
  reapSpace(k.mm, space);
}

/** For faults of the kernel in user memory, which cannot leave the system call for another task to run. */
export class KernelOomKiller implements OomKiller {
  private readonly k: Kernel;

  constructor(k: Kernel) {
    this.k = k;
  }

  makeRoom(): boolean {
    const asking = this.k.running?.process ?? null;
    return asking !== null && !asking.groupExit && outOfMemory(this.k, asking) && !asking.groupExit;
  }
}
