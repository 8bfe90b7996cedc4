import { STALL_IO, STALL_MEMORY, type Stall } from '../mm/block/stall.ts';
import type { Kernel } from './kernel.ts';
import type { Task } from './task.ts';

/** The tasks that sleep for a device or for memory: procs_blocked and iowait of /proc/stat, and what idle time is spent on. */
export class Stalls {
  io = 0;
  memory = 0;

  /** What the machine waits for when nobody can run. */
  get idleCause(): 'memory' | 'disk' | 'idle' {
    return this.memory > 0 ? 'memory' : this.io > 0 ? 'disk' : 'idle';
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
  if ((stall & STALL_IO) !== 0) stalls.io++;
  if ((stall & STALL_MEMORY) !== 0) stalls.memory++;
  task.stall = stall;
  task.stalledSinceNs = k.clock.nowNs;
}
