import { CAP_SYS_RESOURCE } from '../../abi/capability.ts';
import { EFAULT, EINVAL, EPERM, ESRCH } from '../../abi/errno.ts';
import {
  PRIO_PGRP,
  PRIO_PROCESS,
  PRIO_USER,
  RLIM_NLIMITS,
  RLIMIT_NOFILE,
  RUSAGE_CHILDREN,
  RUSAGE_SELF,
  RUSAGE_THREAD,
} from '../../abi/resource.ts';
import { USER_HZ } from '../../abi/time.ts';
import { cpuTimesOf } from '../cpu-times.ts';
import { capable, nsCapable } from '../credentials.ts';
import type { Kernel } from '../kernel.ts';
import type { Process } from '../process.ts';
import { applyMmLimits } from '../rlimits.ts';
import type { Task } from '../task.ts';
import { readLongs, readU64s, timevalOf, writeLongs, writeU64s } from '../user-structs.ts';
import type { ChildUsage } from '../wait.ts';
import type { SyscallRow } from './row.ts';

const NR_OPEN = 1_048_576;

/** do_prlimit: the checks are Linux's; a raised hard limit needs CAP_SYS_RESOURCE. */
function setLimit(t: Task, target: Process, resource: number, soft: number, hard: number): number {
  if (resource >= RLIM_NLIMITS) return -EINVAL;
  if (soft > hard) return -EINVAL;
  if (resource === RLIMIT_NOFILE && hard > NR_OPEN) return -EPERM;
  const limit = target.rlimits[resource];
  if (hard > limit.hard && !capable(t.cred, CAP_SYS_RESOURCE)) return -EPERM;
  limit.soft = soft;
  limit.hard = hard;
  for (const thread of target.threads) if (thread.space !== null) applyMmLimits(target, thread.space, thread.cred);
  return 0;
}

/** check_prlimit_permission: all ids of the other are the caller's real ones, or the caller has CAP_SYS_RESOURCE. */
function maySeeLimits(t: Task, target: Task): boolean {
  if (t === target || nsCapable(t.cred, target.cred.userNs, CAP_SYS_RESOURCE)) return true;
  const { uid, gid } = t.cred;
  const { cred } = target;
  return (
    [cred.uid, cred.euid, cred.suid].every((id) => id === uid) &&
    [cred.gid, cred.egid, cred.sgid].every((id) => id === gid)
  );
}

/** prlimit64 (6.18, kernel/sys.c): limits of any process. */
function prlimit64(k: Kernel, t: Task, pid: number, resource: number, next: number, old: number): number {
  let wanted: number[] | number | null = null;
  if (next !== 0) {
    wanted = readU64s(k, t, next, 2);
    if (typeof wanted === 'number') return -EFAULT;
  }
  const task = pid === 0 ? t : k.tasks.get(pid);
  if (task === undefined) return -ESRCH;
  if (!maySeeLimits(t, task)) return -EPERM;
  if (resource >= RLIM_NLIMITS) return -EINVAL;
  const target = task.process;
  const { soft, hard } = target.rlimits[resource];
  if (wanted !== null) {
    const failed = setLimit(t, target, resource, wanted[0], wanted[1]);
    if (failed < 0) return failed;
  }
  return old === 0 ? 0 : writeU64s(k, t, old, [soft, hard]);
}

function getrlimit(k: Kernel, t: Task, resource: number, address: number): number {
  if (resource >= RLIM_NLIMITS) return -EINVAL;
  const { soft, hard } = t.process.rlimits[resource];
  return writeLongs(k, t, address, [soft, hard]);
}

function setrlimit(k: Kernel, t: Task, resource: number, address: number): number {
  const wanted = k.arch.wordBytes === 8 ? readU64s(k, t, address, 2) : readLongs(k, t, address, 2);
  if (typeof wanted === 'number') return -EFAULT;
  if (resource >= RLIM_NLIMITS) return -EINVAL;
  const [soft, hard] = wanted.map((value) => (value < 0 ? Number.POSITIVE_INFINITY : value));
  return setLimit(t, t.process, resource, soft, hard);
}

/** struct rusage: two timevals and fourteen longs. */
export function usageLongs(usage: ChildUsage): number[] {
  return [
    ...timevalOf(usage.utimeNs),
    ...timevalOf(usage.stimeNs),
    usage.maxRssKb,
    0,
    0,
    0,
    usage.minflt,
    usage.majflt,
    0,
    usage.inblock,
    usage.oublock,
    0,
    0,
    0,
    usage.nvcsw,
    usage.nivcsw,
  ];
}

