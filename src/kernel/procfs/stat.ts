import { ADDR_NO_RANDOMIZE } from '../../abi/personality.ts';
import { RLIMIT_RSS } from '../../abi/resource.ts';
import { DEV_CONSOLE } from '../../fs/char-devices.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import { cpuTimesOf } from '../cpu-times.ts';
import type { Kernel } from '../kernel.ts';
import type { PidNamespace } from '../pid-namespace.ts';
import { SigSet } from '../signals/sigset.ts';
import type { Task } from '../task.ts';
import { sinceBoot } from '../time-namespace.ts';
import { mayLookAt } from './current-task.ts';
import type { ProcAccess } from './seq-file.ts';
import { ticks, ulong } from './text.ts';

/** PF_* that user space can see in field 9 (include/linux/sched.h). */
const PF_EXITING = 0x4;
const PF_FORKNOEXEC = 0x40;
const PF_KTHREAD = 0x200000;
const PF_RANDOMIZE = 0x400000;
/** SCHED_FIFO, SCHED_RR. */
const isRealtime = (policy: number): boolean => policy === 1 || policy === 2;

/** /proc/PID/stat: the whole process (proc_tgid_stat). */
export function showProcessStat(k: Kernel, t: Task, _space: AddressSpace | null, access: ProcAccess): string {
  return statLine(k, t, 'process', access.pidNs);
}

/** /proc/PID/task/TID/stat: one thread (proc_tid_stat). */
export function showThreadStat(k: Kernel, t: Task, _space: AddressSpace | null, access: ProcAccess): string {
  return statLine(k, t, 'thread', access.pidNs);
}

/** do_task_stat (6.18): 52 fields. */
function statLine(k: Kernel, t: Task, scope: 'process' | 'thread', pidNs: PidNamespace): string {
  const { process, space } = t;
  const whole = scope === 'process';
  const times = whole ? cpuTimesOf(process) : t;
  const faults = (name: 'minflt' | 'majflt'): number =>
    whole ? process.threads.reduce((sum, thread) => sum + thread[name], process[name]) : t[name];
  const [ignored, caught] = handledSignals(t);
  const { tty } = process;
  const isRunning = t.state === 'R';
  const signalWord = (set: SigSet): number => set.lo & 0x7fffffff;
  const fields: (number | string)[] = [
    t.state,
    pidNs.numberOf(process.parent?.pid ?? 0),
    pidNs.numberOf(process.pgrp),
    pidNs.numberOf(process.session),
    tty === null ? 0 : DEV_CONSOLE,
    tty === null ? -1 : pidNs.numberOf(tty.foregroundPgrp),
    taskFlags(k, t),
    faults('minflt'),
    whole ? process.cminflt : 0,
    faults('majflt'),
    whole ? process.cmajflt : 0,
    ticks(times.utimeNs),
    ticks(times.stimeNs),
    ticks(whole ? process.cutimeNs : 0),
    ticks(whole ? process.cstimeNs : 0),
    isRealtime(t.policy) ? -1 - t.rtPriority : 20 + t.nice,
    t.nice,
    process.threads.length,
    0, // itrealvalue, no longer kept
    ticks(sinceBoot(k, whole ? process.startTimeNs : t.startTimeNs)),
    (space?.totalVm ?? 0) * PAGE_SIZE,
    space?.rssPages ?? 0,
    ulong(process.rlimits[RLIMIT_RSS].soft),
    ...(mayLookAt(k, t) === 0 ? codeFields(space) : HIDDEN_CODE),
    0, // kstkesp, kstkeip: only of a task that dumps core
    0,
    signalWord(t.pending.set),
    signalWord(t.sigmask),
    signalWord(ignored),
    signalWord(caught),
    isRunning ? 0 : 1, // wchan
    0,
    0,
    t.kind === 'kthread' ? 0 : t.isLeader ? t.exitSignal : -1,
    0, // processor
    isRealtime(t.policy) ? t.rtPriority : 0,
    t.policy,
    ticks(t.blkioDelayNs), // what the task slept for devices
    0, // guest_time, cguest_time
    0,
    ...layoutFields(mayLookAt(k, t) === 0 ? space : null),
    t.exitCode,
  ];
  return `${pidNs.numberOf(t.tid)} (${t.comm}) ${fields.join(' ')}\n`;
}

/** What those see who may not trace the task. */
const HIDDEN_CODE: readonly number[] = [1, 1, 0];

function codeFields(space: AddressSpace | null): number[] {
  return space === null ? [0, 0, 0] : [space.startCode, space.endCode, space.startStack];
}

function layoutFields(space: AddressSpace | null): number[] {
  if (space === null) return [0, 0, 0, 0, 0, 0, 0];
  const { startData, endData, startBrk, argStart, argEnd, envStart, envEnd } = space;
  return [startData, endData, startBrk, argStart, argEnd, envStart, envEnd];
}

function taskFlags(k: Kernel, t: Task): number {
  if (t.kind === 'kthread') return PF_KTHREAD | PF_FORKNOEXEC;
  let flags = 0;
  if (t.state === 'Z' || t.state === 'X') flags |= PF_EXITING;
  if (!t.process.hasExeced) flags |= PF_FORKNOEXEC;
  if (k.mm.config.randomizeVaSpace !== 0 && (t.personality & ADDR_NO_RANDOMIZE) === 0) flags |= PF_RANDOMIZE;
  return flags;
}

/** collect_sigign_sigcatch: the sets of ignored and of caught signals. */
export function handledSignals(t: Task): [ignored: SigSet, caught: SigSet] {
  const ignored = new SigSet();
  const caught = new SigSet();
  const actions = t.sighand?.actions ?? [];
  for (let signo = 1; signo < actions.length; signo++) {
    const { handler } = actions[signo];
    if (handler === 1) ignored.add(signo);
    else if (handler !== 0) caught.add(signo);
  }
  return [ignored, caught];
}

/** /proc/PID/statm (proc_pid_statm): pages. */
export function showStatm(_k: Kernel, t: Task): string {
  const { space } = t;
  if (space === null) return '0 0 0 0 0 0 0\n';
  const shared = space.rss[0] + space.rss[3];
  const text = Math.ceil(space.endCode / PAGE_SIZE) - Math.floor(space.startCode / PAGE_SIZE);
  return `${space.totalVm} ${space.rssPages} ${shared} ${text} 0 ${space.dataVm + space.stackVm} 0\n`;
}
