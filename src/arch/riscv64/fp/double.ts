import type { FunctionBuilder } from '../../wasm/function-builder.ts';
import * as w from '../../wasm/opcodes.ts';
import { F64, I32 } from '../../wasm/opcodes.ts';
import type { Helper } from '../semantics/emit.ts';
import { type Code, f64, get, i32, keep, op, returns, when } from './code.ts';
import { biasedExponent, productIsInexact, twoSumError } from './error-free.ts';
import { FFLAG_DZ, FFLAG_NX, FFLAG_OF, FFLAG_UF } from './format.ts';
import { NAN_D } from './nan.ts';
import { callSlowPath } from './slow-path.ts';
import { isInfinite, isNan, isSafelyNormal, isZero, WIDTH_D } from './width.ts';

/**
 * Double-precision add, mul, div and sqrt in WebAssembly: (operands, rm) -> (value, fflags).
 *
 * Invariants:
 *  1 The native operation rounds to nearest even, so its value is right whenever rm is RNE; what a helper adds is the
 *    flags. Any other mode, and results or operands where the test below it does not hold, take the slow path.
 *  2 Inexactness is decided without error: by the error term of TwoSum, or by counting significand bits of a product.
 */
const D = WIDTH_D;
export type Call = (helper: Helper) => void;

/** Ends a helper with the reference's answer. */
export function slowDouble(b: FunctionBuilder, call: Call, mnemonic: string, rm: Code, ...operands: Code[]): void {
  const flags = b.local(I32);
  callSlowPath(call, mnemonic, rm, operands.map(D.register))(b);
  b.set(flags);
  b.op(w.F64_REINTERPRET_I64);
  b.get(flags);
}

export function returnNan(b: FunctionBuilder, call: Call, helper: Helper, ...operands: Code[]): void {
  for (const operand of operands) operand(b);
  call(helper);
  b.op(w.RETURN);
}

function bothNormal(x: Code, y: Code): Code {
  const isNotSubnormal = (value: Code): Code => op(w.I32_NE, biasedExponent(value), i32(0));
  return op(w.I32_AND, isNotSubnormal(x), isNotSubnormal(y));
}

const OVERFLOW = i32(FFLAG_OF | FFLAG_NX);
const UNDERFLOW = i32(FFLAG_UF | FFLAG_NX);
const NONE = i32(0);

/** 1 only if the sum is x + y without rounding, and finite; not wherever it is so. */
export function isExactSum(b: FunctionBuilder, sum: Code, x: Code, y: Code): Code {
  const error = twoSumError(b, sum, x, y);
  return op(w.I32_AND, op(w.F64_LT, op(w.F64_ABS, sum), f64(2 ** 1023)), op(w.F64_EQ, error, f64(0)));
}

/** The same of a product. */
export function isExactProduct(_b: FunctionBuilder, product: Code, x: Code, y: Code): Code {
  const normal = op(w.I32_AND, isSafelyNormal(D, product), bothNormal(x, y));
  return op(w.I32_AND, normal, op(w.I32_EQZ, productIsInexact(product, x, y)));
}

export const ADD_D: Helper = {
  name: 'fp_add_d',
  params: [F64, F64, I32],
  results: [F64, I32],
  body: (b, call) => {
    const [x, y, rm] = [get(0), get(1), get(2)];
    const sum = keep(b, F64, op(w.F64_ADD, x, y));
    when(b, op(w.I32_EQZ, rm), () => {
      // Below 2^1023 no intermediate of TwoSum overflows. A sum that is subnormal is exact: no UF.
      when(b, op(w.F64_LT, op(w.F64_ABS, sum), f64(2 ** 1023)), () => {
        const error = twoSumError(b, sum, x, y);
        returns(b, sum, op(w.F64_NE, error, f64(0)));
      });
      when(b, isNan(D, sum), () => returnNan(b, call, NAN_D.nan2, x, y));
      when(b, op(w.I32_OR, isInfinite(D, x), isInfinite(D, y)), () => returns(b, sum, NONE));
    });
    slowDouble(b, call, 'fadd.d', rm, x, y);
  },
};

export const MUL_D: Helper = {
  name: 'fp_mul_d',
  params: [F64, F64, I32],
  results: [F64, I32],
  body: (b, call) => {
    const [x, y, rm] = [get(0), get(1), get(2)];
    const product = keep(b, F64, op(w.F64_MUL, x, y));
    when(b, op(w.I32_EQZ, rm), () => {
      when(
        b,
        isSafelyNormal(D, product),
        () => when(b, bothNormal(x, y), () => returns(b, product, productIsInexact(product, x, y))),
        () => {
          when(b, isNan(D, product), () => returnNan(b, call, NAN_D.nan2, x, y));
          when(b, isInfinite(D, product), () => {
            const exact = op(w.I32_OR, isInfinite(D, x), isInfinite(D, y));
            returns(b, product, op(w.SELECT, NONE, OVERFLOW, exact));
          });
          when(b, isZero(D, product), () => {
            const exact = op(w.I32_OR, isZero(D, x), isZero(D, y));
            returns(b, product, op(w.SELECT, NONE, UNDERFLOW, exact));
          });
        },
      );
    });
    slowDouble(b, call, 'fmul.d', rm, x, y);
  },
};

export const DIV_D: Helper = {
  name: 'fp_div_d',
  params: [F64, F64, I32],
  results: [F64, I32],
  body: (b, call) => {
    const [x, y, rm] = [get(0), get(1), get(2)];
    const quotient = keep(b, F64, op(w.F64_DIV, x, y));
    when(b, op(w.I32_EQZ, rm), () => {
      when(
        b,
        isSafelyNormal(D, quotient),
        () =>
          when(b, bothNormal(x, y), () => {
            // Exact if and only if quotient * y is x without rounding.
            const differs = op(w.F64_NE, op(w.F64_MUL, quotient, y), x);
            returns(b, quotient, op(w.I32_OR, differs, productIsInexact(x, quotient, y)));
          }),
        () => {
          when(b, isNan(D, quotient), () => returnNan(b, call, NAN_D.nan2, x, y));
          when(b, isInfinite(D, quotient), () => {
            const byZero = op(w.SELECT, i32(FFLAG_DZ), OVERFLOW, isZero(D, y));
            returns(b, quotient, op(w.SELECT, NONE, byZero, isInfinite(D, x)));
          });
          when(b, isZero(D, quotient), () => {
            const exact = op(w.I32_OR, isZero(D, x), isInfinite(D, y));
            returns(b, quotient, op(w.SELECT, NONE, UNDERFLOW, exact));
          });
        },
      );
    });
    slowDouble(b, call, 'fdiv.d', rm, x, y);
  },
};

export const SQRT_D: Helper = {
  name: 'fp_sqrt_d',
  params: [F64, I32],
  results: [F64, I32],
  body: (b, call) => {
    const [x, rm] = [get(0), get(1)];
    const root = keep(b, F64, op(w.F64_SQRT, x));
    when(b, isNan(D, root), () => returnNan(b, call, NAN_D.nan2, x, x));
    when(b, op(w.I32_OR, isZero(D, x), isInfinite(D, x)), () => returns(b, root, NONE));
    when(b, op(w.I32_AND, op(w.I32_EQZ, rm), op(w.I32_NE, biasedExponent(x), i32(0))), () => {
      const differs = op(w.F64_NE, op(w.F64_MUL, root, root), x);
      returns(b, root, op(w.I32_OR, differs, productIsInexact(x, root, root)));
    });
    slowDouble(b, call, 'fsqrt.d', rm, x);
  },
};
