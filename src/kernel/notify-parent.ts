import {
  CLD_DUMPED,
  CLD_EXITED,
  CLD_KILLED,
  CLD_STOPPED,
  SA_NOCLDSTOP,
  SA_NOCLDWAIT,
  SI_USER,
  SIG_IGN,
  SIGCHLD,
  SIGCONT,
  SIGHUP,
  SIGRTMAX,
} from '../abi/signal.ts';
import { USER_HZ } from '../abi/time.ts';
import { cpuTimesOf } from './cpu-times.ts';
import type { Kernel } from './kernel.ts';
import type { Process } from './process.ts';
import { sendToGroup, sendToProcess } from './signals/send.ts';
import { type Siginfo, siginfo } from './signals/siginfo.ts';
import type { Task } from './task.ts';

const toTicks = (ns: number): number => Math.floor((ns * USER_HZ) / 1_000_000_000);

/** do_notify_parent: SIGCHLD (or exit_signal) for an ended process. 'reap' when nobody will wait for it. */
export function notifyParentOfExit(k: Kernel, process: Process, signo: number): 'reap' | 'keep' {
  const parent = process.parent!;
  const tracer = process.leader.trace?.tracer.process;
  if (tracer !== undefined && tracer !== parent) {
    // Its parent hears of it when the tracer has (wait_task_zombie).
    tracer.childQueue.wakeAll();
    sendToProcess(k, tracer, childInfo(tracer, process, SIGCHLD));
    return 'keep';
  }
  parent.childQueue.wakeAll();
  if (parent === k.init || parent.leader.kind === 'kthread') return 'reap';
  const action = parent.threads.find((thread) => thread.sighand !== null)?.sighand?.actions[SIGCHLD];
  const ignores = signo === SIGCHLD && action !== undefined && action.handler === SIG_IGN;
  const noWait = signo === SIGCHLD && action !== undefined && (action.flags & SA_NOCLDWAIT) !== 0;
  // clone takes any byte as exit_signal; one that is no signal is not sent.
  if (signo > 0 && signo <= SIGRTMAX && !ignores) sendToProcess(k, parent, childInfo(parent, process, signo));
  return ignores || noWait ? 'reap' : 'keep';
}

/** `receiver`: in whose numbers it speaks. */
function childInfo(receiver: Process, process: Process, signo: number): Siginfo {
  const times = cpuTimesOf(process);
  const status = process.exitStatus;
  const signal = status & 0x7f;
  return siginfo(signo, signal === 0 ? CLD_EXITED : (status & 0x80) !== 0 ? CLD_DUMPED : CLD_KILLED, {
    pid: receiver.leader.pidNs.numberOf(process.pid),
    uid: process.leader.cred.uid,
    status: signal === 0 ? status >> 8 : signal,
    utime: toTicks(times.utimeNs),
    stime: toTicks(times.stimeNs),
  });
}

/** do_notify_parent_cldstop: CLD_STOPPED or CLD_CONTINUED. A tracer that is the parent hears of each task's stop by itself. */
export function notifyParentOfState(k: Kernel, process: Process, code: number, status: number): void {
  const { parent } = process;
  if (parent === null) return;
  if (code === CLD_STOPPED && process.leader.trace?.tracer.process === parent) return;
  tellOfState(k, process.leader, parent, code, status);
}

/** The same for a tracee, to its tracer: CLD_TRAPPED or CLD_STOPPED. */
export function notifyTracer(k: Kernel, tracee: Task, tracer: Process, code: number, status: number): void {
  tellOfState(k, tracee, tracer, code, status);
}

function tellOfState(k: Kernel, task: Task, parent: Process, code: number, status: number): void {
  const { process } = task;
  parent.childQueue.wakeAll();
  if (parent === k.init) return;
  const action = parent.threads.find((thread) => thread.sighand !== null)?.sighand?.actions[SIGCHLD];
  if (action === undefined || action.handler === SIG_IGN || (action.flags & SA_NOCLDSTOP) !== 0) return;
  const times = cpuTimesOf(process);
  sendToProcess(
    k,
    parent,
    siginfo(SIGCHLD, code, {
      pid: parent.leader.pidNs.numberOf(task.tid),
      uid: task.cred.uid,
      status,
      utime: toTicks(times.utimeNs),
      stime: toTicks(times.stimeNs),
    }),
  );
}

/** is_current_pgrp_orphaned: no member has a parent in another group of the same session. `ignored` is about to leave. */
export function isOrphanedGroup(k: Kernel, pgrp: number, ignored: Process | null = null): boolean {
  for (const member of k.processes.values()) {
    if (member.pgrp !== pgrp || member === ignored || member.isZombie || member.parent === null) continue;
    if (member.parent === k.init) continue;
    if (member.parent.pgrp !== pgrp && member.parent.session === member.session) return false;
  }
  return true;
}

/** kill_orphaned_pgrp: a group that becomes orphaned and has a stopped member gets SIGHUP and SIGCONT. */
export function killOrphanedGroup(k: Kernel, leaving: Process, parent: Process | null, group: Process): void {
  if (parent === null || parent.pgrp === group.pgrp || parent.session !== group.session) return;
  if (!isOrphanedGroup(k, group.pgrp, leaving)) return;
  const hasStopped = [...k.processes.values()].some((p) => p.pgrp === group.pgrp && p.stopSignal !== 0);
  if (!hasStopped) return;
  sendToGroup(k, group.pgrp, siginfo(SIGHUP, SI_USER));
  sendToGroup(k, group.pgrp, siginfo(SIGCONT, SI_USER));
}
