import { FunctionBuilder } from '../wasm/function-builder.ts';
import * as w from '../wasm/opcodes.ts';
import { pushAddress, pushFrameOf, pushSlotOfFrame } from './walk.ts';

/**
 * (low, high, place, bytes, access) -> bytes copied: between user memory from the address on, page by page, and memory at `place` in a row;
 * access 1 from user memory, 2 to it. It ends before a page whose access would fault, before one that code was decoded from and that would
 * be written, and before one that holds bytes of `place` itself: the caller may copy the same bytes once more.
 */
export function userCopyBody(translate: number): FunctionBuilder {
  const b = new FunctionBuilder([w.I32, w.I32, w.I32, w.I32, w.I32], [w.I32]);
  const [LOW, HIGH, PLACE, BYTES, ACCESS] = [0, 1, 2, 3, 4];
  const va = b.local(w.I64);
  const user = b.local(w.I32);
  const to = b.local(w.I32);
  const from = b.local(w.I32);
  const piece = b.local(w.I32);
  const left = b.local(w.I32);
  pushAddress(b, LOW, HIGH);
  b.set(va);
  b.get(BYTES);
  b.set(left);
  const stop = b.block();
  const again = b.loop();
  b.get(left);
  b.op(w.I32_EQZ);
  b.brIf(stop);
  b.get(va);
  b.get(ACCESS);
  b.call(translate);
  b.tee(user);
  b.i32(-1);
  b.op(w.I32_EQ);
  b.brIf(stop);
  // piece: up to the end of the page
  b.i32(4096);
  b.get(va);
  b.op(w.I32_WRAP_I64);
  b.i32(4095);
  b.op(w.I32_AND, w.I32_SUB);
  b.tee(piece);
  b.get(left);
  b.get(piece);
  b.get(left);
  b.op(w.I32_LT_U, w.SELECT);
  b.set(piece);
  // [place, place + piece) and the user's page have a byte in common where 0 <= place + piece - 1 - page < 4096 + piece - 1
  b.get(PLACE);
  b.get(piece);
  b.op(w.I32_ADD);
  b.i32(1);
  b.op(w.I32_SUB);
  b.get(user);
  b.i32(-4096);
  b.op(w.I32_AND, w.I32_SUB);
  b.get(piece);
  b.i32(4095);
  b.op(w.I32_ADD, w.I32_LT_U);
  b.brIf(stop);
  b.get(ACCESS);
  b.i32(2);
  b.op(w.I32_EQ);
  b.if();
  pushSlotOfFrame(b, () => pushFrameOf(b, user));
  b.brIf(stop);
  b.get(user);
  b.set(to);
  b.get(PLACE);
  b.set(from);
  b.else();
  b.get(PLACE);
  b.set(to);
  b.get(user);
  b.set(from);
  b.end();
  b.get(to);
  b.get(from);
  b.get(piece);
  b.memoryCopy();
  b.get(PLACE);
  b.get(piece);
  b.op(w.I32_ADD);
  b.set(PLACE);
  b.get(va);
  b.get(piece);
  b.op(w.I64_EXTEND_I32_U, w.I64_ADD);
  b.set(va);
  b.get(left);
  b.get(piece);
  b.op(w.I32_SUB);
  b.set(left);
  b.br(again);
  b.end();
  b.end(); // stop
  b.get(BYTES);
  b.get(left);
  b.op(w.I32_SUB);
  return b;
}
