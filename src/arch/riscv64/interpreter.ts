import { INSTRUCTIONS_PER_NS_LOG2 } from '../../machine/cost-model.ts';
import type { FunctionBuilder } from '../wasm/function-builder.ts';
import * as w from '../wasm/opcodes.ts';
import { goRelative, goTargetTested, leave, leaveIf, type Reach } from './interpreter-flow.ts';
import {
  EXIT_BREAKPOINT,
  EXIT_ILLEGAL,
  EXIT_MISALIGNED,
  EXIT_PAGE_FAULT,
  EXIT_SYSCALL,
  type Frame,
  pushPc,
} from './interpreter-frame.ts';
import * as at from './layout.ts';
import type { Emitter, Helper } from './semantics/emit.ts';
import type { TranslationFunctions } from './translation.ts';
import { pushIndex } from './walk.ts';

/** Emits one operation's semantics with operands read from the predecoded entry. */
export class InterpreterEmitter implements Emitter {
  readonly b: FunctionBuilder;
  readonly room = 'tight';
  private readonly f: Frame;
  private readonly functions: TranslationFunctions;
  private readonly callHelper: (b: FunctionBuilder, helper: Helper) => void;
  /** 2 or 4 */
  private readonly length: number;
  private readonly reach: Reach;
  /** The semantics went somewhere else itself. */
  left = false;

  constructor(
    frame: Frame,
    functions: TranslationFunctions,
    callHelper: (b: FunctionBuilder, helper: Helper) => void,
    length: 2 | 4,
    reach: Reach,
  ) {
    this.b = frame.b;
    this.f = frame;
    this.functions = functions;
    this.callHelper = callHelper;
    this.length = length;
    this.reach = reach;
  }

  /** Pushes the offset of the register that byte `field` of the entry names. */
  private register(field: number): void {
    this.b.get(this.f.entry);
    this.b.memory(w.I32_LOAD8_U, field);
    this.b.i32(3);
    this.b.op(w.I32_SHL);
  }

  private read(field: number, opcode: number): void {
    this.register(field);
    this.b.memory(opcode, at.REGISTER_BASE);
  }

  x1(): void {
    this.read(2, w.I64_LOAD);
  }
  x2(): void {
    this.read(3, w.I64_LOAD);
  }
  x1w(): void {
    this.read(2, w.I32_LOAD);
  }
  x2w(): void {
    this.read(3, w.I32_LOAD);
  }
  setX(value: () => void): void {
    this.register(1);
    value();
    this.b.memory(w.I64_STORE, at.REGISTER_BASE);
  }
  setXw(value: () => void): void {
    this.setX(() => {
      value();
      this.b.op(w.I64_EXTEND_I32_S);
    });
  }

  f1(): void {
    this.read(2, w.I64_LOAD);
  }
  f2(): void {
    this.read(3, w.I64_LOAD);
  }
  /** rs3 is in byte 1 of the immediate. */
  f3(): void {
    this.read(5, w.I64_LOAD);
  }
  f1d(): void {
    this.read(2, w.F64_LOAD);
  }
  f2d(): void {
    this.read(3, w.F64_LOAD);
  }
  f3d(): void {
    this.read(5, w.F64_LOAD);
  }
  f1w(): void {
    this.read(2, w.I32_LOAD);
  }
  f2w(): void {
    this.read(3, w.I32_LOAD);
  }
  f3w(): void {
    this.read(5, w.I32_LOAD);
  }
  setF(value: () => void): void {
    this.setX(value);
  }
  setFd(value: () => void): void {
    this.register(1);
    value();
    this.b.memory(w.F64_STORE, at.REGISTER_BASE);
  }
  setFs(value: () => void): void {
    this.setX(() => {
      value();
      this.b.op(w.I64_EXTEND_I32_U);
      this.b.i64big(0xffffffff00000000n);
      this.b.op(w.I64_OR);
    });
  }

  fcsr(): void {
    this.b.i32(0);
    this.b.memory(w.I32_LOAD, at.FCSR);
  }
  setFcsr(value: () => void): void {
    this.b.i32(0);
    value();
    this.b.memory(w.I32_STORE, at.FCSR);
  }
  raiseFlags(flags: () => void): void {
    this.setFcsr(() => {
      this.fcsr();
      flags();
      this.b.op(w.I32_OR);
    });
  }
  rmField(): void {
    this.b.get(this.f.entry);
    this.b.memory(w.I32_LOAD8_U, 4);
  }
  roundingMode(): void {
    const b = this.b;
    const mode = b.local(w.I32);
    this.rmField();
    b.tee(mode);
    b.if(w.I32);
    b.get(mode);
    b.i32(7);
    b.op(w.I32_XOR);
    b.else();
    this.fcsr();
    b.i32(5);
    b.op(w.I32_SHR_U);
    b.end();
    b.tee(mode);
    b.i32(4);
    b.op(w.I32_GT_U);
    this.illegalIf();
    b.get(mode);
    b.release(mode);
  }

  imm(): void {
    this.b.get(this.f.entry);
    this.b.memory(w.I64_LOAD32_S, 4);
  }
  immw(): void {
    this.b.get(this.f.entry);
    this.b.memory(w.I32_LOAD, 4);
  }
  pc(): void {
    pushPc(this.f);
  }
  nextPc(): void {
    this.pc();
    this.b.i64(this.length);
    this.b.op(w.I64_ADD);
  }

  /** Pushes the TLB entry's offset and whether it translates `va` for an aligned access of so many bytes. */
  private probe(tlb: number, bytes: number): void {
    const { b, f } = this;
    pushIndex(b, f.va, at.DATA_TLB_ENTRIES);
    b.tee(f.cell);
    b.memory(w.I64_LOAD, tlb);
    b.get(f.va);
    b.i64(-4096 | (bytes - 1));
    b.op(w.I64_AND);
    b.get(f.asidTag);
    b.op(w.I64_OR, w.I64_EQ);
  }

