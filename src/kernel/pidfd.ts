import { EBADF } from '../abi/errno.ts';
import { O_EXCL, O_NONBLOCK, O_RDWR } from '../abi/fcntl.ts';
import { POLLHUP, POLLIN, POLLRDNORM } from '../abi/poll.ts';
import type { WaitQueue } from '../base/wait-queue.ts';
import { File } from '../fs/file.ts';
import type { PathRef } from '../fs/path.ts';
import type { Kernel } from './kernel.ts';
import type { Process } from './process.ts';
import type { Task } from './task.ts';

/** PIDFD_THREAD: the descriptor means one thread, not the group. */
export const PIDFD_THREAD = O_EXCL;

/**
 * A descriptor of a process or thread (6.18: kernel/pid.c, fs/pidfs.c). It names the process for good: when that is reaped, its
 * number may come again and the descriptor still means the dead one.
 */
export class PidFile extends File {
  readonly process: Process;
  /** The thread with PIDFD_THREAD; null: the group. */
  readonly thread: Task | null;
  private readonly processes: ReadonlyMap<number, Process>;

  constructor(
    path: PathRef,
    flags: number,
    slot: number,
    target: Task,
    scope: 'process' | 'thread',
    processes: ReadonlyMap<number, Process>,
  ) {
    super(path, flags, slot);
    this.process = target.process;
    this.thread = scope === 'thread' ? target : null;
    this.processes = processes;
  }

  /** pid_task: what it means now; null when it has been reaped. */
  get target(): Task | null {
    if (this.thread !== null) return this.thread.state === 'X' ? null : this.thread;
    return this.processes.get(this.process.pid) === this.process ? this.process.leader : null;
  }

  override get canPoll(): boolean {
    return true;
  }
  /** pidfd_poll: readable when it has ended, and hung up when it was reaped too. */
  override poll(): number {
    const { target } = this;
    if (target === null) return POLLIN | POLLRDNORM | POLLHUP;
    const ended = this.thread === null ? this.process.isZombie : target.state === 'Z';
    return ended ? POLLIN | POLLRDNORM : 0;
  }
  override waitQueues(): readonly WaitQueue[] {
    return [this.process.exitQueue];
  }

  /** pidfd_show_fdinfo. */
  override fdinfo(): string {
    const { target } = this;
    const pid = target === null ? -1 : this.thread === null ? this.process.pid : target.tid;
    return `Pid:\t${pid}\nNSpid:\t${pid}\n`;
  }
}

/** pidfd_prepare: flags O_NONBLOCK and PIDFD_THREAD. */
export function makePidFile(k: Kernel, target: Task, flags: number): PidFile | number {
  const scope = (flags & PIDFD_THREAD) !== 0 ? 'thread' : 'process';
  return k.vfs.anonFile(
    'anon_inode:[pidfd]',
    (path, slot) => new PidFile(path, O_RDWR | (flags & (O_NONBLOCK | PIDFD_THREAD)), slot, target, scope, k.processes),
  );
}

/** pidfd_get_task's first half: the descriptor's file, or -EBADF. */
export function pidFileAt(t: Task, fd: number): PidFile | number {
  const file = t.files?.get(fd) ?? null;
  return file instanceof PidFile ? file : -EBADF;
}
