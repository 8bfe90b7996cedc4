import { RLIMIT_SIGPENDING } from '../../abi/resource.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { type AddressSpace, MM_ANONPAGES, MM_FILEPAGES, MM_SHMEMPAGES, MM_SWAPENTS } from '../../mm/address-space.ts';
import type { Kernel } from '../kernel.ts';
import { numbersOf } from '../pid-namespace.ts';
import type { Task, TaskState } from '../task.ts';
import type { ProcAccess } from './seq-file.ts';
import { handledSignals } from './stat.ts';
import { hexWords, mangle, ulong } from './text.ts';

/** task_state_array (fs/proc/array.c). */
const STATES: Record<TaskState, string> = {
  R: 'R (running)',
  S: 'S (sleeping)',
  D: 'D (disk sleep)',
  T: 'T (stopped)',
  t: 't (tracing stop)',
  X: 'X (dead)',
  Z: 'Z (zombie)',
  I: 'I (idle)',
};

/** /proc/PID/status (proc_pid_status, 6.18). */
export function showStatus(k: Kernel, t: Task, _space: AddressSpace | null, access: ProcAccess): string {
  return (
    identity(t, access) +
    (t.space === null ? '' : memory(t.space)) +
    (t.space === null ? '' : memoryFlags(t.space)) +
    signals(k, t) +
    capabilities(t) +
    `NoNewPrivs:\t${t.noNewPrivs ? 1 : 0}\nSeccomp:\t0\nSeccomp_filters:\t0\n` +
    'Speculation_Store_Bypass:\tunknown\nSpeculationIndirectBranch:\tunsupported\n' +
    'Cpus_allowed:\t1\nCpus_allowed_list:\t0\nMems_allowed:\t1\nMems_allowed_list:\t0\n' +
    `voluntary_ctxt_switches:\t${t.nvcsw}\nnonvoluntary_ctxt_switches:\t${t.nivcsw}\n`
  );
}

/** task_state. */
function identity(t: Task, { pidNs, opener }: ProcAccess): string {
  const { process, cred } = t;
  const { uids, gids } = opener.userNs;
  const groups = cred.groups.map((id) => ulong(gids.show(id))).join(' ');
  const umask = t.fs === null ? '' : `Umask:\t${t.fs.umask.toString(8).padStart(4, '0')}\n`;
  return (
    `Name:\t${mangle(t.comm, '\n\\').replace('\\012', '\\n').replace('\\134', '\\\\')}\n${umask}` +
    `State:\t${STATES[t.state]}\nTgid:\t${pidNs.numberOf(t.tgid)}\nNgid:\t0\nPid:\t${pidNs.numberOf(t.tid)}\n` +
    `PPid:\t${pidNs.numberOf(process.parent?.pid ?? 0)}\nTracerPid:\t${pidNs.numberOf(t.trace?.tracer.tid ?? 0)}\n` +
    `Uid:\t${[cred.uid, cred.euid, cred.suid, cred.fsuid].map((id) => uids.show(id)).join('\t')}\n` +
    `Gid:\t${[cred.gid, cred.egid, cred.sgid, cred.fsgid].map((id) => gids.show(id)).join('\t')}\n` +
    `FDSize:\t${t.files?.sizeFds ?? 0}\nGroups:\t${groups} \n` +
    `NStgid:\t${numbersOf(t, t.tgid, pidNs)}\nNSpid:\t${numbersOf(t, t.tid, pidNs)}\n` +
    `NSpgid:\t${numbersOf(t, process.pgrp, pidNs)}\nNSsid:\t${numbersOf(t, process.session, pidNs)}\n` +
    `Kthread:\t${t.kind === 'kthread' ? 1 : 0}\n`
  );
}

/** task_mem. */
function memory(space: AddressSpace): string {
  const { rss } = space;
  const execBytes = space.execVm * PAGE_SIZE;
  const text = Math.min(
    (Math.ceil(space.endCode / PAGE_SIZE) - Math.floor(space.startCode / PAGE_SIZE)) * PAGE_SIZE,
    execBytes,
  );
  const line = (name: string, kib: number): string => `${name}:\t${String(kib).padStart(8)} kB\n`;
  const pages = (name: string, count: number): string => line(name, count * 4);
  return (
    pages('VmPeak', space.hiwaterVmPages) +
    pages('VmSize', space.totalVm) +
    pages('VmLck', space.lockedVm) +
    pages('VmPin', space.pinnedVm) +
    pages('VmHWM', space.hiwaterRssPages) +
    pages('VmRSS', space.rssPages) +
    pages('RssAnon', rss[MM_ANONPAGES]) +
    pages('RssFile', rss[MM_FILEPAGES]) +
    pages('RssShmem', rss[MM_SHMEMPAGES]) +
    pages('VmData', space.dataVm) +
    pages('VmStk', space.stackVm) +
    line('VmExe', text / 1024) +
    line('VmLib', (execBytes - text) / 1024) +
    line('VmPTE', space.pgtablesBytes / 1024) +
    pages('VmSwap', rss[MM_SWAPENTS]) +
    pages('HugetlbPages', space.hugetlbPages)
  );
}

/** task_core_dumping, task_thp_status, task_untag_mask. */
function memoryFlags({ thpDisable }: AddressSpace): string {
  return `CoreDumping:\t0\nTHP_enabled:\t${thpDisable === 'completely' ? 0 : 1}\nuntag_mask:\t0xffffffffffffffff\n`;
}

/** task_sig. */
function signals(k: Kernel, t: Task): string {
  const { process } = t;
  const [ignored, caught] = handledSignals(t);
  const limit = process.rlimits[RLIMIT_SIGPENDING].soft;
  return (
    `Threads:\t${process.threads.length}\nSigQ:\t${queuedSignals(k, t.cred.uid)}/${ulong(limit)}\n` +
    `SigPnd:\t${t.pending.set.toHex()}\nShdPnd:\t${process.shared.set.toHex()}\nSigBlk:\t${t.sigmask.toHex()}\n` +
    `SigIgn:\t${ignored.toHex()}\nSigCgt:\t${caught.toHex()}\n`
  );
}

/** Signals queued to the user's tasks (UCOUNT_RLIMIT_SIGPENDING). */
function queuedSignals(k: Kernel, uid: number): number {
  let queued = 0;
  for (const process of k.processes.values()) {
    if (process.leader.cred.uid !== uid) continue;
    queued += process.shared.queue.length;
    for (const thread of process.threads) queued += thread.pending.queue.length;
  }
  return queued;
}

/** task_cap. */
function capabilities(t: Task): string {
  const set = (name: string, [low, high]: number[]): string => `${name}:\t${hexWords(low, high)}\n`;
  const { cred } = t;
  return (
    set('CapInh', cred.capInheritable) +
    set('CapPrm', cred.capPermitted) +
    set('CapEff', cred.capEffective) +
    set('CapBnd', cred.capBounding) +
    set('CapAmb', cred.capAmbient)
  );
}
