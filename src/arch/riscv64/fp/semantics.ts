import type { FunctionBuilder } from '../../wasm/function-builder.ts';
import * as w from '../../wasm/opcodes.ts';
import { F32, F64, I32, I64 } from '../../wasm/opcodes.ts';
import type { Emitter, Helper, Semantics } from '../semantics/emit.ts';
import { type Code, i32, i64, op, scope, when } from './code.ts';
import { CLASS_D, CLASS_S, FROM_INTEGER, NARROW, TO_INTEGER } from './convert.ts';
import { ADD_D, DIV_D, isExactProduct, isExactSum, MUL_D, SQRT_D } from './double.ts';
import { FMA_D, RNE_WITHOUT_NX } from './double-fused.ts';
import { FFLAG_NV } from './format.ts';
import { NAN_D, NAN_S } from './nan.ts';
import { ADD_S, DIV_S, FMA_S, MUL_S, promote, SQRT_S } from './single.ts';
import type { IntegerKind } from './softfloat-convert.ts';
import {
  BOX,
  canonicalNan,
  isFiniteNumber,
  isNan,
  isSafelyNormal,
  isSignaling,
  WIDTH_D,
  WIDTH_S,
  type Width,
} from './width.ts';

/**
 * The emitters of every F and D instruction but loads and stores, by mnemonic.
 *
 * Invariants:
 *  1 Arithmetic stays in line where a helper could tell nothing new: rm is DYN, frm is RNE, NX is already set (so
 *    inexactness need not be known) and the native result cannot have raised another flag.
 *  2 Otherwise a helper gives (value, fflags); it takes the slow path only where its header says so.
 *  3 A reserved rounding mode traps before anything is written (rule 3 of semantics/emit.ts).
 */
type Local = (type: w.ValueType, value: Code) => Code;

/** fcsr's frm and NX. Together with rmField 0 (DYN) they read 1 where invariant 1 asks nothing more. */
const FRM_AND_NX = 0xe1;
const FRM = 0xe0;

function isPlainRounding(c: Emitter): Code {
  return op(
    w.I32_EQ,
    op(
      w.I32_OR,
      op(w.I32_AND, () => c.fcsr(), i32(FRM_AND_NX)),
      () => c.rmField(),
    ),
    i32(1),
  );
}

/** The instruction's rm is DYN and frm is RNE. */
function isNearest(c: Emitter): Code {
  return op(
    w.I32_EQZ,
    op(
      w.I32_OR,
      op(w.I32_AND, () => c.fcsr(), i32(FRM)),
      () => c.rmField(),
    ),
  );
}

/** f[rs1], f[rs2] or f[rs3] in a local, unboxed: a single that is not NaN-boxed reads as the canonical NaN. */
function operand(c: Emitter, local: Local, width: Width, which: 1 | 2 | 3): Code {
  if (width.suffix === 'd') return local(F64, () => [c.f1d, c.f2d, c.f3d][which - 1].call(c));
  return local(F32, op(w.F32_REINTERPRET_I32, singleBits(c, local, which)));
}

function singleBits(c: Emitter, local: Local, which: 1 | 2 | 3): Code {
  const whole = local(I64, () => [c.f1, c.f2, c.f3][which - 1].call(c));
  const boxed = op(w.I64_GE_U, whole, i64(BOX));
  return local(I32, op(w.SELECT, op(w.I32_WRAP_I64, whole), i32(Number(WIDTH_S.format.canonicalNan)), boxed));
}

function setResult(c: Emitter, width: Width, value: Code): void {
  if (width.suffix === 'd') c.setFd(() => value(c.b));
  else c.setFs(() => op(w.I32_REINTERPRET_F32, value)(c.b));
}

/** Calls a helper that gives (value, fflags), and writes both. */
function setFromHelper(c: Emitter, local: Local, width: Width, helper: Helper, operands: readonly Code[]): void {
  const { value, flags } = callHelper(c, local, width.type, helper, operands);
  setResult(c, width, value);
  c.raiseFlags(() => flags(c.b));
}

function callHelper(
  c: Emitter,
  local: Local,
  type: w.ValueType,
  helper: Helper,
  operands: readonly Code[],
): { value: Code; flags: Code } {
  for (const push of operands) push(c.b);
  c.call(helper);
  // Both results are on the stack, the flags on top.
  const flags = local(I32, () => {});
  const value = local(type, () => {});
  return { value, flags };
}

