import { CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN } from '../abi/capability.ts';
import { EINVAL, ENOSPC, EPERM } from '../abi/errno.ts';
import {
  CLONE_NAMESPACES,
  CLONE_NEWIPC,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_SYSVSEM,
} from '../abi/sched.ts';
import { type Credentials, nsCapable } from './credentials.ts';
import { MAX_LEVEL } from './pid-namespace.ts';
import type { Task } from './task.ts';
import type { UserNamespace } from './user-namespace.ts';

/**
 * copy_namespaces and create_new_namespaces (6.18, kernel/nsproxy.c): 0, -EPERM without CAP_SYS_ADMIN in `userNs`, which will own them,
 * or another refusal.
 */
export function checkNewNamespaces(t: Task, flags: number, userNs: UserNamespace): number {
  const wanted = flags & (CLONE_NAMESPACES | CLONE_NEWTIME) & ~CLONE_NEWUSER;
  if (wanted === 0) return 0;
  if (!nsCapable(t.cred, userNs, CAP_SYS_ADMIN)) return -EPERM;
  if ((wanted & CLONE_NEWIPC) !== 0 && (flags & CLONE_SYSVSEM) !== 0) return -EINVAL;
  if ((wanted & CLONE_NEWPID) === 0) return 0;
  // copy_pid_ns, create_pid_namespace.
  if (t.pidNs !== t.pidNsForChildren) return -EINVAL;
  return t.pidNs.level >= MAX_LEVEL ? -ENOSPC : 0;
}

/** checkpoint_restore_ns_capable. */
export function mayCheckpoint(cred: Credentials, userNs: UserNamespace): boolean {
  return nsCapable(cred, userNs, CAP_CHECKPOINT_RESTORE) || nsCapable(cred, userNs, CAP_SYS_ADMIN);
}
