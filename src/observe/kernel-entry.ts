import type { Kernel } from '../kernel/kernel.ts';
import { nameOf } from '../kernel/syscalls/dispatch.ts';
import type { Task } from '../kernel/task.ts';

/** What the kernel does for a task: a system call, the execve of its start, a signal frame, or an access from TypeScript. */
export function kernelEntryOf(kernel: Kernel, task: Task): string {
  if (task.kind === 'driven') return 'driven';
  if (task.call === null) return 'sys_execve';
  return task.inSyscall ? `sys_${nameOf(kernel, task.call.nr)}` : 'signal';
}
