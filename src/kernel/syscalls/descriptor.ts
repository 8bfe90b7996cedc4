import { EBADF, EFAULT, EINVAL, ENOTTY, EPERM, ESPIPE } from '../../abi/errno.ts';
import {
  F_ADD_SEALS,
  F_DUPFD,
  F_DUPFD_CLOEXEC,
  F_DUPFD_QUERY,
  F_GET_SEALS,
  F_GETFD,
  F_GETFL,
  F_GETLEASE,
  F_GETLK,
  F_GETOWN,
  F_GETOWN_EX,
  F_GETPIPE_SZ,
  F_GETSIG,
  F_OFD_GETLK,
  F_OFD_SETLK,
  F_OFD_SETLKW,
  F_SETFD,
  F_SETFL,
  F_SETLK,
  F_SETLKW,
  F_SETOWN,
  F_SETOWN_EX,
  F_SETPIPE_SZ,
  F_SETSIG,
  F_UNLCK,
  FD_CLOEXEC,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
  MFD_HUGETLB,
  MFD_NOEXEC_SEAL,
  O_APPEND,
  O_CLOEXEC,
  O_DIRECT,
  O_NOATIME,
  O_NONBLOCK,
} from '../../abi/fcntl.ts';
import { FIOASYNC, FIOCLEX, FIONBIO, FIONCLEX, FIONREAD } from '../../abi/ioctl.ts';
import { RLIMIT_NOFILE } from '../../abi/resource.ts';
import { S_IFBLK, S_IFLNK } from '../../abi/stat.ts';
import type { File } from '../../fs/file.ts';
import { MemoryInode } from '../../fs/memory-inode.ts';
import { PipeFile } from '../../fs/pipe.ts';
import { TtyFile } from '../../fs/tty-file.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { readUserString } from '../../mm/user-access.ts';
import { NR_OPEN } from '../file-table.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { readBytes, writeI32s } from '../user-structs.ts';
import { credentialsOf } from './connect.ts';
import { flock, recordLock } from './locks.ts';
import { row, type SyscallRow, type SyscallRun } from './row.ts';
import { checkTerminal } from './terminal.ts';
import { anyFileAt, fileAt, filesOf, IoctlArgument, installFile, spaceOf } from './user.ts';

/** Descriptors: duplicating, closing, their flags, and files that have no name (fs/file.c, fs/fcntl.c, fs/ioctl.c, 6.18). */

const SETFL_MASK = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME;
const CLOSE_RANGE_UNSHARE = 2;
const CLOSE_RANGE_CLOEXEC = 4;

const close: SyscallRun = (_k, t, fd) => filesOf(t).close(fd);

const closeRange: SyscallRun = (_k, t, first, last, flags) => {
  if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) !== 0 || last < first) return -EINVAL;
  if ((flags & CLOSE_RANGE_UNSHARE) !== 0 && filesOf(t).users > 1) {
    const copy = filesOf(t).copy();
    if (typeof copy === 'number') return copy;
    filesOf(t).release();
    t.files = copy;
  }
  const files = filesOf(t);
  for (let fd = first; fd <= last && fd < files.bound; fd++) {
    if (files.get(fd) === null) continue;
    if ((flags & CLOSE_RANGE_CLOEXEC) !== 0) files.setCloseOnExec(fd, 'close');
    else files.close(fd);
  }
  return 0;
};

const dup: SyscallRun = (_k, t, fd) => {
  const file = anyFileAt(t, fd);
  return typeof file === 'number' ? file : duplicate(t, file, 0, 0);
};

function duplicate(t: Task, file: File, flags: number, from: number): number {
  file.retain();
  return installFile(t, file, flags, from);
}

