import {
  CAP_CHOWN,
  CAP_DAC_OVERRIDE,
  CAP_DAC_READ_SEARCH,
  CAP_FOWNER,
  CAP_FSETID,
  CAP_LINUX_IMMUTABLE,
  CAP_MAC_OVERRIDE,
  CAP_MKNOD,
  SECURE_KEEP_CAPS,
  SECURE_NO_SETUID_FIXUP,
  SECURE_NOROOT,
} from '../abi/capability.ts';
import { S_ISGID, S_ISUID, S_IXGRP } from '../abi/stat.ts';
import type { UserNamespace } from './user-namespace.ts';

/** All capabilities up to CAP_LAST_CAP (40), as two words, low first. */
export const FULL_SET: readonly number[] = [0xffff_ffff, 0x1ff];

/**
 * struct cred. Processes start as root and may change. Copied at fork, shared by nobody. Ids are the kernel's own (kuid_t), which
 * are those of the first user namespace.
 */
export class Credentials {
  uid = 0;
  euid = 0;
  suid = 0;
  fsuid = 0;
  gid = 0;
  egid = 0;
  sgid = 0;
  fsgid = 0;
  groups: number[] = [0];
  /** Capability sets as two words, low first. */
  capInheritable = [0, 0];
  capPermitted = [...FULL_SET];
  capEffective = [...FULL_SET];
  capBounding = [...FULL_SET];
  capAmbient = [0, 0];
  /** SECURE_*. */
  securebits = 0;
  /** Where its ids have the numbers that its task sees, and where its capabilities count. */
  userNs: UserNamespace;

  constructor(userNs: UserNamespace) {
    this.userNs = userNs;
  }

  clone(): Credentials {
    const copy = Object.assign(new Credentials(this.userNs), this);
    copy.groups = [...this.groups];
    copy.capInheritable = [...this.capInheritable];
    copy.capPermitted = [...this.capPermitted];
    copy.capEffective = [...this.capEffective];
    copy.capBounding = [...this.capBounding];
    copy.capAmbient = [...this.capAmbient];
    return copy;
  }
}

/** Is the capability in a set of two words? */
export function hasCapability(set: readonly number[], capability: number): boolean {
  return ((set[capability >>> 5] >>> (capability & 31)) & 1) !== 0;
}

/** capable(): over the machine, which only the first user namespace's capabilities are. */
export function capable(cred: Credentials, capability: number): boolean {
  return cred.userNs.isInitial && hasCapability(cred.capEffective, capability);
}

/**
 * ns_capable (cap_capable_helper, 6.18, security/commoncap.c): over what belongs to a user namespace. Capabilities count in one's own
 * and in those below; the owner of a namespace has all of them over it while he is in its parent.
 */
export function nsCapable(cred: Credentials, ns: UserNamespace, capability: number): boolean {
  for (let each = ns; ; ) {
    if (each === cred.userNs) return hasCapability(cred.capEffective, capability);
    const { parent } = each;
    if (parent === null || each.level <= cred.userNs.level) return false;
    if (parent === cred.userNs && each.ownerUid === cred.euid) return true;
    each = parent;
  }
}

const NONE: readonly number[] = [0, 0];

/** What it has over the machine. */
export function machineCapabilities(cred: Credentials): readonly number[] {
  return cred.userNs.isInitial ? cred.capEffective : NONE;
}

/** ns_capable(current_user_ns(), ...). */
export function capableHere(cred: Credentials, capability: number): boolean {
  return hasCapability(cred.capEffective, capability);
}

export function isSubset(set: readonly number[], of: readonly number[]): boolean {
  return (set[0] & ~of[0]) === 0 && (set[1] & ~of[1]) === 0;
}

export function combine(a: readonly number[], b: readonly number[]): number[] {
  return [(a[0] | b[0]) >>> 0, (a[1] | b[1]) >>> 0];
}

export function intersect(a: readonly number[], b: readonly number[]): number[] {
  return [(a[0] & b[0]) >>> 0, (a[1] & b[1]) >>> 0];
}