interface Binary {
  readonly native: number;
  readonly helper: Helper;
  /** Where the native result has raised nothing but NX. */
  readonly isSafe: (width: Width, value: Code) => Code;
  /** 1 where the native result is not rounded and raises nothing. */
  readonly isExact?: (b: FunctionBuilder, value: Code, x: Code, y: Code) => Code;
  /** The helper wants the second operand negated. */
  readonly negates?: 'second';
}

function binary(width: Width, { native, helper, isSafe, isExact, negates }: Binary): Semantics {
  return (c) =>
    scope(c.b, (local) => {
      const x = operand(c, local, width, 1);
      const y = operand(c, local, width, 2);
      const result = local(width.type, op(native, x, y));
      when(
        c.b,
        op(w.I32_AND, isPlainRounding(c), isSafe(width, result)),
        () => setResult(c, width, result),
        () => {
          const second = negates === 'second' ? op(width.neg, y) : y;
          const help = (): void => setFromHelper(c, local, width, helper, [x, second, () => c.roundingMode()]);
          if (isExact === undefined || c.room === 'tight') help();
          else {
            const exact = isExact(c.b, result, x, second);
            when(c.b, op(w.I32_AND, isNearest(c), exact), () => setResult(c, width, result), help);
          }
        },
      );
    });
}

function squareRoot(width: Width, helper: Helper): Semantics {
  return (c) =>
    scope(c.b, (local) => {
      const x = operand(c, local, width, 1);
      const result = local(width.type, op(width.sqrt, x));
      when(
        c.b,
        op(w.I32_AND, isPlainRounding(c), isFiniteNumber(width, result)),
        () => setResult(c, width, result),
        () => setFromHelper(c, local, width, helper, [x, () => c.roundingMode()]),
      );
    });
}

/** Signs of the product and of the addend: what tells fmadd, fmsub, fnmsub and fnmadd apart. */
type Signs = readonly [product: '+' | '-', addend: '+' | '-'];

/** A NaN's sign does not matter, as results are canonical. */
function readFused(c: Emitter, local: Local, width: Width, [product, addend]: Signs): Code[] {
  const withSign = (sign: '+' | '-', value: Code): Code => (sign === '-' ? op(width.neg, value) : value);
  return [
    withSign(product, operand(c, local, width, 1)),
    operand(c, local, width, 2),
    withSign(addend, operand(c, local, width, 3)),
  ];
}

function fusedDouble(signs: Signs): Semantics {
  return (c) =>
    scope(c.b, (local) => {
      const mode: Code = (b) => {
        isPlainRounding(c)(b);
        b.if(I32);
        b.i32(RNE_WITHOUT_NX);
        b.else();
        c.roundingMode();
        b.end();
      };
      setFromHelper(c, local, WIDTH_D, FMA_D, [...readFused(c, local, WIDTH_D, signs), mode]);
    });
}

/**
 * In double precision the product is exact and the sum rounded once. Rounding it again to single is right unless the sum
 * lies on a midpoint of two singles: the first rounding may reach a midpoint but not cross it.
 */
function fusedSingle(signs: Signs): Semantics {
  const BELOW_SINGLE = (1n << 29n) - 1n; // the fraction bits that a normal single does not have
  const MIDPOINT = 1n << 28n;
  return (c) =>
    scope(c.b, (local) => {
      const [x, y, z] = readFused(c, local, WIDTH_S, signs).map((read) => local(F32, read));
      const sum = local(F64, op(w.F64_ADD, op(w.F64_MUL, promote(x), promote(y)), promote(z)));
      const result = local(F32, op(w.F32_DEMOTE_F64, sum));
      const isMidpoint = op(w.I64_EQ, op(w.I64_AND, op(w.I64_REINTERPRET_F64, sum), i64(BELOW_SINGLE)), i64(MIDPOINT));
      const isSafe = op(w.I32_AND, isSafelyNormal(WIDTH_S, result), op(w.I32_EQZ, isMidpoint));
      when(
        c.b,
        op(w.I32_AND, isPlainRounding(c), isSafe),
        () => setResult(c, WIDTH_S, result),
        () => setFromHelper(c, local, WIDTH_S, FMA_S, [x, y, z, () => c.roundingMode()]),
      );
    });
}