function usageOf(t: Task, who: number): ChildUsage | null {
  const { process } = t;
  const ownPeak = Math.max(process.maxRssKb, (t.space?.hiwaterRssPages ?? 0) * 4);
  switch (who) {
    case RUSAGE_CHILDREN:
      return {
        utimeNs: process.cutimeNs,
        stimeNs: process.cstimeNs,
        maxRssKb: process.cmaxRssKb,
        minflt: process.cminflt,
        majflt: process.cmajflt,
        inblock: 0,
        oublock: 0,
        nvcsw: process.cnvcsw,
        nivcsw: process.cnivcsw,
      };
    case RUSAGE_THREAD:
      return { ...t, maxRssKb: ownPeak, inblock: 0, oublock: 0 };
    case RUSAGE_SELF: {
      const sum = (field: 'minflt' | 'majflt' | 'nvcsw' | 'nivcsw'): number =>
        process.threads.reduce((total, thread) => total + thread[field], process[field]);
      return {
        ...cpuTimesOf(process),
        maxRssKb: ownPeak,
        minflt: sum('minflt'),
        majflt: sum('majflt'),
        inblock: process.inblock,
        oublock: process.oublock,
        nvcsw: sum('nvcsw'),
        nivcsw: sum('nivcsw'),
      };
    }
    default:
      return null;
  }
}

function getrusage(k: Kernel, t: Task, who: number, address: number): number {
  const usage = usageOf(t, who);
  return usage === null ? -EINVAL : writeLongs(k, t, address, usageLongs(usage));
}

function times(k: Kernel, t: Task, address: number): number {
  const ticks = (ns: number): number => Math.floor((ns * USER_HZ) / 1e9);
  if (address !== 0) {
    const own = cpuTimesOf(t.process);
    const values = [own.utimeNs, own.stimeNs, t.process.cutimeNs, t.process.cstimeNs].map(ticks);
    if (writeLongs(k, t, address, values) < 0) return -EFAULT;
  }
  return ticks(k.clock.nowNs);
}

/** The tasks that getpriority and setpriority mean. */
function prioTargets(k: Kernel, t: Task, which: number, who: number): Task[] | null {
  const all = [...k.tasks.values()].filter((task) => task.kind !== 'kthread');
  switch (which) {
    case PRIO_PROCESS:
      return who === 0 ? [t] : all.filter((task) => task.tid === t.pidNs.pidOf(who));
    case PRIO_PGRP:
      return all.filter((task) => task.process.pgrp === (who === 0 ? t.process.pgrp : t.pidNs.pidOf(who)));
    case PRIO_USER:
      return all.filter((task) => task.cred.uid === (who === 0 ? t.cred.uid : t.cred.userNs.uids.toKernel(who >>> 0)));
    default:
      return null;
  }
}

function getpriority(k: Kernel, t: Task, which: number, who: number): number {
  const targets = prioTargets(k, t, which, who);
  if (targets === null) return -EINVAL;
  if (targets.length === 0) return -ESRCH;
  return Math.max(...targets.map((task) => 20 - task.nice));
}

function setpriority(k: Kernel, t: Task, which: number, who: number, nice: number): number {
  const targets = prioTargets(k, t, which, who);
  if (targets === null) return -EINVAL;
  if (targets.length === 0) return -ESRCH;
  for (const task of targets) task.nice = Math.max(-20, Math.min(19, nice));
  return 0;
}

const full = 'full' as const;
export const limitCalls: readonly SyscallRow[] = [
  { name: 'prlimit64', args: ['pid', 'uint', 'ptr', 'ptr'], run: prlimit64, support: full, note: '' },
  { name: 'getrlimit', args: ['uint', 'ptr'], run: getrlimit, support: full, note: '' },
  { name: 'setrlimit', args: ['uint', 'ptr'], run: setrlimit, support: full, note: '' },
  { name: 'getrusage', args: ['int', 'ptr'], run: getrusage, support: full, note: '' },
  { name: 'times', args: ['ptr'], run: times, support: full, note: '' },
  { name: 'getpriority', args: ['int', 'int'], run: getpriority, support: full, note: '' },
  {
    name: 'setpriority',
    args: ['int', 'int', 'int'],
    run: setpriority,
    support: 'partial',
    note: 'kept; slices do not depend on it',
  },
];
