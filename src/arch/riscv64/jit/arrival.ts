import type { FunctionBuilder, Label } from '../../wasm/function-builder.ts';
import * as w from '../../wasm/opcodes.ts';
import { EXIT_BUDGET, type Frame } from '../interpreter-frame.ts';
import * as at from '../layout.ts';
import { UNIT_BUDGET } from './unit.ts';

/** What the interpreter does where control arrives from elsewhere: counts, or enters a unit. */
export interface ArrivalParts {
  readonly pace: LookPace;
  /** Import: (slot, entry), such a place. */
  readonly translate: number;
  /** Import: (slot, from, to): entries of an indirect jump and of where it led, told now and then. */
  readonly learnJump: number;
  readonly enter: number;
  /** i32: arrivals until the next one that is counted. Not 0. */
  readonly tick: number;
}

/** Of JitPace. */
export interface LookPace {
  readonly countEvery: number;
  readonly firstLook: number;
}

/** Arrivals after which indirect jumps are learned from, each time that they have doubled. */
const FIRST_LESSON = 16;

/** Stands at the head of `f.arrive`, with `entry` and `slot` set; goes on behind it to interpret. */
export function emitArrival(
  f: Omit<Frame, 'next'>,
  parts: ArrivalParts,
  go: { interpret: Label; fetch: () => void },
): void {
  const { b } = f;
  const { countEvery, firstLook } = parts.pace;
  pushWordAt(b, f);
  b.tee(f.cell);
  b.memory(w.I32_LOAD16_U, at.SLOT_JIT);
  b.tee(f.code);
  b.i32(at.JIT_IGNORE);
  b.op(w.I32_LT_U);
  b.if();
  if (countEvery > 1) {
    b.get(parts.tick);
    b.i32(1);
    b.op(w.I32_SUB);
    b.tee(parts.tick);
    b.if();
    forgetOrigin(f);
    b.br(go.interpret);
    b.end();
    b.i32(countEvery);
    b.set(parts.tick);
  }
  b.get(f.cell);
  b.get(f.code);
  b.i32(1);
  b.op(w.I32_ADD);
  b.tee(f.code);
  b.memory(w.I32_STORE16, at.SLOT_JIT);
  b.get(f.code);
  b.op(w.I32_POPCNT);
  b.i32(1);
  b.op(w.I32_EQ);
  b.if();
  emitLesson(f, parts);
  b.get(f.code);
  b.i32(firstLook);
  b.op(w.I32_GE_U);
  b.if();
  b.get(f.slot);
  b.get(f.entry);
  b.call(parts.translate);
  b.br(f.arrive);
  b.end();
  b.end();
  forgetOrigin(f);
  b.br(go.interpret);
  b.end();
  b.get(f.code);
  b.i32(at.JIT_UNIT);
  b.op(w.I32_LT_U);
  b.brIf(go.interpret);
  b.get(f.entry);
  b.i32(2);
  b.op(w.I32_SHR_S, w.I64_EXTEND_I32_S);
  b.get(f.pcBase);
  b.op(w.I64_ADD);
  b.i64(-1); // nobody waits: code is at even addresses
  b.get(f.left);
  b.i32(0);
  b.call(parts.enter);
  b.set(f.code);
  b.i32(0);
  b.memory(w.I32_LOAD, at.MAIL_LEFT);
  b.set(f.left);
  b.i32(0);
  b.memory(w.I64_LOAD, at.PC);
  b.set(f.target);
  b.get(f.code);
  b.i32(UNIT_BUDGET);
  b.op(w.I32_NE);
  b.if();
  b.get(f.code);
  b.op(w.I32_EQZ); // UNIT_GO_ON
  b.brIf(f.jump);
  go.fetch(); // UNIT_INTERPRET
  b.br(go.interpret);
  b.end();
  b.i32(EXIT_BUDGET);
  b.set(f.code);
  b.br(f.leaveAtTarget);
}

/** With `code` the count of arrivals here, a power of two. */
function emitLesson(f: Omit<Frame, 'next'>, parts: ArrivalParts): void {
  const { b, origin } = f;
  if (origin === null) return;
  b.get(f.code);
  b.i32(Math.ceil(FIRST_LESSON / parts.pace.countEvery));
  b.op(w.I32_GE_U);
  b.get(origin);
  b.i32(0);
  b.op(w.I32_NE, w.I32_AND);
  b.if();
  b.get(f.slot);
  b.get(origin);
  b.get(f.entry);
  b.call(parts.learnJump);
  b.end();
}

function forgetOrigin({ b, origin }: { b: FunctionBuilder; origin: number | null }): void {
  if (origin === null) return;
  b.i32(0);
  b.set(origin);
}

/** Offset, less SLOT_JIT, of the entry's word: two bytes for eight. */
function pushWordAt(b: FunctionBuilder, f: { entry: number; slot: number }): void {
  b.get(f.entry);
  b.get(f.slot);
  b.op(w.I32_SUB);
  b.i32(2);
  b.op(w.I32_SHR_U);
  b.get(f.slot);
  b.op(w.I32_ADD);
}