type Injection = 'copy' | 'negate' | 'xor';

function signInjection(width: Width, kind: Injection): Semantics {
  const { signBit } = width.format;
  const [and, or, xor] = width.suffix === 'd' ? [w.I64_AND, w.I64_OR, w.I64_XOR] : [w.I32_AND, w.I32_OR, w.I32_XOR];
  const sign = width.bitsConstant(signBit);
  const magnitude = width.bitsConstant(signBit - 1n);
  const injected = (x: Code, y: Code): Code => {
    if (kind === 'xor') return op(xor, x, op(and, y, sign));
    const source = kind === 'copy' ? y : op(xor, y, sign);
    return op(or, op(and, x, magnitude), op(and, source, sign));
  };
  if (width.suffix === 's') {
    return (c) =>
      scope(c.b, (local) => {
        const bits = injected(singleBits(c, local, 1), singleBits(c, local, 2));
        c.setFs(() => bits(c.b));
      });
  }
  return (c) =>
    c.setF(() =>
      injected(
        () => c.f1(),
        () => c.f2(),
      )(c.b),
    );
}

function minMax(width: Width, native: number, nanHelper: Helper): Semantics {
  return (c) =>
    scope(c.b, (local) => {
      const x = operand(c, local, width, 1);
      const y = operand(c, local, width, 2);
      const result = local(width.type, op(native, x, y));
      when(
        c.b,
        op(width.eq, result, result),
        () => setResult(c, width, result),
        () => setFromHelper(c, local, width, nanHelper, [x, y]),
      );
    });
}

/** feq is quiet; flt and fle raise NV on any NaN. */
function compare(width: Width, native: number, onNan: 'quiet' | 'signaling', signalingFlags: Helper): Semantics {
  return (c) =>
    scope(c.b, (local) => {
      const x = operand(c, local, width, 1);
      const y = operand(c, local, width, 2);
      c.setX(() => op(w.I64_EXTEND_I32_U, op(native, x, y))(c.b));
      when(c.b, op(w.I32_OR, isNan(width, x), isNan(width, y)), () =>
        c.raiseFlags(() => {
          if (onNan === 'signaling') c.b.i32(FFLAG_NV);
          else {
            x(c.b);
            y(c.b);
            c.call(signalingFlags);
          }
        }),
      );
    });
}

function classify(width: Width, helper: Helper): Semantics {
  return (c) =>
    scope(c.b, (local) => {
      const x = operand(c, local, width, 1);
      c.setX(() => {
        x(c.b);
        c.call(helper);
      });
    });
}

function toInteger(width: Width, kind: IntegerKind): Semantics {
  return (c) =>
    scope(c.b, (local) => {
      const x = operand(c, local, width, 1);
      const double = width.suffix === 'd' ? x : promote(x);
      const { value, flags } = callHelper(c, local, I64, TO_INTEGER[kind], [double, () => c.roundingMode()]);
      c.setX(() => value(c.b));
      c.raiseFlags(() => flags(c.b));
    });
}

/** The register's integer as i64. */
function integerOperand(c: Emitter, kind: IntegerKind): Code {
  if (kind === 'w') return op(w.I64_EXTEND_I32_S, () => c.x1w());
  if (kind === 'wu') return op(w.I64_EXTEND_I32_U, () => c.x1w());
  return () => c.x1();
}

function fromInteger(width: Width, kind: IntegerKind): Semantics {
  const isWord = kind === 'w' || kind === 'wu';
  const signedness = kind === 'w' || kind === 'l' ? 'signed' : 'unsigned';
  if (isWord && width.suffix === 'd') {
    // Exact. A reserved rounding mode is illegal all the same.
    return (c) => {
      c.roundingMode();
      c.b.op(w.DROP);
      c.setFd(() => op(w.F64_CONVERT_I64_S, integerOperand(c, kind))(c.b));
    };
  }
  const helper = FROM_INTEGER[width.suffix][signedness];
  return (c) =>
    scope(c.b, (local) => setFromHelper(c, local, width, helper, [integerOperand(c, kind), () => c.roundingMode()]));
}

