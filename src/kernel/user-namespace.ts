import { CAP_SETFCAP } from '../abi/capability.ts';
import { ENOSPC, EPERM } from '../abi/errno.ts';
import type { OwnerIds } from '../fs/permission.ts';
import { type Credentials, FULL_SET, hasCapability } from './credentials.ts';
import { IDENTITY, IdMap, INVALID_ID } from './id-map.ts';
import type { Kernel } from './kernel.ts';
import { namespaceIno } from './namespace-ino.ts';
import type { Task } from './task.ts';

/** PROC_USER_INIT_INO. */
const INITIAL_INO = 0xefff_fffd;
/** create_user_ns: so deep may they be nested below the first. */
const MAX_LEVEL = 32;

/**
 * struct user_namespace (6.18, kernel/user_namespace.c): numbers of its own for users and groups, and the realm in which the
 * capabilities of its tasks count. Ids in the kernel (credentials, inodes, objects of IPC) are those of the first namespace;
 * they are changed where they pass between the kernel and a program.
 */
export class UserNamespace implements OwnerIds {
  readonly kind = 'user';
  readonly ino: number;
  readonly parent: UserNamespace | null;
  readonly level: number;
  /** Effective ids of whoever made it. */
  readonly ownerUid: number;
  readonly ownerGid: number;
  readonly uids = new IdMap();
  readonly gids = new IdMap();
  readonly projects = new IdMap();
  /** USERNS_SETGROUPS_ALLOWED. */
  setgroupsAllowed: boolean;
  /** Its maker had CAP_SETFCAP: it may map the parent's root by itself. */
  readonly makerCouldSetfcap: boolean;

  constructor(
    parent: UserNamespace | null,
    ino = INITIAL_INO,
    maker: Pick<Credentials, 'euid' | 'egid' | 'capEffective'> | null = null,
  ) {
    this.parent = parent;
    this.ino = ino;
    this.level = parent === null ? 0 : parent.level + 1;
    this.ownerUid = maker?.euid ?? 0;
    this.ownerGid = maker?.egid ?? 0;
    this.setgroupsAllowed = parent?.setgroupsAllowed ?? true;
    this.makerCouldSetfcap = maker !== null && hasCapability(maker.capEffective, CAP_SETFCAP);
    if (parent !== null) return;
    for (const map of [this.uids, this.gids, this.projects]) map.extents = IDENTITY;
  }

  get isInitial(): boolean {
    return this.parent === null;
  }
  /** The namespace in which rights over this one are asked for (ns_get_owner). */
  get userNs(): UserNamespace | null {
    return this.parent;
  }
  hasUid(uid: number): boolean {
    return this.uids.fromKernel(uid) !== INVALID_ID;
  }
  hasGid(gid: number): boolean {
    return this.gids.fromKernel(gid) !== INVALID_ID;
  }

  /** Nothing outside of the heap belongs to it: whoever has it may forget it. */
  retain(): void {}
  release(_k: Kernel): void {}
}

/** Is `inner` this namespace or one in it (in_userns)? */
export function isUserNsWithin(inner: UserNamespace, outer: UserNamespace): boolean {
  for (let each: UserNamespace | null = inner; each !== null; each = each.parent) if (each === outer) return true;
  return false;
}

/** set_cred_user_ns: all capabilities there, and nothing kept from before. */
export function enterUserNamespace(cred: Credentials, ns: UserNamespace): void {
  cred.securebits = 0;
  cred.capInheritable = [0, 0];
  cred.capPermitted = [...FULL_SET];
  cred.capEffective = [...FULL_SET];
  cred.capAmbient = [0, 0];
  cred.capBounding = [...FULL_SET];
  cred.userNs = ns;
}

/** create_user_ns: credentials of `t` in a new namespace, its own unchanged; -ENOSPC, -EPERM. */
export function credentialsInNewUserNs(k: Kernel, t: Task): Credentials | number {
  const { cred } = t;
  const parent = cred.userNs;
  if (parent.level > MAX_LEVEL) return -ENOSPC;
  // current_chrooted: a namespace must not be the way out of a chroot.
  if (t.fs !== null && t.mounts !== null && !t.fs.root.equals(t.mounts.table.rootPath)) return -EPERM;
  // Its owner must have a name in the parent.
  if (!parent.hasUid(cred.euid) || !parent.hasGid(cred.egid)) return -EPERM;
  const fresh = cred.clone();
  enterUserNamespace(fresh, new UserNamespace(parent, namespaceIno(k), cred));
  return fresh;
}
