import { CAP_MKNOD } from '../abi/capability.ts';
import {
  EBUSY,
  EEXIST,
  EINVAL,
  EISDIR,
  EMLINK,
  ENAMETOOLONG,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
  EROFS,
  EXDEV,
} from '../abi/errno.ts';
import { AT_EMPTY_PATH, AT_SYMLINK_FOLLOW, NAME_MAX, RENAME_EXCHANGE, RENAME_NOREPLACE } from '../abi/fcntl.ts';
import { IN_CREATE, IN_DELETE } from '../abi/inotify.ts';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK } from '../abi/stat.ts';
import type { Dentry } from './dentry.ts';
import type { FsContext } from './fs-context.ts';
import type { Inode } from './inode.ts';
import { notifyLinkCount, notifyMove, notifyName } from './notify.ts';
import { byteLength, type LastComponent, lookupChild, type PathRef, resolve, resolveParent } from './path.ts';
import { actorCan, type FsActor, initOwner, MAY_WRITE, mayCreate, mayDelete, permission } from './permission.ts';

/** filename_create: the folder in which a name that is free shall be made, or -EEXIST, -ENOENT, -EROFS .... */
function prepareCreate(
  context: FsContext,
  base: PathRef | null,
  path: string,
  what: 'folder' | 'other',
): LastComponent | number {
  const last = resolveParent(context, base, path);
  if (typeof last === 'number') return last;
  if (last.kind !== 'normal') return -EEXIST;
  const found = lookupChild(last.parent, last.name);
  if (typeof found !== 'number') return -EEXIST;
  if (found !== -ENOENT) return found;
  // "name/" can only become a folder.
  if (last.hasTrailingSlash && what === 'other') return -ENOENT;
  if (last.parent.mount.isReadonly) return -EROFS;
  if (last.parent.isDeleted) return -ENOENT;
  const denied = mayCreate(context.actor, last.parent.inode);
  return denied < 0 ? denied : last;
}

/** `maker` null: the inode is not new (link). */
function attachNew(last: LastComponent, inode: Inode | number, maker: FsActor | null): number {
  if (typeof inode === 'number') return inode;
  if (maker !== null) initOwner(maker, last.parent.inode, inode);
  // Without memory for the dentry the name is there all the same: the next walk looks it up.
  last.parent.inode.superblock.core.dentries.attach(last.parent.dentry, last.name, inode);
  if (maker === null) notifyLinkCount(inode);
  notifyName(last.parent.inode, IN_CREATE, last.name, inode);
  return 0;
}

export function mkdirAt(context: FsContext, base: PathRef | null, path: string, mode: number): number {
  const last = prepareCreate(context, base, path, 'folder');
  if (typeof last === 'number') return last;
  return attachNew(last, last.parent.inode.mkdir(last.name, mode & 0o1777 & ~context.umask), context.actor);
}

/** Regular files, FIFOs, devices and sockets. */
export function mknodAt(context: FsContext, base: PathRef | null, path: string, mode: number, rdev: number): number {
  const type = mode & S_IFMT;
  if (type === S_IFDIR) return -EPERM;
  if (![0, S_IFREG, S_IFIFO, S_IFCHR, S_IFBLK, S_IFSOCK].includes(type)) return -EINVAL;
  const last = prepareCreate(context, base, path, 'other');
  if (typeof last === 'number') return last;
  const permissions = mode & 0o7777 & ~context.umask;
  const { inode } = last.parent;
  if (type === 0 || type === S_IFREG) return attachNew(last, inode.create(last.name, permissions), context.actor);
  const isDevice = (type === S_IFCHR && rdev !== 0) || type === S_IFBLK;
  if (isDevice && !actorCan(context.actor, CAP_MKNOD)) return -EPERM;
  return attachNew(last, inode.mknod(last.name, type | permissions, rdev), context.actor);
}

export function symlinkAt(context: FsContext, target: string, base: PathRef | null, path: string): number {
  if (target === '') return -ENOENT;
  const last = prepareCreate(context, base, path, 'other');
  if (typeof last === 'number') return last;
  return attachNew(last, last.parent.inode.symlink(last.name, target), context.actor);
}

