import { EAGAIN } from '../../abi/errno.ts';
import type { Kernel } from '../kernel.ts';
import type { Cgroup } from './cgroup.ts';

/** The pids controller (6.18, kernel/cgroup/pids.c): tasks, zombies too, of a cgroup and all below it. */

function forEachAbove(cgroup: Cgroup, visit: (at: Cgroup) => void): void {
  for (let at: Cgroup | null = cgroup; at !== null; at = at.parent) if (at.pids !== null) visit(at);
}

/** pids_charge: whatever the limits are. */
export function chargePids(cgroup: Cgroup, tasks: number): void {
  forEachAbove(cgroup, ({ pids }) => {
    if (pids === null) return;
    pids.current += tasks;
    pids.peak = Math.max(pids.peak, pids.current);
  });
}

/** pids_can_fork: one more, or -EAGAIN where that is too many; the cgroup whose limit it is counts the event (pids_event). */
export function tryChargePid(k: Kernel, cgroup: Cgroup): number {
  for (let at: Cgroup | null = cgroup; at !== null; at = at.parent) {
    const { pids } = at;
    if (pids === null || pids.current + 1 <= pids.max) continue;
    if (pids.localEvents === 0) k.log(`cgroup: fork rejected by pids controller in ${at.path}`);
    pids.localEvents++;
    for (let above: Cgroup | null = at; above !== null; above = above.parent) {
      if (above.pids === null) continue;
      above.pids.events++;
      k.cgroups.notifier?.fileChanged(above, 'pids.events');
    }
    return -EAGAIN;
  }
  chargePids(cgroup, 1);
  return 0;
}

/** The controller is new here: it counts who is there. */
export function recountPids(cgroup: Cgroup): void {
  if (cgroup.pids === null) return;
  let tasks = 0;
  for (const each of cgroup.subtree()) tasks += each.tasks.size;
  cgroup.pids.current = tasks;
  cgroup.pids.peak = tasks;
}
