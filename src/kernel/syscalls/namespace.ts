import { CAP_SYS_ADMIN, CAP_SYS_CHROOT } from '../../abi/capability.ts';
import { EINVAL, ENOMEM, EPERM, ESRCH, EUSERS } from '../../abi/errno.ts';
import {
  CLONE_FILES,
  CLONE_FS,
  CLONE_NAMESPACES,
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
  CLONE_SIGHAND,
  CLONE_SYSVSEM,
  CLONE_THREAD,
  CLONE_VM,
} from '../../abi/sched.ts';
import { unreachable } from '../../base/assert.ts';
import { mayAccessTask } from '../access-task.ts';
import { newCgroupNamespace } from '../cgroup/namespace.ts';
import { afterCredentialsChange } from '../commit-credentials.ts';
import { type Credentials, nsCapable } from '../credentials.ts';
import { dropFs } from '../exit.ts';
import { enterIpc, newIpcNamespace } from '../ipc/namespace.ts';
import { exitSem } from '../ipc/sem.ts';
import { exitShm } from '../ipc/shm.ts';
import type { Kernel } from '../kernel.ts';
import { enterMounts, goToRoot, newMountNamespace } from '../mount-namespace.ts';
import { checkNewNamespaces } from '../namespaces.ts';
import { newNetNamespace } from '../net-namespace.ts';
import { chargeFs } from '../new-task.ts';
import { NAMESPACE_FLAGS, type Namespace, NsFile } from '../ns-file.ts';
import { isWithin, newPidNamespace } from '../pid-namespace.ts';
import { PidFile } from '../pidfd.ts';
import type { Task } from '../task.ts';
import { joinTime, newTimeNamespace, setTimeForChildren } from '../time-namespace.ts';
import { credentialsInNewUserNs, enterUserNamespace, type UserNamespace } from '../user-namespace.ts';
import { newUtsNamespace } from '../uts-namespace.ts';
import type { SyscallRow } from './row.ts';
import { fileAt } from './user.ts';

const KNOWN =
  CLONE_NAMESPACES | CLONE_NEWTIME | CLONE_THREAD | CLONE_FS | CLONE_SIGHAND | CLONE_VM | CLONE_FILES | CLONE_SYSVSEM;

/** What a flag brings with it (ksys_unshare). */
const IMPLIED: readonly (readonly [number, number])[] = [
  [CLONE_NEWUSER, CLONE_THREAD | CLONE_FS],
  [CLONE_NEWPID, CLONE_THREAD],
  [CLONE_VM, CLONE_SIGHAND],
  [CLONE_SIGHAND, CLONE_THREAD],
  [CLONE_NEWNS, CLONE_FS],
];

/** check_unshare_flags: what threads share cannot be had alone; alone in it already is fine. */
function checkShared(t: Task, flags: number): number {
  if ((flags & ~KNOWN) !== 0) return -EINVAL;
  if ((flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)) !== 0 && t.process.threads.length > 1) return -EINVAL;
  if ((flags & (CLONE_SIGHAND | CLONE_VM)) !== 0 && t.sighand!.users > 1) return -EINVAL;
  return (flags & CLONE_VM) !== 0 && t.space!.users > 1 ? -EINVAL : 0;
}

/** unshare(2) (6.18, kernel/fork.c): all of it or nothing. */
function unshare(k: Kernel, t: Task, asked: number): number {
  const flags = IMPLIED.reduce((all, [flag, more]) => ((all & flag) !== 0 ? all | more : all), asked);
  const refused = checkShared(t, flags);
  if (refused < 0) return refused;
  const fs = (flags & CLONE_FS) !== 0 && t.fs!.users > 1 ? t.fs!.copy() : null;
  if (fs !== null && chargeFs(k, fs) < 0) {
    fs.release();
    return -ENOMEM;
  }
  const files = (flags & CLONE_FILES) !== 0 && t.files!.users > 1 ? t.files!.copy() : null;
  const cred = (flags & CLONE_NEWUSER) !== 0 ? credentialsInNewUserNs(k, t) : t.cred;
  const refusal = typeof files === 'number' ? files : typeof cred === 'number' ? cred : 0;
  const allowed = refusal || checkNewNamespaces(t, flags & ~CLONE_SYSVSEM, (cred as Credentials).userNs);
  if (allowed < 0 || typeof files === 'number' || typeof cred === 'number') {
    if (typeof files !== 'number') files?.release();
    if (fs !== null) dropFs(k, fs);
    return allowed;
  }
  const { userNs } = cred;
  if ((flags & (CLONE_NEWIPC | CLONE_SYSVSEM)) !== 0) exitSem(k, t);
  if ((flags & CLONE_NEWIPC) !== 0) {
    exitShm(k, t);
    enterIpc(k, t, newIpcNamespace(k, userNs));
  }
  if ((flags & CLONE_NEWNET) !== 0) t.net = newNetNamespace(k, userNs);
  if ((flags & CLONE_NEWUTS) !== 0) t.uts = newUtsNamespace(k, t.uts, userNs);
  if ((flags & CLONE_NEWCGROUP) !== 0) t.cgroupNs = newCgroupNamespace(k, t.cgroup, userNs);
  if ((flags & CLONE_NEWPID) !== 0) t.pidNsForChildren = newPidNamespace(k, t.pidNsForChildren, userNs);
  if ((flags & CLONE_NEWTIME) !== 0) setTimeForChildren(k, t, newTimeNamespace(k, t.timeForChildren!, userNs));
  if (fs !== null) {
    dropFs(k, t.fs!);
    t.fs = fs;
  }
  if ((flags & CLONE_NEWNS) !== 0) enterMounts(k, t, newMountNamespace(k, t.mounts!, userNs, t.fs));
  if (files !== null) {
    t.files!.release();
    t.files = files;
  }
  if (cred !== t.cred) commitCredentials(t, cred);
  return 0;
}