/** linkat. flags: AT_SYMLINK_FOLLOW, AT_EMPTY_PATH. */
export function linkAt(
  context: FsContext,
  oldBase: PathRef | null,
  oldPath: string,
  newBase: PathRef | null,
  newPath: string,
  flags: number,
): number {
  if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const old = resolve(context, oldBase, oldPath, (flags & AT_SYMLINK_FOLLOW) !== 0 ? 'follow' : 'nofollow', {
    isEmptyAllowed: (flags & AT_EMPTY_PATH) !== 0,
  });
  if (typeof old === 'number') return old;
  const last = prepareCreate(context, newBase, newPath, 'other');
  if (typeof last === 'number') return last;
  if (last.parent.mount !== old.mount) return -EXDEV;
  const { inode } = old;
  if (inode.isDirectory) return -EPERM;
  // A deleted file cannot come back, one opened with O_TMPFILE can get its first name (I_LINKABLE).
  if (inode.nlink === 0 && !old.dentry.isLinkable) return -ENOENT;
  if (inode.nlink >= 65_000) return -EMLINK;
  const error = last.parent.inode.link(inode, last.name);
  return error < 0 ? error : attachNew(last, inode, null);
}

export function unlinkAt(context: FsContext, base: PathRef | null, path: string): number {
  const last = resolveParent(context, base, path);
  if (typeof last === 'number') return last;
  if (last.kind !== 'normal') return -EISDIR;
  const { parent, name } = last;
  if (parent.mount.isReadonly) return -EROFS;
  const found = lookupDentry(parent, name);
  if (typeof found === 'number') return found;
  if (last.hasTrailingSlash) return found.inode.isDirectory ? -EISDIR : -ENOTDIR;
  const denied = mayDelete(context.actor, parent.inode, found.inode);
  if (denied < 0) return denied;
  if (found.inode.isDirectory) return -EISDIR;
  if (found.mounted.length > 0) return -EBUSY;
  return withInode(found.inode, () => {
    const error = parent.inode.unlink(name, found.inode);
    if (error !== 0) return error;
    notifyLinkCount(found.inode);
    parent.inode.superblock.core.dentries.detach(found);
    notifyName(parent.inode, IN_DELETE, name, found.inode);
    return 0;
  });
}

export function rmdirAt(context: FsContext, base: PathRef | null, path: string): number {
  const last = resolveParent(context, base, path);
  if (typeof last === 'number') return last;
  if (last.kind === 'dot') return -EINVAL;
  if (last.kind === 'dotdot') return -ENOTEMPTY;
  if (last.kind === 'root') return -EBUSY;
  const { parent, name } = last;
  if (parent.mount.isReadonly) return -EROFS;
  const found = lookupDentry(parent, name);
  if (typeof found === 'number') return found;
  const denied = mayDelete(context.actor, parent.inode, found.inode);
  if (denied < 0) return denied;
  if (!found.inode.isDirectory) return -ENOTDIR;
  if (found.mounted.length > 0) return -EBUSY;
  return withInode(found.inode, () => {
    const error = parent.inode.rmdir(name, found.inode);
    if (error !== 0) return error;
    parent.inode.superblock.core.dentries.detach(found);
    notifyName(parent.inode, IN_DELETE, name, found.inode);
    return 0;
  });
}

/** The dentry itself, not what is mounted on it. */
function lookupDentry(parent: PathRef, name: string): Dentry | number {
  if (byteLength(name) > NAME_MAX) return -ENAMETOOLONG;
  return parent.inode.superblock.core.dentries.lookup(parent.dentry, name);
}

/** Holds the inode while its names change, so that it does not go half way. */
function withInode(inode: Inode, run: () => number): number {
  inode.retain();
  const result = run();
  inode.release();
  return result;
}

/** renameat2 (do_renameat2, vfs_rename; 6.18). flags: RENAME_NOREPLACE, RENAME_EXCHANGE. */
export function renameAt(
  context: FsContext,
  oldBase: PathRef | null,
  oldPath: string,
  newBase: PathRef | null,
  newPath: string,
  flags: number,
): number {
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) !== 0) return -EINVAL;
  if (flags === (RENAME_NOREPLACE | RENAME_EXCHANGE)) return -EINVAL;
  const from = resolveParent(context, oldBase, oldPath);
  if (typeof from === 'number') return from;
  const to = resolveParent(context, newBase, newPath);
  if (typeof to === 'number') return to;
  if (from.parent.mount !== to.parent.mount) return -EXDEV;
  if (from.kind !== 'normal') return -EBUSY;
  if (to.kind !== 'normal') return (flags & RENAME_NOREPLACE) !== 0 ? -EEXIST : -EBUSY;
  if (from.parent.mount.isReadonly) return -EROFS;
  const moved = lookupDentry(from.parent, from.name);
  if (typeof moved === 'number') return moved;
  const target = lookupDentry(to.parent, to.name);
  if (typeof target === 'number' && target !== -ENOENT) return target;
  const replaced = typeof target === 'number' ? null : target;
  const error = checkRename(from, to, moved, replaced, flags);
  if (error < 0) return error;
  if (replaced !== null && replaced.inode === moved.inode) return 0;
  const denied = mayRename(context.actor, from, to, moved.inode, replaced?.inode ?? null);
  if (denied < 0) return denied;
  return performRename(from, to, moved, replaced, flags);
}

