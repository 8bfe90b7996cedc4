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
  CLONE_SIGHAND,
  CLONE_SYSVSEM,
  CLONE_THREAD,
  CLONE_VM,
} from '../../abi/sched.ts';
import { mayAccessTask } from '../access-task.ts';
import { newCgroupNamespace } from '../cgroup/namespace.ts';
import { dropFs } from '../exit.ts';
import { enterIpc, newIpcNamespace } from '../ipc/namespace.ts';
import { exitSem } from '../ipc/sem.ts';
import { exitShm } from '../ipc/shm.ts';
import type { Kernel } from '../kernel.ts';
import { checkNewNamespaces, hasSysAdmin } from '../namespaces.ts';
import { newNetNamespace } from '../net-namespace.ts';
import { chargeFs } from '../new-task.ts';
import { NAMESPACE_FLAGS, type Namespace, NsFile } from '../ns-file.ts';
import { isWithin, newPidNamespace } from '../pid-namespace.ts';
import { PidFile } from '../pidfd.ts';
import type { Task } from '../task.ts';
import { joinTime, newTimeNamespace, setTimeForChildren } from '../time-namespace.ts';
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
  const allowed = typeof files === 'number' ? files : checkNewNamespaces(t, flags & ~CLONE_SYSVSEM);
  if (allowed < 0 || typeof files === 'number') {
    if (typeof files !== 'number') files?.release();
    if (fs !== null) dropFs(k, fs);
    return allowed;
  }
  if ((flags & (CLONE_NEWIPC | CLONE_SYSVSEM)) !== 0) exitSem(k, t);
  if ((flags & CLONE_NEWIPC) !== 0) {
    exitShm(k, t);
    enterIpc(k, t, newIpcNamespace(k));
  }
  if ((flags & CLONE_NEWNET) !== 0) t.net = newNetNamespace(k);
  if ((flags & CLONE_NEWCGROUP) !== 0) t.cgroupNs = newCgroupNamespace(k, t.cgroup);
  if ((flags & CLONE_NEWPID) !== 0) t.pidNsForChildren = newPidNamespace(k, t.pidNsForChildren);
  if ((flags & CLONE_NEWTIME) !== 0) setTimeForChildren(k, t, newTimeNamespace(k, t.timeForChildren!));
  if (fs !== null) {
    dropFs(k, t.fs!);
    t.fs = fs;
  }
  if (files !== null) {
    t.files!.release();
    t.files = files;
  }
  return 0;
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
  if (type === 0 || (type & ~(CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWTIME)) !== 0)
    return -EINVAL;
  const { target } = file;
  if (target === null) return -ESRCH;
  if (mayAccessTask(t, target, 'real') < 0) return -EPERM;
  const { ipc, time } = target;
  if (ipc === null || time === null) return -ESRCH;
  return enter(k, t, [
    ...((type & CLONE_NEWIPC) !== 0 ? [ipc] : []),
    ...((type & CLONE_NEWNET) !== 0 ? [target.net] : []),
    ...((type & CLONE_NEWCGROUP) !== 0 ? [target.cgroupNs] : []),
    ...((type & CLONE_NEWPID) !== 0 ? [target.pidNs] : []),
    ...((type & CLONE_NEWTIME) !== 0 ? [time] : []),
  ]);
}

/** The install functions of each kind, then commit_nsset: all or none. */
function enter(k: Kernel, t: Task, namespaces: readonly Namespace[]): number {
  for (const ns of namespaces) {
    const { kind } = ns;
    // timens_install: other threads read the same clocks' page.
    if (kind === 'time' && (t.process.threads.length > 1 || t.space!.users > 1)) return -EUSERS;
    if (!hasSysAdmin(t)) return -EPERM;
    // pidns_install: one's own, or one in it.
    if (ns.kind === 'pid' && !isWithin(ns, t.pidNs)) return -EINVAL;
  }
  for (const ns of namespaces) {
    ns.retain();
    if (ns.kind === 'ipc') {
      exitSem(k, t);
      enterIpc(k, t, ns);
    } else if (ns.kind === 'net') t.net = ns;
    else if (ns.kind === 'cgroup') t.cgroupNs = ns;
    else if (ns.kind === 'pid') t.pidNsForChildren = ns;
    else {
      setTimeForChildren(k, t, ns);
      joinTime(k, t);
    }
  }
  return 0;
}

export const namespaceCalls: readonly SyscallRow[] = [
  {
    name: 'unshare',
    args: ['uint'],
    run: unshare,
    support: 'partial',
    note: 'of the namespaces only CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWPID and CLONE_NEWTIME; CLONE_FS, CLONE_FILES and CLONE_SYSVSEM in full',
  },
  {
    name: 'setns',
    args: ['int', 'uint'],
    run: setns,
    support: 'partial',
    note: 'cgroup, IPC, network, pid and time namespaces',
  },
];
