import type { Task } from '../task.ts';

/** signal_pending: something waits that a return to user mode would act on. */
export function hasPendingSignal(task: Task): boolean {
  if (task.killed || task.stopPending || task.freezePending || task.trace?.trapPending === true) return true;
  const { sigmask, pending } = task;
  const shared = task.process.shared.set;
  return ((pending.set.lo | shared.lo) & ~sigmask.lo) !== 0 || ((pending.set.hi | shared.hi) & ~sigmask.hi) !== 0;
}
