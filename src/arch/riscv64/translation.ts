import { FunctionBuilder } from '../wasm/function-builder.ts';
import * as w from '../wasm/opcodes.ts';
import * as at from './layout.ts';
import { pushFrameOf, pushIndex, pushSlotOfFrame, type TranslationParts, translateBody } from './walk.ts';

/**
 * The generated functions around the walk (walk.ts): accesses that the interpreter's fast path does not do itself, because
 * the TLB has no entry, they are misaligned, or the frame holds decoded code. Access is the machine's: 1 read, 2 write,
 * 4 execute. An offset of -1 is a page fault.
 */
export interface TranslationFunctions {
  /** (va, access) -> offset of the byte, or -1. Fills the TLB, sets ACCESSED and DIRTY. */
  readonly translate: number;
  /** (va, bytes) -> offset that holds the bytes, maybe in the bounce buffer, or -1 with the trap in the mailbox. */
  readonly loadSlow: number;
  /** (va, bytes, value) -> 0, or 1 with the trap in the mailbox and nothing written. */
  readonly storeSlow: number;
  /** (va, bytes, access) -> offset of a naturally aligned cell that may be written at once, or -1, trap in the mailbox. */
  readonly atomicSlow: number;
  /** (pc) -> slot of decoded code, or 0, trap in the mailbox. */
  readonly fetchSlow: number;
}

export function defineTranslation(parts: TranslationParts): TranslationFunctions {
  const { module } = parts;
  const translate = module.declare([w.I64, w.I32], [w.I32]);
  const dropEntries = module.declare([w.I32, w.I32], []);
  const loadSlow = module.declare([w.I64, w.I32], [w.I32]);
  const storeSlow = module.declare([w.I64, w.I32, w.I64], [w.I32]);
  const atomicSlow = module.declare([w.I64, w.I32, w.I32], [w.I32]);
  const fetchSlow = module.declare([w.I64], [w.I32]);
  module.define(translate, translateBody(parts));
  module.define(dropEntries, dropEntriesBody(parts));
  module.define(loadSlow, loadSlowBody(translate));
  module.define(storeSlow, storeSlowBody(translate, dropEntries));
  module.define(atomicSlow, atomicSlowBody(translate, dropEntries));
  module.define(fetchSlow, fetchSlowBody(parts, translate));
  return { translate, loadSlow, storeSlow, atomicSlow, fetchSlow };
}

/**
 * (offset, bytes): forgets what was decoded from these bytes of a page: the ops from three half-words before them on, where
 * a fused pair may start that reaches into them. Operands stay, for pairs that start before.
 */
function dropEntriesBody({ dropTranslated }: TranslationParts): FunctionBuilder {
  const b = new FunctionBuilder([w.I32, w.I32], []);
  const entry = b.local(w.I32);
  const slot = b.local(w.I32);
  const last = b.local(w.I32);
  const OFFSET = 0;
  const BYTES = 1;
  pushSlotOfFrame(b, () => pushFrameOf(b, OFFSET));
  b.tee(slot);
  b.if();
  if (dropTranslated !== null) {
    b.get(slot);
    b.memory(w.I32_LOAD, at.SLOT_TRANSLATED);
    b.if();
    b.get(slot);
    b.get(OFFSET);
    b.i32(4095);
    b.op(w.I32_AND);
    b.get(BYTES);
    b.call(dropTranslated);
    b.end();
  }
  // entry of a byte: slot + (its half-word in the page) * 4
  b.get(OFFSET);
  b.get(BYTES);
  b.op(w.I32_ADD);
  b.i32(1);
  b.op(w.I32_SUB);
  b.i32(4094);
  b.op(w.I32_AND);
  b.i32(2);
  b.op(w.I32_SHL);
  b.get(slot);
  b.op(w.I32_ADD);
  b.set(last);
  b.get(OFFSET);
  b.i32(4094);
  b.op(w.I32_AND);
  b.i32(2);
  b.op(w.I32_SHL);
  b.get(slot);
  b.op(w.I32_ADD);
  b.i32(3 * at.ENTRY_BYTES);
  b.op(w.I32_SUB);
  b.set(entry);
  b.get(slot);
  b.get(entry);
  b.get(slot);
  b.get(entry);
  b.op(w.I32_GT_U, w.SELECT);
  b.set(entry);
  const again = b.loop();
  b.get(entry);
  b.i32(0);
  b.memory(w.I32_STORE8);
  b.get(entry);
  b.i32(at.ENTRY_BYTES);
  b.op(w.I32_ADD);
  b.tee(entry);
  b.get(last);
  b.op(w.I32_LE_U);
  b.brIf(again);
  b.end();
  b.end();
  return b;
}