const dup3: SyscallRun = (_k, t, oldFd, newFd, flags) => {
  if ((flags & ~O_CLOEXEC) !== 0 || oldFd === newFd) return -EINVAL;
  if (newFd < 0 || newFd >= Math.min(t.process.rlimits[RLIMIT_NOFILE].soft, NR_OPEN)) return -EBADF;
  const file = anyFileAt(t, oldFd);
  if (typeof file === 'number') return file;
  file.retain();
  filesOf(t).replace(newFd, file, flags);
  return newFd;
};

const fcntl: SyscallRun = (k, t, fd, command, argument) => {
  const files = filesOf(t);
  const file = files.get(fd);
  if (file === null) return -EBADF;
  // O_PATH descriptors have flags of their own and nothing else (check_fcntl_cmd).
  const value = argument >>> 0;
  switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
      if (value >= Math.min(t.process.rlimits[RLIMIT_NOFILE].soft, NR_OPEN)) return -EINVAL;
      return duplicate(t, file, command === F_DUPFD_CLOEXEC ? O_CLOEXEC : 0, value);
    case F_GETFD:
      return files.isCloseOnExec(fd) ? FD_CLOEXEC : 0;
    case F_SETFD:
      files.setCloseOnExec(fd, (value & FD_CLOEXEC) !== 0 ? 'close' : 'keep');
      return 0;
    case F_GETFL:
      return file.flags & ~O_CLOEXEC;
    case F_DUPFD_QUERY:
      return files.get(value) === file ? 1 : 0;
    default:
      return file.isPathOnly ? -EBADF : fcntlOfFile(k, t, file, command, argument);
  }
};

function fcntlOfFile(k: Kernel, t: Task, file: File, command: number, argument: number): number {
  switch (command) {
    case F_SETFL:
      file.flags = (file.flags & ~SETFL_MASK) | (argument & SETFL_MASK);
      return 0;
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
      return recordLock(k, t, file, command, addressOf(argument));
    case F_SETOWN:
      file.owner = argument | 0;
      return 0;
    case F_GETOWN:
      return file.owner;
    case F_SETOWN_EX:
      return setOwnerEx(k, t, file, addressOf(argument));
    case F_GETOWN_EX:
      return writeI32s(k, t, addressOf(argument), [file.owner < 0 ? F_OWNER_PGRP : F_OWNER_PID, Math.abs(file.owner)]);
    case F_SETSIG:
      if (argument < 0 || argument > 64) return -EINVAL;
      file.ownerSignal = argument;
      return 0;
    case F_GETSIG:
      return file.ownerSignal;
    case F_GETLEASE:
      return F_UNLCK;
    case F_SETPIPE_SZ:
      return file instanceof PipeFile ? file.setPipeSize(argument) : -EBADF;
    case F_GETPIPE_SZ:
      return file instanceof PipeFile ? file.pipeSizeBytes : -EBADF;
    case F_ADD_SEALS:
      if (!file.writable) return -EPERM;
      return file.inode instanceof MemoryInode && file.inode.isRegular ? file.inode.addSeals(argument) : -EINVAL;
    case F_GET_SEALS:
      return file.inode instanceof MemoryInode && file.inode.isRegular ? file.inode.seals : -EINVAL;
    default:
      return -EINVAL;
  }
}

/** A pointer that was decoded as a signed long. */
function addressOf(argument: number): number {
  return argument < 0 ? argument + 2 ** 64 : argument;
}

const F_OWNER_TID = 0;
const F_OWNER_PID = 1;
const F_OWNER_PGRP = 2;

/** struct f_owner_ex: kind and id; a thread is kept as its process. */
function setOwnerEx(k: Kernel, t: Task, file: File, address: number): number {
  const bytes = new Uint8Array(8);
  if (readBytes(k, t, address, bytes) < 0) return -EFAULT;
  const view = new DataView(bytes.buffer);
  const id = view.getInt32(4, true);
  switch (view.getInt32(0, true)) {
    case F_OWNER_TID:
    case F_OWNER_PID:
      file.owner = id;
      return 0;
    case F_OWNER_PGRP:
      file.owner = -id;
      return 0;
    default:
      return -EINVAL;
  }
}

