import type { Kernel } from '../../kernel/kernel.ts';
import type { Task } from '../../kernel/task.ts';
import type { CodeMap } from './code-map.ts';
import type { Module } from './module.ts';
import { type FrameSink, Unwinder } from './unwinder.ts';

/** One place in a stack: in a module, or in the kernel, by the name of its entry (sys_read). */
export type CodeFrame =
  | { readonly module: Module; readonly address: number; readonly kernel: null }
  | { readonly module: null; readonly address: 0; readonly kernel: string };

/** The stack without frames. */
export const NO_STACK = 0;
/** More different frames than any run has. */
const MAX_FRAMES = 2 ** 24;

/**
 * Call stacks as numbers, each kept once: a stack is its outer part (a stack too) and its innermost frame. Frames are addresses; what they
 * mean is looked up when somebody reads them.
 */
export class CallStacks implements FrameSink {
  private readonly unwinder: Unwinder;
  private readonly frames: CodeFrame[] = [];
  private readonly framesByModule = new Map<Module, Map<number, number>>();
  private readonly kernelFrames = new Map<string, number>();
  private readonly outer: number[] = [NO_STACK];
  private readonly innermost: number[] = [-1];
  private readonly byParts = new Map<number, number>();
  /** The frames of the stack that is read now, innermost first. */
  private readonly walked: number[] = [];

  constructor(kernel: Kernel, code: CodeMap) {
    this.unwinder = new Unwinder(kernel, code);
  }

  /** How many there are; their numbers are below it. */
  get count(): number {
    return this.outer.length;
  }

  /** The task's stack now; `kernel`: what of the kernel stands on top of it. */
  take(task: Task, kernel: string | null): number {
    this.walked.length = 0;
    if (kernel !== null) this.walked.push(this.kernelFrame(kernel));
    this.unwinder.unwind(task, this);
    let stack = NO_STACK;
    for (let at = this.walked.length - 1; at >= 0; at--) stack = this.push(stack, this.walked[at]);
    return stack;
  }

  /** A stack of the kernel's alone. */
  ofKernel(name: string): number {
    return this.push(NO_STACK, this.kernelFrame(name));
  }

  frame(module: Module, address: number): void {
    let known = this.framesByModule.get(module);
    if (known === undefined) {
      known = new Map();
      this.framesByModule.set(module, known);
    }
    let frame = known.get(address);
    if (frame === undefined) {
      frame = this.frames.push({ module, address, kernel: null }) - 1;
      known.set(address, frame);
    }
    this.walked.push(frame);
  }

  /** Innermost first. */
  framesOf(stack: number): CodeFrame[] {
    const found: CodeFrame[] = [];
    for (let at = stack; at !== NO_STACK; at = this.outer[at]) found.push(this.frames[this.innermost[at]]);
    return found;
  }

  private kernelFrame(name: string): number {
    let frame = this.kernelFrames.get(name);
    if (frame === undefined) {
      frame = this.frames.push({ module: null, address: 0, kernel: name }) - 1;
      this.kernelFrames.set(name, frame);
    }
    return frame;
  }

  private push(outer: number, frame: number): number {
    const key = outer * MAX_FRAMES + frame;
    let stack = this.byParts.get(key);
    if (stack === undefined) {
      stack = this.outer.push(outer) - 1;
      this.innermost.push(frame);
      this.byParts.set(key, stack);
    }
    return stack;
  }
}
