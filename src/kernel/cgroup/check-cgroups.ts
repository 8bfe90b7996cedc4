import { assert } from '../../base/assert.ts';
import type { Kernel } from '../kernel.ts';
import type { Cgroup } from './cgroup.ts';

/** CG1 to CG5 of cgroup.ts, and what the pids controllers count, from the tasks that there are. */
export function checkCgroups(k: Kernel): void {
  const { root } = k.cgroups;
  // This runs at each trap of a test: most machines have the root alone.
  if (root.children.size === 0) return;
  const tasks = new Map<Cgroup, number>();
  for (const task of k.tasks.values()) {
    for (let at: Cgroup | null = task.cgroup; at !== null; at = at.parent) tasks.set(at, (tasks.get(at) ?? 0) + 1);
    if (task.state === 'Z' || task.state === 'X') continue;
    assert(task.cgroup.isAlive && task.cgroup.tasks.has(task), 'kernel/cgroup/cgroup.ts: CG1 a task is in its cgroup');
  }
  for (const cgroup of root.subtree()) {
    const { parent, children, memcg, pids, subtreeControl } = cgroup;
    for (const task of cgroup.tasks) {
      assert(task.cgroup === cgroup, 'kernel/cgroup/cgroup.ts: CG1 a cgroup has its tasks');
      assert(task.psi === cgroup.psi, 'kernel/cgroup/cgroup.ts: CG5 pressure is counted where the task is');
    }
    assert(cgroup.psi.parent === (parent?.psi ?? null), 'kernel/cgroup/cgroup.ts: CG5 pressure counts upwards');
    const populated = [...children.values()].filter((child) => child.isPopulated).length;
    assert(
      cgroup.populatedCount === populated + (cgroup.tasks.size > 0 ? 1 : 0),
      'kernel/cgroup/cgroup.ts: CG2 populatedCount',
    );
    for (const name of subtreeControl)
      assert(cgroup.hasController(name), 'kernel/cgroup/cgroup.ts: CG3 only what it has is handed down');
    if (parent === null) continue;
    const hasOwn = parent.subtreeControl.has('memory');
    assert(
      (memcg !== parent.memcg) === hasOwn,
      'kernel/cgroup/cgroup.ts: CG3 memory is charged where it is controlled',
    );
    assert((pids !== null) === parent.subtreeControl.has('pids'), 'kernel/cgroup/cgroup.ts: CG3 pids are counted');
    assert(
      !subtreeControl.has('memory') || cgroup.tasks.size === 0,
      'kernel/cgroup/cgroup.ts: CG4 no process where children compete',
    );
  }
}
