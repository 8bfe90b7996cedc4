import { SI_KERNEL, SIGKILL } from '../abi/signal.ts';
import {
  EV_FINISH_TASK_REAPING,
  EV_MARK_VICTIM,
  EV_SKIP_TASK_REAPING,
  EV_START_TASK_REAPING,
} from '../base/event-kinds.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import { MM_ANONPAGES, MM_FILEPAGES, MM_SHMEMPAGES, MM_SWAPENTS } from '../mm/address-space.ts';
import type { OomKiller } from '../mm/fault/waiter.ts';
import type { Memcg } from '../mm/memcg/memcg.ts';
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

/** The same for a limit of a memory cgroup (mem_cgroup_get_max); at least 1. */
function totalPagesOf(k: Kernel, memcg: Memcg): number {
  if (memcg.isRoot) return oomTotalPages(k);
  return Math.max(1, Math.min(oomTotalPages(k), memcg.memory.max + Math.min(memcg.swap.max, k.mm.swap.totalPages)));
}

/** oom_badness: resident pages, swap and page tables, shifted by oom_score_adj; -Infinity: never. */
export function oomBadness(k: Kernel, process: Process, totalPages = oomTotalPages(k)): number {
  const space = process.leader.space ?? process.threads.find((thread) => thread.space !== null)?.space;
  if (space === null || space === undefined || process === k.init || process.oomScoreAdj === -1000)
    return Number.NEGATIVE_INFINITY;
  const points = space.rssPages + space.rss[MM_SWAPENTS] + space.pgtablesBytes / PAGE_SIZE;
  return points + (process.oomScoreAdj * totalPages) / 1000;
}

/** Who can be killed where memory is short in `domain`: user processes that are charged to it or below. */
function* candidates(k: Kernel, domain: Memcg): Generator<Process> {
  for (const process of k.processes.values()) {
    if (process.isZombie || process.leader.kind !== 'user') continue;
    if (domain.isRoot || process.leader.cgroup.memcg.isWithin(domain)) yield process;
  }
}

/**
 * out_of_memory: kills the process with the most memory, or with vm.oom_kill_allocating_task the one that asks, if it may be killed.
 * Where `domain` is not the root, it is for the limit of that memory cgroup, and only in there. False when there is none to kill.
 */
export function outOfMemory(k: Kernel, asking: Process, domain: Memcg = k.mm.memcgs.root): boolean {
  let victim: Process | null = null;
  let worst = Number.NEGATIVE_INFINITY;
  const totalPages = totalPagesOf(k, domain);
  for (const process of candidates(k, domain)) {
    // One that is dying already will free its memory: wait for that.
    if (process.groupExit) return true;
    const points = oomBadness(k, process, totalPages);
    if (points > worst) {
      victim = process;
      worst = points;
    }
  }
  if (victim === null) {
    if (!domain.isRoot) k.log('Out of memory and no killable processes...');
    return false;
  }
  const mayTakeAsking = domain.isRoot && k.oomKillAllocatingTask !== 0;
  if (mayTakeAsking && oomBadness(k, asking) > Number.NEGATIVE_INFINITY) victim = asking;
  k.vmstat.oom_kill++;
  reportOom(k, asking, victim, domain);
  const group = oomGroupOf(victim.leader.cgroup.memcg, domain);
  kill(k, victim, domain.isRoot ? 'Out of memory' : 'Memory cgroup out of memory', asking);
  if (group !== null) killGroup(k, group, victim, asking);
  return true;
}

/** mem_cgroup_get_oom_group: the highest cgroup from the victim's up to the domain that is to go as a whole. */
function oomGroupOf(of: Memcg, domain: Memcg): Memcg | null {
  let group: Memcg | null = null;
  for (let memcg: Memcg | null = of; memcg !== null && !memcg.isRoot; memcg = memcg.parent) {
    if (memcg.oomGroup !== 0) group = memcg;
    if (memcg === domain) break;
  }
  return group;
}

/** oom_kill_memcg_member, for all but those that may not be killed. */
function killGroup(k: Kernel, group: Memcg, victim: Process, asking: Process): void {
  k.mm.memcgs.noteEvent(group, 'oom_group_kill');
  k.log(`Tasks in ${k.cgroups.cgroupOf(group).path} are going to be killed due to memory.oom.group set`);
  for (const process of [...candidates(k, group)])
    if (process !== victim && !process.groupExit && process.oomScoreAdj !== -1000)
      kill(k, process, 'Memory cgroup out of memory', asking);
}

/** __oom_kill_process. */
function kill(k: Kernel, victim: Process, why: string, asking: Process): void {
  const space = victim.leader.space;
  const kb = (pages: number): string => `${pages * 4}kB`;
  k.mm.memcgs.noteEvent(victim.leader.cgroup.memcg, 'oom_kill');
  k.log(
    `${why}: Killed process ${victim.pid} (${victim.leader.comm}) total-vm:${kb(space?.totalVm ?? 0)}, anon-rss:${kb(space?.rss[MM_ANONPAGES] ?? 0)}, file-rss:${kb(space?.rss[MM_FILEPAGES] ?? 0)}, shmem-rss:${kb(space?.rss[MM_SHMEMPAGES] ?? 0)}, UID:${victim.leader.cred.uid} pgtables:${Math.round((space?.pgtablesBytes ?? 0) / 1024)}kB oom_score_adj:${victim.oomScoreAdj}`,
  );
  if (k.events.enabled[EV_MARK_VICTIM] !== 0) tellVictim(k, victim);
  sendToProcess(k, victim, siginfo(SIGKILL, SI_KERNEL));
  if (victim !== asking) reap(k, victim);
}

/** oom:mark_victim, with everything in KiB (mark_oom_victim). */
function tellVictim({ events }: Kernel, { pid, leader, oomScoreAdj }: Process): void {
  const { rss, totalVm, pgtablesBytes } = leader.space ?? { rss: [0, 0, 0, 0], totalVm: 0, pgtablesBytes: 0 };
  const [file, anon, , shmem] = [...rss].map((pages) => pages * 4);
  const { uid } = leader.cred;
  events.emit(EV_MARK_VICTIM, pid, totalVm * 4, anon, file, shmem, uid, pgtablesBytes / 1024, oomScoreAdj);
}

/** oom_reaper: the victim's memory comes back at once, however long it takes to end; not where a process that lives shares it. */
function reap(k: Kernel, victim: Process): void {
  const space = victim.threads.find((thread) => thread.space !== null)?.space ?? null;
  if (space === null) return;
  for (const process of k.processes.values())
    if (!process.groupExit && process.threads.some((thread) => thread.space === space)) {
      if (k.events.enabled[EV_SKIP_TASK_REAPING] !== 0) k.events.emit(EV_SKIP_TASK_REAPING, victim.pid);
      return;
    }
  if (k.events.enabled[EV_START_TASK_REAPING] !== 0) k.events.emit(EV_START_TASK_REAPING, victim.pid);
  reapSpace(k.mm, space);
  if (k.events.enabled[EV_FINISH_TASK_REAPING] !== 0) k.events.emit(EV_FINISH_TASK_REAPING, victim.pid);
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
