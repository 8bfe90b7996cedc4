import { PTRACE_EVENT_EXIT } from '../abi/ptrace.ts';
import { CLD_EXITED, SI_USER, SIGCHLD, SIGCONT, SIGHUP, SIGKILL } from '../abi/signal.ts';
import { EV_PROCESS_EXIT } from '../base/event-kinds.ts';
import type { FsContext } from '../fs/fs-context.ts';
import { STALL_NONE } from '../mm/block/stall.ts';
import { exitSpace } from '../mm/ops/exit.ts';
import { writeU32 } from '../mm/user-access.ts';
import { leaveAtExit, leavePids } from './cgroup/membership.ts';
import { leaveFault } from './fault-wait.ts';
import { wakeFutex } from './futex.ts';
import { leaveIpc } from './ipc/namespace.ts';
import { exitSem } from './ipc/sem.ts';
import { exitShm } from './ipc/shm.ts';
import type { Kernel } from './kernel.ts';
import { leaveMounts } from './mount-namespace.ts';
import { killOrphanedGroup, notifyParentOfExit } from './notify-parent.ts';
import { isReaper, isWithin } from './pid-namespace.ts';
import type { Process } from './process.ts';
import { collectProcessStats } from './process-stats.ts';
import { feedPsi } from './psi/psi-feed.ts';
import { exitTracer, unlinkTracee } from './ptrace/attach.ts';
import { stopForEvent } from './ptrace/stop.ts';
import { walkRobustList } from './robust-list.ts';
import { leaveCpu, wakeTask } from './scheduler.ts';
import { killThread, sendToGroup, sendToProcess } from './signals/send.ts';
import { siginfo } from './signals/siginfo.ts';
import { setStall } from './stalls.ts';
import type { Task, TaskState } from './task.ts';
import { leaveTime } from './time-namespace.ts';

/** do_group_exit: all threads end with `status` (as wait4 encodes it), the caller now. */
export function exitGroup(k: Kernel, t: Task, status: number): void {
  const { process } = t;
  if (!process.groupExit) {
    process.groupExit = true;
    process.groupExitCode = status;
    process.stopSignal = 0;
    for (const thread of process.threads) if (thread !== t) killThread(k, thread);
  }
  exitTask(k, t, process.groupExitCode);
}

/** do_exit of one thread. */
export function exitTask(k: Kernel, t: Task, status: number): void {
  const { process } = t;
  if (t.trace?.wants(PTRACE_EVENT_EXIT) === true && !t.exitTold && !t.killed && t === k.current) {
    t.exitTold = true;
    t.wait = null;
    stopForEvent(k, t, PTRACE_EVENT_EXIT, status, { kind: 'exit', status });
    return;
  }
  t.stopPoint = null;
  if (process.tracees.length > 0) exitTracer(k, t);
  t.exitCode = status;
  // handle_userfault: PF_EXITING, nothing of what follows sleeps in a fault.
  leaveFault(t);
  t.waiter.stores.length = 0;
  t.waiter.notices.length = 0;
  t.waiter.owedUntilNs = 0;
  setStall(k, t, STALL_NONE);
  const { waiter } = k.mm;
  const { debtor } = k.mm.block;
  k.mm.waiter = null;
  k.mm.block.debtor = null;
  releaseSpace(k, t);
  exitSem(k, t);
  exitShm(k, t);
  t.files?.release();
  t.files = null;
  releaseFs(k, t);
  leaveIpc(k, t);
  leaveMounts(k, t);
  leaveTime(k, t);
  leaveAtExit(k, t);
  const isLast = process.threads.every((thread) => thread === t || thread.state === 'Z');
  if (t.wait !== null) for (const queue of t.wait.queues) queue.remove(t.tid);
  t.wait = null;
  t.call = null;
  t.state = 'Z';
  feedPsi(k, t);
  if (t !== k.current) {
    k.mm.waiter = waiter;
    k.mm.block.debtor = debtor;
  }
  leaveCpu(k, t);
  releaseSighand(k, t);
  k.tracer?.taskExit(t, process.groupExit ? process.groupExitCode : status);
  if (isLast) endProcess(k, process, process.groupExit ? process.groupExitCode : process.leader.exitCode);
  // Nobody waits for the process: it has gone, and this thread with it.
  if ((t.state as TaskState) === 'X') return;
  if (t !== process.leader && t.trace !== null) {
    // A traced thread stays until its tracer has seen the end of it.
    const tracer = t.trace.tracer.process;
    tracer.childQueue.wakeAll();
    sendToProcess(
      k,
      tracer,
      siginfo(SIGCHLD, CLD_EXITED, { pid: tracer.leader.pidNs.numberOf(t.tid), uid: t.cred.uid, status: status >> 8 }),
    );
  } else if (t !== process.leader) {
    releaseThread(k, t);
    process.exitQueue.wakeAll();
  }
}