/** do_vfs_ioctl, then the file's own. */
const ioctl: SyscallRun = (k, t, fd, request, value) => {
  const file = fileAt(t, fd);
  if (typeof file === 'number') return file;
  const argument = new IoctlArgument(k, t, value);
  switch (request) {
    case FIOCLEX:
      filesOf(t).setCloseOnExec(fd, 'close');
      return 0;
    case FIONCLEX:
      filesOf(t).setCloseOnExec(fd, 'keep');
      return 0;
    case FIONBIO: {
      const bytes = new Uint8Array(4);
      if (argument.read(bytes) < 0) return -EFAULT;
      const isOn = bytes.some((byte) => byte !== 0);
      file.flags = isOn ? file.flags | O_NONBLOCK : file.flags & ~O_NONBLOCK;
      return 0;
    }
    case FIOASYNC:
      return -ENOTTY;
    case FIONREAD:
      if (!file.inode.isRegular) break;
      return writeI32s(k, t, value, [file.inode.size - file.pos]);
  }
  if (TtyFile.isChange(request)) {
    const controlled = checkTerminal(k, t, file, 'change');
    if (controlled < 0) return controlled;
  }
  return file.ioctl(request, argument);
};

/** Two new files as descriptors at `address`: both or none. */
function installPair(k: Kernel, t: Task, pair: readonly [File, File], flags: number, address: number): number {
  const first = installFile(t, pair[0], flags);
  if (first < 0) {
    pair[1].release();
    return first;
  }
  const second = installFile(t, pair[1], flags);
  if (second < 0) {
    filesOf(t).close(first);
    return second;
  }
  if (writeI32s(k, t, address, [first, second]) === 0) return 0;
  filesOf(t).close(first);
  filesOf(t).close(second);
  return -EFAULT;
}

const pipe2: SyscallRun = (k, t, address, flags) => {
  const O_NOTIFICATION_PIPE = 0o200;
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT | O_NOTIFICATION_PIPE)) !== 0) return -EINVAL;
  if ((flags & O_NOTIFICATION_PIPE) !== 0) return -EINVAL;
  const pair = k.vfs.pipe(flags);
  return typeof pair === 'number' ? pair : installPair(k, t, pair, flags, address);
};