/** cap_emulate_setxuid (security/commoncap.c, 6.18): leaving uid 0 drops the capabilities, coming back takes the permitted ones up. */
export function fixCapabilitiesAfterUid(cred: Credentials, old: Credentials): void {
  if ((cred.securebits & SECURE_NO_SETUID_FIXUP) !== 0) return;
  const root = cred.userNs.uids.toKernel(0);
  const hadRoot = old.uid === root || old.euid === root || old.suid === root;
  if (hadRoot && cred.uid !== root && cred.euid !== root && cred.suid !== root) {
    if ((cred.securebits & SECURE_KEEP_CAPS) === 0) {
      cred.capPermitted = [0, 0];
      cred.capEffective = [0, 0];
    }
    cred.capAmbient = [0, 0];
  }
  if (old.euid === root && cred.euid !== root) cred.capEffective = [0, 0];
  if (old.euid !== root && cred.euid === root) cred.capEffective = [...cred.capPermitted];
}

/** CAP_FS_MASK: what goes and comes with fsuid 0. */
const FS_CAPABILITIES = [
  CAP_CHOWN,
  CAP_DAC_OVERRIDE,
  CAP_DAC_READ_SEARCH,
  CAP_FOWNER,
  CAP_FSETID,
  CAP_LINUX_IMMUTABLE,
  CAP_MKNOD,
  CAP_MAC_OVERRIDE,
];

/** cap_task_fix_setuid for LSM_SETID_FS. */
export function fixCapabilitiesAfterFsuid(cred: Credentials, oldFsuid: number): void {
  if ((cred.securebits & SECURE_NO_SETUID_FIXUP) !== 0) return;
  const mask = [0, 0];
  for (const capability of FS_CAPABILITIES) mask[capability >>> 5] |= 1 << (capability & 31);
  const root = cred.userNs.uids.toKernel(0);
  if (oldFsuid === root && cred.fsuid !== root) {
    cred.capEffective = cred.capEffective.map((word, i) => (word & ~mask[i]) >>> 0);
  }
  if (oldFsuid !== root && cred.fsuid === root)
    cred.capEffective = combine(cred.capEffective, intersect(cred.capPermitted, mask));
}

export interface ExecCredentials {
  readonly cred: Credentials;
  /** AT_SECURE. */
  readonly isSecure: boolean;
}

/**
 * The credentials behind an execve of a file with this mode and owner (bprm_fill_uid, cap_bprm_creds_from_file; 6.18), without
 * file capabilities, which no file system here has. `setid` 'ignored': no_new_privs, or a nosuid mount.
 */
export function credentialsAfterExec(
  old: Credentials,
  file: { readonly mode: number; readonly uid: number; readonly gid: number },
  setid: 'obeyed' | 'ignored',
): ExecCredentials {
  const cred = old.clone();
  const { userNs } = old;
  const root = userNs.uids.toKernel(0);
  if (setid === 'obeyed' && userNs.hasUid(file.uid) && userNs.hasGid(file.gid)) {
    if ((file.mode & S_ISUID) !== 0) cred.euid = file.uid;
    if ((file.mode & (S_ISGID | S_IXGRP)) === (S_ISGID | S_IXGRP)) cred.egid = file.gid;
  }
  const isSetid = cred.euid !== old.uid || cred.egid !== old.gid;
  const rootCounts = (cred.securebits & SECURE_NOROOT) === 0;
  cred.capPermitted = [0, 0];
  if (rootCounts && (cred.euid === root || cred.uid === root)) {
    cred.capPermitted = combine(old.capBounding, old.capInheritable);
  }
  const isEffective = rootCounts && cred.euid === root;
  cred.suid = cred.fsuid = cred.euid;
  cred.sgid = cred.fsgid = cred.egid;
  if (isSetid) cred.capAmbient = [0, 0];
  cred.capPermitted = combine(cred.capPermitted, cred.capAmbient);
  cred.capEffective = isEffective ? [...cred.capPermitted] : [...cred.capAmbient];
  cred.securebits &= ~SECURE_KEEP_CAPS;
  const hasGrown = isEffective || !isSubset(cred.capPermitted, cred.capAmbient);
  return { cred, isSecure: isSetid || (cred.uid !== root && hasGrown) };
}
