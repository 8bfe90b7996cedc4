import type { FunctionBuilder } from '../../wasm/function-builder.ts';
import * as w from '../../wasm/opcodes.ts';
import { F32, F64, I32, I64 } from '../../wasm/opcodes.ts';
import type { Helper } from '../semantics/emit.ts';
import { type Code, f64, get, i32, i64, keep, op, returns, set, when } from './code.ts';
import { FFLAG_NV, RM_RDN, RM_RMM, RM_RNE, RM_RTZ } from './format.ts';
import { promote, ROUND_TO_SINGLE, slowSingle } from './single.ts';
import { callSlowPath } from './slow-path.ts';
import type { IntegerKind } from './softfloat-convert.ts';
import { canonicalNan, isNan, isSignaling, isZero, WIDTH_D, WIDTH_S } from './width.ts';

// Conversions in WebAssembly: (operand, rm) -> (value, fflags).
// What is always true: to an integer every rounding mode is fast; to a floating-point number those results that are inexact
// in a mode other than RNE take the slow path.

/** A double rounded to an integral double in any mode but RTZ. NaN and infinities pass. */
const ROUND_TO_INTEGRAL: Helper = {
  name: 'fp_integral_d',
  params: [F64, I32],
  results: [F64],
  body: (b) => {
    const [value, rm] = [get(0), get(1)];
    const truncated = keep(b, F64, op(w.F64_TRUNC, value));
    when(b, op(w.I32_EQ, rm, i32(RM_RNE)), () => returns(b, op(w.F64_NEAREST, value)));
    when(b, op(w.I32_EQ, rm, i32(RM_RMM)), () => {
      // The difference is exact, and so is the step where it is a half or more.
      const far = op(w.F64_GE, op(w.F64_ABS, op(w.F64_SUB, value, truncated)), f64(0.5));
      const step = op(w.F64_COPYSIGN, op(w.SELECT, f64(1), f64(0), far), value);
      returns(b, op(w.F64_ADD, truncated, step));
    });
    op(w.SELECT, op(w.F64_FLOOR, value), op(w.F64_CEIL, value), op(w.I32_EQ, rm, i32(RM_RDN)))(b);
  },
};

interface IntegerRange {
  /** The least integral double in range, and the least above the range. */
  readonly lowest: number;
  readonly limit: number;
  /** Opcodes that convert an integral double in range to the i64 register. */
  readonly convert: readonly number[];
  /** Register patterns of saturation. */
  readonly atLowest: bigint;
  readonly atHighest: bigint;
}

const RANGES: Record<IntegerKind, IntegerRange> = {
  w: {
    lowest: -(2 ** 31),
    limit: 2 ** 31,
    convert: [w.I64_TRUNC_SAT_F64_S],
    atLowest: -(1n << 31n),
    atHighest: (1n << 31n) - 1n,
  },
  wu: { lowest: 0, limit: 2 ** 32, convert: [w.I64_TRUNC_SAT_F64_S, w.I64_EXTEND32_S], atLowest: 0n, atHighest: -1n },
  l: {
    lowest: -(2 ** 63),
    limit: 2 ** 63,
    convert: [w.I64_TRUNC_SAT_F64_S],
    atLowest: -(1n << 63n),
    atHighest: (1n << 63n) - 1n,
  },
  lu: { lowest: 0, limit: 2 ** 64, convert: [w.I64_TRUNC_SAT_F64_U], atLowest: 0n, atHighest: -1n },
};

function makeToInteger(kind: IntegerKind): Helper {
  const { lowest, limit, convert, atLowest, atHighest } = RANGES[kind];
  return {
    name: `fp_to_${kind}`,
    params: [F64, I32],
    results: [I64, I32],
    body: (b, call) => {
      const value = get(0);
      const integral = b.local(F64);
      // What C's casts use.
      const isTruncation = op(w.I32_EQ, get(1), i32(RM_RTZ));
      when(
        b,
        isTruncation,
        () => set(b, integral, op(w.F64_TRUNC, value)),
        () => {
          value(b);
          b.get(1);
          call(ROUND_TO_INTEGRAL);
          b.set(integral);
        },
      );
      const inRange = op(w.I32_AND, op(w.F64_GE, get(integral), f64(lowest)), op(w.F64_LT, get(integral), f64(limit)));
      when(b, inRange, () => {
        const inexact = op(w.F64_NE, get(integral), value);
        returns(
          b,
          (body) => {
            body.get(integral);
            body.op(...convert);
          },
          inexact,
        );
      });
      const below = op(w.F64_LT, get(integral), f64(lowest));
      op(w.SELECT, i64(atLowest), i64(atHighest), below)(b);
      b.i32(FFLAG_NV);
    },
  };
}

/** From double; a single is promoted first, which changes no value (and whether a NaN signals does not matter here). */
export const TO_INTEGER: Record<IntegerKind, Helper> = {
  w: makeToInteger('w'),
  wu: makeToInteger('wu'),
  l: makeToInteger('l'),
  lu: makeToInteger('lu'),
};

