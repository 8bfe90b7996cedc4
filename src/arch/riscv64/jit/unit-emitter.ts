import type { FunctionBuilder, Label } from '../../wasm/function-builder.ts';
import * as w from '../../wasm/opcodes.ts';
import { timeOfInstret } from '../interpreter.ts';
import * as at from '../layout.ts';
import type { Emitter, Helper } from '../semantics/emit.ts';
import { pushIndex } from '../walk.ts';
import type { AccessGroup, GroupedAccess } from './access-groups.ts';
import type { PlacedInstruction } from './control-flow.ts';
import { FCSR_NUMBER, type RegisterLocals } from './register-locals.ts';

/** Locals of a unit's function, and the labels that an instruction leaves through. */
export interface UnitFrame {
  readonly b: FunctionBuilder;
  readonly registers: RegisterLocals;
  /** i64 parameter: address of the page. */
  readonly base: number;
  /** i32 parameter: budget minus instructions retired before this block. */
  readonly left: number;
  /** i32 parameter: units that wait for this one to return. */
  readonly depth: number;
  /** i64: asid << 3. */
  readonly asidTag: number;
  /** i64: where control goes. */
  readonly target: number;
  /** i32: how the unit ends, one of UNIT_*. */
  readonly code: number;
  /** i32, behind `interpret`: position of the instruction, and from bit 12 on how many of its block have retired. */
  readonly info: number;
  readonly va: number;
  readonly cell: number;
  /** The interpreter executes the instruction that `info` names. */
  readonly interpret: Label;
  readonly call: (helper: Helper) => void;
}

/** Branches and jumps, as the unit's shape has them. */
export interface UnitFlow {
  /** `condition` pushes an i32. */
  branch(condition: () => void): void;
  jump(): void;
  /** To the address in the frame's `target`. */
  jumpToTarget(): void;
}

export interface PlaceInBlock {
  /** Instructions of the block before this one. */
  readonly before: number;
  readonly access: GroupedAccess | undefined;
  /** Of the block. */
  readonly hosts: Map<AccessGroup, number>;
}

/** Emits one instruction's semantics with constant operands. Whatever traps or misses the TLB is left to the interpreter. */
export class UnitEmitter implements Emitter {
  readonly b: FunctionBuilder;
  readonly room = 'ample';
  private readonly f: UnitFrame;
  private readonly flow: UnitFlow;
  private readonly at: PlacedInstruction;
  /** Instructions of the block before this one. */
  private readonly before: number;

  private readonly access: GroupedAccess | undefined;
  /** i32 local of each group that has begun: where its lowest byte is in memory. */
  private readonly hosts: Map<AccessGroup, number>;

  constructor(frame: UnitFrame, flow: UnitFlow, instruction: PlacedInstruction, place: PlaceInBlock) {
    const { before, access, hosts } = place;
    this.access = access;
    this.hosts = hosts;
    this.b = frame.b;
    this.f = frame;
    this.flow = flow;
    this.at = instruction;
    this.before = before;
  }

  private get1(): number {
    return this.at.operands.rs1;
  }

  x1(): void {
    this.f.registers.pushBits(this.b, this.get1());
  }
  x2(): void {
    this.f.registers.pushBits(this.b, this.at.operands.rs2);
  }
  x1w(): void {
    this.x1();
    this.b.op(w.I32_WRAP_I64);
  }
  x2w(): void {
    this.x2();
    this.b.op(w.I32_WRAP_I64);
  }
  setX(value: () => void): void {
    value();
    this.f.registers.setBits(this.b, this.at.operands.rd);
  }
  setXw(value: () => void): void {
    this.setX(() => {
      value();
      this.b.op(w.I64_EXTEND_I32_S);
    });
  }

  f1(): void {
    this.x1();
  }
  f2(): void {
    this.x2();
  }
  private get3(): number {
    return (this.at.operands.imm >> 8) & 0xff;
  }
  f3(): void {
    this.f.registers.pushBits(this.b, this.get3());
  }
  f1d(): void {
    this.f.registers.pushDouble(this.b, this.get1());
  }
  f2d(): void {
    this.f.registers.pushDouble(this.b, this.at.operands.rs2);
  }
  f3d(): void {
    this.f.registers.pushDouble(this.b, this.get3());
  }
  f1w(): void {
    this.x1w();
  }
  f2w(): void {
    this.x2w();
  }
  f3w(): void {
    this.f3();
    this.b.op(w.I32_WRAP_I64);
  }
  setF(value: () => void): void {
    this.setX(value);
  }
  setFd(value: () => void): void {
    value();
    this.f.registers.setDouble(this.b, this.at.operands.rd);
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
    this.b.get(this.f.registers.local(FCSR_NUMBER, 'read'));
  }
  setFcsr(value: () => void): void {
    value();
    this.b.set(this.f.registers.local(FCSR_NUMBER, 'write'));
  }
  raiseFlags(flags: () => void): void {
    this.setFcsr(() => {
      this.fcsr();
      flags();
      this.b.op(w.I32_OR);
    });
  }
  rmField(): void {
    this.b.i32(this.at.operands.imm & 7);
  }
  roundingMode(): void {
    const { b } = this;
    const mode = (this.at.operands.imm & 7) ^ 7;
    if (mode !== 7) {
      b.i32(mode);
      return;
    }
    const local = b.local(w.I32);
    this.fcsr();
    b.i32(5);
    b.op(w.I32_SHR_U);
    b.tee(local);
    b.i32(4);
    b.op(w.I32_GT_U);
    this.illegalIf();
    b.get(local);
    b.release(local);
  }

