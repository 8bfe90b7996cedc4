import type { Kernel } from '../../kernel/kernel.ts';
import type { Task } from '../../kernel/task.ts';
import type { CallStacks } from '../code/call-stacks.ts';
import { kernelEntryOf } from '../kernel-entry.ts';

/** Stacks of tasks at events. One trap has many events and one stack: it is read once. */
export class TaskStacks {
  private readonly kernel: Kernel;
  private readonly stacks: CallStacks;
  private lastTask: Task | null = null;
  private lastRetired = -1;
  private lastPc = -1;
  private lastEntry: string | null = null;
  private lastStack = 0;

  constructor(kernel: Kernel, stacks: CallStacks) {
    this.kernel = kernel;
    this.stacks = stacks;
  }

  /** At a fault of the task, by its own access or by one of the kernel's. */
  of(tid: number, mode: 'user' | 'kernel'): number {
    const task = this.kernel.tasks.get(tid);
    if (task === undefined) return this.stacks.ofKernel('[kernel thread]');
    return this.take(task, mode === 'user' ? null : kernelEntryOf(this.kernel, task));
  }

  /** Of what the machine does now, for whom it does it; `mode`: of a system call it is the kernel's anyway. */
  ofCurrent(mode: 'user' | 'kernel' = this.kernel.mm.faultMode): number {
    const { events, tasks } = this.kernel;
    const task = tasks.get(events.currentPid);
    return this.of(events.currentPid, task?.inSyscall === true || task?.kind === 'driven' ? 'kernel' : mode);
  }

  private take(task: Task, entry: string | null): number {
    const retired = this.kernel.cpu.retired;
    const pc = this.kernel.arch.pc(this.kernel.registersOf(task));
    const isSame =
      task === this.lastTask && retired === this.lastRetired && pc === this.lastPc && entry === this.lastEntry;
    if (!isSame) {
      this.lastTask = task;
      this.lastRetired = retired;
      this.lastPc = pc;
      this.lastEntry = entry;
      // A program that is being started has no stack yet.
      const hasStack = task.kind !== 'driven' && (entry === null || task.call !== null);
      this.lastStack = hasStack ? this.stacks.take(task, entry) : this.stacks.ofKernel(entry ?? '[kernel]');
    }
    return this.lastStack;
  }
}
