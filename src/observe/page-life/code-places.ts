import type { Kernel } from '../../kernel/kernel.ts';
import { placeName } from '../attribution/table.ts';
import { CallStacks } from '../code/call-stacks.ts';
import { CodeMap } from '../code/code-map.ts';
import type { Decompress } from '../code/elf-file.ts';
import { SourceFrames } from '../code/source-frames.ts';
import { CodeNames } from '../code-names.ts';

/** Where in its program a task is, in words. A reader. */
export class CodePlaces {
  readonly code: CodeMap;
  private readonly kernel: Kernel;
  private readonly names: CodeNames;
  private readonly stacks: CallStacks;
  private readonly sources = new SourceFrames();

  constructor(kernel: Kernel, decompress: Decompress) {
    this.kernel = kernel;
    this.code = new CodeMap(kernel, decompress);
    this.names = new CodeNames(kernel);
    this.stacks = new CallStacks(kernel, this.code);
  }

  /** `function+0xoffset` */
  symbolOf(tid: number): string {
    const task = this.kernel.tasks.get(tid);
    return task === undefined ? '?' : this.names.ofTask(task);
  }

  /** Innermost first: `function file.c:12`. */
  stackOf(tid: number): string[] {
    const task = this.kernel.tasks.get(tid);
    if (task === undefined || task.kind === 'driven') return [];
    return this.sources.ofStack(this.stacks.framesOf(this.stacks.take(task, null))).map(placeName);
  }
}
