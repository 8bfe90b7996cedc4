import type { FunctionBuilder } from '../../wasm/function-builder.ts';
import * as w from '../../wasm/opcodes.ts';
import { DISCARD_REGISTER, FCSR, REGISTER_BASE } from '../layout.ts';

/** The number of fcsr among registers, which are numbered as decode.ts does. */
export const FCSR_NUMBER = 64;
const FIRST_F = 32;
const COUNT = 65;

/** The registers that a unit uses, each in a local: x as i64, f as f64, fcsr as i32. */
export class RegisterLocals {
  private readonly locals = new Int16Array(COUNT).fill(-1);
  private readonly written = new Uint8Array(COUNT);
  private readonly body: FunctionBuilder;

  constructor(body: FunctionBuilder) {
    this.body = body;
  }

  /** The local of a register, which is the unit's from then on. */
  local(register: number, access: 'read' | 'write'): number {
    if (this.locals[register] < 0) this.locals[register] = this.body.local(typeOf(register));
    if (access === 'write') this.written[register] = 1;
    return this.locals[register];
  }

  pushBits(b: FunctionBuilder, register: number): void {
    if (register === 0) {
      b.i64(0);
      return;
    }
    b.get(this.local(register, 'read'));
    if (register >= FIRST_F) b.op(w.I64_REINTERPRET_F64);
  }

  pushDouble(b: FunctionBuilder, register: number): void {
    b.get(this.local(register, 'read'));
  }

  /** Pops an i64. */
  setBits(b: FunctionBuilder, register: number): void {
    if (register === DISCARD_REGISTER) {
      b.op(w.DROP);
      return;
    }
    if (register >= FIRST_F) b.op(w.F64_REINTERPRET_I64);
    b.set(this.local(register, 'write'));
  }

  /** Pops an f64. */
  setDouble(b: FunctionBuilder, register: number): void {
    b.set(this.local(register, 'write'));
  }

  /** The register file's values into the locals. */
  load(b: FunctionBuilder): void {
    for (let register = 0; register < COUNT; register++) {
      if (this.locals[register] < 0) continue;
      b.i32(0);
      b.memory(LOADS[kindOf(register)], offsetOf(register));
      b.set(this.locals[register]);
    }
  }

  /** Locals that may have changed into the register file. */
  store(b: FunctionBuilder): void {
    for (let register = 0; register < COUNT; register++) {
      if (this.written[register] === 0) continue;
      b.i32(0);
      b.get(this.locals[register]);
      b.memory(STORES[kindOf(register)], offsetOf(register));
    }
  }
}

type Kind = 'x' | 'f' | 'fcsr';
const LOADS: Readonly<Record<Kind, number>> = { x: w.I64_LOAD, f: w.F64_LOAD, fcsr: w.I32_LOAD };
const STORES: Readonly<Record<Kind, number>> = { x: w.I64_STORE, f: w.F64_STORE, fcsr: w.I32_STORE };
const TYPES: Readonly<Record<Kind, w.ValueType>> = { x: w.I64, f: w.F64, fcsr: w.I32 };

function kindOf(register: number): Kind {
  if (register === FCSR_NUMBER) return 'fcsr';
  return register < FIRST_F ? 'x' : 'f';
}

function typeOf(register: number): w.ValueType {
  return TYPES[kindOf(register)];
}

function offsetOf(register: number): number {
  return register === FCSR_NUMBER ? FCSR : REGISTER_BASE + register * 8;
}
