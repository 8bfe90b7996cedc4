import type { FunctionBuilder } from '../../wasm/function-builder.ts';
import * as w from '../../wasm/opcodes.ts';
import { F64, I32 } from '../../wasm/opcodes.ts';
import type { Helper } from '../semantics/emit.ts';
import { type Code, f64, get, i32, i64, keep, op, returns, set, when } from './code.ts';
import { type Call, returnNan, slowDouble } from './double.ts';
import { roundToOdd, twoProductError, twoSumError } from './error-free.ts';
import { DOUBLE, RM_RNE } from './format.ts';
import { NAN_D } from './nan.ts';
import { WIDTH_D as D, isFiniteNumber, isNan, isZero } from './width.ts';

// Fused multiply-add of doubles without a native one, from error-free transforms.

const NONE = i32(0);

// Where the error-free transforms are exact and the result is normal: factors below 2^990 (their split does not overflow),
// a product between 2^-900 and 2^1000 (its error term and any cancellation stay normal), an addend below 2^1000.
const LARGEST_FACTOR = 2 ** 990;
const SMALLEST_PRODUCT = 2 ** -900;
const LARGEST_SUM = 2 ** 1000;

/** The fraction bits of a double that has more than three significant bits. */
const BELOW_THREE_BITS = DOUBLE.fractionMask >> 2n;

/** In place of rm: to nearest even, and the caller does not ask for NX, because it is set already. */
export const RNE_WITHOUT_NX = -1;

/**
 * x * y + z with one rounding; (x, y, z, rm or RNE_WITHOUT_NX). With product = high + low and high + z = sum + rest, both
 * exact, the result is sum + (rest + low), rounded. The tail rest + low is a number of 53 bits plus perhaps an error:
 *
 *  - Where rest is not 0, |sum| is at least about |high| / 2, so the tail is at most 1.5 ulps of the sum. The midpoints that
 *    it can reach are multiples of a quarter of that ulp: numbers of three bits. Rounding the tail to nearest may land on
 *    one but not cross it. So only a tail of three bits can be misleading; it is rounded to odd instead.
 *  - Where rest is 0 (the sum cancels, or is exact anyhow), the tail is low itself, and sum + low is one rounding.
 */
export const FMA_D: Helper = {
  name: 'fp_fma_d',
  params: [F64, F64, F64, I32],
  results: [F64, I32],
  body: (b, call) => {
    const [x, y, z, rm] = [get(0), get(1), get(2), get(3)];
    when(b, op(w.I32_LE_S, rm, i32(0)), () => {
      const high = keep(b, F64, op(w.F64_MUL, x, y));
      const below = (value: Code, limit: number): Code => op(w.F64_LT, op(w.F64_ABS, value), f64(limit));
      const productInRange = op(
        w.I32_AND,
        below(high, LARGEST_SUM),
        op(w.F64_GE, op(w.F64_ABS, high), f64(SMALLEST_PRODUCT)),
      );
      const factorsInRange = op(w.I32_AND, below(x, LARGEST_FACTOR), below(y, LARGEST_FACTOR));
      const inRange = op(w.I32_AND, op(w.I32_AND, factorsInRange, productInRange), below(z, LARGEST_SUM));
      when(b, inRange, () => returnOrdinaryFma(b, high, x, y, z, rm));
      returnSpecialFma(b, call, x, y, z);
    });
    // Only the plain case comes without a mode.
    const mode = op(w.SELECT, i32(RM_RNE), rm, op(w.I32_EQ, rm, i32(RNE_WITHOUT_NX)));
    slowDouble(b, call, 'fmadd.d', mode, x, y, z);
  },
};

function returnOrdinaryFma(b: FunctionBuilder, high: Code, x: Code, y: Code, z: Code, rm: Code): void {
  const low = keep(b, F64, twoProductError(b, high, x, y));
  const sum = keep(b, F64, op(w.F64_ADD, high, z));
  const rest = keep(b, F64, twoSumError(b, sum, high, z));
  const tail = b.local(F64);
  set(b, tail, op(w.F64_ADD, rest, low));
  const isShort = op(w.I64_EQZ, op(w.I64_AND, op(w.I64_REINTERPRET_F64, get(tail)), i64(BELOW_THREE_BITS)));
  const tailError = b.local(F64);
  // The error is wanted for NX, and where the tail may mislead.
  when(b, op(w.I32_OR, op(w.I32_EQZ, rm), isShort), () => {
    set(b, tailError, twoSumError(b, get(tail), rest, low));
    roundToOdd(b, tail, get(tailError));
  });
  const result = keep(b, F64, op(w.F64_ADD, sum, get(tail)));
  when(b, op(w.I32_NE, rm, i32(0)), () => returns(b, result, NONE));
  // |sum| >= |tail| or sum is 0, so the short form of TwoSum gives the last error.
  const last = op(w.F64_NE, op(w.F64_SUB, get(tail), op(w.F64_SUB, result, sum)), f64(0));
  returns(b, result, op(w.I32_OR, last, op(w.F64_NE, get(tailError), f64(0))));
}

/** Returns where an operand is infinite or NaN or a factor is zero: then the native operations do not round but once. */
function returnSpecialFma(b: FunctionBuilder, call: Call, x: Code, y: Code, z: Code): void {
  const factorsFinite = op(w.I32_AND, isFiniteNumber(D, x), isFiniteNumber(D, y));
  when(
    b,
    factorsFinite,
    () => {
      when(b, op(w.I32_EQZ, isFiniteNumber(D, z)), () => {
        when(b, isNan(D, z), () => returnNan(b, call, NAN_D.nan3, x, y, z));
        returns(b, z, NONE);
      });
      when(b, op(w.I32_OR, isZero(D, x), isZero(D, y)), () => returns(b, op(w.F64_ADD, op(w.F64_MUL, x, y), z), NONE));
    },
    () => {
      const result = keep(b, F64, op(w.F64_ADD, op(w.F64_MUL, x, y), z));
      when(b, isNan(D, result), () => returnNan(b, call, NAN_D.nan3, x, y, z));
      returns(b, result, NONE);
    },
  );
}
