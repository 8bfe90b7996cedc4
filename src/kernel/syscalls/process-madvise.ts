import { CAP_SYS_NICE } from '../../abi/capability.ts';
import { EINVAL, EPERM, ESRCH } from '../../abi/errno.ts';
import { MADV_COLD, MADV_COLLAPSE, MADV_PAGEOUT, MADV_WILLNEED } from '../../abi/mman.ts';
import { madvise } from '../../mm/ops/madvise.ts';
import { mayAccessTask } from '../access-task.ts';
import { capable } from '../credentials.ts';
import type { Kernel } from '../kernel.ts';
import { pidFileAt } from '../pidfd.ts';
import type { Task } from '../task.ts';
import { totalBytes, vectorArgument } from './user.ts';

/** Instead of a descriptor: the calling thread, or its process (include/uapi/linux/pidfd.h). */
const PIDFD_SELF_THREAD = -10000;
const PIDFD_SELF_THREAD_GROUP = -10001;

/** Advice for another process: what changes no contents. */
const REMOTE_VALID: readonly number[] = [MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED, MADV_COLLAPSE];

/**
 * process_madvise(2) (Linux 6.18, mm/madvise.c): bytes advised, up to the first range that fails; an error only where none was.
 */
export function processMadvise(
  k: Kernel,
  t: Task,
  pidfd: number,
  vector: number,
  count: number,
  advice: number,
  flags: number,
): number {
  if (flags !== 0) return -EINVAL;
  const ranges = vectorArgument(k, t, vector, count);
  if (typeof ranges === 'number') return ranges;
  const target = taskOfPidfd(t, pidfd);
  if (typeof target === 'number') return target;
  const allowed = mayAccessTask(t, target, 'fs');
  if (allowed < 0) return allowed;
  const { space } = target;
  if (space === null) return -ESRCH;
  if (space !== t.space) {
    if (!REMOTE_VALID.includes(advice)) return -EINVAL;
    if (!capable(t.cred, CAP_SYS_NICE)) return -EPERM;
  }
  if (totalBytes(ranges) === 0) return 0;
  let done = 0;
  for (const { address, lengthBytes } of ranges) {
    if (lengthBytes === 0) continue;
    const result = madvise(k.mm, space, address, lengthBytes, advice);
    if (result < 0) return done > 0 ? done : result;
    done += lengthBytes;
  }
  return done;
}

/** pidfd_get_task. */
export function taskOfPidfd(t: Task, pidfd: number): Task | number {
  if (pidfd === PIDFD_SELF_THREAD) return t;
  if (pidfd === PIDFD_SELF_THREAD_GROUP) return t.process.leader;
  const file = pidFileAt(t, pidfd);
  if (typeof file === 'number') return file;
  return file.target ?? -ESRCH;
}