/** 1 if the unsigned integer has more significant bits between its first and its last 1 than the precision. */
function needsRounding(magnitude: Code, precision: number): Code {
  const outside = op(w.I64_ADD, op(w.I64_CLZ, magnitude), op(w.I64_CTZ, magnitude));
  return op(w.I64_LT_U, outside, i64(BigInt(64 - precision)));
}

function pushMagnitude(b: FunctionBuilder, value: Code, signedness: 'signed' | 'unsigned'): Code {
  const magnitude = b.local(I64);
  if (signedness === 'unsigned') set(b, magnitude, value);
  else set(b, magnitude, op(w.SELECT, op(w.I64_SUB, i64(0n), value), value, op(w.I64_LT_S, value, i64(0n))));
  return get(magnitude);
}

function makeFromInteger(to: 's' | 'd', signedness: 'signed' | 'unsigned'): Helper {
  const kind = signedness === 'signed' ? 'l' : 'lu';
  const mnemonic = `fcvt.${to}.${kind}`;
  const native =
    to === 'd'
      ? { signed: w.F64_CONVERT_I64_S, unsigned: w.F64_CONVERT_I64_U }
      : { signed: w.F32_CONVERT_I64_S, unsigned: w.F32_CONVERT_I64_U };
  const width = to === 'd' ? WIDTH_D : WIDTH_S;
  return {
    name: `fp_${to}_from_${kind}`,
    params: [I64, I32],
    results: [width.type, I32],
    body: (b, call) => {
      const [value, rm] = [get(0), get(1)];
      const inexact = keep(b, I32, needsRounding(pushMagnitude(b, value, signedness), width.format.precision));
      when(b, op(w.I32_OR, op(w.I32_EQZ, inexact), op(w.I32_EQZ, rm)), () =>
        returns(b, op(native[signedness], value), inexact),
      );
      if (to === 's') slowSingle(b, call, mnemonic, rm, value);
      else {
        const flags = b.local(I32);
        callSlowPath(call, mnemonic, rm, [value])(b);
        b.set(flags);
        b.op(w.F64_REINTERPRET_I64);
        b.get(flags);
      }
    },
  };
}

export const FROM_INTEGER = {
  s: { signed: makeFromInteger('s', 'signed'), unsigned: makeFromInteger('s', 'unsigned') },
  d: { signed: makeFromInteger('d', 'signed'), unsigned: makeFromInteger('d', 'unsigned') },
} as const;

/** fcvt.s.d */
export const NARROW: Helper = {
  name: 'fp_narrow',
  params: [F64, I32],
  results: [F32, I32],
  body: (b, call) => {
    const [value, rm] = [get(0), get(1)];
    when(b, isNan(WIDTH_D, value), () =>
      returns(b, canonicalNan(WIDTH_S), op(w.I32_MUL, isSignaling(WIDTH_D, value), i32(FFLAG_NV))),
    );
    const exact = op(w.F64_EQ, promote(op(w.F32_DEMOTE_F64, value)), value);
    when(b, op(w.I32_OR, exact, op(w.I32_EQZ, rm)), () => {
      value(b);
      call(ROUND_TO_SINGLE);
      b.op(w.RETURN);
    });
    slowSingle(b, call, 'fcvt.s.d', rm, WIDTH_D.register(value));
  },
};

/** The mask of fclass from a format's bits. */
function makeClass(width: typeof WIDTH_S): Helper {
  const value = get(0);
  return {
    name: `fp_class_${width.suffix}`,
    params: [width.type],
    results: [I64],
    body: (b) => {
      when(b, isNan(width, value), () =>
        returns(b, op(w.SELECT, i64(1n << 8n), i64(1n << 9n), isSignaling(width, value))),
      );
      const smallestNormal = width.constant(2 ** width.format.minExponent);
      const magnitude = op(width.abs, value);
      // 0 infinite, 1 normal, 2 subnormal, 3 zero: the order of the mask for negative numbers; positive ones mirror it.
      const belowNormal = op(w.I32_ADD, op(width.lt, magnitude, smallestNormal), isZero(width, value));
      const kind = op(w.I32_ADD, op(width.lt, magnitude, width.constant(Infinity)), belowNormal);
      const negative = op(width.lt, op(COPYSIGN[width.suffix], width.constant(1), value), width.constant(0));
      const position = op(w.I32_XOR, kind, op(w.I32_MUL, op(w.I32_EQZ, negative), i32(7)));
      op(w.I64_SHL, i64(1n), op(w.I64_EXTEND_I32_U, position))(b);
    },
  };
}

const COPYSIGN = { s: w.F32_COPYSIGN, d: w.F64_COPYSIGN } as const;

export const CLASS_S: Helper = makeClass(WIDTH_S);
export const CLASS_D: Helper = makeClass(WIDTH_D);
