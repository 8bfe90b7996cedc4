import { CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID } from '../abi/capability.ts';
import { EACCES, EPERM } from '../abi/errno.ts';
import { S_ISGID, S_ISUID, S_ISVTX, S_IXGRP, S_IXUGO } from '../abi/stat.ts';
import type { Inode } from './inode.ts';

/** Which owners have a number in a user namespace; in the first one all have. */
export interface OwnerIds {
  readonly isInitial: boolean;
  hasUid(uid: number): boolean;
  hasGid(gid: number): boolean;
}

/** Who walks, opens, makes and removes names: the part of struct cred that the file system looks at. */
export interface FsActor {
  readonly fsuid: number;
  readonly fsgid: number;
  readonly groups: readonly number[];
  /** Two words, low first. They count in userNs. */
  readonly capEffective: readonly number[];
  readonly userNs: OwnerIds;
}

export const ALL_OWNERS: OwnerIds = { isInitial: true, hasUid: () => true, hasGid: () => true };

/** The machine itself, and its composition root. */
export const KERNEL_ACTOR: FsActor = {
  fsuid: 0,
  fsgid: 0,
  groups: [],
  capEffective: [0xffff_ffff, 0x1ff],
  userNs: ALL_OWNERS,
};

export const MAY_EXEC = 1;
export const MAY_WRITE = 2;
export const MAY_READ = 4;

function has(actor: FsActor, capability: number): boolean {
  return ((actor.capEffective[capability >>> 5] >>> (capability & 31)) & 1) !== 0;
}

/** capable(): over the machine. */
export function actorCan(actor: FsActor, capability: number): boolean {
  return actor.userNs.isInitial && has(actor, capability);
}

/** capable_wrt_inode_uidgid: over this file, whose owners must have numbers in the actor's namespace. */
function canOver(actor: FsActor, inode: Inode, capability: number): boolean {
  const { userNs } = actor;
  return has(actor, capability) && (userNs.isInitial || (userNs.hasUid(inode.uid) && userNs.hasGid(inode.gid)));
}

function isInGroup(actor: FsActor, gid: number): boolean {
  return actor.fsgid === gid || actor.groups.includes(gid);
}

/** inode_permission (fs/namei.c, 6.18), without ACLs: 0 or -EACCES. `mask`: MAY_*. */
export function permission(actor: FsActor, inode: Inode, mask: number): number {
  return inode.admit(byMode(actor, inode, mask));
}

/** generic_permission. */
function byMode(actor: FsActor, inode: Inode, mask: number): number {
  const { mode } = inode;
  let bits = mode;
  if (actor.fsuid === inode.uid) bits = mode >> 6;
  else if (isInGroup(actor, inode.gid)) bits = mode >> 3;
  if ((mask & ~bits & 7) === 0) return 0;
  if (inode.isDirectory) {
    if ((mask & MAY_WRITE) === 0 && canOver(actor, inode, CAP_DAC_READ_SEARCH)) return 0;
    return canOver(actor, inode, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
  }
  if (mask === MAY_READ && canOver(actor, inode, CAP_DAC_READ_SEARCH)) return 0;
  // Nobody executes what has no execute bit at all.
  if ((mask & MAY_EXEC) !== 0 && (mode & S_IXUGO) === 0) return -EACCES;
  return canOver(actor, inode, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
}

/** may_create, as far as permissions go. */
export function mayCreate(actor: FsActor, folder: Inode): number {
  return permission(actor, folder, MAY_WRITE | MAY_EXEC);
}

/** may_delete, as far as permissions go: a sticky folder's names go by their owner, the folder's or CAP_FOWNER; a file that is swap stays. */
export function mayDelete(actor: FsActor, folder: Inode, victim: Inode): number {
  const error = permission(actor, folder, MAY_WRITE | MAY_EXEC);
  if (error < 0) return error;
  if (victim.isSwapFile) return -EPERM;
  if ((folder.mode & S_ISVTX) === 0 || victim.uid === actor.fsuid || folder.uid === actor.fsuid) return 0;
  return canOver(actor, victim, CAP_FOWNER) ? 0 : -EPERM;
}

/** inode_owner_or_capable. */
export function isOwner(actor: FsActor, inode: Inode): boolean {
  const { userNs } = actor;
  return actor.fsuid === inode.uid || (has(actor, CAP_FOWNER) && (userNs.isInitial || userNs.hasUid(inode.uid)));
}

/** setattr_prepare for ATTR_MODE: the mode that is to be set, or -EPERM. */
export function checkChmod(actor: FsActor, inode: Inode, mode: number): number {
  if (!isOwner(actor, inode)) return -EPERM;
  const keepsSgid = isInGroup(actor, inode.gid) || canOver(actor, inode, CAP_FSETID);
  return keepsSgid ? mode : mode & ~S_ISGID;
}

/** setattr_prepare for ATTR_UID and ATTR_GID; -1 leaves an owner as it is. 0 or -EPERM. */
export function checkChown(actor: FsActor, inode: Inode, uid: number, gid: number): number {
  if (canOver(actor, inode, CAP_CHOWN)) return 0;
  const isOwners = actor.fsuid === inode.uid;
  if (uid !== -1 && (!isOwners || uid !== inode.uid)) return -EPERM;
  if (gid !== -1 && (!isOwners || (gid !== inode.gid && !isInGroup(actor, gid)))) return -EPERM;
  return 0;
}

/** setattr_should_drop_suidgid at chown: the mode without what a new owner must not inherit. */
export function modeAfterChown(inode: Inode): number {
  if (inode.isDirectory) return inode.mode;
  const dropsSgid = (inode.mode & (S_ISGID | S_IXGRP)) === (S_ISGID | S_IXGRP);
  return inode.mode & ~S_ISUID & ~(dropsSgid ? S_ISGID : 0);
}

/** inode_init_owner: a new inode is its maker's; in a folder with S_ISGID it has the folder's group, and folders pass the bit on. */
export function initOwner(actor: FsActor, folder: Inode, inode: Inode): void {
  const inherits = (folder.mode & S_ISGID) !== 0;
  const gid = inherits ? folder.gid : actor.fsgid;
  if (inherits && inode.isDirectory) inode.mode |= S_ISGID;
  if (inode.uid === actor.fsuid && inode.gid === gid) return;
  inode.uid = actor.fsuid;
  inode.gid = gid;
}
