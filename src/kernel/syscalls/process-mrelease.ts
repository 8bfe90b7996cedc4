import { EINVAL, ESRCH } from '../../abi/errno.ts';
import { reapSpace } from '../../mm/ops/reap.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { taskOfPidfd } from './process-madvise.ts';

/**
 * process_mrelease(2) (6.18, mm/oom_kill.c): the memory of a process that has been killed and has not got round to its exit.
 * -EINVAL for one that lives, or that shares its memory with one that does (task_will_free_mem); -ESRCH where it is gone already.
 */
export function processMrelease(k: Kernel, t: Task, pidfd: number, flags: number): number {
  if (flags !== 0) return -EINVAL;
  const target = taskOfPidfd(t, pidfd);
  if (typeof target === 'number') return target;
  // find_lock_task_mm: the leader may have gone before the others.
  const space = target.process.threads.find((thread) => thread.space !== null)?.space ?? null;
  if (space === null) return -ESRCH;
  for (const process of k.processes.values()) {
    const sharesIt = process.threads.some((thread) => thread.space === space);
    if (sharesIt && !process.groupExit) return -EINVAL;
  }
  reapSpace(k.mm, space);
  return 0;
}