/** The trap of a failed access goes into the mailbox. */
function noteTrap(b: FunctionBuilder, address: () => void, access: () => void): void {
  b.i32(0);
  address();
  b.memory(w.I64_STORE, at.MAIL_TRAP_ADDRESS);
  b.i32(0);
  access();
  b.memory(w.I32_STORE, at.MAIL_TRAP_ACCESS);
}

/** Translates va into `into`; on a fault notes it and returns `failure`. */
function translateOrReturn(
  b: FunctionBuilder,
  translate: number,
  { va, access, into, failure }: { va: number; access: number; into: number; failure: number },
): void {
  b.get(va);
  b.i32(access);
  b.call(translate);
  b.tee(into);
  b.i32(-1);
  b.op(w.I32_EQ);
  b.if();
  noteTrap(
    b,
    () => b.get(va),
    () => b.i32(access),
  );
  b.i32(failure);
  b.op(w.RETURN);
  b.end();
}

/** Pushes whether the access lies in one page; sets `room` to the bytes up to the end of the page. */
function pushFits(b: FunctionBuilder, va: number, bytes: number, room: number): void {
  b.i32(4096);
  b.get(va);
  b.op(w.I32_WRAP_I64);
  b.i32(4095);
  b.op(w.I32_AND, w.I32_SUB);
  b.tee(room);
  b.get(bytes);
  b.op(w.I32_GE_S);
}

/** What the reference stream needs to know: no fetch comes between the two pages. */
function noteSameInstruction(b: FunctionBuilder): void {
  b.i32(0);
  b.i32(1);
  b.memory(w.I32_STORE, at.MAIL_SAME_INSTRUCTION);
}

function secondPage(b: FunctionBuilder, va: number, into: number): void {
  b.get(va);
  b.i64(-4096);
  b.op(w.I64_AND);
  b.i64(4096);
  b.op(w.I64_ADD);
  b.set(into);
}

/** Pushes the offset of byte `i`: first + i, or second + (i - room). */
function pushByteOffset(b: FunctionBuilder, o: { i: number; room: number; first: number; second: number }): void {
  b.get(o.i);
  b.get(o.room);
  b.op(w.I32_LT_S);
  b.if(w.I32);
  b.get(o.first);
  b.get(o.i);
  b.op(w.I32_ADD);
  b.else();
  b.get(o.second);
  b.get(o.i);
  b.op(w.I32_ADD);
  b.get(o.room);
  b.op(w.I32_SUB);
  b.end();
}

/** for (i = 0; i < bytes; i++) body */
function forEachByte(b: FunctionBuilder, i: number, bytes: number, body: () => void): void {
  b.i32(0);
  b.set(i);
  const again = b.loop();
  body();
  b.get(i);
  b.i32(1);
  b.op(w.I32_ADD);
  b.tee(i);
  b.get(bytes);
  b.op(w.I32_LT_S);
  b.brIf(again);
  b.end();
}

