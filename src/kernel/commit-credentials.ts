import { type Credentials, isSubset } from './credentials.ts';
import { applyMmLimits } from './rlimits.ts';
import type { Task } from './task.ts';

/** cred_cap_issubset: has `old` all that `cred` has? The owner of a namespace has all of its capabilities, while he is in its parent. */
function holdsAll(old: Credentials, cred: Credentials): boolean {
  if (old.userNs === cred.userNs) return isSubset(cred.capPermitted, old.capPermitted);
  for (let ns = cred.userNs; ns.parent !== null; ns = ns.parent) {
    if (ns.parent === old.userNs && ns.ownerUid === old.euid) return true;
  }
  return false;
}

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
    holdsAll(old, cred);
  if (!isSame) {
    process.dumpable = 0;
    t.pdeathSignal = 0;
  }
  if (t.space !== null) applyMmLimits(process, t.space, cred);
}
