import * as w from '../../wasm/opcodes.ts';
import type { Emitter, Semantics } from '../semantics/emit.ts';
import { SEMANTICS } from '../semantics/table.ts';
import type { PlacedInstruction } from './control-flow.ts';
import { isWord, type Words } from './words.ts';

/**
 * The same in 32 bits, for operands that are words (words.ts): sign extension keeps bits, equality and both orders. V8 sees a
 * rotation in two 32-bit shifts and an `or`, and leaves out an extension whose upper half nobody reads.
 */
const logic =
  (opcode: number): Semantics =>
  (c) =>
    c.setXw(() => pushBoth(c, opcode));
const logicImm =
  (opcode: number): Semantics =>
  (c) =>
    c.setXw(() => pushImm(c, opcode));
const compare =
  (opcode: number): Semantics =>
  (c) =>
    c.setX(() => {
      pushBoth(c, opcode);
      c.b.op(w.I64_EXTEND_I32_U);
    });
const compareImm =
  (opcode: number): Semantics =>
  (c) =>
    c.setX(() => {
      pushImm(c, opcode);
      c.b.op(w.I64_EXTEND_I32_U);
    });
const branch =
  (opcode: number): Semantics =>
  (c) =>
    c.branchIf(() => pushBoth(c, opcode));

function pushBoth(c: Emitter, opcode: number): void {
  c.x1w();
  c.x2w();
  c.b.op(opcode);
}

function pushImm(c: Emitter, opcode: number): void {
  c.x1w();
  c.immw();
  c.b.op(opcode);
}

const OF_REGISTERS: ReadonlyMap<string, Semantics> = new Map([
  ['and', logic(w.I32_AND)],
  ['or', logic(w.I32_OR)],
  ['xor', logic(w.I32_XOR)],
  ['slt', compare(w.I32_LT_S)],
  ['sltu', compare(w.I32_LT_U)],
  ['beq', branch(w.I32_EQ)],
  ['bne', branch(w.I32_NE)],
  ['blt', branch(w.I32_LT_S)],
  ['bge', branch(w.I32_GE_S)],
  ['bltu', branch(w.I32_LT_U)],
  ['bgeu', branch(w.I32_GE_U)],
]);
const OF_IMMEDIATE: ReadonlyMap<string, Semantics> = new Map([
  ['andi', logicImm(w.I32_AND)],
  ['ori', logicImm(w.I32_OR)],
  ['xori', logicImm(w.I32_XOR)],
  ['slti', compareImm(w.I32_LT_S)],
  ['sltiu', compareImm(w.I32_LT_U)],
]);

const copy: Semantics = (c) => c.setX(() => c.x1());

/** What is written for an instruction, given which registers are words before it. */
export function semanticsAmong(words: Words, { operation, operands }: PlacedInstruction): Semantics {
  const { rs1, rs2, imm } = operands;
  if (isWord(words, rs1)) {
    if (operation === 'addiw' && imm === 0) return copy;
    const narrow = OF_IMMEDIATE.get(operation) ?? (isWord(words, rs2) ? OF_REGISTERS.get(operation) : undefined);
    if (narrow !== undefined) return narrow;
  }
  return SEMANTICS.get(operation)!;
}
