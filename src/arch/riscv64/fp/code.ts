import type { FunctionBuilder } from '../../wasm/function-builder.ts';
import { RETURN, type ValueType } from '../../wasm/opcodes.ts';

// Stack-machine code written as nested expressions, so that a formula reads like one.
// What is always true: a Code writes its instructions when it is applied to a builder, and may be applied many times.

export type Code = (b: FunctionBuilder) => void;

export function op(opcode: number, ...operands: Code[]): Code {
  return (b) => {
    for (const operand of operands) operand(b);
    b.op(opcode);
  };
}

export function get(local: number): Code {
  return (b) => b.get(local);
}

export function i32(value: number): Code {
  return (b) => b.i32(value);
}

export function i64(value: bigint): Code {
  return (b) => b.i64big(value);
}

export function f64(value: number): Code {
  return (b) => b.f64(value);
}

export function f32(value: number): Code {
  return (b) => b.f32(value);
}

/** local = value */
export function set(b: FunctionBuilder, local: number, value: Code): void {
  value(b);
  b.set(local);
}

/** A new local that holds `value`. */
export function keep(b: FunctionBuilder, type: ValueType, value: Code): Code {
  const local = b.local(type);
  set(b, local, value);
  return get(local);
}

export function when(b: FunctionBuilder, condition: Code, then: () => void, otherwise?: () => void): void {
  condition(b);
  b.if();
  then();
  if (otherwise !== undefined) {
    b.else();
    otherwise();
  }
  b.end();
}

/** Leaves the function with these results. */
export function returns(b: FunctionBuilder, ...results: Code[]): void {
  for (const result of results) result(b);
  b.op(RETURN);
}

/** Runs `write` with a maker of locals that are given back at its end. */
export function scope(b: FunctionBuilder, write: (local: (type: ValueType, value: Code) => Code) => void): void {
  const taken: number[] = [];
  write((type, value) => {
    const local = b.local(type);
    taken.push(local);
    set(b, local, value);
    return get(local);
  });
  b.release(...taken);
}
