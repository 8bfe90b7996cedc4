import {
  DOUBLE,
  FFLAG_DZ,
  FFLAG_NV,
  FFLAG_NX,
  FFLAG_OF,
  FFLAG_UF,
  type FpFormat,
  RM_RDN,
  RM_RMM,
  RM_RNE,
  RM_RTZ,
  RM_RUP,
} from './format.ts';

/**
 * IEEE 754 arithmetic on bit patterns, for both formats: the slow path of the CPU and the oracle of its fast paths.
 * Every operation computes the exact result (or one with a sticky last bit far below the precision) as
 * significand * 2^exponent and rounds once, in `roundToFormat`. Nothing here uses the host's floating point.
 *
 * Invariants:
 *  1 Every NaN result is the canonical NaN (RISC-V unprivileged ISA, "NaN Generation and Propagation").
 *  2 Tininess is detected after rounding; UF is raised only together with NX.
 *  3 `rm` is one of the five rounding modes; reserved encodings never come here.
 */
export interface FpResult {
  readonly bits: bigint;
  readonly flags: number;
}

/** The value of a bit pattern: (-1)^sign * significand * 2^exponent where the kind is finite; zero has significand 0. */
export interface Unpacked {
  readonly kind: 'finite' | 'infinite' | 'quietNan' | 'signalingNan';
  readonly sign: 0 | 1;
  readonly significand: bigint;
  readonly exponent: number;
}

export function unpack(format: FpFormat, bits: bigint): Unpacked {
  const sign = (bits & format.signBit) === 0n ? 0 : 1;
  const fraction = bits & format.fractionMask;
  const biased = Number((bits & format.exponentMask) >> BigInt(format.fractionBits));
  if ((bits & format.exponentMask) === format.exponentMask) {
    const kind = fraction === 0n ? 'infinite' : (fraction & format.quietBit) !== 0n ? 'quietNan' : 'signalingNan';
    return { kind, sign, significand: fraction, exponent: 0 };
  }
  if (biased === 0) return { kind: 'finite', sign, significand: fraction, exponent: format.lastPlace };
  const hidden = format.fractionMask + 1n;
  return { kind: 'finite', sign, significand: fraction | hidden, exponent: format.lastPlace + biased - 1 };
}

/**
 * significand * 2^shift as an integer, rounded; shift may be negative. This is the only place that knows what the five
 * rounding modes mean.
 */
export function roundToInteger(
  sign: 0 | 1,
  significand: bigint,
  shift: number,
  rm: number,
): { integer: bigint; inexact: boolean } {
  if (shift >= 0) return { integer: significand << BigInt(shift), inexact: false };
  const floor = significand >> BigInt(-shift);
  const rest = significand - (floor << BigInt(-shift));
  if (rest === 0n) return { integer: floor, inexact: false };
  const half = 1n << BigInt(-shift - 1);
  let up: boolean;
  if (rm === RM_RNE) up = rest > half || (rest === half && (floor & 1n) === 1n);
  else if (rm === RM_RMM) up = rest >= half;
  else if (rm === RM_RDN) up = sign === 1;
  else up = rm === RM_RUP && sign === 0;
  return { integer: up ? floor + 1n : floor, inexact: true };
}

function bitLength(value: bigint): number {
  const hex = value.toString(16);
  return hex.length * 4 - (Math.clz32(Number.parseInt(hex[0] ?? '0', 16)) - 28);
}

