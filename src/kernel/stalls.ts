import { type MemstallListener, STALL_IO, STALL_MEMORY, STALL_SWAP, type Stall } from '../mm/block/stall.ts';
import type { Kernel } from './kernel.ts';
import { feedPsi } from './psi/psi-feed.ts';
import type { Task } from './task.ts';

/** The tasks that sleep for a device or for memory: procs_blocked and iowait of /proc/stat, and what idle time is spent on. */
export class Stalls {
  io = 0;
  memory = 0;
  swap = 0;
  /** Time in which the task that ran did nothing but make room, or bring back what had to go. */
  busyNs = 0;

  /** What the machine waits for when nobody can run. */
  get idleCause(): 'memory' | 'disk' | 'idle' {
    return this.memory > 0 || this.swap > 0 ? 'memory' : this.io > 0 ? 'disk' : 'idle';
  }
}

/** The task begins or ends such a sleep (in_iowait, in_memstall; delayacct_blkio_start and _end). */
export function setStall(k: Kernel, task: Task, stall: Stall): void {
  const before = task.stall;
  if (before === stall) return;
  const { stalls } = k;
  if ((before & STALL_IO) !== 0) {
    stalls.io--;
    task.blkioDelayNs += k.clock.nowNs - task.stalledSinceNs;
  }
  if ((before & STALL_MEMORY) !== 0) stalls.memory--;
  if ((before & STALL_SWAP) !== 0) stalls.swap--;
  if ((stall & STALL_SWAP) !== 0) stalls.swap++;
  if ((stall & STALL_IO) !== 0) stalls.io++;
  if ((stall & STALL_MEMORY) !== 0) stalls.memory++;
  task.stall = stall;
  task.stalledSinceNs = k.clock.nowNs;
}

/** The running task's memstall: pressure counts it while it goes on (psi-feed.ts). A stall within a stall is the same one. */
export class RunningMemstall implements MemstallListener {
  private readonly k: Kernel;
  private depth = 0;
  private sinceNs = 0;

  constructor(k: Kernel) {
    this.k = k;
  }

  enter(): void {
    const { running, clock } = this.k;
    if (this.depth++ > 0) return;
    this.sinceNs = clock.nowNs;
    if (running !== null) markMemstall(this.k, running, 'in');
  }

  leave(): void {
    const { running, clock, stalls } = this.k;
    if (--this.depth > 0) return;
    stalls.busyNs += clock.nowNs - this.sinceNs;
    if (running !== null) markMemstall(this.k, running, 'out');
  }
}

function markMemstall(k: Kernel, task: Task, where: 'in' | 'out'): void {
  task.isInMemstall = where === 'in';
  feedPsi(k, task);
}
