import type { Decoded } from '../decode.ts';
import { type Block, type ControlFlow, type PlacedInstruction, targetsOf } from './control-flow.ts';
import { operandUses } from './operand-uses.ts';

/**
 * Which x registers hold a word: 32 bits, sign-extended. What C computes in int and unsigned mostly is. Of words, logic and
 * comparisons can be done in 32 bits (narrow.ts), so that the extension is left out where nobody looks at the upper half.
 *
 * A set is a bit for each register; x0 is in all of them.
 */
export type Words = number;
const NONE: Words = 1;
const ALL: Words = -1;

export function isWord(words: Words, register: number): boolean {
  return register < 32 && (words & (1 << register)) !== 0;
}

/** The set at the beginning of each block. Nothing is known of what stands in registers at the entry, or after a call. */
export function findWords(flow: ControlFlow): ReadonlyMap<number, Words> {
  const at = new Map<number, Words>([[flow.entry, NONE]]);
  const work = [flow.entry];
  for (let position = work.pop(); position !== undefined; position = work.pop()) {
    const block = flow.blocks.get(position)!;
    const after = leavesUnit(block) ? NONE : afterBlock(block, at.get(position)!);
    for (const to of targetsOf(block.end)) {
      if (!flow.blocks.has(to)) continue;
      const before = at.get(to) ?? ALL;
      const met = before & after;
      if (met === before && at.has(to)) continue;
      at.set(to, met);
      work.push(to);
    }
  }
  return at;
}

function leavesUnit({ end }: Block): boolean {
  return (end.kind === 'call' && !end.within) || end.kind === 'indirect-call';
}

function afterBlock(block: Block, words: Words): Words {
  return block.instructions.reduce(afterInstruction, words);
}

export function afterInstruction(words: Words, { operation, operands }: PlacedInstruction): Words {
  const { rd } = operands;
  if (rd === 0 || rd >= 32 || !operandUses(operation).rd) return words;
  const bit = 1 << rd;
  return makesWord(operation, operands, words) ? words | bit : words & ~bit;
}

function makesWord(operation: string, { rs1, rs2, imm }: Decoded, words: Words): boolean {
  switch (operation) {
    case 'lb':
    case 'lh':
    case 'lw':
    case 'lbu':
    case 'lhu':
    case 'lui':
    case 'slt':
    case 'sltu':
    case 'slti':
    case 'sltiu':
      return true;
    case 'addi':
      return rs1 === 0 || (imm === 0 && isWord(words, rs1));
    case 'add':
      return (rs1 === 0 && isWord(words, rs2)) || (rs2 === 0 && isWord(words, rs1));
    case 'and':
    case 'or':
    case 'xor':
      return isWord(words, rs1) && isWord(words, rs2);
    case 'andi':
      return imm >= 0 || isWord(words, rs1);
    case 'ori':
    case 'xori':
      return isWord(words, rs1);
    case 'srai':
      return imm >= 32 || isWord(words, rs1);
    case 'srli':
      return imm > 32;
    default:
      return operandUses(operation).makesWord;
  }
}