function commitCredentials(t: Task, cred: Credentials): void {
  const old = t.cred;
  t.cred = cred;
  if (t.fs !== null) t.fs.actor = cred;
  afterCredentialsChange(t, old);
}

/** setns(2) (6.18, kernel/nsproxy.c): into the namespace that a file of /proc/PID/ns is, or into those of a pidfd's process. */
function setns(k: Kernel, t: Task, fd: number, type: number): number {
  const file = fileAt(t, fd);
  if (typeof file === 'number') return file;
  if (file instanceof NsFile) {
    if (type !== 0 && type !== NAMESPACE_FLAGS[file.ns.kind]) return -EINVAL;
    return enter(k, t, [file.ns]);
  }
  if (!(file instanceof PidFile)) return -EINVAL;
  if (type === 0 || (type & ~SETNS_FLAGS) !== 0) return -EINVAL;
  const { target } = file;
  if (target === null) return -ESRCH;
  if (mayAccessTask(t, target, 'real') < 0) return -EPERM;
  const { ipc, time, mounts } = target;
  if (ipc === null || time === null || mounts === null) return -ESRCH;
  // validate_nsset's order.
  const all: readonly Namespace[] = [
    target.cred.userNs,
    mounts,
    target.uts,
    ipc,
    target.pidNs,
    target.cgroupNs,
    target.net,
    time,
  ];
  return enter(
    k,
    t,
    all.filter(({ kind }) => (type & NAMESPACE_FLAGS[kind]) !== 0),
  );
}

/** What check_setns_flags lets through, of the kinds that there are. */
const SETNS_FLAGS = Object.values(NAMESPACE_FLAGS).reduce((all, flag) => all | flag, 0);

/** The install functions of each kind, then commit_nsset: all or none. */
function enter(k: Kernel, t: Task, namespaces: readonly Namespace[]): number {
  let { cred } = t;
  for (const ns of namespaces) {
    const refused = ns.kind === 'user' ? checkUserNs(t, ns) : checkInstall(t, cred.userNs, ns);
    if (refused < 0) return refused;
    if (ns.kind !== 'user') continue;
    cred = t.cred.clone();
    enterUserNamespace(cred, ns);
  }
  for (const ns of namespaces) install(k, t, ns);
  if (cred !== t.cred) commitCredentials(t, cred);
  return 0;
}

/** userns_install: not one's own, which would give all capabilities back, and not with folders or memory that others share. */
function checkUserNs(t: Task, ns: UserNamespace): number {
  if (ns === t.cred.userNs || t.process.threads.length > 1 || t.fs!.users > 1) return -EINVAL;
  return nsCapable(t.cred, ns, CAP_SYS_ADMIN) ? 0 : -EPERM;
}

/** Rights over the namespace, and over the user namespace that the task will be in. */
function checkInstall(t: Task, userNs: UserNamespace, ns: Exclude<Namespace, UserNamespace>): number {
  const { cred } = t;
  const { kind } = ns;
  // timens_install: other threads read the same clocks' page.
  if (kind === 'time' && (t.process.threads.length > 1 || t.space!.users > 1)) return -EUSERS;
  if (!nsCapable(cred, ns.userNs, CAP_SYS_ADMIN) || !nsCapable(cred, userNs, CAP_SYS_ADMIN)) return -EPERM;
  if (kind === 'mnt' && !nsCapable(cred, userNs, CAP_SYS_CHROOT)) return -EPERM;
  if (kind === 'mnt' && t.fs!.users > 1) return -EINVAL;
  // pidns_install: one's own, or one in it.
  return kind === 'pid' && !isWithin(ns, t.pidNs) ? -EINVAL : 0;
}

function install(k: Kernel, t: Task, ns: Namespace): void {
  ns.retain();
  switch (ns.kind) {
    case 'ipc':
      exitSem(k, t);
      enterIpc(k, t, ns);
      break;
    case 'cgroup':
      t.cgroupNs = ns;
      break;
    case 'mnt':
      enterMounts(k, t, ns);
      goToRoot(t.fs!, ns);
      break;
    case 'net':
      t.net = ns;
      break;
    case 'pid':
      t.pidNsForChildren = ns;
      break;
    case 'time':
      setTimeForChildren(k, t, ns);
      joinTime(k, t);
      break;
    case 'uts':
      t.uts = ns;
      break;
    case 'user':
      // With the credentials.
      break;
    default:
      unreachable(ns);
  }
}

export const namespaceCalls: readonly SyscallRow[] = [
  {
    name: 'unshare',
    args: ['uint'],
    run: unshare,
    support: 'partial',
    note: 'mounts are private (no propagation)',
  },
  {
    name: 'setns',
    args: ['int', 'uint'],
    run: setns,
    support: 'partial',
    note: 'mounts are private (no propagation)',
  },
];
