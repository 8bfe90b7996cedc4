import { FunctionBuilder, type Label } from '../../wasm/function-builder.ts';
import * as w from '../../wasm/opcodes.ts';
import * as at from '../layout.ts';
import type { Helper } from '../semantics/emit.ts';
import { type AccessGroup, groupAccesses } from './access-groups.ts';
import type { Block, ControlFlow, PlacedInstruction } from './control-flow.ts';
import { semanticsAmong } from './narrow.ts';
import { operandUses } from './operand-uses.ts';
import { FCSR_NUMBER, RegisterLocals } from './register-locals.ts';
import { Structure } from './structure.ts';
import { UnitEmitter, type UnitFrame } from './unit-emitter.ts';
import { afterInstruction, findWords, type Words } from './words.ts';

/** What a unit returns. Registers, pc and MAIL_LEFT are then what they would be had the interpreter come there. */
export const UNIT_GO_ON = 0; // at pc, wherever that is
export const UNIT_INTERPRET = 1; // the interpreter executes the instruction at pc
export const UNIT_BUDGET = 2; // a preemption point, and the budget is used up
/** `enter` alone: the unit came back to the address that its caller waits for. */
export const UNIT_CAME_BACK = 3;

/** (address of the page, left, depth) -> UNIT_*. */
export const UNIT_PARAMS: readonly w.ValueType[] = [w.I64, w.I32, w.I32];
/** (address, where the caller goes on, left, depth) -> UNIT_*. */
export const ENTER_PARAMS: readonly w.ValueType[] = [w.I64, w.I64, w.I32, w.I32];

export interface UnitImports {
  /** Function index of `enter`. */
  readonly enter: number;
  readonly call: (b: FunctionBuilder, helper: Helper) => void;
}

/**
 * The function of a unit: the flow graph as nested blocks and loops, its registers in locals. Counting is by block, so that
 * `left` is exact wherever the interpreter looks at it; all ways out end at one place, which writes the registers back.
 *
 *   block spill
 *     block interpret
 *       ... the blocks of the graph; each path ends in a branch ...
 *     end            pc, left from `info`
 *   end              registers, pc, left; return code
 */
export function writeUnit(flow: ControlFlow, imports: UnitImports): FunctionBuilder {
  const b = new FunctionBuilder(UNIT_PARAMS, [w.I32]);
  const registers = new RegisterLocals(b);
  claimRegisters(flow, registers);
  const locals = {
    b,
    registers,
    base: 0,
    left: 1,
    depth: 2,
    asidTag: b.local(w.I64),
    target: b.local(w.I64),
    code: b.local(w.I32),
    info: b.local(w.I32),
    va: b.local(w.I64),
    cell: b.local(w.I32),
    call: (helper: Helper) => imports.call(b, helper),
  };
  registers.load(b);
  b.i32(0);
  b.memory(w.I64_LOAD, at.MAIL_ASID_TAG);
  b.set(locals.asidTag);

  const spill = b.block();
  const interpret = b.block();
  new UnitWriter({ ...locals, interpret }, flow, spill, imports).writeTree(flow.entry);
  b.end();
  b.get(locals.base);
  b.get(locals.info);
  b.i32(0xfff);
  b.op(w.I32_AND, w.I64_EXTEND_I32_U, w.I64_ADD);
  b.set(locals.target);
  b.get(locals.left);
  b.get(locals.info);
  b.i32(12);
  b.op(w.I32_SHR_U, w.I32_SUB);
  b.set(locals.left);
  b.i32(UNIT_INTERPRET);
  b.set(locals.code);
  b.end();
  registers.store(b);
  b.i32(0);
  b.get(locals.target);
  b.memory(w.I64_STORE, at.PC);
  b.i32(0);
  b.get(locals.left);
  b.memory(w.I32_STORE, at.MAIL_LEFT);
  b.get(locals.code);
  return b;
}

/** Every register that the unit reads or writes: what `store` writes back has been loaded or set on every path. */
function claimRegisters(flow: ControlFlow, registers: RegisterLocals): void {
  const claim = (register: number, access: 'read' | 'write'): void => {
    if (register !== 0 && register !== at.DISCARD_REGISTER) registers.local(register, access);
  };
  for (const { instructions } of flow.blocks.values()) {
    for (const { operation, operands } of instructions) {
      const uses = operandUses(operation);
      if (uses.rs1) claim(operands.rs1, 'read');
      if (uses.rs2) claim(operands.rs2, 'read');
      if (uses.rs3) claim((operands.imm >> 8) & 0xff, 'read');
      if (uses.rd) claim(operands.rd, 'write');
      if (uses.readsFcsr) claim(FCSR_NUMBER, 'read');
      if (uses.writesFcsr) claim(FCSR_NUMBER, 'write');
    }
  }
}