  private pushHit(tlb: number): void {
    const { b, f } = this;
    b.get(f.cell);
    b.memory(w.I32_LOAD, tlb + 8);
    b.get(f.va);
    b.op(w.I32_WRAP_I64, w.I32_ADD);
  }

  load(opcode: number, bytes: 1 | 2 | 4 | 8, address: () => void): void {
    const { b, f } = this;
    address();
    b.set(f.va);
    this.probe(at.READ_TLB, bytes);
    b.if(w.I32);
    this.pushHit(at.READ_TLB);
    b.else();
    b.get(f.va);
    b.i32(bytes);
    b.call(this.functions.loadSlow);
    b.tee(f.cell);
    b.i32(-1);
    b.op(w.I32_EQ);
    leaveIf(this.f, EXIT_PAGE_FAULT);
    b.get(f.cell);
    b.end();
    b.memory(opcode);
  }

  store(bytes: 1 | 2 | 4 | 8, address: () => void, value: () => void): void {
    const { b, f } = this;
    address();
    b.set(f.va);
    this.probe(at.WRITE_TLB, bytes);
    b.if();
    this.pushHit(at.WRITE_TLB);
    value();
    b.memory({ 1: w.I64_STORE8, 2: w.I64_STORE16, 4: w.I64_STORE32, 8: w.I64_STORE }[bytes]);
    b.else();
    b.get(f.va);
    b.i32(bytes);
    value();
    b.call(this.functions.storeSlow);
    leaveIf(this.f, EXIT_PAGE_FAULT);
    b.end();
  }

  atomicAddress(bytes: 4 | 8, access: 'read' | 'write'): void {
    const { b, f } = this;
    const bits = access === 'read' ? 1 : 2;
    const tlb = access === 'read' ? at.READ_TLB : at.WRITE_TLB;
    this.x1();
    b.set(f.va);
    this.probe(tlb, bytes);
    b.if(w.I32);
    this.pushHit(tlb);
    b.else();
    b.get(f.va);
    b.op(w.I32_WRAP_I64);
    b.i32(bytes - 1);
    b.op(w.I32_AND);
    b.if();
    b.i32(0);
    b.get(f.va);
    b.memory(w.I64_STORE, at.MAIL_TRAP_ADDRESS);
    b.i32(0);
    b.i32(bits);
    b.memory(w.I32_STORE, at.MAIL_TRAP_ACCESS);
    leave(this.f, EXIT_MISALIGNED);
    b.end();
    b.get(f.va);
    b.i32(bytes);
    b.i32(bits);
    b.call(this.functions.atomicSlow);
    b.tee(f.cell);
    b.i32(-1);
    b.op(w.I32_EQ);
    leaveIf(this.f, EXIT_PAGE_FAULT);
    b.get(f.cell);
    b.end();
  }

  reservation(): void {
    this.b.i32(0);
    this.b.memory(w.I32_LOAD, at.MAIL_RESERVATION);
  }
  setReservation(offset: () => void): void {
    this.b.i32(0);
    offset();
    this.b.memory(w.I32_STORE, at.MAIL_RESERVATION);
  }

  branchIf(condition: () => void): void {
    const b = this.b;
    condition();
    b.if();
    goRelative(this.f, this.reach, this.f.next);
    b.end();
  }

  jump(): void {
    this.setX(() => this.nextPc());
    goRelative(this.f, this.reach, this.f.arrive);
    this.left = true;
  }

  jumpTo(target: () => void): void {
    const { b, f } = this;
    target();
    b.i64(-2);
    b.op(w.I64_AND);
    b.set(f.target);
    if (f.origin !== null) {
      b.get(f.entry);
      b.set(f.origin);
    }
    this.setX(() => this.nextPc());
    goTargetTested(this.f);
    this.left = true;
  }

  trap(kind: 'syscall' | 'breakpoint' | 'illegal'): void {
    if (kind === 'illegal') this.noteIllegal();
    leave(this.f, kind === 'syscall' ? EXIT_SYSCALL : kind === 'breakpoint' ? EXIT_BREAKPOINT : EXIT_ILLEGAL);
    this.left = true;
  }

  illegalIf(): void {
    this.b.if();
    this.noteIllegal();
    leave(this.f, EXIT_ILLEGAL);
    this.b.end();
  }

  private noteIllegal(): void {
    this.b.i32(0);
    this.pc();
    this.b.memory(w.I64_STORE, at.MAIL_TRAP_ADDRESS);
  }

  /** The current instruction is counted, but has not retired: + 1. */
  instret(): void {
    const { b, f } = this;
    b.i32(0);
    b.memory(w.I64_LOAD, at.MAIL_INSTRET);
    b.get(f.budget);
    b.get(f.left);
    b.op(w.I32_SUB);
    b.i32(1);
    b.op(w.I32_SUB, w.I64_EXTEND_I32_S, w.I64_ADD);
  }
  time(): void {
    this.instret();
    timeOfInstret(this.b);
  }

  call(helper: Helper): void {
    this.callHelper(this.b, helper);
  }
}

/** Instructions retired on the stack -> time in ns. */
export function timeOfInstret(b: FunctionBuilder): void {
  b.i64(INSTRUCTIONS_PER_NS_LOG2);
  b.op(w.I64_SHR_U);
  b.i32(0);
  b.memory(w.I64_LOAD, at.MAIL_TIME_OFFSET);
  b.op(w.I64_ADD);
}
