import type { FunctionBuilder } from '../../wasm/function-builder.ts';
import * as w from '../../wasm/opcodes.ts';
import { F32, F64, I32 } from '../../wasm/opcodes.ts';
import type { Helper } from '../semantics/emit.ts';
import { type Code, f32, f64, get, i32, keep, op, returns, set, when } from './code.ts';
import type { Call } from './double.ts';
import { roundToOdd, twoSumError } from './error-free.ts';
import { FFLAG_DZ, FFLAG_NX, FFLAG_OF, FFLAG_UF } from './format.ts';
import { NAN_S } from './nan.ts';
import { callSlowPath } from './slow-path.ts';
import { isInfinite, isNan, isZero, WIDTH_D, WIDTH_S } from './width.ts';

/**
 * Single-precision arithmetic in WebAssembly: (operands, rm) -> (value, fflags). Everything goes through double precision,
 * whose 53 bits and exponent range hold the product of two singles exactly and their sum up to an error that rounding
 * to odd keeps; so only rounding modes other than RNE take the slow path.
 */
const S = WIDTH_S;

/** Ends a helper with the reference's answer. */
export function slowSingle(b: FunctionBuilder, call: Call, mnemonic: string, rm: Code, ...registers: Code[]): void {
  const flags = b.local(I32);
  callSlowPath(call, mnemonic, rm, registers)(b);
  b.set(flags);
  b.op(w.I32_WRAP_I64, w.F32_REINTERPRET_I32);
  b.get(flags);
}

export function returnNan(b: FunctionBuilder, call: Call, helper: Helper, ...operands: Code[]): void {
  for (const operand of operands) operand(b);
  call(helper);
  b.op(w.RETURN);
}

export function promote(value: Code): Code {
  return op(w.F64_PROMOTE_F32, value);
}

const NONE = i32(0);
const SMALLEST_NORMAL = 2 ** -126;

/**
 * Rounds to single in RNE a double that is exact, or rounded to odd from the exact value; it may be infinite, not NaN.
 * Tiny after rounding: with an unbounded exponent the midpoint below 2^-126 is 2^-126 - 2^-151, and its tie goes up.
 */
export const ROUND_TO_SINGLE: Helper = {
  name: 'fp_round_s',
  params: [F64],
  results: [F32, I32],
  body: (b) => {
    const value = get(0);
    const rounded = keep(b, F32, op(w.F32_DEMOTE_F64, value));
    when(b, op(w.F64_EQ, promote(rounded), value), () => returns(b, rounded, NONE));
    when(b, isInfinite(S, rounded), () => returns(b, rounded, i32(FFLAG_OF | FFLAG_NX)));
    const tiny = op(w.F64_LT, op(w.F64_ABS, value), f64(SMALLEST_NORMAL - 2 ** -151));
    returns(b, rounded, op(w.SELECT, i32(FFLAG_UF | FFLAG_NX), i32(FFLAG_NX), tiny));
    b.op(w.UNREACHABLE);
  },
};

function returnRounded(b: FunctionBuilder, call: Call, value: Code): void {
  value(b);
  call(ROUND_TO_SINGLE);
  b.op(w.RETURN);
}

/** Returns p + q rounded to single unless the sum is infinite or NaN; both are doubles that hold exact operands. */
function returnSum(b: FunctionBuilder, call: Call, p: Code, q: Code): void {
  const sum = b.local(F64);
  set(b, sum, op(w.F64_ADD, p, q));
  when(b, op(w.F64_LT, op(w.F64_ABS, get(sum)), f64(Infinity)), () => {
    roundToOdd(b, sum, keep(b, F64, twoSumError(b, get(sum), p, q)));
    returnRounded(b, call, get(sum));
  });
}

export const ADD_S: Helper = {
  name: 'fp_add_s',
  params: [F32, F32, I32],
  results: [F32, I32],
  body: (b, call) => {
    const [x, y, rm] = [get(0), get(1), get(2)];
    when(b, op(w.I32_EQZ, rm), () => {
      returnSum(b, call, keep(b, F64, promote(x)), keep(b, F64, promote(y)));
      const sum = keep(b, F32, op(w.F32_ADD, x, y));
      when(b, isNan(S, sum), () => returnNan(b, call, NAN_S.nan2, x, y));
      returns(b, sum, NONE);
    });
    slowSingle(b, call, 'fadd.s', rm, S.register(x), S.register(y));
  },
};