/** Whether the budget is looked at: on the way back, as everywhere (interpreter.ts). */
type Test = 'tested' | 'free';

class UnitWriter {
  private readonly b: FunctionBuilder;
  private readonly f: UnitFrame;
  private readonly flow: ControlFlow;
  private readonly structure: Structure;
  private readonly spill: Label;
  private readonly enter: number;
  private readonly words: ReadonlyMap<number, Words>;
  private readonly loops = new Map<number, Label>();
  private readonly merges = new Map<number, Label>();

  constructor(frame: UnitFrame, flow: ControlFlow, spill: Label, imports: UnitImports) {
    this.b = frame.b;
    this.f = frame;
    this.flow = flow;
    this.structure = new Structure(flow);
    this.spill = spill;
    this.enter = imports.enter;
    this.words = findWords(flow);
  }

  /** A block and all that it dominates. */
  writeTree(position: number): void {
    const { b, structure } = this;
    const isLoop = structure.isLoop(position);
    if (isLoop) this.loops.set(position, b.loop());
    const merges = structure.mergesBehind(position);
    for (const merge of [...merges].reverse()) this.merges.set(merge, b.block());
    this.writeBlock(this.flow.blocks.get(position)!);
    for (const merge of merges) {
      b.end();
      this.writeTree(merge);
    }
    if (isLoop) b.end();
  }

  private writeBlock(block: Block): void {
    const { instructions, end } = block;
    const accesses = groupAccesses(instructions);
    const hosts = new Map<AccessGroup, number>();
    let words = this.words.get(block.position)!;
    instructions.forEach((instruction, before) => {
      const isLast = before === instructions.length - 1;
      const emitter = new UnitEmitter(
        this.f,
        {
          branch: (condition) => this.writeBranch(block, condition),
          jump: () => this.writeJump(block),
          jumpToTarget: () => this.writeIndirect(block),
        },
        instruction,
        { before, access: accesses[before], hosts },
      );
      // What moves control subtracts the block's count itself, once all that can trap is behind it.
      if (isLast) this.b.release(...hosts.values());
      if (isLast && movesControl(block)) this.count(instructions.length);
      semanticsAmong(words, instruction)(emitter);
      words = afterInstruction(words, instruction);
    });
    if (end.kind === 'fall') {
      this.count(instructions.length);
      this.writeEdge(block, end.next, 'free');
    } else if (end.kind === 'interpret') {
      this.b.i32(end.position | (instructions.length << 12));
      this.b.set(this.f.info);
      this.b.br(this.f.interpret);
    }
  }

  private count(instructions: number): void {
    const { b, f } = this;
    b.get(f.left);
    b.i32(instructions);
    b.op(w.I32_SUB);
    b.set(f.left);
  }

  private writeBranch(block: Block, condition: () => void): void {
    const { b } = this;
    const { end } = block;
    if (end.kind !== 'branch') return;
    condition();
    b.if();
    this.writeEdge(block, end.taken, testOf(lastOf(block), end.taken));
    b.end();
    this.writeEdge(block, end.next, 'free');
  }

  private writeJump(block: Block): void {
    const { b, f } = this;
    const { end } = block;
    if (end.kind === 'jump') this.writeEdge(block, end.to, testOf(lastOf(block), end.to));
    else if (end.kind === 'call' && end.within) this.writeEdge(block, end.to, testOf(lastOf(block), end.to));
    else if (end.kind === 'call') {
      this.pushAddress(end.to);
      b.set(f.target);
      if (testOf(lastOf(block), end.to) === 'tested') this.leaveAtBudget();
      this.writeCall(block, end.back);
    }
  }

  private writeIndirect(block: Block): void {
    if (block.end.kind === 'indirect') {
      if (block.end.targets.length > 0) this.writeSwitch(block, block.end.targets);
      this.leaveTested();
    } else if (block.end.kind === 'indirect-call') {
      this.leaveAtBudget();
      this.writeCall(block, block.end.back);
    }
  }