/** exit_mm and mm_release. */
export function releaseSpace(k: Kernel, t: Task): void {
  const { space } = t;
  if (space === null) return;
  walkRobustList(k, t);
  if (t.clearChildTid !== 0) {
    if (space.users > 1) {
      writeU32(k.mm, space, t.clearChildTid, 0);
      wakeFutex(k, space, t.clearChildTid, 1);
    }
    t.clearChildTid = 0;
  }
  finishVfork(k, t);
  dropSpace(k, t);
}

/** mmput: the last user gives everything back. */
export function dropSpace(k: Kernel, t: Task): void {
  const space = t.space!;
  const { process } = t;
  t.space = null;
  process.maxRssKb = Math.max(process.maxRssKb, space.hiwaterRssPages * 4);
  if (--space.users > 0) return;
  process.swapOuts += space.swapOuts;
  if (k.activeSpace === space) k.activeSpace = null;
  if (k.mm.activeSpace === space) k.mm.activeSpace = null;
  exitSpace(k.mm, space);
}

/** complete_vfork_done: the parent goes on. */
function finishVfork(k: Kernel, t: Task): void {
  const parent = k.tasks.get(t.vforkParent);
  t.vforkParent = 0;
  if (parent !== undefined) wakeTask(k, parent, 'event');
}

function releaseSighand(k: Kernel, t: Task): void {
  const { sighand } = t;
  t.sighand = null;
  if (sighand !== null && --sighand.users === 0) k.caches.sighand.free(sighand.slot);
}

export function releaseFs(k: Kernel, t: Task): void {
  const { fs } = t;
  t.fs = null;
  if (fs !== null) dropFs(k, fs);
}

/** free_fs_struct with the last user. */
export function dropFs(k: Kernel, fs: FsContext): void {
  fs.release();
  if (fs.users === 0) {
    const slot = k.fsSlots.get(fs);
    if (slot !== undefined) k.caches.fs.free(slot);
    k.fsSlots.delete(fs);
  }
}

/** exit_notify for a whole thread group. */
function endProcess(k: Kernel, process: Process, status: number): void {
  process.isZombie = true;
  process.exitStatus = status;
  if (process.leader.kind === 'user') k.endedProcesses.add(collectProcessStats(k, process, k.clock.nowNs));
  process.posixTimers.length = 0;
  for (const timer of process.itimers) timer.expiresNs = 0;
  if (isReaper(process)) endNamespace(k, process);
  if (process.session === process.pid) endSession(k, process);
  forgetOriginalParent(k, process);
  killOrphanedGroup(k, process, process.parent, process);
  if (k.events.enabled[EV_PROCESS_EXIT] !== 0) k.events.emit(EV_PROCESS_EXIT, process.pid, status);
  if (k.spawnedStatus.has(process.pid)) k.spawnedStatus.set(process.pid, status);
  process.exitQueue.wakeAll();
  k.liveProcesses--;
  if (notifyParentOfExit(k, process, process.leader.exitSignal) === 'reap') releaseProcess(k, process);
}

