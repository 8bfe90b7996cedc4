import type { PagingFormat } from '../../machine/paging/format.ts';
import { FunctionBuilder } from '../wasm/function-builder.ts';
import type { ModuleBuilder } from '../wasm/module-builder.ts';
import * as w from '../wasm/opcodes.ts';
import * as at from './layout.ts';

/**
 * The TLB and the page-table walk of Sv39, Sv48 and Sv57 (privileged specification 20240411, 12.3.2) as one generated
 * function. An entry that faults is left as it is; a leaf that is used gets ACCESSED, and DIRTY on a write, in the table
 * itself before the TLB is filled (layout.ts, invariant 1).
 */
export interface TranslationParts {
  readonly module: ModuleBuilder;
  readonly format: PagingFormat;
  /** Import: (frame) -> slot. */
  readonly ensureSlot: number;
  /** Import: (frame, access, TLB entry, page), of each refill while MAIL_TRACING is set. */
  readonly noteReference: number;
  /** Import: (slot, offset in the page, bytes), before bytes change that units were made of; null: there are no units. */
  readonly dropTranslated: number | null;
}

const PPN_SHIFT = 10;
const RESERVED_IN_TABLE_ENTRY = 0xd0; // D, A, U

/** Pushes the i64 at a constant offset. */
function mail64(b: FunctionBuilder, offset: number): void {
  b.i32(0);
  b.memory(w.I64_LOAD, offset);
}

function count(b: FunctionBuilder, offset: number): void {
  b.i32(0);
  mail64(b, offset);
  b.i64(1);
  b.op(w.I64_ADD);
  b.memory(w.I64_STORE, offset);
}

function pushPageTag(b: FunctionBuilder, va: number): void {
  b.get(va);
  b.i64(-4096);
  b.op(w.I64_AND);
  mail64(b, at.MAIL_ASID_TAG);
  b.op(w.I64_OR);
}

