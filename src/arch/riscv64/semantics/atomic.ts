import * as w from '../../wasm/opcodes.ts';
import type { Emitter, Semantics } from './emit.ts';

/** The A extension (chapter 14) on one hart: aq and rl order nothing, and a store-conditional fails only without a reservation. */
type Entry = readonly [string, Semantics];
type Combine = (c: Emitter, old: number, operand: number) => void;

const plain =
  (opcode64: number, opcode32: number) =>
  (bytes: 4 | 8): Combine =>
  (c, old, operand) => {
    c.b.get(old);
    c.b.get(operand);
    c.b.op(bytes === 8 ? opcode64 : opcode32);
  };
const choose =
  (opcode64: number, opcode32: number) =>
  (bytes: 4 | 8): Combine =>
  (c, old, operand) => {
    c.b.get(old);
    c.b.get(operand);
    c.b.get(old);
    c.b.get(operand);
    c.b.op(bytes === 8 ? opcode64 : opcode32, w.SELECT);
  };

const COMBINES: readonly (readonly [string, (bytes: 4 | 8) => Combine])[] = [
  ['amoswap', () => (c, _old, operand) => c.b.get(operand)],
  ['amoadd', plain(w.I64_ADD, w.I32_ADD)],
  ['amoxor', plain(w.I64_XOR, w.I32_XOR)],
  ['amoand', plain(w.I64_AND, w.I32_AND)],
  ['amoor', plain(w.I64_OR, w.I32_OR)],
  ['amomin', choose(w.I64_LT_S, w.I32_LT_S)],
  ['amomax', choose(w.I64_GT_S, w.I32_GT_S)],
  ['amominu', choose(w.I64_LT_U, w.I32_LT_U)],
  ['amomaxu', choose(w.I64_GT_U, w.I32_GT_U)],
];

function modify(c: Emitter, bytes: 4 | 8, combine: Combine): void {
  const b = c.b;
  const type = bytes === 8 ? w.I64 : w.I32;
  const cell = b.local(w.I32);
  const old = b.local(type);
  const operand = b.local(type);
  c.atomicAddress(bytes, 'write');
  b.tee(cell);
  b.memory(bytes === 8 ? w.I64_LOAD : w.I32_LOAD);
  b.set(old);
  if (bytes === 8) c.x2();
  else c.x2w();
  b.set(operand);
  b.get(cell);
  combine(c, old, operand);
  b.memory(bytes === 8 ? w.I64_STORE : w.I32_STORE);
  if (bytes === 8) c.setX(() => b.get(old));
  else c.setXw(() => b.get(old));
  b.release(cell, old, operand);
}

function loadReserved(c: Emitter, bytes: 4 | 8): void {
  const b = c.b;
  const cell = b.local(w.I32);
  c.atomicAddress(bytes, 'read');
  b.set(cell);
  c.setReservation(() => b.get(cell));
  c.setX(() => {
    b.get(cell);
    b.memory(bytes === 8 ? w.I64_LOAD : w.I64_LOAD32_S);
  });
  b.release(cell);
}

function storeConditional(c: Emitter, bytes: 4 | 8): void {
  const b = c.b;
  const cell = b.local(w.I32);
  const failed = b.local(w.I32);
  c.atomicAddress(bytes, 'write');
  b.tee(cell);
  c.reservation();
  b.op(w.I32_NE);
  b.tee(failed);
  b.op(w.I32_EQZ);
  b.if();
  b.get(cell);
  c.x2();
  b.memory(bytes === 8 ? w.I64_STORE : w.I64_STORE32);
  b.end();
  c.setReservation(() => b.i32(-1));
  c.setX(() => {
    b.get(failed);
    b.op(w.I64_EXTEND_I32_U);
  });
  b.release(cell, failed);
}

export const ATOMIC: readonly Entry[] = ([4, 8] as const).flatMap((bytes): Entry[] => {
  const suffix = bytes === 8 ? '.d' : '.w';
  return [
    [`lr${suffix}`, (c) => loadReserved(c, bytes)],
    [`sc${suffix}`, (c) => storeConditional(c, bytes)],
    ...COMBINES.map(([name, combine]): Entry => [name + suffix, (c) => modify(c, bytes, combine(bytes))]),
  ];
});
