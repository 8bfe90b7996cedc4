import { EBUSY, ENODEV, EOPNOTSUPP } from '../../abi/errno.ts';
import type { Kernel } from '../kernel.ts';
import { movePsi } from '../psi/psi-feed.ts';
import type { Task } from '../task.ts';
import type { Cgroup } from './cgroup.ts';
import { followCgroup } from './cgroups.ts';
import { updateFrozen, wantsFrozen } from './freezer.ts';
import { chargePids } from './pids.ts';

/** Who is in which cgroup (6.18, kernel/cgroup/cgroup.c): tasks come by fork or by a move, and leave at exit. */

/** cgroup_update_populated: a cgroup has its first task, or lost its last. */
function updatePopulated(k: Kernel, cgroup: Cgroup, by: 1 | -1): void {
  for (let at: Cgroup | null = cgroup; at !== null; at = at.parent) {
    const was = at.isPopulated;
    at.populatedCount += by;
    if (was === at.isPopulated) return;
    k.cgroups.notifier?.fileChanged(at, 'cgroup.events');
  }
}

function enter(k: Kernel, task: Task, cgroup: Cgroup): void {
  task.cgroup = cgroup;
  movePsi(k, task, cgroup.psi);
  cgroup.tasks.add(task);
  if (cgroup.tasks.size === 1) updatePopulated(k, cgroup, 1);
}

function leave(k: Kernel, task: Task): void {
  const { cgroup } = task;
  if (!cgroup.tasks.delete(task)) return;
  if (cgroup.tasks.size === 0) updatePopulated(k, cgroup, -1);
}

/** cgroup_post_fork: the child is where it was charged. */
export function joinAtFork(k: Kernel, child: Task, cgroup: Cgroup): void {
  enter(k, child, cgroup);
  followCgroup(k.mm, child);
  if (wantsFrozen(cgroup)) child.freezePending = true;
}

/** cgroup_exit: it is in no list any more; its number counts until it is reaped (leavePids). */
export function leaveAtExit(k: Kernel, task: Task): void {
  const { cgroup } = task;
  leave(k, task);
  task.freezePending = false;
  updateFrozen(k, cgroup);
}

/** cgroup_release. */
export function leavePids(task: Task): void {
  chargePids(task.cgroup, -1);
}

/** cgroup_migrate_vet_dst: no processes where children compete for a domain controller. */
export function vetDestination(to: Cgroup): number {
  if (!to.isAlive) return -ENODEV;
  if (!to.domain.isValidDomain) return -EOPNOTSUPP;
  if (to.canBeThreadRoot || to.kind === 'threaded') return 0;
  return to.subtreeControl.size > 0 ? -EBUSY : 0;
}

/** cgroup_attach_task: moves the tasks; what they have charged stays where it is. 0 or -ERRNO. */
export function moveTasks(k: Kernel, tasks: readonly Task[], to: Cgroup): number {
  const refused = vetDestination(to);
  if (refused < 0) return refused;
  for (const task of tasks) {
    const from = task.cgroup;
    if (from === to || task.state === 'Z' || task.state === 'X') continue;
    chargePids(from, -1);
    chargePids(to, 1);
    leave(k, task);
    enter(k, task, to);
    followCgroup(k.mm, task);
    updateFrozen(k, from);
  }
  updateFrozen(k, to);
  return 0;
}
