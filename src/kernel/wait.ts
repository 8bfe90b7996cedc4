import { ECHILD } from '../abi/errno.ts';
import { CLD_CONTINUED, CLD_DUMPED, CLD_EXITED, CLD_KILLED, CLD_STOPPED, CLD_TRAPPED, SIGCONT } from '../abi/signal.ts';
import { __WALL, __WCLONE, __WNOTHREAD, WCONTINUED, WEXITED, WNOHANG, WNOWAIT, WSTOPPED } from '../abi/wait.ts';
import { cpuTimesOf } from './cpu-times.ts';
import { releaseProcess } from './exit.ts';
import type { Kernel } from './kernel.ts';
import type { Process } from './process.ts';
import { forgetDeadTracee, unlinkTracee } from './ptrace/attach.ts';
import type { Task } from './task.ts';
import { ERESTARTSYS } from './wait-state.ts';

/** Whom a wait call means. */
export type WaitTarget =
  | { readonly kind: 'any' }
  | { readonly kind: 'pid'; readonly pid: number }
  | { readonly kind: 'pgrp'; readonly pgrp: number }
  | { readonly kind: 'process'; readonly process: Process };

/** What it found, before a reaped child's objects are gone. */
export interface WaitResult {
  readonly pid: number;
  readonly uid: number;
  /** As wait4 encodes it. */
  readonly status: number;
  /** As siginfo does: CLD_*, and the code or signal. */
  readonly code: number;
  readonly infoStatus: number;
  readonly usage: ChildUsage;
}

export interface ChildUsage {
  readonly utimeNs: number;
  readonly stimeNs: number;
  readonly maxRssKb: number;
  readonly minflt: number;
  readonly majflt: number;
  readonly inblock: number;
  readonly oublock: number;
  readonly nvcsw: number;
  readonly nivcsw: number;
}

/**
 * do_wait (6.18, kernel/exit.c): the first child in order of birth that fits and has something to report. null with WNOHANG
 * and nothing to report; a number is -ECHILD or what k.block returned.
 */
export function waitForChild(k: Kernel, t: Task, target: WaitTarget, options: number): WaitResult | null | number {
  let mayComeLater = false;
  for (const child of t.process.children) {
    const tracer = child.leader.trace?.tracer.process;
    if (tracer === t.process || !isEligible(child, target, options)) continue;
    mayComeLater = true;
    // The end of a child that somebody else traces is the tracer's first.
    if (child.isZombie && tracer !== undefined) continue;
    const found = reportOf(k, t, child, options);
    if (found !== null) return found;
  }
  for (const tracee of [...t.process.tracees]) {
    if (!isEligibleTracee(t, tracee, target, options)) continue;
    mayComeLater = true;
    const found = traceeReportOf(k, t, tracee, options);
    if (found !== null) return found;
  }
  if (!mayComeLater) return -ECHILD;
  if ((options & WNOHANG) !== 0) return null;
  return k.block(t, {
    queues: [t.process.childQueue],
    deadlineNs: Number.POSITIVE_INFINITY,
    onSignal: ERESTARTSYS,
    data: [],
  });
}

function isEligible(child: Process, target: WaitTarget, options: number): boolean {
  if (target.kind === 'pid' && child.pid !== target.pid) return false;
  if (target.kind === 'process' && child !== target.process) return false;
  if (target.kind === 'pgrp' && child.pgrp !== target.pgrp) return false;
  if ((options & __WALL) !== 0) return true;
  const isClone = child.leader.exitSignal !== 17;
  return isClone === ((options & __WCLONE) !== 0);
}

/** A tracee, clone or not, is its tracer's to wait for. */
function isEligibleTracee(t: Task, tracee: Task, target: WaitTarget, options: number): boolean {
  if ((options & __WNOTHREAD) !== 0 && tracee.trace?.tracer !== t) return false;
  switch (target.kind) {
    case 'pid':
      return tracee.tid === target.pid;
    case 'process':
      return tracee === target.process.leader;
    case 'pgrp':
      return tracee.process.pgrp === target.pgrp;
    default:
      return true;
  }
}

