import { panic } from '../../../base/assert.ts';
import type { FunctionBuilder } from '../../wasm/function-builder.ts';
import * as w from '../../wasm/opcodes.ts';
import { type Code, get, i64, keep, op } from '../fp/code.ts';
import type { Emitter, Helper, Semantics } from './emit.ts';

/** Zba, Zbb, Zbc and Zbs: one helper function (x, y, which) of all of them. A shift takes its amount modulo 64, as WebAssembly's do. */

const x = get(0);
const y = get(1);
const LOW_32 = 0xffff_ffffn;
const lowWord = (value: Code): Code => op(w.I64_AND, value, i64(LOW_32));
const wrap = (value: Code): Code => op(w.I32_WRAP_I64, value);
const signed = (value: Code): Code => op(w.I64_EXTEND_I32_S, value);
const shl = (value: Code, by: bigint): Code => op(w.I64_SHL, value, i64(by));
const shr = (value: Code, by: bigint): Code => op(w.I64_SHR_U, value, i64(by));
const not = (value: Code): Code => op(w.I64_XOR, value, i64(-1n));
const bit: Code = op(w.I64_SHL, i64(1n), y);
const pick = (condition: number): Code => op(w.SELECT, x, y, op(condition, x, y));

/** All ones in each byte that is not 0: the carry of its low seven bits, or its own high bit, times 255. */
const orCombine: Code = (b) => {
  const SEVENS = 0x7f7f_7f7f_7f7f_7f7fn;
  const carry = op(w.I64_ADD, op(w.I64_AND, x, i64(SEVENS)), i64(SEVENS));
  const high = shr(op(w.I64_AND, op(w.I64_OR, carry, x), i64(0x8080_8080_8080_8080n)), 7n);
  op(w.I64_MUL, high, i64(0xffn))(b);
};

/** Neighbours change places: bytes, halves, words. */
const reverseBytes: Code = (b) => {
  let value = x;
  for (const [by, mask] of [
    [8n, 0x00ff_00ff_00ff_00ffn],
    [16n, 0x0000_ffff_0000_ffffn],
  ] as const) {
    const old = value;
    value = keep(
      b,
      w.I64,
      op(w.I64_OR, op(w.I64_AND, shr(old, by), i64(mask)), shl(op(w.I64_AND, old, i64(mask)), by)),
    );
  }
  op(w.I64_ROTL, value, i64(32n))(b);
};

/** Bits of the 127-bit product without carries: the low 64, or those from bit 63 on (clmulr). */
function carrylessProduct(part: 'low' | 'reversed'): Code {
  return (b) => {
    const product = b.local(w.I64);
    const i = b.local(w.I64);
    i64(0n)(b);
    b.set(product);
    i64(0n)(b);
    b.set(i);
    const again = b.loop();
    const shifted = part === 'low' ? op(w.I64_SHL, x, get(i)) : op(w.I64_SHR_U, x, op(w.I64_SUB, i64(63n), get(i)));
    const mask = op(w.I64_SUB, i64(0n), op(w.I64_AND, op(w.I64_SHR_U, y, get(i)), i64(1n)));
    op(w.I64_XOR, get(product), op(w.I64_AND, shifted, mask))(b);
    b.set(product);
    op(w.I64_ADD, get(i), i64(1n))(b);
    b.tee(i);
    i64(64n)(b);
    b.op(w.I64_LT_U);
    b.brIf(again);
    b.end();
    b.get(product);
  };
}

const FUNCTIONS: readonly (readonly [name: string, value: Code])[] = [
  ['add.uw', op(w.I64_ADD, lowWord(x), y)],
  ['slli.uw', op(w.I64_SHL, lowWord(x), y)],
  ...[1, 2, 3].flatMap((n) => [
    [`sh${n}add`, op(w.I64_ADD, shl(x, BigInt(n)), y)] as const,
    [`sh${n}add.uw`, op(w.I64_ADD, shl(lowWord(x), BigInt(n)), y)] as const,
  ]),
  ['andn', op(w.I64_AND, x, not(y))],
  ['orn', op(w.I64_OR, x, not(y))],
  ['xnor', not(op(w.I64_XOR, x, y))],
  ['clz', op(w.I64_CLZ, x)],
  ['ctz', op(w.I64_CTZ, x)],
  ['cpop', op(w.I64_POPCNT, x)],
  ['clzw', signed(op(w.I32_CLZ, wrap(x)))],
  ['ctzw', signed(op(w.I32_CTZ, wrap(x)))],
  ['cpopw', signed(op(w.I32_POPCNT, wrap(x)))],
  ['min', pick(w.I64_LT_S)],
  ['minu', pick(w.I64_LT_U)],
  ['max', pick(w.I64_GT_S)],
  ['maxu', pick(w.I64_GT_U)],
  ['sext.b', op(w.I64_EXTEND8_S, x)],
  ['sext.h', op(w.I64_EXTEND16_S, x)],
  ['zext.h', op(w.I64_AND, x, i64(0xffffn))],
  ['rol', op(w.I64_ROTL, x, y)],
  ['ror', op(w.I64_ROTR, x, y)],
  ['rolw', signed(op(w.I32_ROTL, wrap(x), wrap(y)))],
  ['rorw', signed(op(w.I32_ROTR, wrap(x), wrap(y)))],
  ['orc.b', orCombine],
  ['rev8', reverseBytes],
  ['clmul', carrylessProduct('low')],
  ['clmulr', carrylessProduct('reversed')],
  ['clmulh', (b) => shr(carrylessProduct('reversed'), 1n)(b)],
  ['bclr', op(w.I64_AND, x, not(bit))],
  ['bext', op(w.I64_AND, op(w.I64_SHR_U, x, y), i64(1n))],
  ['binv', op(w.I64_XOR, x, bit)],
  ['bset', op(w.I64_OR, x, bit)],
];

/** The selector of a function. */
export function bitFunctionNumber(name: string): number {
  const number = FUNCTIONS.findIndex(([known]) => known === name);
  return number < 0 ? panic(`semantics/bits.ts: no function ${name}`) : number;
}

const BITS: Helper = {
  name: 'bits',
  params: [w.I64, w.I64, w.I32],
  results: [w.I64],
  body: (b: FunctionBuilder) => {
    const blocks = FUNCTIONS.map(() => b.block());
    // The innermost block is the first function's.
    const labels = [...blocks].reverse();
    b.get(2);
    b.brTable(labels.slice(0, -1), labels[labels.length - 1]);
    for (const [, value] of FUNCTIONS) {
      b.end();
      value(b);
      b.op(w.RETURN);
    }
    b.op(w.UNREACHABLE);
  },
};

/** Bits 16..23 of the immediate as i32. */
export function selector(c: Emitter): void {
  c.immw();
  c.b.i32(16);
  c.b.op(w.I32_SHR_U);
  c.b.i32(0xff);
  c.b.op(w.I32_AND);
}

/** Of the register and the shift amount of the second operand, the one that the instruction has not is 0. */
export const BIT_MANIPULATION: readonly (readonly [string, Semantics])[] = [
  [
    'bits',
    (c) =>
      c.setX(() => {
        c.x1();
        c.x2();
        c.imm();
        c.b.i64(63);
        c.b.op(w.I64_AND, w.I64_ADD);
        selector(c);
        c.call(BITS);
      }),
  ],
];
