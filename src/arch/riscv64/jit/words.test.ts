import { expect, test } from 'vitest';
import { Rng } from '../../../base/rng.ts';
import { TRAP_SYSCALL } from '../../../machine/cpu.ts';
import { sv39 } from '../../../machine/paging/sv39.ts';
import { assemble, ECALL } from '../testing/assemble.ts';
import { Guest } from '../testing/guest.ts';

const CODE = 0x10000;
const DATA = 0x20000;
const BY_REGISTERS = 'and or xor slt sltu add sub addw subw sllw srlw sraw mulw mul sll srl'.split(' ');
const BY_IMMEDIATE = 'andi ori xori slti sltiu addi addiw'.split(' ');
const SHIFTS = 'slliw srliw sraiw slli srli srai'.split(' ');
const LOADS = 'lb lbu lh lhu lw lwu ld'.split(' ');
const BRANCHES = 'beq bne blt bge bltu bgeu'.split(' ');
/** x3: the data; x4: turns; the others are mixed. */
const FIRST = 5;
const REGISTERS = 8;

/** A loop over calculations in which some registers hold words and others do not, with branches over some of them. */
function programOf(rng: Rng): number[] {
  const register = (): number => (rng.below(8) === 0 ? 0 : FIRST + rng.below(REGISTERS));
  const from = (names: readonly string[]): string => names[rng.below(names.length)];
  const body = Array.from({ length: 60 }, () => {
    const operands = { rd: register(), rs1: register(), rs2: register() };
    switch (rng.below(8)) {
      case 0:
      case 1:
      case 2:
        return assemble(from(BY_REGISTERS), operands);
      case 3:
        return assemble(from(BY_IMMEDIATE), { ...operands, imm: rng.below(3) === 0 ? 0 : rng.below(4096) - 2048 });
      case 4:
        return assemble(from(SHIFTS), { ...operands, imm: rng.below(32) });
      case 5:
        return assemble('lui', { ...operands, imm: rng.below(2 ** 20) * 4096 });
      case 6:
        return assemble(from(LOADS), { ...operands, rs1: 3, imm: rng.below(32) * 8 });
      default:
        return assemble(from(BRANCHES), { ...operands, imm: 4 * (1 + rng.below(5)) });
    }
  });
  const pad = new Array<number>(5).fill(assemble('addi'));
  const back = -4 * (body.length + pad.length + 1);
  return [...body, ...pad, assemble('addi', { rd: 4, rs1: 4, imm: -1 }), assemble('bne', { rs1: 4, imm: back }), ECALL];
}

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])('registers are the same as interpreted, program %d', (seed) => {
  const [plain, translated] = (['off', 'always'] as const).map((jit) => {
    const rng = new Rng(seed);
    const g = new Guest(sv39, undefined, jit);
    g.map(CODE / 4096, 5);
    g.map(DATA / 4096, 3);
    g.code(CODE, programOf(rng));
    const data = g.ram.offsetOf(sv39.frameOf(g.entry(DATA / 4096)));
    for (let byte = 0; byte < 256; byte++) g.ram.u8[data + byte] = rng.below(256);
    g.setX(3, BigInt(DATA));
    g.setX(4, 20n);
    for (let n = FIRST; n < FIRST + REGISTERS; n++)
      g.setX(n, (BigInt(rng.below(2 ** 32)) << 32n) | BigInt(rng.below(2 ** 32)));
    expect(g.runFrom(CODE)).toBe(TRAP_SYSCALL);
    return g;
  });
  expect(translated.cpu.retired).toBe(plain.cpu.retired);
  expect(translated.cpu.registers).toEqual(plain.cpu.registers);
});