  imm(): void {
    this.b.i64(this.at.operands.imm);
  }
  immw(): void {
    this.b.i32(this.at.operands.imm);
  }
  pc(): void {
    this.pushAddress(this.at.position);
  }
  nextPc(): void {
    this.pushAddress(this.at.position + this.at.length);
  }
  private pushAddress(position: number): void {
    this.b.get(this.f.base);
    this.b.i64(position);
    this.b.op(w.I64_ADD);
  }

  /** Goes on behind it with `cell` the TLB entry that translates `va`, which is aligned, and `span` bytes from there on. */
  private probe(tlb: number, bytes: number, span = bytes): void {
    const { b, f } = this;
    pushIndex(b, f.va, at.DATA_TLB_ENTRIES);
    b.tee(f.cell);
    b.memory(w.I64_LOAD, tlb);
    b.get(f.va);
    b.i64(-4096 | (bytes - 1));
    b.op(w.I64_AND);
    b.get(f.asidTag);
    b.op(w.I64_OR, w.I64_NE);
    if (span > bytes) {
      b.get(f.va);
      b.op(w.I32_WRAP_I64);
      b.i32(4095);
      b.op(w.I32_AND);
      b.i32(4096 - span);
      b.op(w.I32_GT_U, w.I32_OR);
    }
    this.interpretIf();
  }
  private pushHit(tlb: number): void {
    const { b, f } = this;
    b.get(f.cell);
    b.memory(w.I32_LOAD, tlb + 8);
    b.get(f.va);
    b.op(w.I32_WRAP_I64, w.I32_ADD);
  }

  load(opcode: number, bytes: 1 | 2 | 4 | 8, address: () => void): void {
    const offset = this.pushCell(at.READ_TLB, bytes, address);
    this.b.memory(opcode, offset);
  }

  /** Pushes where the access goes, less the offset that it returns. */
  private pushCell(tlb: number, bytes: number, address: () => void): number {
    const { b, f, access, hosts } = this;
    if (access === undefined || access.place === 'only') {
      address();
      b.set(f.va);
      this.probe(tlb, bytes);
      this.pushHit(tlb);
      return 0;
    }
    const { group } = access;
    let host = hosts.get(group);
    if (host === undefined) {
      this.x1();
      b.i64(group.low);
      b.op(w.I64_ADD);
      b.set(f.va);
      this.probe(tlb, group.align, group.span);
      this.pushHit(tlb);
      host = b.local(w.I32);
      b.set(host);
      hosts.set(group, host);
    }
    b.get(host);
    return this.at.operands.imm - group.low;
  }

  store(bytes: 1 | 2 | 4 | 8, address: () => void, value: () => void): void {
    const offset = this.pushCell(at.WRITE_TLB, bytes, address);
    value();
    this.b.memory({ 1: w.I64_STORE8, 2: w.I64_STORE16, 4: w.I64_STORE32, 8: w.I64_STORE }[bytes], offset);
  }

  atomicAddress(bytes: 4 | 8, access: 'read' | 'write'): void {
    const tlb = access === 'read' ? at.READ_TLB : at.WRITE_TLB;
    this.x1();
    this.b.set(this.f.va);
    this.probe(tlb, bytes);
    this.pushHit(tlb);
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
    this.flow.branch(condition);
  }
  jump(): void {
    this.setX(() => this.nextPc());
    this.flow.jump();
  }
  jumpTo(target: () => void): void {
    target();
    this.b.i64(-2);
    this.b.op(w.I64_AND);
    this.b.set(this.f.target);
    this.setX(() => this.nextPc());
    this.flow.jumpToTarget();
  }

  trap(): void {
    this.interpretHere();
  }
  illegalIf(): void {
    this.interpretIf();
  }
  private interpretHere(): void {
    this.noteWhere();
    this.b.br(this.f.interpret);
  }
  /** Pops an i32. */
  private interpretIf(): void {
    this.noteWhere();
    this.b.brIf(this.f.interpret);
  }
  private noteWhere(): void {
    this.b.i32(this.at.position | (this.before << 12));
    this.b.set(this.f.info);
  }

  instret(): void {
    const { b, f } = this;
    b.i32(0);
    b.memory(w.I64_LOAD, at.MAIL_INSTRET);
    b.i32(0);
    b.memory(w.I32_LOAD, at.MAIL_BUDGET);
    b.get(f.left);
    b.op(w.I32_SUB);
    b.i32(this.before);
    b.op(w.I32_ADD, w.I64_EXTEND_I32_S, w.I64_ADD);
  }
  time(): void {
    this.instret();
    timeOfInstret(this.b);
  }

  call(helper: Helper): void {
    this.f.call(helper);
  }
}
