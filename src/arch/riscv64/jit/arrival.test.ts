import { expect, test } from 'vitest';
import { TRAP_BUDGET } from '../../../machine/cpu.ts';
import { sv39 } from '../../../machine/paging/sv39.ts';
import { OPERATIONS } from '../decode.ts';
import * as at from '../layout.ts';
import { fuse, opFor } from '../op-bytes.ts';
import { assemble, C_NOP } from '../testing/assemble.ts';
import { Guest } from '../testing/guest.ts';
import { PACES } from './pace.ts';

const CODE = 0x10000;
const SOON = {
  ...PACES.on,
  startAfter: 0,
  countEvery: 1,
  firstLook: 64,
  countsPerInstruction: 1,
  batchInstructions: 0,
};
const C_ADDI_X1_MINUS_1 = 0x10fd;

/** Whether a unit begins at an address. */
function hasUnit(g: Guest, address: number): boolean {
  const slot = g.ram.u32[at.SLOT_MAP / 4 + sv39.frameOf(g.entry(CODE / 4096))];
  return g.ram.u16[(slot + at.SLOT_JIT + address - CODE) / 2] >= at.JIT_UNIT;
}

function guestOf(words: readonly number[]): Guest {
  const g = new Guest(sv39, undefined, SOON);
  g.map(CODE / 4096, 7);
  g.code(CODE, words);
  g.setX(1, 1_000_000n);
  return g;
}

test.each([
  ['branch', 'bne', { rs1: 1, imm: -2 }],
  ['jump', 'jal', { imm: -2 }],
] as const)('a loop whose %s back is the second of a fused pair is translated', (_, name, operands) => {
  const op = opFor(OPERATIONS.indexOf('addi'), 2, 'any');
  expect(fuse(op, opFor(OPERATIONS.indexOf(name), 4, 'back'))).not.toBe(op);
  const g = guestOf([C_NOP, C_NOP, C_ADDI_X1_MINUS_1, assemble(name, operands)]);
  expect(g.runFrom(CODE, 20_000)).toBe(TRAP_BUDGET);
  expect(g.cpu.run(2)).toBe(TRAP_BUDGET);
  expect(hasUnit(g, CODE + 4)).toBe(true);
});
