import { EACCES, EEXIST, EINVAL, EISDIR, ELOOP, ENOENT, ENOMEM, ENOTDIR, EPERM, EROFS, ETXTBSY } from '../abi/errno.ts';
import {
  __O_TMPFILE,
  O_ACCMODE,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOATIME,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
} from '../abi/fcntl.ts';
import { IN_CREATE, IN_MODIFY, IN_OPEN } from '../abi/inotify.ts';
import { MS_NODEV } from '../abi/mount.ts';
import { S_IFBLK, S_IFCHR } from '../abi/stat.ts';
import { type File, PathFile, takeFilpSlot } from './file.ts';
import type { FsContext } from './fs-context.ts';
import { notifyChange, notifyFile, notifyName } from './notify.ts';
import { CREATION_FLAGS, checkOpenFlags } from './open-flags.ts';
import { PathRef, resolve, resolveForCreate } from './path.ts';
import {
  type FsActor,
  initOwner,
  isOwner,
  MAY_EXEC,
  MAY_READ,
  MAY_WRITE,
  mayCreate,
  permission,
} from './permission.ts';

/**
 * openat (do_filp_open, fs/namei.c): a new description, or -ERRNO. `mode` is used when a file is made; the umask is applied.
 * `restrict`: openat2's RESOLVE_*.
 */
export function openAt(
  context: FsContext,
  base: PathRef | null,
  path: string,
  givenFlags: number,
  mode: number,
  restrict = 0,
): File | number {
  const flags = checkOpenFlags(givenFlags);
  if (flags < 0) return flags;
  const last = (flags & O_NOFOLLOW) !== 0 ? 'nofollow' : 'follow';
  if ((flags & __O_TMPFILE) !== 0) {
    const folder = resolve(context, base, path, 'follow', { restrict });
    return typeof folder === 'number' ? folder : openTmpfile(context, folder, flags, mode);
  }
  if ((flags & O_CREAT) === 0) {
    const found = resolve(context, base, path, last, { restrict });
    if (typeof found === 'number') return found;
    return openPath(found, flags, context.actor);
  }
  return openCreating(context, base, path, flags, mode, restrict);
}

function openCreating(
  context: FsContext,
  base: PathRef | null,
  path: string,
  flags: number,
  mode: number,
  restrict: number,
): File | number {
  const isExclusive = (flags & O_EXCL) !== 0;
  // O_EXCL does not follow a link in the last place (implied O_NOFOLLOW, build_open_flags).
  const last = isExclusive || (flags & O_NOFOLLOW) !== 0 ? 'nofollow' : 'follow';
  const walked = resolveForCreate(context, base, path, last, restrict);
  if (typeof walked === 'number') return walked;
  const { component, found } = walked;
  if (found !== null) {
    if (isExclusive) return -EEXIST;
    if (found.inode.isDirectory) return -EISDIR;
    return openPath(found, flags, context.actor);
  }
  const { parent, name } = component;
  if (parent.mount.isReadonly) return -EROFS;
  if (parent.isDeleted) return -ENOENT;
  const denied = mayCreate(context.actor, parent.inode);
  if (denied < 0) return denied;
  const inode = parent.inode.create(name, mode & 0o7777 & ~context.umask);
  if (typeof inode === 'number') return inode;
  initOwner(context.actor, parent.inode, inode);
  const dentry = parent.inode.superblock.core.dentries.attach(parent.dentry, name, inode);
  notifyName(parent.inode, IN_CREATE, name, inode);
  if (typeof dentry === 'number') return dentry;
  return openInode(new PathRef(parent.mount, dentry), flags & ~O_TRUNC);
}

/** O_TMPFILE: a file without a name, which linkat can give one. */
function openTmpfile(context: FsContext, folder: PathRef, flags: number, mode: number): File | number {
  if (!folder.inode.isDirectory) return -ENOTDIR;
  if (folder.mount.isReadonly) return -EROFS;
  const denied = permission(context.actor, folder.inode, MAY_WRITE | MAY_EXEC);
  if (denied < 0) return denied;
  const { core } = folder.inode.superblock;
  const inode = folder.inode.tmpfile(mode & 0o7777 & ~context.umask);
  if (typeof inode === 'number') return inode;
  initOwner(context.actor, folder.inode, inode);
  // With O_EXCL it never gets a name (I_LINKABLE, vfs_tmpfile).
  const kind = (flags & O_EXCL) !== 0 ? 'final' : 'linkable';
  inode.retain();
  const dentry = core.dentries.makeUnlinked(`#${inode.ino}`, folder.dentry, inode, kind);
  inode.release();
  if (typeof dentry === 'number') return dentry;
  return openInode(new PathRef(folder.mount, dentry), flags & ~(__O_TMPFILE | O_DIRECTORY | O_EXCL));
}

/** may_open and do_open for a place that exists. `actor` null: the caller has asked for what it needs (exec). */
export function openPath(path: PathRef, flags: number, actor: FsActor | null): File | number {
  const { inode, mount } = path;
  if ((flags & O_DIRECTORY) !== 0 && !inode.isDirectory) return -ENOTDIR;
  if ((flags & O_PATH) !== 0) {
    const slot = takeFilpSlot(inode.superblock.core);
    return slot === 0 ? -ENOMEM : new PathFile(path, flags & ~CREATION_FLAGS, slot);
  }
  if (inode.isSymlink) return -ELOOP;
  const mode = flags & O_ACCMODE;
  const wantsWrite = mode !== O_RDONLY || (flags & O_TRUNC) !== 0;
  if (inode.isDirectory && wantsWrite) return -EISDIR;
  const isDevice = inode.type === S_IFCHR || inode.type === S_IFBLK;
  if (isDevice && (mount.flags & MS_NODEV) !== 0) return -EACCES;
  if (wantsWrite && mount.isReadonly && (inode.isRegular || inode.isDirectory)) return -EROFS;
  if (actor !== null) {
    const denied = permission(actor, inode, openMask(mode, wantsWrite));
    if (denied < 0) return denied;
    if ((flags & O_NOATIME) !== 0 && !isOwner(actor, inode)) return -EPERM;
  }
  return openInode(path, flags);
}

/** ACC_MODE: access mode 3 asks for both. */
function openMask(mode: number, wantsWrite: boolean): number {
  return (mode === O_WRONLY ? 0 : MAY_READ) | (wantsWrite ? MAY_WRITE : 0);
}

/** vfs_open and O_TRUNC. */
function openInode(path: PathRef, flags: number): File | number {
  const { inode } = path;
  const mode = flags & O_ACCMODE;
  if (mode === O_ACCMODE && !inode.isRegular && inode.isDirectory) return -EINVAL;
  const writes = inode.isRegular && mode !== O_RDONLY;
  if (writes && inode.writeCount < 0) return -ETXTBSY;
  const truncates = inode.isRegular && (flags & O_TRUNC) !== 0;
  if (truncates) {
    const error = inode.isSwapFile ? -ETXTBSY : inode.truncate(0);
    if (error < 0) return error;
  }
  const file = inode.open(path, flags);
  if (typeof file === 'number') return file;
  file.flags &= ~CREATION_FLAGS;
  if (writes && file.countsAsWriter) inode.writeCount++;
  notifyFile(file, IN_OPEN);
  if (truncates) notifyChange(path.dentry, IN_MODIFY);
  return file;
}
