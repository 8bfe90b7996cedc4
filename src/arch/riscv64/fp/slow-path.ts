import {
  I32,
  I32_ADD,
  I32_SHL,
  I32_WRAP_I64,
  I64,
  I64_EXTEND_I32_U,
  I64_OR,
  I64_SHL,
  I64_SHR_U,
} from '../../wasm/opcodes.ts';
import type { Helper } from '../semantics/emit.ts';
import { type Code, get, i32, i64, op } from './code.ts';
import { FP_OPERATION_COUNT, fpOperationNumber, runReference } from './reference.ts';

/**
 * The way from generated WebAssembly to the reference arithmetic, for the few cases that no fast path proves.
 * What is always true: registers cross the boundary as i32 halves, never as BigInt; nothing is kept between two calls but
 * the high half and the flags of the last result, which the generated code fetches at once.
 */
/** (operation | rm << 8, then low and high half of a, b, c) -> low half of the result */
const IMPORT_RUN: Helper = {
  name: 'fp_slow',
  params: [I32, I32, I32, I32, I32, I32, I32],
  results: [I32],
  body: null,
};
const IMPORT_HIGH: Helper = { name: 'fp_slow_high', params: [], results: [I32], body: null };
const IMPORT_FLAGS: Helper = { name: 'fp_slow_flags', params: [], results: [I32], body: null };

/** Functions that a module which uses the emitters must import from `env`, under these names. */
export const FP_IMPORTS: readonly Helper[] = [IMPORT_RUN, IMPORT_HIGH, IMPORT_FLAGS];

/** (operation | rm << 8, a, b, c) -> (result, fflags), all registers whole and singles boxed. */
const slow: Helper = {
  name: 'fp_slow_registers',
  params: [I32, I64, I64, I64],
  results: [I64, I32],
  body: (b, call) => {
    const low = b.local(I32);
    b.get(0);
    for (const parameter of [1, 2, 3]) {
      op(I32_WRAP_I64, get(parameter))(b);
      op(I32_WRAP_I64, op(I64_SHR_U, get(parameter), i64(32n)))(b);
    }
    call(IMPORT_RUN);
    b.set(low);
    const high: Code = () => call(IMPORT_HIGH);
    op(I64_OR, op(I64_SHL, op(I64_EXTEND_I32_U, high), i64(32n)), op(I64_EXTEND_I32_U, get(low)))(b);
    call(IMPORT_FLAGS);
  },
};

/** Pushes (i64 result, i32 fflags) of the reference for `mnemonic`; `rm` pushes an i32, the operands i64 registers. */
export function callSlowPath(
  call: (helper: Helper) => void,
  mnemonic: string,
  rm: Code,
  operands: readonly Code[],
): Code {
  const number = fpOperationNumber(mnemonic);
  return (b) => {
    op(I32_ADD, op(I32_SHL, rm, i32(8)), i32(number))(b);
    for (let i = 0; i < 3; i++) (operands[i] ?? i64(0n))(b);
    call(slow);
  };
}

/** The same with what stands on the stack: (operation | rm << 8, a, b, c). Pushes (i64 result, i32 fflags). */
export function callSlowPathByNumber(call: (helper: Helper) => void): void {
  call(slow);
}

export interface FpSlowPath {
  /** The imports, by name. */
  readonly imports: Record<string, (...halves: number[]) => number>;
  /** Calls since start, by `fpOperationNumber`: what the fast paths did not cover. */
  readonly calls: Float64Array;
}

export function createFpSlowPath(): FpSlowPath {
  const calls = new Float64Array(FP_OPERATION_COUNT);
  const join = (low: number, high: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  let high = 0;
  let flags = 0;
  const run = (
    operationAndRm: number,
    a: number,
    aHigh: number,
    b: number,
    bHigh: number,
    c: number,
    cHigh: number,
  ): number => {
    const operation = operationAndRm & 0xff;
    calls[operation]++;
    const result = runReference(operation, operationAndRm >> 8, join(a, aHigh), join(b, bHigh), join(c, cHigh));
    high = Number(result.bits >> 32n);
    flags = result.flags;
    return Number(result.bits & 0xffffffffn);
  };
  return { imports: { fp_slow: run, fp_slow_high: () => high, fp_slow_flags: () => flags }, calls };
}
