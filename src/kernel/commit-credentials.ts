import { type Credentials, isSubset } from './credentials.ts';
import { applyMmLimits } from './rlimits.ts';
import type { Task } from './task.ts';

/**
 * commit_creds (kernel/cred.c, 6.18), with the changed credentials in place already: a process that may have kept secrets of
 * who it was is no longer dumpable and forgets its parent's death signal; mm is told what the new capabilities allow.
 */
export function afterCredentialsChange(t: Task, old: Credentials): void {
  const { cred, process } = t;
  const isSame =
    old.euid === cred.euid &&
    old.egid === cred.egid &&
    old.fsuid === cred.fsuid &&
    old.fsgid === cred.fsgid &&
    isSubset(cred.capPermitted, old.capPermitted);
  if (!isSame) {
    process.dumpable = 0;
    t.pdeathSignal = 0;
  }
  if (t.space !== null) applyMmLimits(process, t.space, cred);
}
