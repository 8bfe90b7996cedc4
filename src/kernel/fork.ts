import { CAP_SYS_ADMIN, CAP_SYS_RESOURCE } from '../abi/capability.ts';
import { EAGAIN, EEXIST, EFAULT, EINVAL, ENOMEM, EPERM } from '../abi/errno.ts';
import { O_CLOEXEC } from '../abi/fcntl.ts';
import { RLIMIT_NPROC } from '../abi/resource.ts';
import {
  CLONE_CHILD_CLEARTID,
  CLONE_CHILD_SETTID,
  CLONE_CLEAR_SIGHAND_HIGH,
  CLONE_FILES,
  CLONE_FS,
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
  CLONE_PARENT,
  CLONE_PARENT_SETTID,
  CLONE_PIDFD,
  CLONE_SETTLS,
  CLONE_SIGHAND,
  CLONE_SYSVSEM,
  CLONE_THREAD,
  CLONE_VFORK,
  CLONE_VM,
} from '../abi/sched.ts';
import { SIG_IGN } from '../abi/signal.ts';
import { EV_PROCESS_FORK } from '../base/event-kinds.ts';
import { dupSpace } from '../mm/ops/fork.ts';
import { writeU32 } from '../mm/user-access.ts';
import type { Cgroup } from './cgroup/cgroup.ts';
import { followCgroup } from './cgroup/cgroups.ts';
import { newCgroupNamespace } from './cgroup/namespace.ts';
import { capable } from './credentials.ts';
import { releaseFs } from './exit.ts';
import { enterIpc, newIpcNamespace } from './ipc/namespace.ts';
import { newUndoList } from './ipc/sem.ts';
import type { Kernel } from './kernel.ts';
import { enterMounts, newMountNamespace } from './mount-namespace.ts';
import { checkNewNamespaces, mayCheckpoint } from './namespaces.ts';
import { newNetNamespace } from './net-namespace.ts';
import { chargeFs, discardTask, newTask } from './new-task.ts';
import { PID_MAX } from './pid.ts';
import { isReaper, newPidNamespace, numberTask, ownTid, type PidNamespace } from './pid-namespace.ts';
import { makePidFile, PIDFD_THREAD } from './pidfd.ts';
import { inheritTrace } from './ptrace/attach.ts';
import { threadsMax } from './rlimits.ts';
import { makeRunnable } from './scheduler.ts';
import { resetAltStack } from './signals/deliver.ts';
import { hasPendingSignal } from './signals/pending-test.ts';
import { installFile } from './syscalls/user.ts';
import type { Task } from './task.ts';
import { inheritTime } from './time-namespace.ts';
import { credentialsInNewUserNs, type UserNamespace } from './user-namespace.ts';
import { newUtsNamespace } from './uts-namespace.ts';
import { ERESTARTNOINTR } from './wait-state.ts';

/** kernel_clone_args: what clone and clone3 have in common. */
export interface CloneRequest {
  /** Low word of the flags, CSIGNAL taken out. */
  readonly flags: number;
  readonly flagsHigh: number;
  readonly exitSignal: number;
  /** Stack pointer of the child; 0: the parent's. */
  readonly stack: number;
  readonly parentTid: number;
  readonly childTid: number;
  readonly tls: number;
  /** Where a descriptor of the child is written (CLONE_PIDFD). */
  readonly pidfd: number;
  /** Where the child is to be (CLONE_INTO_CGROUP); null: where its parent is. */
  readonly cgroup?: Cgroup | null;
  /** Numbers that it is to have, from its own pid namespace outwards (clone3). */
  readonly setTid?: readonly number[];
}

const has = (flags: number, bit: number): boolean => (flags & bit) !== 0;

