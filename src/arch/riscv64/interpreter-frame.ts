import type { FunctionBuilder, Label } from '../wasm/function-builder.ts';
import * as w from '../wasm/opcodes.ts';

/**
 * What the interpreter's function has at hand while it interprets: its locals, and the labels that an instruction leaves through.
 */

/** What `run` returns; the values of machine/cpu.ts's TRAP_*. */
export const EXIT_BUDGET = 0;
export const EXIT_SYSCALL = 1;
export const EXIT_PAGE_FAULT = 2;
export const EXIT_ILLEGAL = 3;
export const EXIT_BREAKPOINT = 4;
export const EXIT_MISALIGNED = 5;

/** Locals of the interpreter's function, and the labels that an instruction leaves through. */
export interface Frame {
  readonly b: FunctionBuilder;
  /** i32 parameter. */
  readonly budget: number;
  /** i32: entry of the current instruction. */
  readonly entry: number;
  /** i32: slot of the current page. */
  readonly slot: number;
  /** i64: pc = pcBase + (entry >> 2). */
  readonly pcBase: number;
  /** i32: budget minus instructions begun. */
  readonly left: number;
  /** i64: where `jump` goes. */
  readonly target: number;
  /** i32: what run returns. */
  readonly code: number;
  /** i64: asid << 3. */
  readonly asidTag: number;
  /** Scratch of the memory accesses. */
  readonly va: number;
  readonly cell: number;
  /** i32: the entry of the indirect jump that led here; null: nobody wants to know. */
  readonly origin: number | null;
  /** The current entry is done or replaced: go on at `entry`. */
  readonly next: Label;
  /** The same where control came from elsewhere: the place may have been translated. */
  readonly arrive: Label;
  /** Go on at `target`, through the fetch TLB. */
  readonly jump: Label;
  /** Return `code` with pc at the current instruction, which has not retired. */
  readonly leaveHere: Label;
  /** Return `code` with pc = `target`. */
  readonly leaveAtTarget: Label;
}

/** i32 entry offset on the stack -> i64 pc. */
export function pushPcOf(f: Pick<Frame, 'b' | 'pcBase'>): void {
  f.b.i32(2);
  f.b.op(w.I32_SHR_S, w.I64_EXTEND_I32_S);
  f.b.get(f.pcBase);
  f.b.op(w.I64_ADD);
}

export function pushPc(f: Pick<Frame, 'b' | 'entry' | 'pcBase'>): void {
  f.b.get(f.entry);
  pushPcOf(f);
}
