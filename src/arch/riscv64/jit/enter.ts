import { FunctionBuilder } from '../../wasm/function-builder.ts';
import * as w from '../../wasm/opcodes.ts';
import * as at from '../layout.ts';
import { pushIndex } from '../walk.ts';
import { ENTER_PARAMS, UNIT_CAME_BACK, UNIT_GO_ON } from './unit.ts';

/** Units that call each other on the host's stack; deeper ones return to where they were called. A guess: some 100 KiB of stack. */
const MAX_DEPTH = 200;

/**
 * `enter(address, back, left, depth)`: runs units from an address on, for as long as the fetch TLB knows the page and a unit
 * stands where control goes. It never fills the TLB, so that pages are walked exactly where the interpreter walks them, and an
 * entry that a caller came through is still there when its callee returns.
 */
export function enterBody(unitType: number): FunctionBuilder {
  const b = new FunctionBuilder(ENTER_PARAMS, [w.I32]);
  const TARGET = 0;
  const BACK = 1;
  const LEFT = 2;
  const DEPTH = 3;
  const cell = b.local(w.I32);
  const word = b.local(w.I32);
  const out = b.block();
  b.get(DEPTH);
  b.i32(MAX_DEPTH);
  b.op(w.I32_GT_S);
  b.brIf(out);
  const again = b.loop();
  pushIndex(b, TARGET, at.FETCH_TLB_ENTRIES);
  b.tee(cell);
  b.memory(w.I64_LOAD, at.FETCH_TLB);
  b.get(TARGET);
  b.i64(-4096);
  b.op(w.I64_AND);
  b.i32(0);
  b.memory(w.I64_LOAD, at.MAIL_ASID_TAG);
  b.op(w.I64_OR, w.I64_NE);
  b.brIf(out);
  b.get(cell);
  b.memory(w.I32_LOAD, at.FETCH_TLB + 12);
  b.tee(cell);
  b.op(w.I32_EQZ);
  b.brIf(out);
  b.get(TARGET);
  b.op(w.I32_WRAP_I64);
  b.i32(4094);
  b.op(w.I32_AND);
  b.get(cell);
  b.op(w.I32_ADD);
  b.memory(w.I32_LOAD16_U, at.SLOT_JIT);
  b.tee(word);
  b.i32(at.JIT_UNIT);
  b.op(w.I32_LT_U);
  b.brIf(out);
  b.get(TARGET);
  b.i64(-4096);
  b.op(w.I64_AND);
  b.get(LEFT);
  b.get(DEPTH);
  b.get(word);
  b.i32(at.JIT_UNIT);
  b.op(w.I32_SUB);
  b.callIndirect(unitType);
  b.tee(cell);
  b.i32(UNIT_GO_ON);
  b.op(w.I32_NE);
  b.if();
  b.get(cell);
  b.op(w.RETURN);
  b.end();
  b.i32(0);
  b.memory(w.I32_LOAD, at.MAIL_LEFT);
  b.set(LEFT);
  b.i32(0);
  b.memory(w.I64_LOAD, at.PC);
  b.tee(TARGET);
  b.get(BACK);
  b.op(w.I64_NE);
  b.brIf(again);
  b.i32(UNIT_CAME_BACK);
  b.op(w.RETURN);
  b.end();
  b.end();
  b.i32(0);
  b.get(TARGET);
  b.memory(w.I64_STORE, at.PC);
  b.i32(0);
  b.get(LEFT);
  b.memory(w.I32_STORE, at.MAIL_LEFT);
  b.i32(UNIT_GO_ON);
  return b;
}