/** The refusals of copy_process before it makes anything, in its order. */
function checkFlags(flags: number, flagsHigh: number, t: Task): number {
  if (has(flags, CLONE_NEWNS) && has(flags, CLONE_FS)) return -EINVAL;
  if (has(flags, CLONE_NEWUSER) && has(flags, CLONE_FS)) return -EINVAL;
  if (has(flags, CLONE_THREAD) && !has(flags, CLONE_SIGHAND)) return -EINVAL;
  if (has(flags, CLONE_SIGHAND) && !has(flags, CLONE_VM)) return -EINVAL;
  if (has(flags, CLONE_SIGHAND) && (flagsHigh & CLONE_CLEAR_SIGHAND_HIGH) !== 0) return -EINVAL;
  if (has(flags, CLONE_PARENT) && t.process.parent?.leader.kind === 'kthread') return -EINVAL;
  // Init has no siblings.
  if (has(flags, CLONE_PARENT) && isReaper(t.process)) return -EINVAL;
  if (has(flags, CLONE_THREAD)) {
    if (has(flags, CLONE_NEWUSER | CLONE_NEWPID) || t.pidNs !== t.pidNsForChildren) return -EINVAL;
  }
  return 0;
}

/** alloc_pid's refusals of numbers that are asked for: each level's own. The first of a namespace must be 1. */
function checkWantedTids(k: Kernel, t: Task, { flags, setTid }: CloneRequest, userNs: UserNamespace): number {
  if (setTid === undefined) return 0;
  const isNew = has(flags, CLONE_NEWPID);
  const levels: (PidNamespace | null)[] = isNew ? [null] : [];
  for (let ns: PidNamespace | null = t.pidNsForChildren; ns !== null; ns = ns.parent) levels.push(ns);
  if (setTid.length > levels.length) return -EINVAL;
  for (const [i, tid] of setTid.entries()) {
    const ns = levels[i];
    if (tid < 1 || tid >= PID_MAX) return -EINVAL;
    if (tid !== 1 && (ns === null || (ns.parent !== null && ns.reaper === null))) return -EINVAL;
    if (!mayCheckpoint(t.cred, ns?.userNs ?? userNs)) return -EPERM;
    if (ns?.isTaken(k, tid)) return -EEXIST;
  }
  return 0;
}

/** The number that is asked for in the first namespace; 0: any. */
function wantedInFirst(t: Task, { flags, setTid }: CloneRequest): number {
  return setTid?.[t.pidNsForChildren.level + (has(flags, CLONE_NEWPID) ? 1 : 0)] ?? 0;
}

/** copy_process: RLIMIT_NPROC counts the tasks of the caller's user, zombies too; threads-max those of all, the superuser's too. */
function isOverTaskLimit(k: Kernel, t: Task): boolean {
  if (k.tasks.size >= threadsMax(k.mm.alloc.totalCount)) return true;
  const { uid } = t.cred;
  if (uid === 0 || capable(t.cred, CAP_SYS_ADMIN) || capable(t.cred, CAP_SYS_RESOURCE)) return false;
  const limit = t.process.rlimits[RLIMIT_NPROC].soft;
  if (limit > k.tasks.size) return false;
  let own = 0;
  for (const task of k.tasks.values()) if (task.cred.uid === uid) own++;
  return own >= limit;
}

