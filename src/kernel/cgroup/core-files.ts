import { CAP_DAC_OVERRIDE } from '../../abi/capability.ts';
import { EACCES, EINVAL, ENODEV, ENOENT, EOPNOTSUPP, ERANGE, ESRCH } from '../../abi/errno.ts';
import { SI_USER, SIGKILL } from '../../abi/signal.ts';
import { capable } from '../credentials.ts';
import type { Kernel } from '../kernel.ts';
import type { Process } from '../process.ts';
import { currentTask } from '../procfs/current-task.ts';
import { sendToProcess } from '../signals/send.ts';
import { siginfo } from '../signals/siginfo.ts';
import type { Task } from '../task.ts';
import { type Cgroup, CONTROLLERS, isThreaded } from './cgroup.ts';
import { type CgroupFileRow, limitText, parseInteger, parseLimit } from './file-row.ts';
import { setFreeze } from './freezer.ts';
import { moveTasks } from './membership.ts';

const INT_MAX = 0x7fff_ffff;

/** The pid as the reader's namespace has it; 0: it has none there. */
function numberFor(k: Kernel, tid: number): number {
  return currentTask(k)?.pidNs.numberOf(tid) ?? tid;
}

/** Processes whose domain the cgroup is, in the order of their coming (cgroup_procs_show). */
function readProcs(k: Kernel, cgroup: Cgroup): string | number {
  if (cgroup.kind === 'threaded') return -EOPNOTSUPP;
  const processes = new Set<Process>();
  const collect = (at: Cgroup): void => {
    for (const task of at.tasks) processes.add(task.process);
    for (const child of at.children.values()) if (child.kind === 'threaded') collect(child);
  };
  collect(cgroup);
  return [...processes].map(({ pid }) => `${numberFor(k, pid)}\n`).join('');
}

function readThreads(k: Kernel, cgroup: Cgroup): string {
  return [...cgroup.tasks].map(({ tid }) => `${numberFor(k, tid)}\n`).join('');
}

/** cgroup_procs_write_start: 0 is whoever writes. */
function findTask(k: Kernel, text: string): Task | number {
  const pid = parseInteger(text);
  if (pid === null || pid < 0 || pid > INT_MAX) return -EINVAL;
  const writer = currentTask(k);
  const tid = pid === 0 ? (writer?.tid ?? 0) : (writer?.pidNs.pidOf(pid) ?? pid);
  const task = k.tasks.get(tid);
  return task === undefined ? -ESRCH : task;
}

/** cgroup_procs_write_permission: who moves must be allowed to write cgroup.procs of what both ends lie in. */
function mayMove(k: Kernel, from: Cgroup, to: Cgroup): number {
  const writer = currentTask(k);
  const border = writer?.cgroupNs.root ?? k.cgroups.root;
  if (k.cgroups.options.nsdelegate && !(from.isWithin(border) && to.isWithin(border))) return -ENOENT;
  if (writer === null || capable(writer.cred, CAP_DAC_OVERRIDE)) return 0;
  let common = from;
  while (!to.isWithin(common) && common.parent !== null) common = common.parent;
  const { mode, uid, gid } = common.attributes.get('cgroup.procs') ?? {
    mode: 0o644,
    uid: common.ownerUid,
    gid: common.ownerGid,
  };
  const { cred } = writer;
  const bits = cred.fsuid === uid ? mode >> 6 : cred.fsgid === gid || cred.groups.includes(gid) ? mode >> 3 : mode;
  return (bits & 2) !== 0 ? 0 : -EACCES;
}

function writeProcs(k: Kernel, cgroup: Cgroup, text: string): number {
  if (!cgroup.isAlive) return -ENODEV;
  const task = findTask(k, text);
  if (typeof task === 'number') return task;
  if (task.kind === 'kthread') return -EINVAL;
  const { leader, threads } = task.process;
  return mayMove(k, leader.cgroup, cgroup) || moveTasks(k, threads, cgroup);
}

function writeThreads(k: Kernel, cgroup: Cgroup, text: string): number {
  if (!cgroup.isAlive) return -ENODEV;
  const task = findTask(k, text);
  if (typeof task === 'number') return task;
  if (task.kind === 'kthread') return -EINVAL;
  const denied = mayMove(k, task.cgroup, cgroup);
  if (denied < 0) return denied;
  // A thread stays in its process's domain.
  if (task.cgroup.domain !== cgroup.domain) return -EOPNOTSUPP;
  return moveTasks(k, [task], cgroup);
}

/** cgroup_type_show. */
function readType(_k: Kernel, cgroup: Cgroup): string {
  if (cgroup.kind === 'threaded') return 'threaded\n';
  if (!cgroup.isValidDomain) return 'domain invalid\n';
  return cgroup.isThreadRoot ? 'domain threaded\n' : 'domain\n';
}

/** cgroup_enable_threaded: there is no way back. */
function writeType(_k: Kernel, cgroup: Cgroup, text: string): number {
  if (text !== 'threaded') return -EINVAL;
  if (!cgroup.isAlive) return -ENODEV;
  if (cgroup.kind === 'threaded') return 0;
  if (cgroup.isPopulated || ![...cgroup.subtreeControl].every(isThreaded)) return -EOPNOTSUPP;
  const domain = (cgroup.parent as Cgroup).domain;
  if (!domain.isValidDomain || !domain.canBeThreadRoot) return -EOPNOTSUPP;
  cgroup.kind = 'threaded';
  return 0;
}

