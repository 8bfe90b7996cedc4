import { INSTRUCTIONS } from '../instructions.ts';
import type { PlacedInstruction } from './control-flow.ts';
import { operandUses } from './operand-uses.ts';

/**
 * Loads, or stores, of a block that go through the same register at small distances: one look at the TLB serves all of them,
 * if all lie in one page and are aligned. Where they do not, the interpreter takes over at the first of them.
 *
 * Invariants
 *  1 Between the first and the last of a group nothing changes the register.
 *  2 With `base + low` aligned to `align` bytes, every access of the group is naturally aligned.
 */
export interface AccessGroup {
  readonly kind: 'load' | 'store';
  /** Distance from the register of the group's lowest byte, and how many bytes there are. */
  readonly low: number;
  readonly span: number;
  readonly align: number;
}

export interface GroupedAccess {
  readonly group: AccessGroup;
  readonly place: 'only' | 'first' | 'later';
}

/** More would cross the end of a page too often: one time in 16. */
const MAX_SPAN = 256;

const SIZES: ReadonlyMap<string, { readonly kind: 'load' | 'store'; readonly bytes: 1 | 2 | 4 | 8 }> = new Map(
  INSTRUCTIONS.flatMap(({ name }) => {
    const match = /^f?([ls])([bhwd])u?$/.exec(name);
    if (match === null) return [];
    const bytes = { b: 1, h: 2, w: 4, d: 8 }[match[2]] as 1 | 2 | 4 | 8;
    return [[name, { kind: match[1] === 'l' ? 'load' : 'store', bytes }] as const];
  }),
);

interface Growing {
  readonly kind: 'load' | 'store';
  readonly base: number;
  low: number;
  end: number;
  align: number;
  readonly members: number[];
}

/** By index in the block; instructions that are no plain access have none. */
export function groupAccesses(instructions: readonly PlacedInstruction[]): (GroupedAccess | undefined)[] {
  const open: Growing[] = [];
  const closed: Growing[] = [];
  instructions.forEach(({ operation, operands }, index) => {
    const access = SIZES.get(operation);
    if (access !== undefined) {
      const { rs1: base, imm } = operands;
      const { kind, bytes } = access;
      const found = open.find((group) => group.kind === kind && group.base === base);
      if (found !== undefined && extend(found, imm, bytes)) found.members.push(index);
      else {
        if (found !== undefined) closed.push(...open.splice(open.indexOf(found), 1));
        open.push({ kind, base, low: imm, end: imm + bytes, align: bytes, members: [index] });
      }
    }
    if (!operandUses(operation).rd) return;
    for (let i = open.length - 1; i >= 0; i--) {
      if (open[i].base === operands.rd) closed.push(...open.splice(i, 1));
    }
  });
  const result: (GroupedAccess | undefined)[] = instructions.map(() => undefined);
  for (const { kind, low, end, align, members } of [...open, ...closed]) {
    const group: AccessGroup = { kind, low, span: end - low, align };
    members.forEach((index, n) => {
      result[index] = { group, place: members.length === 1 ? 'only' : n === 0 ? 'first' : 'later' };
    });
  }
  return result;
}

/** Takes an access in if it keeps the group aligned and short. */
function extend(group: Growing, imm: number, bytes: number): boolean {
  const align = Math.max(group.align, bytes);
  let low = Math.min(group.low, imm);
  // `low` has to be as far from a multiple of `align` as the widest access is.
  const widest = bytes > group.align ? imm : group.low;
  low -= (((low - widest) % align) + align) % align;
  const end = Math.max(group.end, imm + bytes);
  if (end - low > MAX_SPAN || (imm - low) % bytes !== 0) return false;
  if ((group.low - low) % group.align !== 0) return false;
  group.low = low;
  group.end = end;
  group.align = align;
  return true;
}
