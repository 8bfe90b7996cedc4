import { CONTROLLERS } from '../cgroup/cgroup.ts';
import type { Kernel } from '../kernel.ts';
import { systemName } from '../system-name.ts';
import { uptimeNs } from '../time-namespace.ts';
import { ticks } from './text.ts';

/** The machine's own one-text files (fs/proc/{stat,uptime,loadavg,version,cmdline}.c, 6.18). */

/** Names of softirqs' columns are not shown; there are ten of them (NR_SOFTIRQS). */
const NR_SOFTIRQS = 10;

/** Runnable tasks, the running one included (nr_running). */
function runnableTasks(k: Kernel): number {
  let count = 0;
  for (const task of k.tasks.values()) if (task.state === 'R') count++;
  return count;
}

/**
 * /proc/stat (show_stat). All instructions are user mode's; what is neither those nor idle is the kernel's. Idle time in which
 * somebody sleeps for a device or for memory is iowait. No interrupts and no softirqs: devices end by timers.
 */
export function showStat(k: Kernel): string {
  const { idleNs, diskWaitNs, memoryWaitNs } = k.clock;
  const userNs = k.clock.retiredNs;
  const iowaitNs = diskWaitNs + memoryWaitNs;
  const systemNs = k.clock.nowNs - userNs - idleNs - iowaitNs;
  const times = `${ticks(userNs)} 0 ${ticks(systemNs)} ${ticks(idleNs)} ${ticks(iowaitNs)} 0 0 0 0 0\n`;
  const bootSeconds = Math.floor((k.realTimeNs - uptimeNs(k)) / 1e9);
  return (
    `cpu  ${times}cpu0 ${times}intr 0\nctxt ${k.contextSwitches}\nbtime ${bootSeconds}\n` +
    `processes ${k.forks}\nprocs_running ${runnableTasks(k)}\nprocs_blocked ${k.stalls.io}\n` +
    `softirq 0${' 0'.repeat(NR_SOFTIRQS)}\n`
  );
}

function seconds(ns: number): string {
  const hundredths = Math.floor(ns / 1e7);
  return `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')}`;
}

/** /proc/uptime: since boot, and of that idle. */
export function showUptime(k: Kernel): string {
  return `${seconds(uptimeNs(k))} ${seconds(k.clock.idleNs)}\n`;
}

/** /proc/version (linux_proc_banner). */
export function showVersion(k: Kernel): string {
  const { sysname, release, version } = systemName(k);
  return `${sysname} version ${release} (faultline@faultline) (TypeScript) ${version}\n`;
}

/** The kernel has no command line. */
export function showCmdline(): string {
  return '\n';
}

/** /proc/filesystems: what is mounted or always there; none of them needs a block device. */
export function showFilesystems(k: Kernel): string {
  const types = new Set(['sysfs', 'tmpfs', 'cgroup2', 'proc', 'devtmpfs', 'sockfs', 'pipefs', 'hugetlbfs']);
  for (const { superblock } of k.vfs.mounts.mounts) types.add(superblock.fsType);
  return [...types].map((type) => `nodev\t${type}\n`).join('');
}

/** /proc/cgroups (proc_cgroupstats_show): all controllers are on the one hierarchy, 0. */
export function showCgroups(k: Kernel): string {
  const count = [...k.cgroups.root.subtree()].length;
  const rows = CONTROLLERS.map((name) => `${name}\t0\t${count}\t1\n`);
  return `#subsys_name\thierarchy\tnum_cgroups\tenabled\n${rows.join('')}`;
}

/** /proc/cpuinfo: the architecture's text (c_show), one CPU. */
export function showCpuinfo(k: Kernel): string {
  return k.arch.cpuinfo(k.mm.format.name);
}

/** /proc/loadavg: averages, runnable/all tasks, last pid. */
export function showLoadavg(k: Kernel): string {
  let tasks = 0;
  for (const process of k.processes.values()) tasks += process.threads.length;
  const averages = k.loadAverage.text();
  return `${averages} ${runnableTasks(k)}/${tasks} ${k.lastPid}\n`;
}
