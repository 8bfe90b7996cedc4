import * as w from '../../wasm/opcodes.ts';
import { type Code, f32, f64, i32, i64, op } from './code.ts';
import { DOUBLE, type FpFormat, SINGLE } from './format.ts';

/**
 * WebAssembly's opcodes for one format, so that what f32 and f64 share is written once.
 * What is always true: `bits` of a value is the format's own pattern in an integer of the same width.
 */
export interface Width {
  readonly format: FpFormat;
  /** The suffix of mnemonics. */
  readonly suffix: 's' | 'd';
  readonly type: w.ValueType;
  readonly bitsType: w.ValueType;
  readonly add: number;
  readonly sub: number;
  readonly mul: number;
  readonly div: number;
  readonly sqrt: number;
  readonly min: number;
  readonly max: number;
  readonly neg: number;
  readonly abs: number;
  readonly eq: number;
  readonly ne: number;
  readonly lt: number;
  readonly le: number;
  readonly gt: number;
  readonly reinterpretToBits: number;
  readonly reinterpretFromBits: number;
  readonly bitsAnd: number;
  readonly bitsSub: number;
  readonly bitsLessUnsigned: number;
  readonly constant: (value: number) => Code;
  readonly bitsConstant: (value: bigint) => Code;
  /** The whole register that holds the value: a boxed single, or the bits of a double. */
  readonly register: (value: Code) => Code;
  /** The value in a register that is known to be well boxed. */
  readonly fromRegister: (register: Code) => Code;
}

/** What stands above a single in a register. */
export const BOX = 0xffffffff00000000n;

export const WIDTH_S: Width = {
  format: SINGLE,
  suffix: 's',
  type: w.F32,
  bitsType: w.I32,
  add: w.F32_ADD,
  sub: w.F32_SUB,
  mul: w.F32_MUL,
  div: w.F32_DIV,
  sqrt: w.F32_SQRT,
  min: w.F32_MIN,
  max: w.F32_MAX,
  neg: w.F32_NEG,
  abs: w.F32_ABS,
  eq: w.F32_EQ,
  ne: w.F32_NE,
  lt: w.F32_LT,
  le: w.F32_LE,
  gt: w.F32_GT,
  reinterpretToBits: w.I32_REINTERPRET_F32,
  reinterpretFromBits: w.F32_REINTERPRET_I32,
  bitsAnd: w.I32_AND,
  bitsSub: w.I32_SUB,
  bitsLessUnsigned: w.I32_LT_U,
  constant: f32,
  bitsConstant: (value) => i32(Number(BigInt.asIntN(32, value))),
  register: (value) => op(w.I64_OR, op(w.I64_EXTEND_I32_U, op(w.I32_REINTERPRET_F32, value)), i64(BOX)),
  fromRegister: (register) => op(w.F32_REINTERPRET_I32, op(w.I32_WRAP_I64, register)),
};

export const WIDTH_D: Width = {
  format: DOUBLE,
  suffix: 'd',
  type: w.F64,
  bitsType: w.I64,
  add: w.F64_ADD,
  sub: w.F64_SUB,
  mul: w.F64_MUL,
  div: w.F64_DIV,
  sqrt: w.F64_SQRT,
  min: w.F64_MIN,
  max: w.F64_MAX,
  neg: w.F64_NEG,
  abs: w.F64_ABS,
  eq: w.F64_EQ,
  ne: w.F64_NE,
  lt: w.F64_LT,
  le: w.F64_LE,
  gt: w.F64_GT,
  reinterpretToBits: w.I64_REINTERPRET_F64,
  reinterpretFromBits: w.F64_REINTERPRET_I64,
  bitsAnd: w.I64_AND,
  bitsSub: w.I64_SUB,
  bitsLessUnsigned: w.I64_LT_U,
  constant: f64,
  bitsConstant: i64,
  register: (value) => op(w.I64_REINTERPRET_F64, value),
  fromRegister: (register) => op(w.F64_REINTERPRET_I64, register),
};

/** The canonical NaN, as a value of the format. */
export function canonicalNan(width: Width): Code {
  return op(width.reinterpretFromBits, width.bitsConstant(width.format.canonicalNan));
}

export function isNan(width: Width, value: Code): Code {
  return op(width.ne, value, value);
}

/** 1 if |value| is the infinity. */
export function isInfinite(width: Width, value: Code): Code {
  return op(width.eq, op(width.abs, value), width.constant(Infinity));
}

export function isZero(width: Width, value: Code): Code {
  return op(width.eq, value, width.constant(0));
}

/** 1 if the value is a signaling NaN: magnitude in [infinity + 1, quiet bit set), tested by one unsigned comparison. */
export function isSignaling(width: Width, value: Code): Code {
  const { signBit, exponentMask, quietBit } = width.format;
  const magnitude = op(width.bitsAnd, op(width.reinterpretToBits, value), width.bitsConstant(signBit - 1n));
  const aboveInfinity = op(width.bitsSub, magnitude, width.bitsConstant(exponentMask + 1n));
  return op(width.bitsLessUnsigned, aboveInfinity, width.bitsConstant(quietBit - 1n));
}

/** 1 if |value| is above the smallest normal number and finite: no rounding mode makes such a result tiny or overflow. */
export function isSafelyNormal(width: Width, value: Code): Code {
  const magnitude = op(width.abs, value);
  const smallestNormal = 2 ** width.format.minExponent;
  return op(
    w.I32_AND,
    op(width.gt, magnitude, width.constant(smallestNormal)),
    op(width.lt, magnitude, width.constant(Infinity)),
  );
}

export function isFiniteNumber(width: Width, value: Code): Code {
  return op(width.lt, op(width.abs, value), width.constant(Infinity));
}