  /** Goes where `target` is one of these and the budget lasts. */
  private writeSwitch(block: Block, targets: readonly number[]): void {
    const { b, f } = this;
    const inner = targets.filter((to) => this.structure.isInner(block.position, to));
    if (inner.length === 0) return;
    const lowest = Math.min(...inner);
    const span = (Math.max(...inner) - lowest) / 2 + 1;
    const offset = b.local(w.I64);
    const elsewhere = b.block();
    b.get(f.left);
    b.i32(0);
    b.op(w.I32_LE_S);
    b.brIf(elsewhere);
    b.get(f.target);
    this.pushAddress(lowest);
    b.op(w.I64_SUB);
    b.tee(offset);
    b.i64(2 * span);
    b.op(w.I64_GE_U);
    b.brIf(elsewhere);
    // The innermost block is the first one's.
    const labels = inner.map(() => b.block()).reverse();
    b.get(offset);
    b.op(w.I32_WRAP_I64);
    b.i32(1);
    b.op(w.I32_SHR_U);
    const table = new Array<Label>(span).fill(elsewhere);
    inner.forEach((to, n) => {
      table[(to - lowest) / 2] = labels[n];
    });
    b.brTable(table, elsewhere);
    for (const to of inner) {
      b.end();
      this.writeEdge(block, to, 'free');
    }
    b.end();
    b.release(offset);
  }

  /** Calls the unit at `target`; if it comes back to `back`, goes on there. */
  private writeCall(block: Block, back: number): void {
    const { b, f } = this;
    f.registers.store(b);
    b.get(f.target);
    this.pushAddress(back);
    b.get(f.left);
    b.get(f.depth);
    b.i32(1);
    b.op(w.I32_ADD);
    b.call(this.enter);
    b.tee(f.code);
    b.i32(UNIT_CAME_BACK);
    b.op(w.I32_NE);
    b.if();
    b.get(f.code);
    b.op(w.RETURN);
    b.end();
    b.i32(0);
    b.memory(w.I32_LOAD, at.MAIL_LEFT);
    b.set(f.left);
    f.registers.load(b);
    this.writeEdge(block, back, 'free');
  }

  private writeEdge(block: Block, to: number, test: Test): void {
    const { b, structure } = this;
    const from = block.position;
    if (!structure.isInner(from, to)) {
      this.pushAddress(to);
      b.set(this.f.target);
      if (test === 'tested') this.leaveTested();
      else this.leave(() => b.i32(UNIT_GO_ON));
      return;
    }
    const label = structure.isBackward(from, to)
      ? this.loops.get(to)
      : structure.isMerge(to)
        ? this.merges.get(to)
        : undefined;
    if (test === 'tested') {
      b.get(this.f.left);
      b.i32(0);
      if (label !== undefined) {
        b.op(w.I32_GT_S);
        b.brIf(label);
      } else {
        b.op(w.I32_LE_S);
        b.if();
      }
      this.pushAddress(to);
      b.set(this.f.target);
      this.leave(() => b.i32(UNIT_BUDGET));
      if (label !== undefined) return;
      b.end();
    }
    if (label !== undefined) b.br(label);
    else this.writeTree(to);
  }

  private pushAddress(position: number): void {
    this.b.get(this.f.base);
    this.b.i64(position);
    this.b.op(w.I64_ADD);
  }

  /** To `target`, or out of budget there. */
  private leaveTested(): void {
    const { b } = this;
    this.leave(() => {
      b.i32(UNIT_BUDGET);
      b.i32(UNIT_GO_ON);
      b.get(this.f.left);
      b.i32(0);
      b.op(w.I32_LE_S, w.SELECT);
    });
  }

  private leaveAtBudget(): void {
    const { b } = this;
    b.get(this.f.left);
    b.i32(0);
    b.op(w.I32_LE_S);
    b.if();
    this.leave(() => b.i32(UNIT_BUDGET));
    b.end();
  }

  private leave(code: () => void): void {
    code();
    this.b.set(this.f.code);
    this.b.br(this.spill);
  }
}

function movesControl({ end }: Block): boolean {
  return end.kind !== 'fall' && end.kind !== 'interpret';
}

function lastOf({ instructions }: Block): PlacedInstruction {
  return instructions[instructions.length - 1];
}

function testOf(instruction: PlacedInstruction, to: number): Test {
  return to <= instruction.position ? 'tested' : 'free';
}
