import { CAP_SYS_CHROOT } from '../../abi/capability.ts';
import { EFAULT, EINVAL, ENOENT, ENOTDIR, EPERM, ERANGE } from '../../abi/errno.ts';
import { AT_FDCWD } from '../../abi/fcntl.ts';
import { IN_ACCESS } from '../../abi/inotify.ts';
import { encodeUtf8 } from '../../base/utf8.ts';
import type { File } from '../../fs/file.ts';
import { notifyFile } from '../../fs/notify.ts';
import { MAY_EXEC, permission } from '../../fs/permission.ts';
import { capableHere } from '../credentials.ts';
import { writeBytes } from '../user-structs.ts';
import { row, type SyscallRow, type SyscallRun } from './row.ts';
import { anyFileAt, contextOf, fileAt, walk } from './user.ts';

/** The working folder, the root, the umask, and what is in a folder (fs/open.c, fs/d_path.c, fs/readdir.c, 6.18). */

const getcwd: SyscallRun = (k, t, address, size) => {
  const { root, cwd } = contextOf(t);
  if (cwd.isDeleted) return -ENOENT;
  const bytes = encodeUtf8(`${cwd.displayPath(root)}\0`);
  if (bytes.length > size) return -ERANGE;
  const failed = writeBytes(k, t, address, bytes);
  return failed < 0 ? failed : bytes.length;
};

const chdir: SyscallRun = (k, t, path) => {
  const place = walk(k, t, AT_FDCWD, path, 'follow');
  if (typeof place === 'number') return place;
  if (!place.inode.isDirectory) return -ENOTDIR;
  const denied = permission(t.cred, place.inode, MAY_EXEC);
  if (denied < 0) return denied;
  contextOf(t).setCwd(place);
  return 0;
};

const fchdir: SyscallRun = (_k, t, fd) => {
  const file = anyFileAt(t, fd);
  if (typeof file === 'number') return file;
  if (!file.inode.isDirectory) return -ENOTDIR;
  const denied = permission(t.cred, file.inode, MAY_EXEC);
  if (denied < 0) return denied;
  contextOf(t).setCwd(file.path);
  return 0;
};

const chroot: SyscallRun = (k, t, path) => {
  const place = walk(k, t, AT_FDCWD, path, 'follow');
  if (typeof place === 'number') return place;
  if (!place.inode.isDirectory) return -ENOTDIR;
  const denied = permission(t.cred, place.inode, MAY_EXEC);
  if (denied < 0) return denied;
  if (!capableHere(t.cred, CAP_SYS_CHROOT)) return -EPERM;
  contextOf(t).setRoot(place);
  return 0;
};

const umask: SyscallRun = (_k, t, mask) => {
  const context = contextOf(t);
  const old = context.umask;
  context.umask = mask & 0o777;
  return old;
};

/** linux_dirent64: ino, off, reclen, type, name; each a multiple of 8 bytes. */
const getdents64: SyscallRun = (k, t, fd, address, count) => {
  const file = fileAt(t, fd);
  if (typeof file === 'number') return file;
  if (!file.inode.isDirectory) return -ENOTDIR;
  if (file.path.isDeleted) return -ENOENT;
  const bytes = new Uint8Array(Math.min(count, 65536));
  const start = file.pos;
  const used = fillEntries(file, bytes);
  if (used < 0) return used;
  if (writeBytes(k, t, address, bytes.subarray(0, used)) < 0) {
    file.pos = start;
    return -EFAULT;
  }
  file.inode.touchAccessed();
  notifyFile(file, IN_ACCESS);
  return used;
};

function fillEntries(file: File, bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer);

  let used = 0;
  for (;;) {
    const entry = file.entryAt(file.pos);
    if (typeof entry === 'number') return used > 0 ? used : entry;
    if (entry === null) return used;
    const name = encodeUtf8(entry.name);
    const length = Math.ceil((19 + name.length + 1) / 8) * 8;
    if (used + length > bytes.length) return used > 0 ? used : -EINVAL;
    view.setUint32(used, entry.ino >>> 0, true);
    view.setUint32(used + 4, Math.floor(entry.ino / 2 ** 32), true);
    view.setUint32(used + 8, file.pos + 1, true);
    view.setUint16(used + 16, length, true);
    bytes[used + 18] = entry.type;
    bytes.set(name, used + 19);
    used += length;
    file.pos++;
  }
}

export const folderCalls: readonly SyscallRow[] = [
  row('getcwd', ['ptr', 'size'], getcwd),
  row('chdir', ['path'], chdir),
  row('fchdir', ['fd'], fchdir),
  row('chroot', ['path'], chroot),
  row('umask', ['mode'], umask),
  row('getdents64', ['fd', 'ptr', 'uint'], getdents64),
];