/** SOCK_CLOEXEC and SOCK_NONBLOCK are O_CLOEXEC and O_NONBLOCK. */
const socketpair: SyscallRun = (k, t, domain, type, protocol, address) => {
  if ((type & ~(0xf | O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  const pair = k.vfs.socketpair(domain, type, protocol);
  if (typeof pair === 'number') return pair;
  for (const end of pair) end.peerCredentials = credentialsOf(t);
  return installPair(k, t, pair, type, address);
};

const eventfd2: SyscallRun = (k, t, count, flags) => {
  if ((flags & ~(1 | O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  const file = k.vfs.eventfd(count, flags);
  return typeof file === 'number' ? file : installFile(t, file, flags);
};

const MFD_HUGE_SHIFT = 26;
/** MFD_NAME_MAX_LEN: 255 - strlen("memfd:"). */
const MEMFD_NAME_MAX = 249;

const memfdCreate: SyscallRun = (k, t, nameAddress, flags) => {
  const hugeSize = (flags & MFD_HUGETLB) !== 0 ? ~0 << MFD_HUGE_SHIFT : 0;
  if ((flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB | MFD_NOEXEC_SEAL | MFD_EXEC | hugeSize)) !== 0)
    return -EINVAL;
  if ((flags & (MFD_EXEC | MFD_NOEXEC_SEAL)) === (MFD_EXEC | MFD_NOEXEC_SEAL)) return -EINVAL;
  const name = readUserString(k.mm, spaceOf(t), nameAddress, MEMFD_NAME_MAX + 1);
  if (typeof name === 'number') return name === -EFAULT ? name : -EINVAL;
  const file = k.vfs.memfd(name, flags);
  return typeof file === 'number' ? file : installFile(t, file, (flags & MFD_CLOEXEC) !== 0 ? O_CLOEXEC : 0);
};

const memfdSecret: SyscallRun = (k, t, flags) => {
  if ((flags & ~O_CLOEXEC) !== 0) return -EINVAL;
  const file = k.vfs.secretmem();
  return typeof file === 'number' ? file : installFile(t, file, flags);
};

const fsync: SyscallRun = (_k, t, fd) => {
  const file = fileAt(t, fd);
  return typeof file === 'number' ? file : file.fsync();
};

const syncfs: SyscallRun = (_k, t, fd) => {
  const file = fileAt(t, fd);
  if (typeof file === 'number') return file;
  const result = file.inode.superblock.sync();
  return file.takeSuperblockError() || result;
};

const SYNC_FILE_RANGE_WAIT_BEFORE = 1;
const SYNC_FILE_RANGE_WRITE = 2;
const SYNC_FILE_RANGE_WAIT_AFTER = 4;

/** sync_file_range (6.18, fs/sync.c): the pages' way to the disk, in steps; no step makes anything safe. */
const syncFileRange: SyscallRun = (k, t, fd, offset, length, flags) => {
  const file = fileAt(t, fd);
  if (typeof file === 'number') return file;
  if ((flags & ~7) !== 0 || offset < 0 || length < 0 || offset + length >= 2 ** 63) return -EINVAL;
  const { inode, pages } = file;
  if (!inode.isRegular && !inode.isDirectory && inode.type !== S_IFLNK && inode.type !== S_IFBLK) return -ESPIPE;
  if (pages === null || pages.backing === null) return 0;
  const { pageCache } = k.mm;
  const first = Math.floor(offset / PAGE_SIZE);
  const end = length === 0 ? Number.MAX_SAFE_INTEGER : Math.ceil((offset + length) / PAGE_SIZE);
  if ((flags & SYNC_FILE_RANGE_WAIT_BEFORE) !== 0) {
    pageCache.awaitWriteback(pages, first, end);
    const error = file.takeWritebackError();
    if (error < 0) return error;
  }
  // What a device answers, waiting tells.
  if ((flags & SYNC_FILE_RANGE_WRITE) !== 0) pageCache.startWriteback(pages, first, end);
  if ((flags & SYNC_FILE_RANGE_WAIT_AFTER) === 0) return 0;
  pageCache.awaitWriteback(pages, first, end);
  return file.takeWritebackError();
};

export const descriptorCalls: readonly SyscallRow[] = [
  row('close', ['fd'], close),
  row('close_range', ['uint', 'uint', 'uint'], closeRange),
  row('dup', ['fd'], dup),
  row('dup3', ['fd', 'fd', 'flags:open'], dup3),
  row('fcntl', ['fd', 'uint', 'long'], fcntl, 'no leases, no notifications; SIGIO is not sent'),
  row('ioctl', ['fd', 'uint', 'ulong'], ioctl, 'terminals, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX'),
  row('flock', ['fd', 'uint'], flock),
  row('pipe2', ['ptr', 'flags:open'], pipe2),
  row('socketpair', ['int', 'int', 'int', 'ptr'], socketpair, 'AF_UNIX'),
  row('eventfd2', ['uint', 'uint'], eventfd2),
  row('memfd_create', ['path', 'uint'], memfdCreate),
  row('memfd_secret', ['uint'], memfdSecret, 'its pages count as shared memory (Linux: as pages of a file)'),
  row('fsync', ['fd'], fsync),
  row('fdatasync', ['fd'], fsync),
  row('sync', [], (k) => {
    k.vfs.sync();
    return 0;
  }),
  row('syncfs', ['fd'], syncfs),
  row('sync_file_range', ['fd', 'off', 'off', 'uint'], syncFileRange),
];