/** vfs_rename's permissions; a folder that moves has its '..' written. */
function mayRename(
  actor: FsActor,
  from: LastComponent,
  to: LastComponent,
  moved: Inode,
  replaced: Inode | null,
): number {
  const source = mayDelete(actor, from.parent.inode, moved);
  if (source < 0) return source;
  const target = replaced === null ? mayCreate(actor, to.parent.inode) : mayDelete(actor, to.parent.inode, replaced);
  if (target < 0) return target;
  if (from.parent.dentry === to.parent.dentry) return 0;
  for (const inode of [moved, replaced]) {
    const error = inode?.isDirectory === true ? permission(actor, inode, MAY_WRITE) : 0;
    if (error < 0) return error;
  }
  return 0;
}

function checkRename(
  from: LastComponent,
  to: LastComponent,
  moved: Dentry,
  replaced: Dentry | null,
  flags: number,
): number {
  if (replaced !== null && (flags & RENAME_NOREPLACE) !== 0) return -EEXIST;
  if (replaced === null && (flags & RENAME_EXCHANGE) !== 0) return -ENOENT;
  if ((flags & RENAME_EXCHANGE) !== 0 && to.hasTrailingSlash && !replaced!.inode.isDirectory) return -ENOTDIR;
  if (!moved.inode.isDirectory) {
    if (from.hasTrailingSlash) return -ENOTDIR;
    if ((flags & RENAME_EXCHANGE) === 0 && to.hasTrailingSlash) return -ENOTDIR;
  }
  if (isAncestor(moved, to.parent.dentry)) return -EINVAL;
  if (replaced !== null && isAncestor(replaced, from.parent.dentry))
    return (flags & RENAME_EXCHANGE) !== 0 ? -EINVAL : -ENOTEMPTY;
  if (to.parent.isDeleted) return -ENOENT;
  if (replaced !== null && (flags & RENAME_EXCHANGE) === 0 && replaced.inode !== moved.inode) {
    if (moved.inode.isDirectory && !replaced.inode.isDirectory) return -ENOTDIR;
    if (!moved.inode.isDirectory && replaced.inode.isDirectory) return -EISDIR;
  }
  if (moved.mounted.length > 0 || (replaced !== null && replaced.mounted.length > 0)) return -EBUSY;
  return 0;
}

function performRename(
  from: LastComponent,
  to: LastComponent,
  moved: Dentry,
  replaced: Dentry | null,
  flags: number,
): number {
  const { dentries } = from.parent.inode.superblock.core;
  const oldFolder = from.parent.inode;
  const newFolder = to.parent.inode;
  return withInode(moved.inode, () => {
    replaced?.inode.retain();
    const error = oldFolder.rename(
      from.name,
      moved.inode,
      newFolder,
      to.name,
      replaced?.inode ?? null,
      flags & RENAME_EXCHANGE,
    );
    if (error === 0) {
      if (replaced !== null) dentries.retain(replaced);
      const old = { folder: oldFolder, name: from.name };
      const next = { folder: newFolder, name: to.name };
      if ((flags & RENAME_EXCHANGE) !== 0) {
        dentries.exchange(moved, replaced!);
        notifyMove(old, next, moved.inode, null);
        notifyMove(next, old, replaced!.inode, null);
      } else {
        if (replaced !== null) dentries.detach(replaced);
        dentries.move(moved, to.parent.dentry, to.name);
        notifyMove(old, next, moved.inode, replaced?.inode ?? null);
      }
    }
    const inode = replaced?.inode;
    if (error === 0 && replaced !== null) dentries.release(replaced);
    inode?.release();
    return error;
  });
}

/** `above` is `dentry` or one of its folders. */
function isAncestor(above: Dentry, dentry: Dentry): boolean {
  for (let at: Dentry | null = dentry; at !== null; at = at.parent) if (at === above) return true;
  return false;
}
