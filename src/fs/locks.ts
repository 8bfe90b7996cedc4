import { EAGAIN, EDEADLK, EINVAL } from '../abi/errno.ts';
import type { WaitQueue } from '../base/wait-queue.ts';
import type { File } from './file.ts';
import type { Inode } from './inode.ts';

export type LockKind = 'read' | 'write';

/** Who owns a record lock: the process's file table (POSIX), or the open file (OFD). Compared by identity. */
export type LockOwner = object;

/** A record lock on bytes [start, end); end is Infinity for "to the end, however far". */
export interface RecordLock {
  readonly kind: LockKind;
  readonly start: number;
  readonly end: number;
  readonly owner: LockOwner;
  /** l_pid of F_GETLK: the process's id, -1 for OFD locks. */
  readonly pid: number;
}

/**
 * The locks on one inode: flock (owner: the File) and record locks (fs/locks.c). A lock that cannot be had is -EAGAIN; the system
 * call waits on `queue` and tries again.
 *
 * Invariants:
 *  L1 Locks of one owner do not overlap; touching ones of one kind are one.
 *  L2 Of two locks that overlap and have different owners neither is a write lock.
 */
export class InodeLocks {
  readonly queue: WaitQueue;
  readonly flocks = new Map<File, LockKind>();
  readonly records: RecordLock[] = [];

  constructor(queue: WaitQueue) {
    this.queue = queue;
  }

  /** flock: 0, or -EAGAIN. Changing a lock first drops the old one, as Linux does. */
  flock(file: File, kind: LockKind | 'unlock'): number {
    if (kind === 'unlock') {
      if (this.flocks.delete(file)) this.queue.wakeAll();
      return 0;
    }
    if (this.flocks.get(file) === kind) return 0;
    if (this.flocks.delete(file)) this.queue.wakeAll();
    for (const held of this.flocks.values()) if (held === 'write' || kind === 'write') return -EAGAIN;
    this.flocks.set(file, kind);
    return 0;
  }

  /** F_GETLK: the first lock that would be in the way, or null. */
  findConflict(kind: LockKind, start: number, end: number, owner: LockOwner): RecordLock | null {
    for (const lock of this.records) {
      if (lock.owner === owner || lock.start >= end || lock.end <= start) continue;
      if (lock.kind === 'write' || kind === 'write') return lock;
    }
    return null;
  }

  /** F_SETLK: 0, or -EAGAIN. */
  setRecord(kind: LockKind | 'unlock', start: number, end: number, owner: LockOwner, pid: number): number {
    if (start < 0 || end <= start) return -EINVAL;
    if (kind !== 'unlock' && this.findConflict(kind, start, end, owner) !== null) return -EAGAIN;
    const kept: RecordLock[] = [];
    let from = start;
    let to = end;
    for (const lock of this.records) {
      const isApart = lock.end < start || lock.start > end;
      const isOverlapping = lock.start < end && lock.end > start;
      if (lock.owner !== owner || isApart) {
        kept.push(lock);
      } else if (lock.kind === kind) {
        from = Math.min(from, lock.start);
        to = Math.max(to, lock.end);
      } else if (!isOverlapping) {
        kept.push(lock);
      } else {
        if (lock.start < start) kept.push({ ...lock, end: start });
        if (lock.end > end) kept.push({ ...lock, start: end });
      }
    }
    if (kind !== 'unlock') kept.push({ kind, start: from, end: to, owner, pid });
    kept.sort((a, b) => a.start - b.start || a.end - b.end);
    this.records.splice(0, this.records.length, ...kept);
    this.queue.wakeAll();
    return 0;
  }

  /** A process closes any descriptor of the file: all of its record locks on it go (posix locks' old rule). */
  releaseOwner(owner: LockOwner): void {
    const kept = this.records.filter((lock) => lock.owner !== owner);
    if (kept.length === this.records.length) return;
    this.records.splice(0, this.records.length, ...kept);
    this.queue.wakeAll();
  }

  /** The open file is gone: its flock and OFD locks go. */
  releaseFile(file: File): void {
    this.releaseOwner(file);
    if (this.flocks.delete(file)) this.queue.wakeAll();
  }
}

/** The locks of an inode, made at the first use. */
export function locksOf(inode: Inode): InodeLocks {
  inode.locks ??= new InodeLocks(inode.superblock.core.makeQueue());
  return inode.locks;
}

/** Waiting owners, for the EDEADLK of F_SETLKW: who waits for whom, as the system call layer records it. */
export class LockWaits {
  private readonly waits = new Map<LockOwner, LockOwner>();

  /** 0, or -EDEADLK if `owner` waiting for `holder` closes a ring (posix_locks_deadlock). */
  begin(owner: LockOwner, holder: LockOwner): number {
    for (
      let at: LockOwner | undefined = holder, steps = 0;
      at !== undefined && steps < 10;
      at = this.waits.get(at), steps++
    ) {
      if (at === owner) return -EDEADLK;
    }
    this.waits.set(owner, holder);
    return 0;
  }

  end(owner: LockOwner): void {
    this.waits.delete(owner);
  }
}