/** kernel_clone: the child's tid in the caller's eyes, or -ERRNO. The child is runnable; a vfork parent must then wait. */
export function cloneTask(k: Kernel, t: Task, request: CloneRequest): Task | number {
  const { flags, flagsHigh } = request;
  const refused = checkFlags(flags, flagsHigh, t);
  if (refused < 0) return refused;
  if (hasPendingSignal(t)) return -ERESTARTNOINTR;
  const isThread = has(flags, CLONE_THREAD);
  // copy_creds; copy_namespaces, by the new credentials' user namespace.
  const cred = has(flags, CLONE_NEWUSER) ? credentialsInNewUserNs(k, t) : t.cred;
  if (typeof cred === 'number') return cred;
  if (isOverTaskLimit(k, t)) return -EAGAIN;
  const denied = checkNewNamespaces(t, flags, cred.userNs) || checkWantedTids(k, t, request, cred.userNs);
  if (denied < 0) return denied;
  const parent = has(flags, CLONE_PARENT) || isThread ? t.process.parent! : t.process;
  const child = newTask(k, {
    kind: t.kind,
    comm: t.comm,
    cred,
    process: isThread ? t.process : null,
    parent,
    sighand: has(flags, CLONE_SIGHAND) ? t.sighand : null,
    sighandFrom: t.sighand,
    cgroup: request.cgroup ?? t.cgroup,
    tid: wantedInFirst(t, request),
  });
  if (typeof child === 'number') return child;
  const failed = enterPidNamespace(k, t, child, request) || copyResources(k, t, child, flags);
  if (failed < 0) {
    discardTask(k, child);
    return failed;
  }
  if (has(flags, CLONE_PIDFD)) {
    const given = givePidfd(k, t, child, request);
    if (given < 0) {
      undoResources(k, child);
      discardTask(k, child);
      return given;
    }
  }
  inheritNamespaces(k, t, child, flags);
  inheritTime(k, t, child, flags);
  copyPlainState(k, t, child, request, isThread);
  const event = inheritTrace(t, child, flags, isThread ? -1 : request.exitSignal);
  if (event !== 0) t.trace!.pending.push({ code: event, message: child.tid, kind: 'event' });
  startChild(k, t, child, request);
  return child;
}

/** copy_pid_ns and alloc_pid. */
function enterPidNamespace(k: Kernel, t: Task, child: Task, { flags, setTid }: CloneRequest): number {
  const { pidNsForChildren: outer } = t;
  const wanted = has(flags, CLONE_NEWPID) ? newPidNamespace(k, outer, child.cred.userNs) : outer;
  child.pidNsForChildren = wanted;
  return numberTask(k, child, wanted, setTid ?? []);
}

/** copy_utsname, copy_ipcs, copy_net_ns, copy_cgroup_ns, copy_mnt_ns. The child has its folders already. */
function inheritNamespaces(k: Kernel, t: Task, child: Task, flags: number): void {
  const { userNs } = child.cred;
  if (has(flags, CLONE_NEWIPC)) enterIpc(k, child, newIpcNamespace(k, userNs));
  else {
    t.ipc!.retain();
    enterIpc(k, child, t.ipc!);
  }
  if (has(flags, CLONE_NEWNS)) enterMounts(k, child, newMountNamespace(k, t.mounts!, userNs, child.fs));
  else {
    t.mounts!.retain();
    enterMounts(k, child, t.mounts!);
  }
  child.cgroupNs = has(flags, CLONE_NEWCGROUP) ? newCgroupNamespace(k, t.cgroup, userNs) : t.cgroupNs;
  child.net = has(flags, CLONE_NEWNET) ? newNetNamespace(k, userNs) : t.net;
  child.uts = has(flags, CLONE_NEWUTS) ? newUtsNamespace(k, t.uts, userNs) : t.uts;
}

/** copy_files, copy_fs, copy_mm: on failure what was taken is given back. */
function copyResources(k: Kernel, t: Task, child: Task, flags: number): number {
  if (has(flags, CLONE_VM)) {
    child.space = t.space;
    if (t.space !== null) t.space.users++;
  } else if (t.space !== null) {
    const space = dupSpace(k.mm, t.space);
    if (typeof space === 'number') return space;
    child.space = space;
  }
  if (!has(flags, CLONE_VM)) followCgroup(k.mm, child);
  const undo = (): number => {
    undoResources(k, child);
    return -ENOMEM;
  };
  if (t.files !== null) {
    if (has(flags, CLONE_FILES)) {
      child.files = t.files;
      t.files.users++;
    } else {
      const files = t.files.copy();
      if (typeof files === 'number') return undo();
      child.files = files;
    }
  }
  if (t.fs === null) return 0;
  if (has(flags, CLONE_FS)) {
    child.fs = t.fs;
    t.fs.retain();
    return 0;
  }
  const fs = t.fs.copy();
  if (chargeFs(k, fs) < 0) {
    fs.release();
    return undo();
  }
  child.fs = fs;
  return 0;
}

