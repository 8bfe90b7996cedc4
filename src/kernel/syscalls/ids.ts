import { CAP_SETGID, CAP_SETUID } from '../../abi/capability.ts';
import { EACCES, EFAULT, EINVAL, EPERM, ESRCH } from '../../abi/errno.ts';
import { afterCredentialsChange } from '../commit-credentials.ts';
import { type Credentials, capableHere, fixCapabilitiesAfterFsuid, fixCapabilitiesAfterUid } from '../credentials.ts';
import { INVALID_ID } from '../id-map.ts';
import type { Kernel } from '../kernel.ts';
import { findGroup } from '../pid.ts';
import type { Task } from '../task.ts';
import { readBytes, writeI32s } from '../user-structs.ts';
import { row, type SyscallRow, type SyscallRun } from './row.ts';

/** -1 of a uid_t or gid_t argument: leave as it is. */
const KEEP = 0xffff_ffff;

type ChangeIds = (k: Kernel, t: Task, ...ids: number[]) => number;

/** Runs `change` with ids as the kernel has them; -EINVAL where one has no meaning in the caller's user namespace. */
function ofUser(kind: 'uids' | 'gids', change: ChangeIds): ChangeIds {
  return (k, t, ...numbers) => {
    const map = t.cred.userNs[kind];
    const ids = numbers.slice(0, change.length - 2).map((id) => (id === KEEP ? KEEP : map.toKernel(id)));
    return ids.some((id, i) => id === INVALID_ID && numbers[i] !== KEEP) ? -EINVAL : change(k, t, ...ids);
  };
}

/** Runs `change` on the credentials; on 0 what must follow a change of ids follows. */
function changeIds(t: Task, change: (cred: Credentials) => number): number {
  const old = t.cred.clone();
  const result = change(t.cred);
  if (result !== 0) return result;
  fixCapabilitiesAfterUid(t.cred, old);
  afterCredentialsChange(t, old);
  return 0;
}

function setuid(_k: Kernel, t: Task, uid: number): number {
  if (uid === KEEP) return -EINVAL;
  return changeIds(t, (cred) => {
    if (capableHere(cred, CAP_SETUID)) {
      cred.uid = uid;
      cred.suid = uid;
    } else if (uid !== cred.uid && uid !== cred.suid) return -EPERM;
    cred.euid = uid;
    cred.fsuid = uid;
    return 0;
  });
}

function setreuid(_k: Kernel, t: Task, ruid: number, euid: number): number {
  return changeIds(t, (cred) => {
    const privileged = capableHere(cred, CAP_SETUID);
    const old = cred.uid;
    if (ruid !== KEEP && ruid !== old && ruid !== cred.euid && !privileged) return -EPERM;
    if (euid !== KEEP && euid !== old && euid !== cred.euid && euid !== cred.suid && !privileged) return -EPERM;
    if (ruid !== KEEP) cred.uid = ruid;
    if (euid !== KEEP) cred.euid = euid;
    if (ruid !== KEEP || (euid !== KEEP && euid !== old)) cred.suid = cred.euid;
    cred.fsuid = cred.euid;
    return 0;
  });
}

function setresuid(_k: Kernel, t: Task, ruid: number, euid: number, suid: number): number {
  return changeIds(t, (cred) => {
    const known = [cred.uid, cred.euid, cred.suid];
    if (!capableHere(cred, CAP_SETUID) && [ruid, euid, suid].some((id) => id !== KEEP && !known.includes(id)))
      return -EPERM;
    if (ruid !== KEEP) cred.uid = ruid;
    if (euid !== KEEP) cred.euid = euid;
    if (suid !== KEEP) cred.suid = suid;
    cred.fsuid = cred.euid;
    return 0;
  });
}

function setgid(_k: Kernel, t: Task, gid: number): number {
  if (gid === KEEP) return -EINVAL;
  return changeIds(t, (cred) => {
    if (capableHere(cred, CAP_SETGID)) {
      cred.gid = gid;
      cred.sgid = gid;
    } else if (gid !== cred.gid && gid !== cred.sgid) return -EPERM;
    cred.egid = gid;
    cred.fsgid = gid;
    return 0;
  });
}