function loadSlowBody(translate: number): FunctionBuilder {
  const b = new FunctionBuilder([w.I64, w.I32], [w.I32]);
  const VA = 0;
  const BYTES = 1;
  const room = b.local(w.I32);
  const first = b.local(w.I32);
  const second = b.local(w.I32);
  const i = b.local(w.I32);
  const va2 = b.local(w.I64);
  translateOrReturn(b, translate, { va: VA, access: 1, into: first, failure: -1 });
  pushFits(b, VA, BYTES, room);
  b.if();
  b.get(first);
  b.op(w.RETURN);
  b.end();
  secondPage(b, VA, va2);
  noteSameInstruction(b);
  translateOrReturn(b, translate, { va: va2, access: 1, into: second, failure: -1 });
  forEachByte(b, i, BYTES, () => {
    b.get(i);
    pushByteOffset(b, { i, room, first, second });
    b.memory(w.I32_LOAD8_U);
    b.memory(w.I32_STORE8, at.BOUNCE);
  });
  b.i32(at.BOUNCE);
  return b;
}

function storeSlowBody(translate: number, dropEntries: number): FunctionBuilder {
  const b = new FunctionBuilder([w.I64, w.I32, w.I64], [w.I32]);
  const VA = 0;
  const BYTES = 1;
  const VALUE = 2;
  const room = b.local(w.I32);
  const first = b.local(w.I32);
  const second = b.local(w.I32);
  const i = b.local(w.I32);
  const va2 = b.local(w.I64);
  translateOrReturn(b, translate, { va: VA, access: 2, into: first, failure: 1 });
  pushFits(b, VA, BYTES, room);
  b.if();
  b.get(BYTES);
  b.set(room);
  b.else();
  secondPage(b, VA, va2);
  noteSameInstruction(b);
  translateOrReturn(b, translate, { va: va2, access: 2, into: second, failure: 1 });
  b.get(second);
  b.get(BYTES);
  b.get(room);
  b.op(w.I32_SUB);
  b.call(dropEntries);
  b.end();
  b.get(first);
  b.get(room);
  b.call(dropEntries);
  forEachByte(b, i, BYTES, () => {
    pushByteOffset(b, { i, room, first, second });
    b.get(VALUE);
    b.memory(w.I64_STORE8);
    b.get(VALUE);
    b.i64(8);
    b.op(w.I64_SHR_U);
    b.set(VALUE);
  });
  b.i32(0);
  return b;
}

function atomicSlowBody(translate: number, dropEntries: number): FunctionBuilder {
  const b = new FunctionBuilder([w.I64, w.I32, w.I32], [w.I32]);
  const VA = 0;
  const BYTES = 1;
  const ACCESS = 2;
  const cell = b.local(w.I32);
  b.get(VA);
  b.get(ACCESS);
  b.call(translate);
  b.tee(cell);
  b.i32(-1);
  b.op(w.I32_EQ);
  b.if();
  noteTrap(
    b,
    () => b.get(VA),
    () => b.get(ACCESS),
  );
  b.else();
  b.get(ACCESS);
  b.i32(2);
  b.op(w.I32_EQ);
  b.if();
  b.get(cell);
  b.get(BYTES);
  b.call(dropEntries);
  b.end();
  b.end();
  b.get(cell);
  return b;
}

function fetchSlowBody({ ensureSlot }: TranslationParts, translate: number): FunctionBuilder {
  const b = new FunctionBuilder([w.I64], [w.I32]);
  const PC = 0;
  const frame = b.local(w.I32);
  const slot = b.local(w.I32);
  translateOrReturn(b, translate, { va: PC, access: 4, into: frame, failure: 0 });
  pushFrameOf(b, frame);
  b.set(frame);
  pushSlotOfFrame(b, () => b.get(frame));
  b.tee(slot);
  b.op(w.I32_EQZ);
  b.if();
  b.get(frame);
  b.call(ensureSlot);
  b.set(slot);
  b.end();
  pushIndex(b, PC, at.FETCH_TLB_ENTRIES);
  b.get(slot);
  b.memory(w.I32_STORE, at.FETCH_TLB + 12);
  b.get(slot);
  return b;
}