/** Gives back what copyResources took, of a child that will not run. */
function undoResources(k: Kernel, child: Task): void {
  const { space } = child;
  child.space = null;
  if (space !== null && --space.users === 0) k.freeSpace(space);
  child.files?.release();
  child.files = null;
  releaseFs(k, child);
}

/** CLONE_PIDFD: a descriptor of the child in the parent, its number stored; 0 or -ERRNO. */
function givePidfd(k: Kernel, t: Task, child: Task, request: CloneRequest): number {
  const file = makePidFile(k, child, has(request.flags, CLONE_THREAD) ? PIDFD_THREAD : 0);
  if (typeof file === 'number') return file;
  const fd = installFile(t, file, O_CLOEXEC);
  if (fd < 0) return fd;
  if (writeU32(k.mm, t.space!, request.pidfd, fd) === 0) return 0;
  t.files!.close(fd);
  return -EFAULT;
}

function copyPlainState(k: Kernel, t: Task, child: Task, request: CloneRequest, isThread: boolean): void {
  const { flags } = request;
  child.registers.set(k.registersOf(t).subarray(0, k.arch.registerWords));
  k.arch.startChild(child.registers, request.stack, has(flags, CLONE_SETTLS) ? request.tls : null);
  child.sigmask.copyFrom(t.savedMask ?? t.sigmask);
  Object.assign(child.altstack, t.altstack);
  if (has(flags, CLONE_VM) && !has(flags, CLONE_VFORK)) resetAltStack(child.altstack);
  if ((request.flagsHigh & CLONE_CLEAR_SIGHAND_HIGH) !== 0) {
    for (const action of child.sighand!.actions) if (action.handler !== SIG_IGN) action.handler = 0;
  }
  child.exitSignal = isThread ? -1 : has(flags, CLONE_PARENT) ? t.process.leader.exitSignal : request.exitSignal;
  child.clearChildTid = has(flags, CLONE_CHILD_CLEARTID) ? request.childTid : 0;
  child.setChildTid = has(flags, CLONE_CHILD_SETTID) ? request.childTid : 0;
  child.policy = t.resetOnFork ? 0 : t.policy;
  child.nice = t.resetOnFork && t.nice < 0 ? 0 : t.nice;
  child.rtPriority = t.resetOnFork ? 0 : t.rtPriority;
  child.personality = t.personality;
  child.mempolicy = t.mempolicy;
  child.makerTid = t.tid;
  if (has(flags, CLONE_SYSVSEM)) {
    // copy_semundo: with nothing to share yet, an empty list.
    t.semUndo ??= newUndoList(t.ipc!.sem);
    t.semUndo.users++;
    child.semUndo = t.semUndo;
  }
  child.noNewPrivs = t.noNewPrivs;
  child.timerSlackNs = t.timerSlackNs;
}

function startChild(k: Kernel, t: Task, child: Task, request: CloneRequest): void {
  const { flags } = request;
  if (child.isLeader) k.liveProcesses++;
  k.forks++;
  if (has(flags, CLONE_PARENT_SETTID)) writeU32(k.mm, t.space!, request.parentTid, t.pidNs.numberOf(child.tid));
  if (child.setChildTid !== 0) writeU32(k.mm, child.space!, child.setChildTid, ownTid(child));
  if (has(flags, CLONE_VFORK)) child.vforkParent = t.tid;
  if (k.events.enabled[EV_PROCESS_FORK] !== 0) k.events.emit(EV_PROCESS_FORK, t.tid, child.tid);
  k.tracer?.taskNew(t, child);
  makeRunnable(k, child);
}