function readEvents(_k: Kernel, cgroup: Cgroup): string {
  return `populated ${cgroup.isPopulated ? 1 : 0}\nfrozen ${cgroup.isFrozen ? 1 : 0}\n`;
}

/** cgroup_stat_show (6.18). */
function readStat(k: Kernel, cgroup: Cgroup): string {
  const all = [...cgroup.subtree()];
  const having = CONTROLLERS.map((name) => {
    const count = cgroup.hasController(name) ? all.filter((each) => each.hasController(name)).length : 0;
    return `nr_subsys_${name} ${count}\n`;
  });
  const dying = k.cgroups.dyingBelow(cgroup);
  const gone = CONTROLLERS.map((name) => `nr_dying_subsys_${name} ${name === 'memory' ? dying.memcgs : 0}\n`);
  return `nr_descendants ${all.length - 1}\n${having.join('')}nr_dying_descendants ${dying.cgroups}\n${gone.join('')}`;
}

/** cgroup_local_stat_show. */
function readLocalStat(k: Kernel, cgroup: Cgroup): string {
  const now = cgroup.isFrozen ? k.clock.nowNs - cgroup.frozenSinceNs : 0;
  return `frozen_usec ${Math.floor((cgroup.frozenNs + now) / 1000)}\n`;
}

/** cgroup_kill: every process of it and below dies. */
function writeKill(k: Kernel, cgroup: Cgroup, text: string): number {
  const value = parseInteger(text);
  if (value === null) return -EINVAL;
  if (value !== 1) return -ERANGE;
  if (!cgroup.isAlive) return -ENODEV;
  if (cgroup.kind === 'threaded') return -EOPNOTSUPP;
  const processes = new Set<Process>();
  for (const each of cgroup.subtree()) for (const task of each.tasks) processes.add(task.process);
  for (const process of processes) sendToProcess(k, process, siginfo(SIGKILL, SI_USER));
  return 0;
}

function writeFreeze(k: Kernel, cgroup: Cgroup, text: string): number {
  const value = parseInteger(text);
  if (value === null) return -EINVAL;
  if (value < 0 || value > 1) return -ERANGE;
  if (!cgroup.isAlive) return -ENODEV;
  setFreeze(k, cgroup, value === 1 ? 'freeze' : 'thaw');
  return 0;
}

function limitRow(name: string, field: 'maxDepth' | 'maxDescendants'): CgroupFileRow {
  return {
    name,
    where: 'everywhere',
    mode: 0o644,
    read: (_k, cgroup) => `${limitText(cgroup[field])}\n`,
    write: (_k, cgroup, text) => {
      if (text !== 'max' && parseInteger(text) === null) return -EINVAL;
      const value = parseLimit(text);
      if (value === null || (value > INT_MAX && value !== Number.POSITIVE_INFINITY)) return -ERANGE;
      if (!cgroup.isAlive) return -ENODEV;
      cgroup[field] = value;
      return 0;
    },
  };
}

const words = (names: Iterable<string>): string => {
  const text = [...names].join(' ');
  return text === '' ? '' : `${text}\n`;
};

/** cgroup_base_files (6.18, kernel/cgroup/cgroup.c). */
export const CORE_FILES: readonly CgroupFileRow[] = [
  { name: 'cgroup.type', where: 'below root', mode: 0o644, read: readType, write: writeType },
  { name: 'cgroup.procs', where: 'everywhere', mode: 0o644, read: readProcs, write: writeProcs, delegated: 'yes' },
  {
    name: 'cgroup.threads',
    where: 'everywhere',
    mode: 0o644,
    read: readThreads,
    write: writeThreads,
    delegated: 'yes',
  },
  { name: 'cgroup.controllers', where: 'everywhere', mode: 0o444, read: (_k, cgroup) => words(cgroup.controllers) },
  {
    name: 'cgroup.subtree_control',
    where: 'everywhere',
    mode: 0o644,
    read: (_k, cgroup) => words(CONTROLLERS.filter((name) => cgroup.subtreeControl.has(name))),
    write: (k, cgroup, text) => k.cgroups.control(cgroup, text),
    delegated: 'yes',
  },
  { name: 'cgroup.events', where: 'below root', mode: 0o444, read: readEvents },
  limitRow('cgroup.max.descendants', 'maxDescendants'),
  limitRow('cgroup.max.depth', 'maxDepth'),
  { name: 'cgroup.stat', where: 'everywhere', mode: 0o444, read: readStat },
  { name: 'cgroup.stat.local', where: 'below root', mode: 0o444, read: readLocalStat },
  {
    name: 'cgroup.freeze',
    where: 'below root',
    mode: 0o644,
    read: (_k, cgroup) => `${cgroup.wantsFreeze ? 1 : 0}\n`,
    write: writeFreeze,
  },
  { name: 'cgroup.kill', where: 'below root', mode: 0o200, write: writeKill },
];