export const MUL_S: Helper = {
  name: 'fp_mul_s',
  params: [F32, F32, I32],
  results: [F32, I32],
  body: (b, call) => {
    const [x, y, rm] = [get(0), get(1), get(2)];
    when(b, op(w.I32_EQZ, rm), () => {
      const product = keep(b, F64, op(w.F64_MUL, promote(x), promote(y)));
      when(b, isNan(WIDTH_D, product), () => returnNan(b, call, NAN_S.nan2, x, y));
      returnRounded(b, call, product);
    });
    slowSingle(b, call, 'fmul.s', rm, S.register(x), S.register(y));
  },
};

export const DIV_S: Helper = {
  name: 'fp_div_s',
  params: [F32, F32, I32],
  results: [F32, I32],
  body: (b, call) => {
    const [x, y, rm] = [get(0), get(1), get(2)];
    const quotient = keep(b, F32, op(w.F32_DIV, x, y));
    const magnitude = op(w.F32_ABS, quotient);
    when(b, op(w.I32_EQZ, rm), () => {
      when(b, isNan(S, quotient), () => returnNan(b, call, NAN_S.nan2, x, y));
      when(b, isInfinite(S, quotient), () => {
        const byZero = op(w.SELECT, i32(FFLAG_DZ), i32(FFLAG_OF | FFLAG_NX), isZero(S, y));
        returns(b, quotient, op(w.SELECT, NONE, byZero, isInfinite(S, x)));
      });
      const back = op(w.F64_MUL, promote(quotient), promote(y));
      when(b, op(w.I32_OR, isInfinite(S, y), op(w.F64_EQ, back, promote(x))), () => returns(b, quotient, NONE));
      // Where the rounded quotient is the smallest normal itself, tininess needs more bits.
      when(b, op(w.F32_NE, magnitude, f32(SMALLEST_NORMAL)), () => {
        const tiny = op(w.F32_LT, magnitude, f32(SMALLEST_NORMAL));
        returns(b, quotient, op(w.SELECT, i32(FFLAG_UF | FFLAG_NX), i32(FFLAG_NX), tiny));
      });
    });
    slowSingle(b, call, 'fdiv.s', rm, S.register(x), S.register(y));
  },
};

export const SQRT_S: Helper = {
  name: 'fp_sqrt_s',
  params: [F32, I32],
  results: [F32, I32],
  body: (b, call) => {
    const [x, rm] = [get(0), get(1)];
    const root = keep(b, F32, op(w.F32_SQRT, x));
    when(b, isNan(S, root), () => returnNan(b, call, NAN_S.nan2, x, x));
    when(b, op(w.F64_EQ, op(w.F64_MUL, promote(root), promote(root)), promote(x)), () => returns(b, root, NONE));
    when(b, op(w.I32_EQZ, rm), () => returns(b, root, i32(FFLAG_NX)));
    slowSingle(b, call, 'fsqrt.s', rm, S.register(x));
  },
};

export const FMA_S: Helper = {
  name: 'fp_fma_s',
  params: [F32, F32, F32, I32],
  results: [F32, I32],
  body: (b, call) => {
    const [x, y, z, rm] = [get(0), get(1), get(2), get(3)];
    when(b, op(w.I32_EQZ, rm), () => {
      const product = keep(b, F64, op(w.F64_MUL, promote(x), promote(y)));
      const addend = keep(b, F64, promote(z));
      returnSum(b, call, product, addend);
      const sum = keep(b, F64, op(w.F64_ADD, product, addend));
      when(b, isNan(WIDTH_D, sum), () => returnNan(b, call, NAN_S.nan3, x, y, z));
      returns(b, op(w.F32_DEMOTE_F64, sum), NONE);
    });
    slowSingle(b, call, 'fmadd.s', rm, S.register(x), S.register(y), S.register(z));
  },
};
