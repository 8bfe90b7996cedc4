import { STALL_IO, STALL_MEMORY } from '../../mm/block/stall.ts';
import type { Kernel } from '../kernel.ts';
import { noteTime } from '../process-times.ts';
import type { Task } from '../task.ts';
import { PSI_IOWAIT, PSI_MEMSTALL, PSI_ONCPU, PSI_RUNNING, type PsiGroup } from './psi-group.ts';
import { noteGroupChange } from './psi-watch.ts';

/**
 * Tells a task's groups what it does now, if that has changed (psi_task_change): its own and all above it. Called where a task
 * begins or ends to run, sleep or live, which also splits its process's time; tasks of the kernel are never counted, for their waits are others'.
 */
export function feedPsi(k: Kernel, t: Task): void {
  if (t.kind === 'user') noteTime(k, t);
  const now = flagsOf(k, t);
  const before = t.psiFlags;
  if (now === before) return;
  t.psiFlags = now;
  // What it does as one: a task in memstall that runs is told apart from one that sleeps, so both flags go and come together.
  for (let group: PsiGroup | null = t.psi; group !== null; group = group.parent) changeGroup(k, group, before, now);
}

/** The task belongs to another group from now on (cgroup_move_task). */
export function movePsi(k: Kernel, t: Task, to: PsiGroup): void {
  const flags = t.psiFlags;
  for (let group: PsiGroup | null = t.psi; group !== null; group = group.parent) changeGroup(k, group, flags, 0);
  t.psi = to;
  for (let group: PsiGroup | null = to; group !== null; group = group.parent) changeGroup(k, group, 0, flags);
}

function changeGroup(k: Kernel, group: PsiGroup, clear: number, set: number): void {
  group.change(clear, set, k.clock.nowNs);
  if (group.monitor !== null) noteGroupChange(k, group, group.monitor);
}

function flagsOf(k: Kernel, t: Task): number {
  if (t.kind !== 'user') return 0;
  if (t.state === 'R') return PSI_RUNNING | (t === k.running ? PSI_ONCPU : 0) | (t.isInMemstall ? PSI_MEMSTALL : 0);
  if (t.state !== 'D') return 0;
  return ((t.stall & STALL_IO) !== 0 ? PSI_IOWAIT : 0) | ((t.stall & STALL_MEMORY) !== 0 ? PSI_MEMSTALL : 0);
}