/** (va, access) -> offset of the byte, or -1. */
export function translateBody({ format, noteReference }: TranslationParts): FunctionBuilder {
  const b = new FunctionBuilder([w.I64, w.I32], [w.I32]);
  const VA = 0;
  const ACCESS = 1;
  const entry = b.local(w.I32);
  const pte = b.local(w.I64);
  const pteAt = b.local(w.I32);
  const frame = b.local(w.I64);
  const want = b.local(w.I64);
  const levelMask = b.local(w.I64);

  // TLB: entry = base of the access's table + index * 16
  b.get(ACCESS);
  b.i32(4);
  b.op(w.I32_EQ);
  b.if(w.I32);
  pushIndex(b, VA, at.FETCH_TLB_ENTRIES);
  b.i32(at.FETCH_TLB);
  b.op(w.I32_ADD);
  b.else();
  pushIndex(b, VA, at.DATA_TLB_ENTRIES);
  b.get(ACCESS);
  b.i32(at.WRITE_TLB - at.READ_TLB);
  b.op(w.I32_MUL);
  b.i32(2 * at.READ_TLB - at.WRITE_TLB);
  b.op(w.I32_ADD, w.I32_ADD);
  b.end();
  b.tee(entry);
  b.memory(w.I64_LOAD);
  pushPageTag(b, VA);
  b.op(w.I64_EQ);
  b.if();
  b.get(VA);
  b.op(w.I32_WRAP_I64);
  b.get(entry);
  b.memory(w.I32_LOAD, 8);
  b.op(w.I32_ADD, w.RETURN);
  b.end();

  holdMiss(b, pteAt);
  const fault = b.block();
  // The address must be the sign extension of its low bits.
  const unusedBits = 64 - (12 + format.levels * format.bitsPerLevel);
  b.get(VA);
  b.i64(unusedBits);
  b.op(w.I64_SHL);
  b.i64(unusedBits);
  b.op(w.I64_SHR_S);
  b.get(VA);
  b.op(w.I64_NE);
  b.brIf(fault);
  b.i32(0);
  b.memory(w.I64_LOAD32_U, at.MAIL_ROOT);
  b.set(frame);

  const leaf = b.block();
  for (let level = format.levels - 1; level >= 0; level--) {
    const pageBits = level * format.bitsPerLevel;
    b.get(frame);
    mail64(b, at.MAIL_FRAME_COUNT);
    b.op(w.I64_GE_U);
    b.brIf(fault);
    b.get(frame);
    b.op(w.I32_WRAP_I64);
    b.i32(12);
    b.op(w.I32_SHL);
    b.i32(at.MACHINE_AREA_BYTES);
    b.op(w.I32_ADD);
    b.get(VA);
    b.i64(12 + pageBits);
    b.op(w.I64_SHR_U, w.I32_WRAP_I64);
    b.i32(2 ** format.bitsPerLevel - 1);
    b.op(w.I32_AND);
    b.i32(Math.log2(format.entryBytes));
    b.op(w.I32_SHL, w.I32_ADD);
    b.tee(pteAt);
    b.memory(w.I64_LOAD);
    b.set(pte);
    count(b, at.MAIL_WALK_REFERENCES);
    // V clear, W without R, or a reserved high bit (no Svnapot, no Svpbmt)
    b.get(pte);
    b.i64(1);
    b.op(w.I64_AND, w.I64_EQZ);
    b.brIf(fault);
    b.get(pte);
    b.i64(6);
    b.op(w.I64_AND);
    b.i64(4);
    b.op(w.I64_EQ);
    b.brIf(fault);
    b.get(pte);
    b.i64(54);
    b.op(w.I64_SHR_U, w.I64_EQZ, w.I32_EQZ);
    b.brIf(fault);
    b.get(pte);
    b.i64(PPN_SHIFT);
    b.op(w.I64_SHR_U);
    b.set(frame);
    b.i64(2 ** pageBits - 1);
    b.set(levelMask);
    b.get(pte);
    b.i64(10); // R | X
    b.op(w.I64_AND, w.I64_EQZ, w.I32_EQZ);
    b.brIf(leaf);
    b.get(pte);
    b.i64(RESERVED_IN_TABLE_ENTRY);
    b.op(w.I64_AND, w.I64_EQZ, w.I32_EQZ);
    b.brIf(fault);
  }
  b.br(fault);
  b.end(); // leaf

  // U and the permission: bits 1, 2, 3 of the entry for access 1, 2, 4
  b.get(ACCESS);
  b.i32(1);
  b.op(w.I32_SHL);
  b.i32(16);
  b.op(w.I32_OR, w.I64_EXTEND_I32_U);
  b.tee(want);
  b.get(pte);
  b.op(w.I64_AND);
  b.get(want);
  b.op(w.I64_NE);
  b.brIf(fault);
  // A superpage is naturally aligned; within it the address chooses the frame.
  b.get(frame);
  b.get(levelMask);
  b.op(w.I64_AND, w.I64_EQZ, w.I32_EQZ);
  b.brIf(fault);
  b.get(VA);
  b.i64(12);
  b.op(w.I64_SHR_U);
  b.get(levelMask);
  b.op(w.I64_AND);
  b.get(frame);
  b.op(w.I64_OR);
  b.tee(frame);
  mail64(b, at.MAIL_FRAME_COUNT);
  b.op(w.I64_GE_U);
  b.brIf(fault);

  // ACCESSED, and DIRTY on a write
  b.get(ACCESS);
  b.i32(2);
  b.op(w.I32_EQ);
  b.if(w.I64);
  b.i64(0xc0);
  b.else();
  b.i64(0x40);
  b.end();
  b.get(pte);
  b.op(w.I64_OR);
  b.tee(want);
  b.get(pte);
  b.op(w.I64_NE);
  b.if();
  b.get(pteAt);
  b.get(want);
  b.memory(w.I64_STORE);
  b.end();

  count(b, at.MAIL_TLB_MISSES);
  b.get(levelMask);
  b.op(w.I64_EQZ, w.I32_EQZ);
  b.if();
  b.i32(0);
  b.i32(1);
  b.memory(w.I32_STORE, at.MAIL_SUPERPAGES);
  b.end();
  // pteAt: offset of the frame
  b.get(frame);
  b.op(w.I32_WRAP_I64);
  b.i32(12);
  b.op(w.I32_SHL);
  b.i32(at.MACHINE_AREA_BYTES);
  b.op(w.I32_ADD);
  b.set(pteAt);
  // No write entry for a frame with decoded code.
  b.get(ACCESS);
  b.i32(2);
  b.op(w.I32_NE);
  pushSlotOfFrame(b, () => {
    b.get(frame);
    b.op(w.I32_WRAP_I64);
  });
  b.op(w.I32_EQZ, w.I32_OR);
  b.if();
  b.get(entry);
  pushPageTag(b, VA);
  b.memory(w.I64_STORE);
  b.get(entry);
  b.get(pteAt);
  b.get(VA);
  b.op(w.I32_WRAP_I64);
  b.i32(-4096);
  b.op(w.I32_AND, w.I32_SUB);
  b.memory(w.I32_STORE, 8);
  b.get(entry);
  b.i32(0);
  b.memory(w.I32_STORE, 12);
  b.end();
  b.i32(0);
  b.memory(w.I32_LOAD, at.MAIL_TRACING);
  b.if();
  b.get(frame);
  b.op(w.I32_WRAP_I64);
  b.get(ACCESS);
  b.get(entry);
  b.get(VA);
  b.i64(12);
  b.op(w.I64_SHR_U, w.F64_CONVERT_I64_U);
  b.call(noteReference);
  b.end();
  b.get(VA);
  b.op(w.I32_WRAP_I64);
  b.i32(4095);
  b.op(w.I32_AND);
  b.get(pteAt);
  b.op(w.I32_ADD, w.RETURN);
  b.end(); // fault
  b.i32(-1);
  return b;
}

