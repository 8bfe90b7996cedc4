import type { Label } from '../wasm/function-builder.ts';
import * as w from '../wasm/opcodes.ts';
import { EXIT_BUDGET, type Frame, pushPc, pushPcOf } from './interpreter-frame.ts';
import * as at from './layout.ts';

/**
 * How an instruction of the interpreter goes on: to an entry of its page, to anywhere through the fetch TLB, or out of `run`. The
 * budget is looked at where control goes back, so that no loop is without an end.
 */

/** Where a branch goes, as far as the decoder knows: further on in its page, not further on in its page, or anywhere. */
export type Reach = 'any' | 'forward' | 'back';

function pushOffset({ b, entry }: Frame): void {
  b.get(entry);
  b.memory(w.I32_LOAD, 4);
}

/** The immediate of branches and jal is in bytes of entries (offset * 4). */
export function goRelative(f: Frame, reach: Reach, forward: Label): void {
  const { b } = f;
  if (reach !== 'any') {
    goInPage(f, reach, forward);
    return;
  }
  pushOffset(f);
  b.get(f.entry);
  b.op(w.I32_ADD);
  b.tee(f.cell);
  b.get(f.slot);
  b.op(w.I32_SUB);
  b.i32(at.SLOT_CODE_BYTES);
  b.op(w.I32_LT_U);
  b.if();
  goToCell(f, forward);
  b.end();
  b.get(f.cell);
  pushPcOf(f);
  b.set(f.target);
  b.get(f.cell);
  b.get(f.entry);
  b.op(w.I32_GT_S);
  b.brIf(f.jump);
  goTargetTested(f);
}

/** In the page, to entry `cell`: the budget is looked at on the way back only. Goes on behind it where that is used up. */
function goToCell(f: Frame, forward: Label): void {
  const { b } = f;
  const pushIsForward = (): void => {
    b.get(f.cell);
    b.get(f.entry);
    b.op(w.I32_GT_U);
  };
  const pushLasts = (): void => {
    b.get(f.left);
    b.i32(0);
    b.op(w.I32_GT_S);
  };
  const goIf = (to: Label): void => {
    b.if();
    b.get(f.cell);
    b.set(f.entry);
    b.br(to);
    b.end();
  };
  pushIsForward();
  if (forward === f.arrive) {
    pushLasts();
    b.op(w.I32_OR);
    goIf(forward);
    return;
  }
  goIf(forward);
  pushLasts();
  goIf(f.arrive);
}

function goInPage(f: Frame, reach: 'forward' | 'back', forward: Label): void {
  const { b } = f;
  pushOffset(f);
  b.get(f.entry);
  b.op(w.I32_ADD);
  b.set(f.entry);
  if (reach === 'forward') {
    b.br(forward);
    return;
  }
  b.get(f.left);
  b.i32(0);
  b.op(w.I32_GT_S);
  b.brIf(f.arrive);
  pushPc(f);
  b.set(f.target);
  b.i32(EXIT_BUDGET);
  b.set(f.code);
  b.br(f.leaveAtTarget);
}

/** To `target`, unless the budget is used up. */
export function goTargetTested(f: Frame): void {
  const { b } = f;
  b.get(f.left);
  b.i32(0);
  b.op(w.I32_GT_S);
  b.brIf(f.jump);
  b.i32(EXIT_BUDGET);
  b.set(f.code);
  b.br(f.leaveAtTarget);
}

export function leaveIf(f: Frame, code: number): void {
  f.b.if();
  leave(f, code);
  f.b.end();
}

/** Out of `run` with the code of an exit; the instruction has not retired. */
export function leave(f: Frame, code: number): void {
  f.b.i32(code);
  f.b.set(f.code);
  f.b.br(f.leaveHere);
}
