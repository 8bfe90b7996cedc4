import { CAP_SYS_PTRACE } from '../abi/capability.ts';
import { EPERM } from '../abi/errno.ts';
import { isSubset, nsCapable } from './credentials.ts';
import type { Task } from './task.ts';

/** Which ids of the caller count: the real ones (ptrace, process_vm_readv) or those for files (/proc). */
export type AccessCredentials = 'real' | 'fs';

/**
 * __ptrace_may_access and cap_ptrace_access_check (6.18, kernel/ptrace.c, security/commoncap.c): 0, or -EPERM. A thread of the
 * same group always may; else the ids must be the target's, or the caller has CAP_SYS_PTRACE over the target's user namespace.
 */
export function mayAccessTask(caller: Task, target: Task, which: AccessCredentials): number {
  if (caller.process === target.process) return 0;
  const own = caller.cred;
  const theirs = target.cred;
  const mayTrace = nsCapable(own, theirs.userNs, CAP_SYS_PTRACE);
  const uid = which === 'fs' ? own.fsuid : own.uid;
  const gid = which === 'fs' ? own.fsgid : own.gid;
  const isSame =
    [theirs.uid, theirs.euid, theirs.suid].every((id) => id === uid) &&
    [theirs.gid, theirs.egid, theirs.sgid].every((id) => id === gid);
  if (!isSame && !mayTrace) return -EPERM;
  const { dumpable, memoryUserNs } = target.process;
  if (target.space !== null && dumpable !== 1 && !nsCapable(own, memoryUserNs, CAP_SYS_PTRACE)) return -EPERM;
  if (mayTrace) return 0;
  const held = which === 'fs' ? own.capEffective : own.capPermitted;
  return own.userNs === theirs.userNs && isSubset(theirs.capPermitted, held) ? 0 : -EPERM;
}
