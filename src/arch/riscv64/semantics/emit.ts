import type { FunctionBuilder } from '../../wasm/function-builder.ts';
import type { ValueType } from '../../wasm/opcodes.ts';

/**
 * What the semantics of an instruction is written against. An instruction's semantics is ONE closure `(c) => void` that
 * writes WebAssembly through `c`; the interpreter runs it with operands that are read from a predecoded entry, a
 * translator would run the same closure with constant operands.
 *
 * Rules for a closure
 *  1 `c.b` is the WebAssembly stack machine: operands first, then the op. Every closure leaves the stack as it found it.
 *  2 Register reads push, writes take a closure that pushes the value: `c.setX(() => { c.x1(); c.x2(); c.b.op(I64_ADD); })`.
 *    The closure of a write runs exactly once, in place. x0 as a destination is dealt with below this interface.
 *  3 All operands are read before the destination is written (rd may be rs1), and everything that can trap
 *    (`load`, `store`, `atomicAddress`, `illegalIf`, `roundingMode`) comes before the first write to a register or to
 *    fcsr: that is what makes traps precise.
 *  4 Scratch locals come from `c.b.local(type)` and go back with `c.b.release(...)`; they hold no value across closures.
 *  5 At most one of `branchIf`, `jump`, `jumpTo`, `trap`, and it comes last.
 *  6 Blocks that the closure opens it also ends. Labels of other code are out of reach; leave through the verbs here.
 */
export interface Emitter {
  readonly b: FunctionBuilder;
  /** 'ample': the code runs often, and longer code that saves a call is worth it. */
  readonly room: 'tight' | 'ample';

  /** Pushes x[rs1], x[rs2] as i64. */
  x1(): void;
  x2(): void;
  /** Pushes their low 32 bits as i32. */
  x1w(): void;
  x2w(): void;
  /** x[rd] = the i64 that `value` pushes. */
  setX(value: () => void): void;
  /** x[rd] = the sign-extended i32 that `value` pushes. */
  setXw(value: () => void): void;

  /** Pushes the raw 64 bits of f[rs1], f[rs2], f[rs3] as i64: NaN boxes are the caller's to check. */
  f1(): void;
  f2(): void;
  f3(): void;
  /** Pushes the same 64 bits reinterpreted as f64. */
  f1d(): void;
  f2d(): void;
  f3d(): void;
  /** Pushes the low 32 bits as i32; the box is not looked at. */
  f1w(): void;
  f2w(): void;
  f3w(): void;
  /** f[rd] = the raw i64 that `value` pushes. */
  setF(value: () => void): void;
  /** f[rd] = the f64 that `value` pushes, bits kept. */
  setFd(value: () => void): void;
  /** f[rd] = the NaN-boxed single whose 32 bits `value` pushes as i32. */
  setFs(value: () => void): void;

  /** Pushes fcsr as i32: fflags in bits 0..4 (NX UF OF DZ NV from bit 0), frm in bits 5..7. */
  fcsr(): void;
  /** fcsr = the i32 that `value` pushes (already masked to 8 bits). */
  setFcsr(value: () => void): void;
  /** fflags |= the i32 that `flags` pushes. */
  raiseFlags(flags: () => void): void;
  /**
   * Pushes the rounding mode in force as i32, 0..4 (RNE RTZ RDN RUP RMM): the instruction's rm field, or frm if that is DYN.
   * An invalid one leaves with an illegal-instruction trap.
   */
  roundingMode(): void;
  /** Pushes the rm field xor 7 as i32: 0 where it is DYN. */
  rmField(): void;

  /** Pushes the immediate (sign-extended; shift amounts and zimm zero-extended) as i64 or i32. */
  imm(): void;
  immw(): void;
  /** Pushes the address of this instruction, and of the one behind it, as i64. */
  pc(): void;
  nextPc(): void;

  /**
   * Pushes the value at the virtual address that `address` pushes (i64), with the load opcode (I64_LOAD8_S, I32_LOAD ...).
   * Any alignment. Leaves with a page fault.
   */
  load(opcode: number, bytes: 1 | 2 | 4 | 8, address: () => void): void;
  /** Stores the low `bytes` of the i64 that `value` pushes. Any alignment; nothing is written if any byte faults. */
  store(bytes: 1 | 2 | 4 | 8, address: () => void, value: () => void): void;
  /**
   * Pushes the offset in linear memory (i32) of the naturally aligned cell at x[rs1], after checking that it may be
   * `access`ed; leaves with TRAP_MISALIGNED or a page fault. The cell may be loaded and stored at once with plain ops.
   */
  atomicAddress(bytes: 4 | 8, access: 'read' | 'write'): void;
  /** The load reservation: pushes the offset that is reserved as i32 (-1 none), sets it. */
  reservation(): void;
  setReservation(offset: () => void): void;

  /** Goes to pc + imm if the i32 that `condition` pushes is not 0. */
  branchIf(condition: () => void): void;
  /** x[rd] = nextPc; goes to pc + imm. */
  jump(): void;
  /** Goes to the i64 that `target` pushes, bit 0 cleared, and sets x[rd] = nextPc after `target` was evaluated. */
  jumpTo(target: () => void): void;
  /** Leaves with a trap on this instruction, which does not retire. */
  trap(kind: 'syscall' | 'breakpoint' | 'illegal'): void;
  /** Pops an i32; leaves with an illegal-instruction trap if it is not 0. */
  illegalIf(): void;

  /** Pushes the counters as i64. cycle = instret; time is in nanoseconds (see cpu.ts). */
  instret(): void;
  time(): void;

  /** Calls a helper with what is on the stack; it is put into the module on first use. */
  call(helper: Helper): void;
}

export type Semantics = (c: Emitter) => void;

/**
 * A function of the generated module that is too long to be in line (software floating point). `name` is unique.
 * `body` writes it: parameters are locals 0.., results are left on the stack, and it may call other helpers through `call`.
 * `body` null is the import `env.<name>`, one of FP_IMPORTS.
 */
export interface Helper {
  readonly name: string;
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly body: ((b: FunctionBuilder, call: (helper: Helper) => void) => void) | null;
}