function setregid(_k: Kernel, t: Task, rgid: number, egid: number): number {
  return changeIds(t, (cred) => {
    const privileged = capableHere(cred, CAP_SETGID);
    const old = cred.gid;
    if (rgid !== KEEP && rgid !== old && rgid !== cred.egid && !privileged) return -EPERM;
    if (egid !== KEEP && egid !== old && egid !== cred.egid && egid !== cred.sgid && !privileged) return -EPERM;
    if (rgid !== KEEP) cred.gid = rgid;
    if (egid !== KEEP) cred.egid = egid;
    if (rgid !== KEEP || (egid !== KEEP && egid !== old)) cred.sgid = cred.egid;
    cred.fsgid = cred.egid;
    return 0;
  });
}

function setresgid(_k: Kernel, t: Task, rgid: number, egid: number, sgid: number): number {
  return changeIds(t, (cred) => {
    const known = [cred.gid, cred.egid, cred.sgid];
    if (!capableHere(cred, CAP_SETGID) && [rgid, egid, sgid].some((id) => id !== KEEP && !known.includes(id)))
      return -EPERM;
    if (rgid !== KEEP) cred.gid = rgid;
    if (egid !== KEEP) cred.egid = egid;
    if (sgid !== KEEP) cred.sgid = sgid;
    cred.fsgid = cred.egid;
    return 0;
  });
}

function setfsuid(_k: Kernel, t: Task, id: number): number {
  const { cred } = t;
  const { uids } = cred.userNs;
  const old = cred.fsuid;
  const uid = uids.toKernel(id);
  if (uid === INVALID_ID) return uids.show(old);
  if (capableHere(cred, CAP_SETUID) || [cred.uid, cred.euid, cred.suid, cred.fsuid].includes(uid)) {
    const before = cred.clone();
    cred.fsuid = uid;
    fixCapabilitiesAfterFsuid(cred, old);
    if (old !== uid) afterCredentialsChange(t, before);
  }
  return uids.show(old);
}

function setfsgid(_k: Kernel, t: Task, id: number): number {
  const { cred } = t;
  const { gids } = cred.userNs;
  const old = cred.fsgid;
  const gid = gids.toKernel(id);
  if (gid === INVALID_ID) return gids.show(old);
  if (capableHere(cred, CAP_SETGID) || [cred.gid, cred.egid, cred.sgid, cred.fsgid].includes(gid)) {
    const before = cred.clone();
    cred.fsgid = gid;
    if (old !== gid) afterCredentialsChange(t, before);
  }
  return gids.show(old);
}

function writeThree(k: Kernel, t: Task, addresses: readonly number[], values: readonly number[]): number {
  for (const [i, address] of addresses.entries()) if (writeI32s(k, t, address, [values[i]]) < 0) return -EFAULT;
  return 0;
}

function getgroups(k: Kernel, t: Task, size: number, list: number): number {
  const { groups } = t.cred;
  if (size < 0) return -EINVAL;
  if (size === 0) return groups.length;
  if (size < groups.length) return -EINVAL;
  return writeI32s(
    k,
    t,
    list,
    groups.map((id) => t.cred.userNs.gids.show(id)),
  ) < 0
    ? -EFAULT
    : groups.length;
}

function setgroups(k: Kernel, t: Task, size: number, list: number): number {
  // may_setgroups: to leave a group must not be a way around a `deny`.
  const { gids, setgroupsAllowed } = t.cred.userNs;
  if (!capableHere(t.cred, CAP_SETGID) || !gids.isSet || !setgroupsAllowed) return -EPERM;
  if (size < 0 || size > 65536) return -EINVAL;
  const bytes = new Uint8Array(size * 4);
  if (size > 0 && readBytes(k, t, list, bytes) < 0) return -EFAULT;
  const groups = [...new Uint32Array(bytes.buffer)].map((id) => gids.toKernel(id));
  if (groups.includes(INVALID_ID)) return -EINVAL;
  t.cred.groups = groups.sort((a, b) => a - b);
  return 0;
}

