import { SECURE_NO_SETUID_FIXUP } from '../../abi/capability.ts';
import { EINVAL, ENOENT } from '../../abi/errno.ts';
import {
  AT_EACCESS,
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_NO_AUTOMOUNT,
  AT_SYMLINK_NOFOLLOW,
  F_OK,
  NAME_MAX,
  R_OK,
  W_OK,
  X_OK,
} from '../../abi/fcntl.ts';
import {
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  ST_NODEV,
  ST_NOEXEC,
  ST_NOSUID,
  ST_RDONLY,
  ST_RELATIME,
  ST_VALID,
} from '../../abi/mount.ts';
import { majorOf, makeDev, minorOf, STATX_BASIC_STATS, STATX_BTIME, STATX_MNT_ID } from '../../abi/stat.ts';
import type { Timespec } from '../../base/timespec.ts';
import { encodeUtf8 } from '../../base/utf8.ts';
import type { Inode } from '../../fs/inode.ts';
import type { PathRef } from '../../fs/path.ts';
import type { FsActor } from '../../fs/permission.ts';
import type { Credentials } from '../credentials.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { writeBytes } from '../user-structs.ts';
import type { SyscallRow, SyscallRun } from './row.ts';
import { anyFileAt, walk } from './user.ts';

/** What is known about a path or a descriptor (fs/stat.c, fs/statfs.c, 6.18). */

const AT_STATX_SYNC_TYPE = 0x6000;
const STATX_BYTES = 256;
const STATX__RESERVED = 0x8000_0000;

function statInode(k: Kernel, t: Task, inode: Inode, address: number): number {
  inode.refresh();
  const bytes = k.arch.structs.encodeStat({
    dev: makeDev(inode.superblock.devMajor, inode.superblock.devMinor),
    ino: inode.ino,
    mode: inode.mode,
    nlink: inode.nlink,
    uid: t.cred.userNs.uids.show(inode.uid),
    gid: t.cred.userNs.gids.show(inode.gid),
    rdev: inode.rdev,
    size: inode.size,
    blockBytes: inode.blockBytes,
    blocks512: inode.blocks512,
    atime: inode.atime,
    mtime: inode.mtime,
    ctime: inode.ctime,
  });
  return writeBytes(k, t, address, bytes);
}

const fstat: SyscallRun = (k, t, fd, address) => {
  const file = anyFileAt(t, fd);
  return typeof file === 'number' ? file : statInode(k, t, file.inode, address);
};

function walkWithFlags(
  k: Kernel,
  t: Task,
  dirfd: number,
  path: number,
  flags: number,
  actor: FsActor = t.cred,
): PathRef | number {
  const last = (flags & AT_SYMLINK_NOFOLLOW) !== 0 ? 'nofollow' : 'follow';
  return walk(k, t, dirfd, path, last, (flags & AT_EMPTY_PATH) !== 0 ? 'emptyAllowed' : 'emptyFails', actor);
}

const newfstatat: SyscallRun = (k, t, dirfd, path, address, flags) => {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const place = walkWithFlags(k, t, dirfd, path, flags);
  return typeof place === 'number' ? place : statInode(k, t, place.inode, address);
};

/** struct statx is the same on every architecture (include/uapi/linux/stat.h). */
const statx: SyscallRun = (k, t, dirfd, path, flags, mask, address) => {
  if (mask >= STATX__RESERVED) return -EINVAL;
  if ((flags & AT_STATX_SYNC_TYPE) === AT_STATX_SYNC_TYPE) return -EINVAL;
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)) !== 0) return -EINVAL;
  const place = walkWithFlags(k, t, dirfd, path, flags);
  if (typeof place === 'number') return place;
  const { inode, mount } = place;
  inode.refresh();
  const bytes = new Uint8Array(STATX_BYTES);
  const view = new DataView(bytes.buffer);
  const u64 = (offset: number, value: number): void => {
    view.setUint32(offset, value >>> 0, true);
    view.setUint32(offset + 4, Math.floor(value / 2 ** 32) >>> 0, true);
  };
  const time = (offset: number, { seconds, nanoseconds }: Timespec): void => {
    u64(offset, seconds);
    view.setUint32(offset + 8, nanoseconds, true);
  };
  // The time of making is told to who asks for it (shmem_getattr).
  const { btime } = inode;
  const hasBtime = (mask & STATX_BTIME) !== 0 && btime !== null;
  view.setUint32(0, STATX_BASIC_STATS | STATX_MNT_ID | (hasBtime ? STATX_BTIME : 0), true);
  if (hasBtime) time(80, btime);
  view.setUint32(4, inode.blockBytes, true);
  view.setUint32(16, inode.nlink, true);
  view.setUint32(20, t.cred.userNs.uids.show(inode.uid), true);
  view.setUint32(24, t.cred.userNs.gids.show(inode.gid), true);
  view.setUint16(28, inode.mode, true);
  u64(32, inode.ino);
  u64(40, inode.size);
  u64(48, inode.blocks512);
  // stx_attributes_mask: STATX_ATTR_MOUNT_ROOT is the one attribute that the VFS itself knows.
  const isMountRoot = place.dentry === mount.root;
  u64(8, isMountRoot ? 0x2000 : 0);
  u64(56, 0x2000);
  time(64, inode.atime);
  time(96, inode.ctime);
  time(112, inode.mtime);
  view.setUint32(128, majorOf(inode.rdev), true);
  view.setUint32(132, minorOf(inode.rdev), true);
  view.setUint32(136, inode.superblock.devMajor, true);
  view.setUint32(140, inode.superblock.devMinor, true);
  u64(144, mount.id);
  return writeBytes(k, t, address, bytes);
};

