import { FFLAG_NV, FFLAG_NX, type FpFormat } from './format.ts';
import { type FpResult, isNan, roundToFormat, roundToInteger, unpack } from './softfloat.ts';

// The operations of F and D that do not compute: conversions, comparisons, minimum and maximum, classification.
// What is always true: same conventions as softfloat.ts; integer results are 64-bit register patterns (words are
// sign-extended, also unsigned ones).

/** The integer types of fcvt. */
export type IntegerKind = 'w' | 'wu' | 'l' | 'lu';

const INTEGER_BITS: Record<IntegerKind, number> = { w: 32, wu: 32, l: 64, lu: 64 };

function isSigned(kind: IntegerKind): boolean {
  return kind === 'w' || kind === 'l';
}

function toRegister(kind: IntegerKind, value: bigint): bigint {
  return BigInt.asUintN(64, BigInt.asIntN(INTEGER_BITS[kind], value));
}

/** fcvt.{w,wu,l,lu}.{s,d}: out of range and NaN saturate with NV alone (RISC-V, table "Domains of float-to-integer"). */
export function fpToInteger(format: FpFormat, bits: bigint, kind: IntegerKind, rm: number): FpResult {
  const x = unpack(format, bits);
  const width = BigInt(INTEGER_BITS[kind]);
  const lowest = isSigned(kind) ? -(1n << (width - 1n)) : 0n;
  const highest = lowest + (1n << width) - 1n;
  const saturated = isNan(x) || x.sign === 0 ? highest : lowest;
  if (x.kind !== 'finite') return { bits: toRegister(kind, saturated), flags: FFLAG_NV };
  const { integer, inexact } = roundToInteger(x.sign, x.significand, x.exponent, rm);
  const value = x.sign === 1 ? -integer : integer;
  if (value < lowest || value > highest) return { bits: toRegister(kind, saturated), flags: FFLAG_NV };
  return { bits: toRegister(kind, value), flags: inexact ? FFLAG_NX : 0 };
}

/** fcvt.{s,d}.{w,wu,l,lu}; a word is taken from the low half of the register. */
export function fpFromInteger(format: FpFormat, register: bigint, kind: IntegerKind, rm: number): FpResult {
  const width = INTEGER_BITS[kind];
  const value = isSigned(kind) ? BigInt.asIntN(width, register) : BigInt.asUintN(width, register);
  if (value === 0n) return { bits: 0n, flags: 0 };
  return roundToFormat(format, value < 0n ? 1 : 0, value < 0n ? -value : value, 0, rm);
}

/** fcvt.s.d and fcvt.d.s. */
export function fpConvert(to: FpFormat, from: FpFormat, bits: bigint, rm: number): FpResult {
  const x = unpack(from, bits);
  if (isNan(x)) return { bits: to.canonicalNan, flags: x.kind === 'signalingNan' ? FFLAG_NV : 0 };
  const signBits = x.sign === 1 ? to.signBit : 0n;
  if (x.kind === 'infinite') return { bits: signBits | to.exponentMask, flags: 0 };
  if (x.significand === 0n) return { bits: signBits, flags: 0 };
  return roundToFormat(to, x.sign, x.significand, x.exponent, rm);
}

/** A key that orders non-NaN patterns like their values; both zeros have key 0. */
function orderKey(format: FpFormat, bits: bigint): bigint {
  const magnitude = bits & (format.signBit - 1n);
  return (bits & format.signBit) === 0n ? magnitude : -magnitude;
}

/** feq is quiet; flt and fle raise NV on any NaN. The result is 0 or 1. */
export function fpCompare(format: FpFormat, a: bigint, b: bigint, relation: 'eq' | 'lt' | 'le'): FpResult {
  const x = unpack(format, a);
  const y = unpack(format, b);
  if (isNan(x) || isNan(y)) {
    const signaling = x.kind === 'signalingNan' || y.kind === 'signalingNan';
    return { bits: 0n, flags: signaling || relation !== 'eq' ? FFLAG_NV : 0 };
  }
  const left = orderKey(format, a);
  const right = orderKey(format, b);
  const holds = relation === 'eq' ? left === right : relation === 'lt' ? left < right : left <= right;
  return { bits: holds ? 1n : 0n, flags: 0 };
}

/**
 * fmin and fmax of F 2.2: minimumNumber and maximumNumber of IEEE 754-2019. One NaN loses against a number, -0 is less
 * than +0, and a signaling NaN raises NV even where a number wins.
 */
export function fpMinMax(format: FpFormat, a: bigint, b: bigint, which: 'min' | 'max'): FpResult {
  const x = unpack(format, a);
  const y = unpack(format, b);
  const flags = x.kind === 'signalingNan' || y.kind === 'signalingNan' ? FFLAG_NV : 0;
  if (isNan(x)) return { bits: isNan(y) ? format.canonicalNan : b, flags };
  if (isNan(y)) return { bits: a, flags };
  const left = orderKey(format, a);
  const right = orderKey(format, b);
  const aIsLess = left < right || (left === right && x.sign === 1);
  return { bits: aIsLess === (which === 'min') ? a : b, flags };
}

/** The ten-bit mask of fclass. */
export function fpClass(format: FpFormat, bits: bigint): bigint {
  const x = unpack(format, bits);
  if (x.kind === 'signalingNan') return 1n << 8n;
  if (x.kind === 'quietNan') return 1n << 9n;
  let magnitude: number; // 0 infinite, 1 normal, 2 subnormal, 3 zero: the order of the mask for negative numbers
  if (x.kind === 'infinite') magnitude = 0;
  else if (x.significand === 0n) magnitude = 3;
  else magnitude = x.significand > format.fractionMask ? 1 : 2;
  return 1n << BigInt(x.sign === 1 ? magnitude : 7 - magnitude);
}
