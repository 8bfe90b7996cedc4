import { EPERM } from '../abi/errno.ts';
import type { Credentials } from './credentials.ts';
import type { Task } from './task.ts';

/** Which ids of the caller count: the real ones (ptrace, process_vm_readv) or those for files (/proc). */
export type AccessCredentials = 'real' | 'fs';

const CAP_SYS_PTRACE_BIT = 1 << 19;

const canPtrace = (cred: Credentials): boolean => (cred.capEffective[0] & CAP_SYS_PTRACE_BIT) !== 0;

/** cap_issubset. */
function holds(sets: readonly number[], of: readonly number[]): boolean {
  return (of[0] & ~sets[0]) === 0 && (of[1] & ~sets[1]) === 0;
}

/**
 * __ptrace_may_access and cap_ptrace_access_check (6.18, kernel/ptrace.c, security/commoncap.c): 0, or -EPERM. A thread of the
 * same group always may; else the ids must be the target's, or the caller has CAP_SYS_PTRACE.
 */
export function mayAccessTask(caller: Task, target: Task, which: AccessCredentials): number {
  if (caller.process === target.process) return 0;
  const own = caller.cred;
  const theirs = target.cred;
  if (canPtrace(own)) return 0;
  const uid = which === 'fs' ? own.fsuid : own.uid;
  const gid = which === 'fs' ? own.fsgid : own.gid;
  const isSame =
    [theirs.uid, theirs.euid, theirs.suid].every((id) => id === uid) &&
    [theirs.gid, theirs.egid, theirs.sgid].every((id) => id === gid);
  if (!isSame) return -EPERM;
  if (target.space !== null && target.process.dumpable !== 1) return -EPERM;
  return holds(which === 'fs' ? own.capEffective : own.capPermitted, theirs.capPermitted) ? 0 : -EPERM;
}