/** Rounds (-1)^sign * significand * 2^exponent, significand > 0, into the format. */
export function roundToFormat(
  format: FpFormat,
  sign: 0 | 1,
  significand: bigint,
  exponent: number,
  rm: number,
): FpResult {
  const signBits = sign === 1 ? format.signBit : 0n;
  const length = bitLength(significand);
  let place = Math.max(exponent + length - format.precision, format.lastPlace);
  let { integer, inexact } = roundToInteger(sign, significand, exponent - place, rm);
  const limit = 1n << BigInt(format.precision);
  if (integer === limit) {
    integer >>= 1n;
    place++;
  }
  if (integer >= limit >> 1n && place + format.fractionBits > format.maxExponent) {
    const toInfinity = rm === RM_RNE || rm === RM_RMM || rm === (sign === 1 ? RM_RDN : RM_RUP);
    // The largest finite number is the pattern just below infinity's.
    const bits = signBits | (toInfinity ? format.exponentMask : format.exponentMask - 1n);
    return { bits, flags: FFLAG_OF | FFLAG_NX };
  }
  let flags = inexact ? FFLAG_NX : 0;
  if (inexact && isTiny(format, sign, significand, exponent, length, rm)) flags |= FFLAG_UF;
  // A subnormal has biased exponent 0 and no hidden bit; adding carries the hidden bit of a normal into the exponent.
  const biasedLessOne = BigInt(place - format.lastPlace);
  return { bits: signBits | ((biasedLessOne << BigInt(format.fractionBits)) + integer), flags };
}

/** Whether the value, rounded to the precision as if the exponent had no lower bound, is below the smallest normal. */
function isTiny(
  format: FpFormat,
  sign: 0 | 1,
  significand: bigint,
  exponent: number,
  length: number,
  rm: number,
): boolean {
  const leading = exponent + length - 1;
  if (leading >= format.minExponent) return false;
  if (leading < format.minExponent - 1) return true;
  const { integer } = roundToInteger(sign, significand, format.precision - length, rm);
  return integer !== 1n << BigInt(format.precision);
}

export function isNan(x: Unpacked): boolean {
  return x.kind === 'quietNan' || x.kind === 'signalingNan';
}

function isZero(x: Unpacked): boolean {
  return x.kind === 'finite' && x.significand === 0n;
}

function exact(bits: bigint): FpResult {
  return { bits, flags: 0 };
}

function invalid(format: FpFormat): FpResult {
  return { bits: format.canonicalNan, flags: FFLAG_NV };
}

function nanFrom(format: FpFormat, ...operands: Unpacked[]): FpResult {
  return operands.some((x) => x.kind === 'signalingNan') ? invalid(format) : exact(format.canonicalNan);
}

function signed(format: FpFormat, sign: 0 | 1, magnitude: bigint): bigint {
  return sign === 1 ? magnitude | format.signBit : magnitude;
}

/** The exact sum of two finite values, rounded. */
function addFinite(format: FpFormat, a: Unpacked, b: Unpacked, rm: number): FpResult {
  const exponent = Math.min(a.exponent, b.exponent);
  const aScaled = a.significand << BigInt(a.exponent - exponent);
  const bScaled = b.significand << BigInt(b.exponent - exponent);
  const sum = (a.sign === 1 ? -aScaled : aScaled) + (b.sign === 1 ? -bScaled : bScaled);
  if (sum === 0n) {
    // Like signs keep theirs; an exact cancellation is +0, in RDN -0 (IEEE 754, 6.3).
    const sign = a.sign === b.sign ? a.sign : rm === RM_RDN ? 1 : 0;
    return exact(signed(format, sign, 0n));
  }
  return roundToFormat(format, sum < 0n ? 1 : 0, sum < 0n ? -sum : sum, exponent, rm);
}

export function fpAdd(format: FpFormat, aBits: bigint, bBits: bigint, rm: number): FpResult {
  const a = unpack(format, aBits);
  const b = unpack(format, bBits);
  if (isNan(a) || isNan(b)) return nanFrom(format, a, b);
  if (a.kind === 'infinite') return b.kind === 'infinite' && a.sign !== b.sign ? invalid(format) : exact(aBits);
  if (b.kind === 'infinite') return exact(bBits);
  return addFinite(format, a, b, rm);
}

export function fpSub(format: FpFormat, a: bigint, b: bigint, rm: number): FpResult {
  return fpAdd(format, a, b ^ format.signBit, rm);
}

function multiplyExactly(a: Unpacked, b: Unpacked): Unpacked {
  return {
    kind: a.kind === 'finite' ? b.kind : a.kind,
    sign: a.sign === b.sign ? 0 : 1,
    significand: a.significand * b.significand,
    exponent: a.exponent + b.exponent,
  };
}