/** sys_setpgid (6.18, kernel/sys.c). */
function setpgid(k: Kernel, t: Task, pid: number, pgid: number): number {
  const targetPid = pid === 0 ? t.tgid : pid;
  const group = pgid === 0 ? targetPid : pgid;
  if (group < 0) return -EINVAL;
  const target = k.processes.get(targetPid);
  if (target === undefined) return -ESRCH;
  if (target.parent === t.process) {
    if (target.session !== t.process.session) return -EPERM;
    if (target.hasExeced) return -EACCES;
  } else if (target !== t.process) return -ESRCH;
  if (target.session === target.pid) return -EPERM;
  if (group !== targetPid) {
    const member = findGroup(k, group);
    if (member === null || member.session !== t.process.session) return -EPERM;
  }
  target.pgrp = group;
  return 0;
}

function getpgid(k: Kernel, t: Task, pid: number): number {
  const target = pid === 0 ? t.process : k.tasks.get(pid)?.process;
  return target === undefined ? -ESRCH : target.pgrp;
}

function getsid(k: Kernel, t: Task, pid: number): number {
  const target = pid === 0 ? t.process : k.tasks.get(pid)?.process;
  return target === undefined ? -ESRCH : target.session;
}

function setsid(k: Kernel, t: Task): number {
  const { process } = t;
  if (process.session === process.pid || findGroup(k, process.pid) !== null) return -EPERM;
  process.session = process.pid;
  process.pgrp = process.pid;
  process.tty = null;
  return process.pid;
}

const pidRow = (name: string, args: SyscallRow['args'], run: SyscallRun): SyscallRow => ({
  ...row(name, args, run),
  returns: 'pid',
});
export const idCalls: readonly SyscallRow[] = [
  pidRow('getpid', [], (_k, t) => t.tgid),
  pidRow('gettid', [], (_k, t) => t.tid),
  pidRow('getppid', [], (_k, t) => t.process.parent?.pid ?? 0),
  row('getuid', [], (_k, t) => t.cred.userNs.uids.show(t.cred.uid)),
  row('geteuid', [], (_k, t) => t.cred.userNs.uids.show(t.cred.euid)),
  row('getgid', [], (_k, t) => t.cred.userNs.gids.show(t.cred.gid)),
  row('getegid', [], (_k, t) => t.cred.userNs.gids.show(t.cred.egid)),
  row('getresuid', ['ptr', 'ptr', 'ptr'], (k, t, a, b, c) =>
    writeThree(
      k,
      t,
      [a, b, c],
      [t.cred.uid, t.cred.euid, t.cred.suid].map((id) => t.cred.userNs.uids.show(id)),
    ),
  ),
  row('getresgid', ['ptr', 'ptr', 'ptr'], (k, t, a, b, c) =>
    writeThree(
      k,
      t,
      [a, b, c],
      [t.cred.gid, t.cred.egid, t.cred.sgid].map((id) => t.cred.userNs.gids.show(id)),
    ),
  ),
  row('setuid', ['uint'], ofUser('uids', setuid)),
  row('setreuid', ['uint', 'uint'], ofUser('uids', setreuid)),
  row('setresuid', ['uint', 'uint', 'uint'], ofUser('uids', setresuid)),
  row('setgid', ['uint'], ofUser('gids', setgid)),
  row('setregid', ['uint', 'uint'], ofUser('gids', setregid)),
  row('setresgid', ['uint', 'uint', 'uint'], ofUser('gids', setresgid)),
  row('setfsuid', ['uint'], setfsuid),
  row('setfsgid', ['uint'], setfsgid),
  row('getgroups', ['int', 'ptr'], getgroups),
  row('setgroups', ['int', 'ptr'], setgroups),
  row('setpgid', ['pid', 'pid'], setpgid),
  pidRow('getpgid', ['pid'], getpgid),
  pidRow('getsid', ['pid'], getsid),
  pidRow('setsid', [], setsid),
];
