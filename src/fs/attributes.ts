import { EACCES, EINVAL, EISDIR, EPERM, EROFS, ETXTBSY } from '../abi/errno.ts';
import { W_OK, X_OK } from '../abi/fcntl.ts';
import { IN_ACCESS, IN_ATTRIB, IN_MODIFY } from '../abi/inotify.ts';
import type { Timespec } from '../base/timespec.ts';
import { notifyChange } from './notify.ts';
import type { PathRef } from './path.ts';
import { checkChmod, checkChown, type FsActor, isOwner, MAY_WRITE, modeAfterChown, permission } from './permission.ts';

/**
 * Changing what a file says of itself, and asking whether one may (do_truncate, notify_change, do_faccessat; fs/open.c, fs/attr.c,
 * 6.18): rights first, then the inode, then who watches it is told.
 */

/** Tells of a change that was made; passes its result on. */
function told(path: PathRef, result: number, mask: number): number {
  if (result >= 0 && mask !== 0) notifyChange(path.dentry, mask);
  return result;
}

/** truncate(2): the file at the place, link followed. */
export function truncatePath(path: PathRef, sizeBytes: number, actor: FsActor): number {
  const { inode } = path;
  if (sizeBytes < 0) return -EINVAL;
  if (inode.isDirectory) return -EISDIR;
  if (!inode.isRegular) return -EINVAL;
  if (path.mount.isReadonly) return -EROFS;
  const denied = permission(actor, inode, MAY_WRITE);
  if (denied < 0) return denied;
  if (inode.isSwapFile && sizeBytes <= inode.size) return -ETXTBSY;
  return told(path, inode.truncate(sizeBytes), IN_MODIFY);
}

export function chmodPath(path: PathRef, mode: number, actor: FsActor): number {
  if (path.mount.isReadonly) return -EROFS;
  const allowed = checkChmod(actor, path.inode, mode);
  return allowed < 0 ? allowed : told(path, path.inode.chmod(allowed), IN_ATTRIB);
}

/** -1 leaves an owner as it is. */
export function chownPath(path: PathRef, uid: number, gid: number, actor: FsActor): number {
  if (path.mount.isReadonly) return -EROFS;
  const { inode } = path;
  const denied = checkChown(actor, inode, uid, gid);
  if (denied < 0) return denied;
  const mode = modeAfterChown(inode);
  const error = mode === inode.mode ? 0 : inode.chmod(mode & 0o7777);
  return error < 0 ? error : told(path, inode.chown(uid, gid), uid === -1 && gid === -1 ? 0 : IN_ATTRIB);
}

/** `wanted` 'now': both times are the present, for which the right to write is enough. */
export function setTimesOfPath(
  path: PathRef,
  atime: Timespec | null,
  mtime: Timespec | null,
  wanted: 'now' | 'given',
  actor: FsActor,
): number {
  if (path.mount.isReadonly) return -EROFS;
  if (!isOwner(actor, path.inode)) {
    const error = wanted === 'now' ? permission(actor, path.inode, MAY_WRITE) : -EPERM;
    if (error < 0) return error;
  }
  const mask = atime !== null && mtime !== null ? IN_ATTRIB : atime !== null ? IN_ACCESS : IN_MODIFY;
  return told(path, path.inode.setTimes(atime, mtime), mask);
}

/** F_OK, R_OK, W_OK, X_OK: 0, -EACCES, -EROFS. */
export function accessPath(path: PathRef, mode: number, actor: FsActor): number {
  const { inode, mount } = path;
  if ((mode & ~7) !== 0) return -EINVAL;
  if ((mode & X_OK) !== 0 && inode.isRegular && mount.noExec) return -EACCES;
  const denied = permission(actor, inode, mode);
  if (denied < 0) return denied;
  const isStored = inode.isRegular || inode.isDirectory || inode.isSymlink;
  return (mode & W_OK) !== 0 && isStored && mount.isReadonly ? -EROFS : 0;
}
