import { panic } from '../../../base/assert.ts';
import { DOUBLE, type FpFormat, HALF, SINGLE } from './format.ts';
import { type FpResult, fpAdd, fpDiv, fpMul, fpMulAdd, fpSqrt, fpSub } from './softfloat.ts';
import type { IntegerKind } from './softfloat-convert.ts';
import { fpClass, fpCompare, fpConvert, fpFromInteger, fpMinMax, fpToInteger } from './softfloat-convert.ts';

/**
 * Every F, D and Zfh instruction but loads and stores, on whole 64-bit registers: NaN boxing in, NaN boxing out.
 * What is always true: this is the definition that the emitters (semantics.ts) must agree with, bit for bit, flags included;
 * it calls only softfloat.
 */

/** What stands above a narrower value in a 64-bit register: all ones; anything else reads as the canonical NaN. */
function boxOf(format: FpFormat): bigint {
  return (1n << 64n) - (1n << BigInt(format.width));
}

function unbox(format: FpFormat, register: bigint): bigint {
  if (format.width === 64) return register;
  const ones = boxOf(format);
  return (register & ones) === ones ? register & ~ones : format.canonicalNan;
}

export function box(format: FpFormat, bits: bigint): bigint {
  return format.width === 64 ? bits : bits | boxOf(format);
}

type Operation = (rm: number, a: bigint, b: bigint, c: bigint) => FpResult;

function arithmetic(f: FpFormat, s: 'h' | 's' | 'd'): [string, Operation][] {
  const boxed = (result: FpResult): FpResult => ({ bits: box(f, result.bits), flags: result.flags });
  const in1 = (register: bigint): bigint => unbox(f, register);
  const sign = f.signBit;
  const magnitude = sign - 1n;
  const withSign = (a: bigint, signBits: bigint): FpResult => ({
    bits: box(f, (in1(a) & magnitude) | (signBits & sign)),
    flags: 0,
  });
  const mulAdd = (rm: number, a: bigint, b: bigint, c: bigint, productSign: bigint, addendSign: bigint): FpResult =>
    boxed(fpMulAdd(f, in1(a) ^ productSign, in1(b), in1(c) ^ addendSign, rm));
  return [
    [`fadd.${s}`, (rm, a, b) => boxed(fpAdd(f, in1(a), in1(b), rm))],
    [`fsub.${s}`, (rm, a, b) => boxed(fpSub(f, in1(a), in1(b), rm))],
    [`fmul.${s}`, (rm, a, b) => boxed(fpMul(f, in1(a), in1(b), rm))],
    [`fdiv.${s}`, (rm, a, b) => boxed(fpDiv(f, in1(a), in1(b), rm))],
    [`fsqrt.${s}`, (rm, a) => boxed(fpSqrt(f, in1(a), rm))],
    [`fmadd.${s}`, (rm, a, b, c) => mulAdd(rm, a, b, c, 0n, 0n)],
    [`fmsub.${s}`, (rm, a, b, c) => mulAdd(rm, a, b, c, 0n, sign)],
    [`fnmsub.${s}`, (rm, a, b, c) => mulAdd(rm, a, b, c, sign, 0n)],
    [`fnmadd.${s}`, (rm, a, b, c) => mulAdd(rm, a, b, c, sign, sign)],
    [`fsgnj.${s}`, (_rm, a, b) => withSign(a, in1(b))],
    [`fsgnjn.${s}`, (_rm, a, b) => withSign(a, ~in1(b))],
    [`fsgnjx.${s}`, (_rm, a, b) => withSign(a, in1(a) ^ in1(b))],
    [`fmin.${s}`, (_rm, a, b) => boxed(fpMinMax(f, in1(a), in1(b), 'min'))],
    [`fmax.${s}`, (_rm, a, b) => boxed(fpMinMax(f, in1(a), in1(b), 'max'))],
    [`feq.${s}`, (_rm, a, b) => fpCompare(f, in1(a), in1(b), 'eq')],
    [`flt.${s}`, (_rm, a, b) => fpCompare(f, in1(a), in1(b), 'lt')],
    [`fle.${s}`, (_rm, a, b) => fpCompare(f, in1(a), in1(b), 'le')],
    [`fclass.${s}`, (_rm, a) => ({ bits: fpClass(f, in1(a)), flags: 0 })],
    ...KINDS.map((kind): [string, Operation] => [`fcvt.${kind}.${s}`, (rm, a) => fpToInteger(f, in1(a), kind, rm)]),
    ...KINDS.map((kind): [string, Operation] => [`fcvt.${s}.${kind}`, (rm, a) => boxed(fpFromInteger(f, a, kind, rm))]),
  ];
}

const KINDS: readonly IntegerKind[] = ['w', 'wu', 'l', 'lu'];

function signExtendWord(register: bigint): bigint {
  return BigInt.asUintN(64, BigInt.asIntN(32, register));
}

/** In the order that test/riscv/fp-vectors/generate.c numbers them. */
const TABLE: readonly [string, Operation][] = [
  ...arithmetic(SINGLE, 's'),
  ['fcvt.s.d', (rm, a) => convert(SINGLE, DOUBLE)(rm, a, 0n, 0n)],
  ['fmv.x.w', (_rm, a) => ({ bits: signExtendWord(a), flags: 0 })],
  ['fmv.w.x', (_rm, a) => ({ bits: box(SINGLE, a & 0xffffffffn), flags: 0 })],
  ...arithmetic(DOUBLE, 'd'),
  ['fcvt.d.s', (rm, a) => fpConvert(DOUBLE, SINGLE, unbox(SINGLE, a), rm)],
  ['fmv.x.d', (_rm, a) => ({ bits: a, flags: 0 })],
  ['fmv.d.x', (_rm, a) => ({ bits: a, flags: 0 })],
];

/** One format to another. */
const convert =
  (to: FpFormat, from: FpFormat): Operation =>
  (rm, a) => {
    const result = fpConvert(to, from, unbox(from, a), rm);
    return { bits: box(to, result.bits), flags: result.flags };
  };

/** Zfh, numbered behind the others. */
const HALF_TABLE: readonly [string, Operation][] = [
  ...arithmetic(HALF, 'h'),
  ['fcvt.s.h', convert(SINGLE, HALF)],
  ['fcvt.h.s', convert(HALF, SINGLE)],
  ['fcvt.d.h', convert(DOUBLE, HALF)],
  ['fcvt.h.d', convert(HALF, DOUBLE)],
  ['fmv.x.h', (_rm, a) => ({ bits: BigInt.asUintN(64, BigInt.asIntN(16, a)), flags: 0 })],
  ['fmv.h.x', (_rm, a) => ({ bits: box(HALF, a & 0xffffn), flags: 0 })],
];

const ALL: readonly [string, Operation][] = [...TABLE, ...HALF_TABLE];
export const FP_OPERATION_COUNT: number = ALL.length;

/** Those of F and D. */
export const FP_MNEMONICS: readonly string[] = TABLE.map(([name]) => name);

/** The number by which the mailbox and the vectors name an instruction. */
export function fpOperationNumber(mnemonic: string): number {
  const number = ALL.findIndex(([name]) => name === mnemonic);
  if (number < 0) panic(`fp/reference.ts: no instruction ${mnemonic}`);
  return number;
}

/** `operation` is a `fpOperationNumber`; registers are 64-bit patterns; `rm` is one of the five modes. */
export function runReference(operation: number, rm: number, a: bigint, b: bigint, c: bigint): FpResult {
  return ALL[operation][1](rm, a, b, c);
}
