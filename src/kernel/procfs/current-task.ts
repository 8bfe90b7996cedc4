import { EACCES } from '../../abi/errno.ts';
import { mayAccessTask } from '../access-task.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';

/** The task that makes the call (current), or null while none does. */
export function currentTask(k: Kernel): Task | null {
  return k.current ?? k.processes.get(k.vfs.core.current.tgid)?.leader ?? null;
}

/** proc_fd_permission: a process may always enter its own folders. */
export function admitOwn(k: Kernel, task: Task | null, byMode: number): number {
  return byMode < 0 && task !== null && currentTask(k)?.process === task.process ? 0 : byMode;
}

/** ptrace_may_access(task, PTRACE_MODE_READ_FSCREDS): 0, or -EACCES, which is what most entries of a task answer then. */
export function mayLookAt(k: Kernel, task: Task): number {
  const caller = currentTask(k);
  return caller !== null && mayAccessTask(caller, task, 'fs') < 0 ? -EACCES : 0;
}
