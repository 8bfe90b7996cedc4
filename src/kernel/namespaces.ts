import { EINVAL, ENOSPC, EPERM } from '../abi/errno.ts';
import {
  CLONE_NAMESPACES,
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_SYSVSEM,
} from '../abi/sched.ts';
import { MAX_LEVEL } from './pid-namespace.ts';
import type { Task } from './task.ts';

const CAP_SYS_ADMIN_BIT = 1 << 21;

export const hasSysAdmin = (t: Task): boolean => (t.cred.capEffective[0] & CAP_SYS_ADMIN_BIT) !== 0;

/**
 * copy_namespaces and create_new_namespaces (6.18, kernel/nsproxy.c): 0, -EPERM without CAP_SYS_ADMIN, or -EINVAL for those that
 * this kernel is built without.
 */
export function checkNewNamespaces(t: Task, flags: number): number {
  const wanted = flags & (CLONE_NAMESPACES | CLONE_NEWTIME);
  if (wanted === 0) return 0;
  if ((wanted & CLONE_NEWUSER) !== 0) return -EINVAL;
  if (!hasSysAdmin(t)) return -EPERM;
  if ((wanted & CLONE_NEWIPC) !== 0 && (flags & CLONE_SYSVSEM) !== 0) return -EINVAL;
  if ((wanted & ~(CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWTIME | CLONE_NEWPID | CLONE_NEWCGROUP)) !== 0) return -EINVAL;
  if ((wanted & CLONE_NEWPID) === 0) return 0;
  // copy_pid_ns, create_pid_namespace.
  if (t.pidNs !== t.pidNsForChildren) return -EINVAL;
  return t.pidNs.level >= MAX_LEVEL ? -ENOSPC : 0;
}