function writeStatfs(k: Kernel, t: Task, place: PathRef, address: number): number {
  const { mount } = place;
  const { superblock } = mount;
  const numbers = k.vfs.statfs(mount);
  let flags = ST_VALID | ST_RELATIME;
  if (mount.isReadonly) flags |= ST_RDONLY;
  if ((mount.flags & MS_NOSUID) !== 0) flags |= ST_NOSUID;
  if ((mount.flags & MS_NODEV) !== 0) flags |= ST_NODEV;
  if ((mount.flags & MS_NOEXEC) !== 0) flags |= ST_NOEXEC;
  const bytes = k.arch.structs.encodeStatfs({
    type: superblock.magic,
    ...numbers,
    fsid: [makeDev(superblock.devMajor, superblock.devMinor), 0],
    nameLength: NAME_MAX,
    flags,
  });
  return writeBytes(k, t, address, bytes);
}

const statfs: SyscallRun = (k, t, path, address) => {
  const place = walk(k, t, AT_FDCWD, path, 'follow');
  return typeof place === 'number' ? place : writeStatfs(k, t, place, address);
};

const fstatfs: SyscallRun = (k, t, fd, address) => {
  const file = anyFileAt(t, fd);
  return typeof file === 'number' ? file : writeStatfs(k, t, file.path, address);
};

/** access_override_creds: access(2) asks for the real ids, root's with all that is permitted. */
function realActor(cred: Credentials): FsActor {
  let { capEffective } = cred;
  const { userNs } = cred;
  if ((cred.securebits & SECURE_NO_SETUID_FIXUP) === 0)
    capEffective = cred.uid === userNs.uids.toKernel(0) ? cred.capPermitted : [0, 0];
  return { fsuid: cred.uid, fsgid: cred.gid, groups: cred.groups, capEffective, userNs };
}

function access(k: Kernel, t: Task, dirfd: number, path: number, mode: number, flags: number): number {
  if ((mode & ~(F_OK | R_OK | W_OK | X_OK)) !== 0) return -EINVAL;
  if ((flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const actor = (flags & AT_EACCESS) !== 0 ? t.cred : realActor(t.cred);
  const place = walkWithFlags(k, t, dirfd, path, flags, actor);
  return typeof place === 'number' ? place : k.vfs.access(place, mode, actor);
}

const faccessat: SyscallRun = (k, t, dirfd, path, mode) => access(k, t, dirfd, path, mode, 0);
const faccessat2: SyscallRun = (k, t, dirfd, path, mode, flags) => access(k, t, dirfd, path, mode, flags);

const readlinkat: SyscallRun = (k, t, dirfd, path, address, size) => {
  if (size <= 0) return -EINVAL;
  const place = walk(k, t, dirfd, path, 'nofollow', 'emptyAllowed');
  if (typeof place === 'number') return place;
  // Linux: an empty path is ENOENT unless the descriptor is a link opened with O_PATH.
  if (!place.inode.isSymlink) return isEmptyPath(t, dirfd, place) ? -ENOENT : -EINVAL;
  const text = place.inode.readlink();
  if (typeof text === 'number') return text;
  place.inode.touchAccessed();
  const bytes = encodeUtf8(text);
  const shown = bytes.length > size ? bytes.subarray(0, size) : bytes;
  const failed = writeBytes(k, t, address, shown);
  return failed < 0 ? failed : shown.length;
};

function isEmptyPath(t: Task, dirfd: number, place: PathRef): boolean {
  const file = anyFileAt(t, dirfd);
  return typeof file !== 'number' && file.path === place;
}

export const statCalls: readonly SyscallRow[] = [
  { name: 'fstat', args: ['fd', 'ptr'], run: fstat, support: 'full', note: '' },
  { name: 'newfstatat', args: ['fd', 'path', 'ptr', 'flags:at'], run: newfstatat, support: 'full', note: '' },
  { name: 'statx', args: ['fd', 'path', 'flags:at', 'uint', 'ptr'], run: statx, support: 'full', note: '' },
  { name: 'statfs', args: ['path', 'ptr'], run: statfs, support: 'full', note: '' },
  { name: 'fstatfs', args: ['fd', 'ptr'], run: fstatfs, support: 'full', note: '' },
  { name: 'faccessat', args: ['fd', 'path', 'uint'], run: faccessat, support: 'full', note: '' },
  {
    name: 'faccessat2',
    args: ['fd', 'path', 'uint', 'flags:at'],
    run: faccessat2,
    support: 'full',
    note: '',
  },
  { name: 'readlinkat', args: ['fd', 'path', 'ptr', 'int'], run: readlinkat, support: 'full', note: '' },
];
