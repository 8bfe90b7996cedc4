import type { Kernel } from '../kernel.ts';
import { makeRunnable } from '../scheduler.ts';
import { wakeForSignal } from '../signals/send.ts';
import type { Task } from '../task.ts';
import type { Cgroup } from './cgroup.ts';

/**
 * cgroup.freeze (6.18, kernel/cgroup/freezer.c): tasks are made to return to user mode and stay at its door until they are thawed or
 * killed.
 *
 *   freezePending --returnToUser (freezeNow)--> isFrozen: state 'S', on no queue --thaw--> runnable
 */

/** The cgroup, or one above it, is to be frozen. */
export function wantsFrozen(cgroup: Cgroup): boolean {
  for (let at: Cgroup | null = cgroup; at !== null; at = at.parent) if (at.wantsFreeze) return true;
  return false;
}

/** Write to cgroup.freeze (cgroup_freeze). */
export function setFreeze(k: Kernel, cgroup: Cgroup, freeze: 'freeze' | 'thaw'): void {
  cgroup.wantsFreeze = freeze === 'freeze';
  for (const each of cgroup.subtree()) updateFrozen(k, each);
}

/** A task came, went, or was frozen; or what is wanted changed: every task does what its cgroup wants (cgroup_update_frozen). */
export function updateFrozen(k: Kernel, cgroup: Cgroup): void {
  const wanted = wantsFrozen(cgroup);
  for (const task of cgroup.tasks) {
    if (task.kind !== 'user') continue;
    if (wanted && !task.isFrozen && !task.freezePending && !task.killed) {
      task.freezePending = true;
      wakeForSignal(k, task, 'normal');
    } else if (!wanted && (task.isFrozen || task.freezePending)) thaw(k, task);
  }
  for (let at: Cgroup | null = cgroup; at !== null && !at.isRoot; at = at.parent) noteFrozen(k, at);
}

/** At the door to user mode (do_freezer_trap). */
export function freezeNow(k: Kernel, task: Task): void {
  task.freezePending = false;
  task.isFrozen = true;
  task.state = 'S';
  updateFrozen(k, task.cgroup);
}

/** It goes on: thawed, killed, or moved to where nothing is frozen. */
export function thaw(k: Kernel, task: Task): void {
  task.freezePending = false;
  if (!task.isFrozen) return;
  task.isFrozen = false;
  makeRunnable(k, task);
}

/** A cgroup is frozen when it is to be, and each of its tasks and all below it is; one without tasks is at once. */
function noteFrozen(k: Kernel, cgroup: Cgroup): void {
  let isFrozen = wantsFrozen(cgroup);
  for (const each of cgroup.subtree()) {
    if (!isFrozen) break;
    for (const task of each.tasks) if (task.kind === 'user' && !task.isFrozen) isFrozen = false;
  }
  if (isFrozen === cgroup.isFrozen) return;
  cgroup.isFrozen = isFrozen;
  if (isFrozen) cgroup.frozenSinceNs = k.clock.nowNs;
  else cgroup.frozenNs += k.clock.nowNs - cgroup.frozenSinceNs;
  k.cgroups.notifier?.fileChanged(cgroup, 'cgroup.events');
}
