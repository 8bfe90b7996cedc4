import type { Kernel } from '../kernel/kernel.ts';
import type { Task } from '../kernel/task.ts';
import { CodeMap } from './code/code-map.ts';

/** Names of code by the symbol tables of the files that it is mapped from. */
export class CodeNames {
  private readonly kernel: Kernel;
  private readonly code: CodeMap;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.code = new CodeMap(kernel);
  }

  /** `function+0xoffset` of what the task runs now, or the address as 0x... */
  ofTask(task: Task): string {
    const pc = this.kernel.arch.pc(this.kernel.registersOf(task));
    const place = task.space === null ? null : this.code.find(task.space, pc);
    const symbol = place === null ? null : place.module.symbols.find(place.address);
    if (place === null || symbol === null) return `0x${pc.toString(16)}`;
    return `${symbol.name}+0x${(place.address - symbol.start).toString(16)}`;
  }
}
