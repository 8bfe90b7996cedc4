import type { Kernel } from '../../kernel/kernel.ts';

export interface ProcessName {
  readonly pid: number;
  readonly comm: string;
}

/** Whose a space is, or was: by mm_id. A program that a process executes has a space of its own, so it has a name of its own here. */
export class ProcessNames {
  private readonly kernel: Kernel;
  private readonly owners = new Map<number, ProcessName>();
  private readonly spaces = new Map<number, number>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    for (const pid of kernel.tasks.keys()) this.started(pid);
  }

  /** The task has a space: its own, or one that it shares. */
  started(tid: number): void {
    const task = this.kernel.tasks.get(tid);
    const space = task?.space ?? null;
    if (task === undefined || space === null) return;
    this.spaces.set(task.tgid, space.id);
    if (!this.owners.has(space.id)) this.owners.set(space.id, { pid: task.tgid, comm: task.comm });
  }

  of(space: number): ProcessName {
    return this.owners.get(space) ?? { pid: 0, comm: '[kernel]' };
  }

  /** mm_id of the space that a process had last; 0: none. */
  lastSpaceOf(pid: number): number {
    return this.spaces.get(pid) ?? 0;
  }
}