const narrow: Semantics = (c) =>
  scope(c.b, (local) => {
    const x = operand(c, local, WIDTH_D, 1);
    const result = local(F32, op(w.F32_DEMOTE_F64, x));
    when(
      c.b,
      op(w.I32_AND, isPlainRounding(c), isSafelyNormal(WIDTH_S, result)),
      () => setResult(c, WIDTH_S, result),
      () => setFromHelper(c, local, WIDTH_S, NARROW, [x, () => c.roundingMode()]),
    );
  });

/** fcvt.d.s: exact but for NaNs. */
const widen: Semantics = (c) =>
  scope(c.b, (local) => {
    c.roundingMode();
    c.b.op(w.DROP);
    const x = operand(c, local, WIDTH_S, 1);
    when(
      c.b,
      isNan(WIDTH_S, x),
      () => {
        c.setFd(() => canonicalNan(WIDTH_D)(c.b));
        c.raiseFlags(() => op(w.I32_MUL, isSignaling(WIDTH_S, x), i32(FFLAG_NV))(c.b));
      },
      () => c.setFd(() => promote(x)(c.b)),
    );
  });

function formatSemantics(width: Width): [string, Semantics][] {
  const s = width.suffix;
  const isDouble = s === 'd';
  const nan = isDouble ? NAN_D : NAN_S;
  const fused = isDouble ? fusedDouble : fusedSingle;
  const add = isDouble ? ADD_D : ADD_S;
  const isExactAdd = isDouble ? isExactSum : undefined;
  return [
    [`fadd.${s}`, binary(width, { native: width.add, helper: add, isSafe: isFiniteNumber, isExact: isExactAdd })],
    [
      `fsub.${s}`,
      binary(width, { native: width.sub, helper: add, isSafe: isFiniteNumber, isExact: isExactAdd, negates: 'second' }),
    ],
    [
      `fmul.${s}`,
      binary(width, {
        native: width.mul,
        helper: isDouble ? MUL_D : MUL_S,
        isSafe: isSafelyNormal,
        isExact: isDouble ? isExactProduct : undefined,
      }),
    ],
    [`fdiv.${s}`, binary(width, { native: width.div, helper: isDouble ? DIV_D : DIV_S, isSafe: isSafelyNormal })],
    [`fsqrt.${s}`, squareRoot(width, isDouble ? SQRT_D : SQRT_S)],
    [`fmadd.${s}`, fused(['+', '+'])],
    [`fmsub.${s}`, fused(['+', '-'])],
    [`fnmsub.${s}`, fused(['-', '+'])],
    [`fnmadd.${s}`, fused(['-', '-'])],
    [`fsgnj.${s}`, signInjection(width, 'copy')],
    [`fsgnjn.${s}`, signInjection(width, 'negate')],
    [`fsgnjx.${s}`, signInjection(width, 'xor')],
    [`fmin.${s}`, minMax(width, width.min, nan.minMaxNan)],
    [`fmax.${s}`, minMax(width, width.max, nan.minMaxNan)],
    [`feq.${s}`, compare(width, width.eq, 'quiet', nan.signalingFlags)],
    [`flt.${s}`, compare(width, width.lt, 'signaling', nan.signalingFlags)],
    [`fle.${s}`, compare(width, width.le, 'signaling', nan.signalingFlags)],
    [`fclass.${s}`, classify(width, isDouble ? CLASS_D : CLASS_S)],
    ...KINDS.map((kind): [string, Semantics] => [`fcvt.${kind}.${s}`, toInteger(width, kind)]),
    ...KINDS.map((kind): [string, Semantics] => [`fcvt.${s}.${kind}`, fromInteger(width, kind)]),
  ];
}

const KINDS: readonly IntegerKind[] = ['w', 'wu', 'l', 'lu'];

/** Every mnemonic of FP_MNEMONICS (reference.ts) has its emitter here. */
export const FP_SEMANTICS: ReadonlyMap<string, Semantics> = new Map<string, Semantics>([
  ...formatSemantics(WIDTH_S),
  ...formatSemantics(WIDTH_D),
  ['fcvt.s.d', narrow],
  ['fcvt.d.s', widen],
  ['fmv.x.w', (c) => c.setXw(() => c.f1w())],
  ['fmv.w.x', (c) => c.setFs(() => c.x1w())],
  ['fmv.x.d', (c) => c.setX(() => c.f1())],
  ['fmv.d.x', (c) => c.setF(() => c.x1())],
]);
