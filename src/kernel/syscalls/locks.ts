import { EAGAIN, EBADF, EFAULT, EINVAL, EOVERFLOW } from '../../abi/errno.ts';
import {
  F_GETLK,
  F_OFD_GETLK,
  F_OFD_SETLK,
  F_OFD_SETLKW,
  F_RDLCK,
  F_SETLK,
  F_UNLCK,
  F_WRLCK,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
} from '../../abi/fcntl.ts';
import type { File } from '../../fs/file.ts';
import { type InodeLocks, type LockKind, locksOf } from '../../fs/locks.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { readBytes, writeBytes } from '../user-structs.ts';
import { ERESTARTSYS } from '../wait-state.ts';
import { BLOCKED, type SyscallRun } from './row.ts';
import { fileAt, filesOf } from './user.ts';

/** fcntl record locks and flock (fs/locks.c, 6.18). */

const OFFSET_MAX = 2 ** 63;

export function recordLock(k: Kernel, t: Task, file: File, command: number, address: number): number {
  const { structs } = k.arch;
  const bytes = new Uint8Array(structs.flockBytes);
  if (readBytes(k, t, address, bytes) < 0) return -EFAULT;
  const asked = structs.decodeFlock(bytes);
  const isOfd = command === F_OFD_GETLK || command === F_OFD_SETLK || command === F_OFD_SETLKW;
  if (isOfd && asked.pid !== 0) return -EINVAL;
  const range = rangeOf(file, asked.whence, asked.start, asked.length);
  if (typeof range === 'number') return range;
  const [start, end] = range;
  const owner: object = isOfd ? file : filesOf(t);
  const locks = locksOf(file.inode);
  if (command === F_GETLK || command === F_OFD_GETLK) {
    if (asked.type !== F_RDLCK && asked.type !== F_WRLCK) return -EINVAL;
    const found = locks.findConflict(asked.type === F_WRLCK ? 'write' : 'read', start, end, owner);
    const answer =
      found === null
        ? { ...asked, type: F_UNLCK }
        : {
            type: found.kind === 'write' ? F_WRLCK : F_RDLCK,
            whence: 0,
            start: found.start,
            length: found.end >= OFFSET_MAX ? 0 : found.end - found.start,
            pid: found.pid > 0 ? t.pidNs.numberOf(found.pid) : found.pid,
          };
    return writeBytes(k, t, address, structs.encodeFlock(answer));
  }
  if (asked.type === F_UNLCK) return locks.setRecord('unlock', start, end, owner, 0);
  if (asked.type !== F_RDLCK && asked.type !== F_WRLCK) return -EINVAL;
  const kind: LockKind = asked.type === F_WRLCK ? 'write' : 'read';
  if (file.checkLockMode(kind) < 0) return -EBADF;
  const set = locks.setRecord(kind, start, end, owner, isOfd ? -1 : t.tgid);
  const { lockWaits } = k.vfs.core;
  if (set !== -EAGAIN || command === F_SETLK || command === F_OFD_SETLK) {
    if (t.wait !== null) lockWaits.end(owner);
    return set;
  }
  const holder = locks.findConflict(kind, start, end, owner)?.owner;
  if (!isOfd && holder !== undefined) {
    const ring = lockWaits.begin(owner, holder);
    if (ring < 0) return ring;
  }
  const result = waitForLock(k, t, locks);
  if (result !== BLOCKED) lockWaits.end(owner);
  return result;
}

function waitForLock(k: Kernel, t: Task, locks: InodeLocks): number {
  return k.block(t, {
    queues: [locks.queue],
    deadlineNs: Number.POSITIVE_INFINITY,
    onSignal: ERESTARTSYS,
    data: [],
  });
}

/** flock64_to_posix_lock: length 0 is to the end, a negative one lies before the start. */
function rangeOf(file: File, whence: number, offset: number, length: number): [number, number] | number {
  let start = offset;
  if (whence === 1) start += file.pos;
  else if (whence === 2) start += file.inode.size;
  else if (whence !== 0) return -EINVAL;
  if (start > OFFSET_MAX) return -EOVERFLOW;
  if (start < 0) return -EINVAL;
  if (length > 0) return start + length > OFFSET_MAX ? -EOVERFLOW : [start, start + length];
  if (length === 0) return [start, Number.POSITIVE_INFINITY];
  return start + length < 0 ? -EINVAL : [start + length, start];
}

export const flock: SyscallRun = (k, t, fd, command) => {
  const file = fileAt(t, fd);
  const kind = command & ~LOCK_NB;
  if (kind !== LOCK_SH && kind !== LOCK_EX && kind !== LOCK_UN) return -EINVAL;
  if (typeof file === 'number') return file;
  const locks = locksOf(file.inode);
  const type = kind === LOCK_UN ? 'unlock' : kind === LOCK_EX ? 'write' : 'read';
  const result = locks.flock(file, type);
  return result !== -EAGAIN || (command & LOCK_NB) !== 0 ? result : waitForLock(k, t, locks);
};