/** While somebody listens to misses, the run is left before each (miss-gate.ts). `gate` is scratch. */
function holdMiss(b: FunctionBuilder, gate: number): void {
  b.i32(0);
  b.memory(w.I32_LOAD, at.MAIL_MISS_GATE);
  b.tee(gate);
  b.if();
  b.get(gate);
  b.i32(1);
  b.op(w.I32_EQ);
  b.if();
  b.i32(0);
  b.i32(1);
  b.memory(w.I32_STORE, at.MAIL_MISS_HELD);
  b.i32(-1);
  b.op(w.RETURN);
  b.end();
  b.i32(0);
  b.get(gate);
  b.i32(1);
  b.op(w.I32_SUB);
  b.memory(w.I32_STORE, at.MAIL_MISS_GATE);
  b.end();
}

/** (va >> 12 mod entries) * 16 */
export function pushIndex(b: FunctionBuilder, va: number, entries: number): void {
  b.get(va);
  b.i64(8);
  b.op(w.I64_SHR_U, w.I32_WRAP_I64);
  b.i32((entries - 1) * at.TLB_ENTRY_BYTES);
  b.op(w.I32_AND);
}

/** Pushes the frame of the byte of RAM at the offset in local `offset`. */
export function pushFrameOf(b: FunctionBuilder, offset: number): void {
  b.get(offset);
  b.i32(at.MACHINE_AREA_BYTES);
  b.op(w.I32_SUB);
  b.i32(12);
  b.op(w.I32_SHR_U);
}

/** Pushes the address whose low and high word are in these locals. */
export function pushAddress(b: FunctionBuilder, low: number, high: number): void {
  b.get(low);
  b.op(w.I64_EXTEND_I32_U);
  b.get(high);
  b.op(w.I64_EXTEND_I32_U);
  b.i64(32);
  b.op(w.I64_SHL, w.I64_OR);
}

/** Pushes the slot map's entry of the frame that `frame` pushes. */
export function pushSlotOfFrame(b: FunctionBuilder, frame: () => void): void {
  frame();
  b.i32(2);
  b.op(w.I32_SHL);
  b.memory(w.I32_LOAD, at.SLOT_MAP);
}
