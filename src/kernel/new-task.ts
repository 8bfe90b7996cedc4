import { EAGAIN, ENOMEM } from '../abi/errno.ts';
import type { FsContext } from '../fs/fs-context.ts';
import type { Cgroup } from './cgroup/cgroup.ts';
import { joinAtFork, leaveAtExit, leavePids } from './cgroup/membership.ts';
import { chargePids, tryChargePid } from './cgroup/pids.ts';
import { Credentials } from './credentials.ts';
import { leaveIpc } from './ipc/namespace.ts';
import type { Kernel } from './kernel.ts';
import { leaveMounts } from './mount-namespace.ts';
import { allocPid } from './pid.ts';
import { Process } from './process.ts';
import { beginTime } from './process-times.ts';
import { initialRlimits } from './rlimits.ts';
import { Sighand } from './signals/sighand.ts';
import { Task } from './task.ts';
import { leaveTime } from './time-namespace.ts';

export interface NewTask {
  readonly kind: 'user' | 'kthread' | 'driven';
  readonly comm: string;
  readonly cred: Credentials | null;
  /** null: a new process, child of `parent`. */
  readonly process: Process | null;
  readonly parent: Process | null;
  /** null: a new one, a copy of `sighandFrom`. */
  readonly sighand: Sighand | null;
  readonly sighandFrom: Sighand | null;
  /** Default: the root. */
  readonly cgroup?: Cgroup;
  /** A free number that it is to have; 0 or absent: the next one. */
  readonly tid?: number;
}

/** The objects of a new task, with their slots; -ENOMEM or -EAGAIN, and nothing taken. It is in no queue yet. */
export function newTask(k: Kernel, options: NewTask): Task | number {
  const { caches } = k;
  const cgroup = options.cgroup ?? k.cgroups.root;
  const refused = tryChargePid(k, cgroup);
  if (refused < 0) return refused;
  const slot = caches.task.alloc();
  const pidSlot = slot === 0 ? 0 : caches.pid.alloc();
  if (pidSlot === 0) {
    if (slot !== 0) caches.task.free(slot);
    chargePids(cgroup, -1);
    return -ENOMEM;
  }
  const giveBack = (error: number): number => {
    caches.pid.free(pidSlot);
    caches.task.free(slot);
    chargePids(cgroup, -1);
    return error;
  };
  let { sighand } = options;
  if (sighand === null) {
    const sighandSlot = caches.sighand.alloc();
    if (sighandSlot === 0) return giveBack(-ENOMEM);
    sighand = new Sighand(sighandSlot, options.sighandFrom);
  } else sighand.users++;
  const dropSighand = (): void => {
    if (options.sighand !== null) sighand.users--;
    else caches.sighand.free(sighand.slot);
  };
  const tid = options.tid || allocPid(k);
  if (tid < 0) {
    dropSighand();
    return giveBack(-EAGAIN);
  }
  let { process } = options;
  if (process === null) {
    const signalSlot = caches.signal.alloc();
    if (signalSlot === 0) {
      dropSighand();
      return giveBack(-ENOMEM);
    }
    const from = options.parent;
    process = new Process(
      tid,
      signalSlot,
      k.wakeList,
      from?.rlimits ?? initialRlimits(k.mm.alloc.totalCount),
      k.initialUser,
    );
    process.startTimeNs = k.clock.nowNs;
    if (from !== null) {
      process.pgrp = from.pgrp;
      process.session = from.session;
      process.tty = from.tty;
      process.dumpable = from.dumpable;
      process.memoryUserNs = from.memoryUserNs;
      process.coredumpFilter = from.coredumpFilter;
      process.oomScoreAdj = from.oomScoreAdj;
      process.parent = from;
      process.makerPid = from.pid;
      from.children.push(process);
    }
    k.processes.set(tid, process);
  }
  const task = new Task({
    tid,
    slot,
    pidSlot,
    process,
    registerWords: k.arch.registerWords,
    cred: options.cred?.clone() ?? new Credentials(k.initialUser),
    comm: options.comm,
    kind: options.kind,
    pidNs: k.initialPid,
    net: k.initialNet,
    cgroup,
    cgroupNs: k.initialCgroup,
    uts: k.initialUts,
  });
  task.sighand = sighand;
  task.ipc = k.initialIpc;
  k.initialIpc.retain();
  task.mounts = k.initialMounts;
  k.initialMounts.retain();
  task.time = k.initialTime;
  k.initialTime.retain();
  task.timeForChildren = k.initialTime;
  k.initialTime.retain();
  task.startTimeNs = k.clock.nowNs;
  if (task.kind === 'user') beginTime(k, task);
  if (options.process === null) process.leader = task;
  process.threads.push(task);
  k.tasks.set(tid, task);
  joinAtFork(k, task, cgroup);
  return task;
}

/** Takes back a task that never ran. */
export function discardTask(k: Kernel, task: Task): void {
  const { process, sighand } = task;
  if (sighand !== null && --sighand.users === 0) k.caches.sighand.free(sighand.slot);
  task.sighand = null;
  leaveIpc(k, task);
  leaveMounts(k, task);
  leaveTime(k, task);
  leaveAtExit(k, task);
  leavePids(task);
  task.state = 'X';
  process.threads.splice(process.threads.indexOf(task), 1);
  k.tasks.delete(task.tid);
  k.caches.task.free(task.slot);
  k.caches.pid.free(task.pidSlot);
  if (process.leader !== task) return;
  const { parent } = process;
  if (parent !== null) parent.children.splice(parent.children.indexOf(process), 1);
  k.processes.delete(process.pid);
  k.caches.signal.free(process.slot);
}

/** Gives a folder context its slot of fs_cache; -ENOMEM. */
export function chargeFs(k: Kernel, fs: FsContext): number {
  const slot = k.caches.fs.alloc();
  if (slot === 0) return -ENOMEM;
  k.fsSlots.set(fs, slot);
  return 0;
}