export function fpMul(format: FpFormat, aBits: bigint, bBits: bigint, rm: number): FpResult {
  const a = unpack(format, aBits);
  const b = unpack(format, bBits);
  if (isNan(a) || isNan(b)) return nanFrom(format, a, b);
  const product = multiplyExactly(a, b);
  if (product.kind === 'infinite') {
    return isZero(a) || isZero(b) ? invalid(format) : exact(signed(format, product.sign, format.exponentMask));
  }
  if (product.significand === 0n) return exact(signed(format, product.sign, 0n));
  return roundToFormat(format, product.sign, product.significand, product.exponent, rm);
}

export function fpDiv(format: FpFormat, aBits: bigint, bBits: bigint, rm: number): FpResult {
  const a = unpack(format, aBits);
  const b = unpack(format, bBits);
  const sign = a.sign === b.sign ? 0 : 1;
  if (isNan(a) || isNan(b)) return nanFrom(format, a, b);
  if (a.kind === 'infinite')
    return b.kind === 'infinite' ? invalid(format) : exact(signed(format, sign, format.exponentMask));
  if (b.kind === 'infinite') return exact(signed(format, sign, 0n));
  if (b.significand === 0n) {
    return a.significand === 0n
      ? invalid(format)
      : { bits: signed(format, sign, format.exponentMask), flags: FFLAG_DZ };
  }
  if (a.significand === 0n) return exact(signed(format, sign, 0n));
  // Enough quotient bits for the precision of a subnormal divided by a full significand, two more, and a sticky bit.
  const extra = 2 * DOUBLE.precision + 3;
  const dividend = a.significand << BigInt(extra);
  const quotient = dividend / b.significand;
  const sticky = quotient * b.significand === dividend ? 0n : 1n;
  return roundToFormat(format, sign, (quotient << 1n) | sticky, a.exponent - b.exponent - extra - 1, rm);
}

export function fpSqrt(format: FpFormat, aBits: bigint, rm: number): FpResult {
  const a = unpack(format, aBits);
  if (isNan(a)) return nanFrom(format, a);
  if (isZero(a)) return exact(aBits);
  if (a.sign === 1) return invalid(format);
  if (a.kind === 'infinite') return exact(aBits);
  // An even exponent, and a radicand long enough for the precision, two more bits and a sticky one.
  const extra = 2 * DOUBLE.precision + 4 + ((a.exponent & 1) === 0 ? 0 : 1);
  const radicand = a.significand << BigInt(extra);
  const root = integerSqrt(radicand);
  const sticky = root * root === radicand ? 0n : 1n;
  return roundToFormat(format, 0, (root << 1n) | sticky, (a.exponent - extra) / 2 - 1, rm);
}

/** floor(sqrt(value)) by Newton's iteration from above, which falls until it has arrived. */
function integerSqrt(value: bigint): bigint {
  let root = 1n << BigInt((bitLength(value) + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** a * b + c with one rounding. Infinity times zero is invalid even where c is a quiet NaN (RISC-V, chapter "F"). */
export function fpMulAdd(format: FpFormat, aBits: bigint, bBits: bigint, cBits: bigint, rm: number): FpResult {
  const a = unpack(format, aBits);
  const b = unpack(format, bBits);
  const c = unpack(format, cBits);
  if ((a.kind === 'infinite' && isZero(b)) || (isZero(a) && b.kind === 'infinite')) return invalid(format);
  if (isNan(a) || isNan(b) || isNan(c)) return nanFrom(format, a, b, c);
  const product = multiplyExactly(a, b);
  if (product.kind === 'infinite') {
    const clash = c.kind === 'infinite' && c.sign !== product.sign;
    return clash ? invalid(format) : exact(signed(format, product.sign, format.exponentMask));
  }
  if (c.kind === 'infinite') return exact(cBits);
  return addFinite(format, product, c, rm);
}

/** The five rounding modes, for tests and tables. */
export const ROUNDING_MODES: readonly number[] = [RM_RNE, RM_RTZ, RM_RDN, RM_RUP, RM_RMM];
