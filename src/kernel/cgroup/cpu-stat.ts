import type { Task } from '../task.ts';
import type { Cgroup, CgroupCpu } from './cgroup.ts';
import type { CgroupFileRow } from './file-row.ts';

/** The task ran its program for so long (cgroup_account_cputime_field). */
export function addUserTime(t: Task, ns: number): void {
  t.utimeNs += ns;
  t.cgroup.cpu.userNs += ns;
  if (t.nice > 0) t.cgroup.cpu.niceNs += ns;
}

/** The kernel worked for the task. */
export function addSystemTime(t: Task, ns: number): void {
  t.stimeNs += ns;
  t.cgroup.cpu.systemNs += ns;
}

export function addCpu(to: CgroupCpu, from: Readonly<CgroupCpu>): void {
  to.userNs += from.userNs;
  to.niceNs += from.niceNs;
  to.systemNs += from.systemNs;
}

/** cgroup_base_stat_cputime_show (6.18, kernel/cgroup/rstat.c). */
function readCpuStat(cgroup: Cgroup): string {
  const sum: CgroupCpu = { userNs: 0, niceNs: 0, systemNs: 0 };
  for (const each of cgroup.subtree()) addCpu(sum, each.cpu);
  const usec = (ns: number): number => Math.floor(ns / 1000);
  const { userNs, niceNs, systemNs } = sum;
  return [
    `usage_usec ${usec(userNs + systemNs)}`,
    `user_usec ${usec(userNs)}`,
    `system_usec ${usec(systemNs)}`,
    `nice_usec ${usec(niceNs)}`,
    '',
  ].join('\n');
}

/** Every cgroup has them, with the cpu controller or without; what the local one has is the controller's. */
export const CPU_STAT_FILES: readonly CgroupFileRow[] = [
  { name: 'cpu.stat', where: 'everywhere', mode: 0o444, read: (_k, cgroup) => readCpuStat(cgroup) },
  { name: 'cpu.stat.local', where: 'everywhere', mode: 0o444, read: () => '' },
];