/** disassociate_ctty of a session leader. */
function endSession(k: Kernel, leader: Process): void {
  const { tty } = leader;
  if (tty === null) return;
  const foreground = tty.foregroundPgrp;
  if (foreground > 0) {
    sendToGroup(k, foreground, siginfo(SIGHUP, SI_USER));
    sendToGroup(k, foreground, siginfo(SIGCONT, SI_USER));
  }
  tty.session = 0;
  tty.foregroundPgrp = 0;
  for (const process of k.processes.values()) if (process.session === leader.session) process.tty = null;
}

/** find_new_reaper: a subreaper of the same pid namespace, else its first process; outside of all the machine's init. */
function heirOf(k: Kernel, process: Process): Process {
  const ns = process.leader.pidNs;
  let reaper = process.parent;
  while (reaper !== null && reaper !== k.init && reaper.leader.pidNs === ns) {
    if (reaper.isChildSubreaper && !reaper.isZombie) return reaper;
    reaper = reaper.parent;
  }
  return ns.reaper === null || ns.reaper === process ? k.init : ns.reaper;
}

/** zap_pid_ns_processes: the first process of a namespace ends, and with it all others there; it waits for its own. */
function endNamespace(k: Kernel, first: Process): void {
  const ns = first.leader.pidNs;
  ns.isClosed = true;
  for (const process of [...k.processes.values()]) {
    if (process === first || process.isZombie || !isWithin(process.leader.pidNs, ns)) continue;
    process.groupExit = true;
    process.groupExitCode = SIGKILL;
    const living = process.threads.filter((thread) => thread.state !== 'Z' && thread.state !== 'X');
    for (const thread of living) exitTask(k, thread, SIGKILL);
  }
  for (const child of [...first.children]) if (child.isZombie) releaseProcess(k, child);
}

/** forget_original_parent: children go to the nearest subreaper, else to init, which reaps at once. */
function forgetOriginalParent(k: Kernel, process: Process): void {
  if (process.children.length === 0) return;
  const heir = heirOf(k, process);
  for (const child of [...process.children]) {
    child.parent = heir;
    heir.children.push(child);
    for (const thread of child.threads) {
      if (thread.pdeathSignal !== 0) sendToProcess(k, child, siginfo(thread.pdeathSignal, SI_USER));
    }
    if (child.isZombie) {
      child.leader.exitSignal = 17;
      if (notifyParentOfExit(k, child, 17) === 'reap') releaseProcess(k, child);
    } else killOrphanedGroup(k, child, process, child);
  }
  process.children.length = 0;
}

/** release_task of a thread that is not the leader: its tid is free again. */
export function releaseThread(k: Kernel, t: Task): void {
  const { process } = t;
  const at = process.threads.indexOf(t);
  if (at >= 0) process.threads.splice(at, 1);
  addTimes(process, t);
  freeTask(k, t);
}

function addTimes(process: Process, t: Task): void {
  process.utimeNs += t.utimeNs;
  process.stimeNs += t.stimeNs;
  process.minflt += t.minflt;
  process.majflt += t.majflt;
  process.swapIns += t.swapIns;
  process.nvcsw += t.nvcsw;
  process.nivcsw += t.nivcsw;
}

function freeTask(k: Kernel, t: Task): void {
  t.state = 'X';
  leavePids(t);
  t.pending.clear();
  k.tasks.delete(t.tid);
  k.caches.task.free(t.slot);
  k.caches.pid.free(t.pidSlot);
}

/** release_task of a reaped zombie: nothing of the process is left. */
export function releaseProcess(k: Kernel, process: Process): void {
  const { leader, parent } = process;
  for (const thread of [...process.threads]) {
    unlinkTracee(thread);
    if (thread !== leader) releaseThread(k, thread);
  }
  addTimes(process, leader);
  process.threads.length = 0;
  if (parent !== null) {
    const at = parent.children.indexOf(process);
    if (at >= 0) parent.children.splice(at, 1);
  }
  freeTask(k, leader);
  process.shared.clear();
  k.processes.delete(process.pid);
  process.exitQueue.wakeAll();
  k.caches.signal.free(process.slot);
}
