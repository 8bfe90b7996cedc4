import type { FunctionBuilder } from '../../wasm/function-builder.ts';
import * as w from '../../wasm/opcodes.ts';
import { F64, I64 } from '../../wasm/opcodes.ts';
import { type Code, f64, get, i32, i64, keep, op, set, when } from './code.ts';

// Error-free transforms and other exact facts about double-precision operations, as code fragments.
// What is always true: the fragments are right in round to nearest, inside the ranges that each one states; they write
// only to fresh locals (`roundToOdd` also to the one that it is given), and operands are pushed several times, so they must
// be cheap and pure: locals.

export function biasedExponent(value: Code): Code {
  return op(w.I32_WRAP_I64, op(w.I64_AND, op(w.I64_SHR_U, op(w.I64_REINTERPRET_F64, value), i64(52n)), i64(0x7ffn)));
}

/** Trailing zero bits of the 53-bit significand of a normal number, 0 to 52. */
function trailingZeros(value: Code): Code {
  const withHidden = op(w.I64_OR, op(w.I64_REINTERPRET_F64, value), i64(1n << 52n));
  return op(w.I32_WRAP_I64, op(w.I64_CTZ, withHidden));
}

/**
 * 1 if the product x * y of normal numbers is not representable, where `product` is that product rounded, and normal.
 * With odd parts of 53 - tz(x) and 53 - tz(y) bits, the exact product is odd and has
 * 105 - tz(x) - tz(y) + carry bits; carry is 1 where the significands' product is 2 or more, which shows in the exponent.
 * (Rounding can carry into the exponent as well, but only from an inexact product, and then the answer is the same.)
 */
export function productIsInexact(product: Code, x: Code, y: Code): Code {
  const exponents = op(w.I32_ADD, biasedExponent(x), biasedExponent(y));
  const carry = op(w.I32_ADD, op(w.I32_SUB, biasedExponent(product), exponents), i32(1023));
  return op(w.I32_LT_S, op(w.I32_ADD, trailingZeros(x), trailingZeros(y)), op(w.I32_ADD, carry, i32(52)));
}

/** The rounding error of sum = x + y (Knuth's TwoSum): exact in round to nearest unless an intermediate overflows. */
export function twoSumError(b: FunctionBuilder, sum: Code, x: Code, y: Code): Code {
  const yRounded = keep(b, F64, op(w.F64_SUB, sum, x));
  return op(w.F64_ADD, op(w.F64_SUB, x, op(w.F64_SUB, sum, yRounded)), op(w.F64_SUB, y, yRounded));
}

/**
 * (exact) x + error rounded to odd: x where it is exact or its last bit is set, else its neighbour towards the error.
 * `x` is a local. Boldo and Melquiond, "Emulation of FMA and correctly rounded sums" (IEEE TC 57, 2008).
 */
export function roundToOdd(b: FunctionBuilder, x: number, error: Code): void {
  const bits = keep(b, I64, op(w.I64_REINTERPRET_F64, get(x)));
  const even = op(w.I64_EQZ, op(w.I64_AND, bits, i64(1n)));
  when(b, op(w.I32_AND, even, op(w.F64_NE, error, f64(0))), () => {
    const outward = op(w.I32_EQ, op(w.F64_GT, error, f64(0)), op(w.F64_GT, get(x), f64(0)));
    const neighbour = op(w.I64_ADD, bits, op(w.SELECT, i64(1n), i64(-1n), outward));
    set(b, x, op(w.F64_REINTERPRET_I64, neighbour));
  });
}

// Veltkamp's constant 2^27 + 1 splits a double into halves whose products are exact.
const SPLITTER = 2 ** 27 + 1;

function splitHigh(b: FunctionBuilder, x: Code): Code {
  const scaled = keep(b, F64, op(w.F64_MUL, x, f64(SPLITTER)));
  return keep(b, F64, op(w.F64_SUB, scaled, op(w.F64_SUB, scaled, x)));
}

/** The rounding error of product = x * y (Dekker's TwoProduct). */
export function twoProductError(b: FunctionBuilder, product: Code, x: Code, y: Code): Code {
  const xHigh = splitHigh(b, x);
  const yHigh = splitHigh(b, y);
  const xLow = keep(b, F64, op(w.F64_SUB, x, xHigh));
  const yLow = keep(b, F64, op(w.F64_SUB, y, yHigh));
  const high = op(w.F64_SUB, op(w.F64_MUL, xHigh, yHigh), product);
  const middle = op(w.F64_ADD, op(w.F64_ADD, high, op(w.F64_MUL, xHigh, yLow)), op(w.F64_MUL, xLow, yHigh));
  return op(w.F64_ADD, middle, op(w.F64_MUL, xLow, yLow));
}