/** wait_task_zombie and wait_task_stopped for a tracer: each thread by itself, a stop whatever the options say. */
function traceeReportOf(k: Kernel, t: Task, tracee: Task, options: number): WaitResult | null {
  const isPeek = (options & WNOWAIT) !== 0;
  const { process } = tracee;
  const trace = tracee.trace!;
  if (tracee.state === 'Z') {
    // A leader is waited for when the last of its threads is gone (delay_group_leader).
    if ((options & WEXITED) === 0 || (tracee.isLeader && process.threads.length > 1)) return null;
    if (!tracee.isLeader) {
      const result = { ...endOf(process, tracee.exitCode), pid: tracee.tid };
      if (!isPeek) forgetDeadTracee(k, tracee);
      return result;
    }
    if (process.parent === t.process) {
      if (!isPeek) unlinkTracee(tracee);
      return reportOf(k, t, process, options);
    }
    const result = endOf(process, process.exitStatus);
    if (!isPeek) forgetDeadTracee(k, tracee);
    return result;
  }
  if (tracee.state !== 't' || trace.isReported) return null;
  if (!isPeek) trace.isReported = true;
  const { stopCode } = trace;
  return { ...resultOf(process, stopCode * 256 + 0x7f, CLD_TRAPPED, stopCode), pid: tracee.tid };
}

function endOf(process: Process, exitStatus: number): WaitResult {
  const signal = exitStatus & 0x7f;
  const code = signal === 0 ? CLD_EXITED : (exitStatus & 0x80) !== 0 ? CLD_DUMPED : CLD_KILLED;
  return resultOf(process, exitStatus, code, signal === 0 ? exitStatus >> 8 : signal);
}

function reportOf(k: Kernel, t: Task, child: Process, options: number): WaitResult | null {
  const isPeek = (options & WNOWAIT) !== 0;
  if (child.isZombie) {
    if ((options & WEXITED) === 0) return null;
    const result = endOf(child, child.exitStatus);
    if (!isPeek) {
      addChildTimes(t.process, child);
      releaseProcess(k, child);
    }
    return result;
  }
  if (child.report === 'stopped' && child.stopSignal !== 0 && (options & WSTOPPED) !== 0) {
    if (!isPeek) child.report = 'none';
    return resultOf(child, child.stopSignal * 256 + 0x7f, CLD_STOPPED, child.stopSignal);
  }
  if (child.report === 'continued' && (options & WCONTINUED) !== 0) {
    if (!isPeek) child.report = 'none';
    return resultOf(child, 0xffff, CLD_CONTINUED, SIGCONT);
  }
  return null;
}

function resultOf(child: Process, status: number, code: number, infoStatus: number): WaitResult {
  return { pid: child.pid, uid: child.leader.cred.uid, status, code, infoStatus, usage: usageOf(child) };
}

/** getrusage(RUSAGE_BOTH) of a child: its own and that of the children it waited for. */
function usageOf(child: Process): ChildUsage {
  const times = cpuTimesOf(child);
  const sum = (field: 'minflt' | 'majflt' | 'nvcsw' | 'nivcsw'): number =>
    child.threads.reduce((total, thread) => total + thread[field], child[field]);
  return {
    utimeNs: times.utimeNs + child.cutimeNs,
    stimeNs: times.stimeNs + child.cstimeNs,
    maxRssKb: Math.max(child.maxRssKb, child.cmaxRssKb),
    minflt: sum('minflt') + child.cminflt,
    majflt: sum('majflt') + child.cmajflt,
    inblock: child.inblock,
    oublock: child.oublock,
    nvcsw: sum('nvcsw') + child.cnvcsw,
    nivcsw: sum('nivcsw') + child.cnivcsw,
  };
}

/** wait_task_zombie: a waited-for child's times count as the parent's children's. */
function addChildTimes(parent: Process, child: Process): void {
  const usage = usageOf(child);
  parent.cutimeNs += usage.utimeNs;
  parent.cstimeNs += usage.stimeNs;
  parent.cminflt += usage.minflt;
  parent.cmajflt += usage.majflt;
  parent.cnvcsw += usage.nvcsw;
  parent.cnivcsw += usage.nivcsw;
  parent.cmaxRssKb = Math.max(parent.cmaxRssKb, usage.maxRssKb);
}
