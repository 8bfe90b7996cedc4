import { describe, expect, test } from 'vitest';
import { TRAP_BUDGET, TRAP_SYSCALL } from '../../../machine/cpu.ts';
import { sv39 } from '../../../machine/paging/sv39.ts';
import { assemble, ECALL } from '../testing/assemble.ts';
import { Guest } from '../testing/guest.ts';
import { checkTlb } from '../testing/tlb-check.ts';
import type { JitMode, JitPace } from './pace.ts';

const CODE = 0x10000;
const DATA = 0x20000;
const SOON: JitPace = {
  startAfter: 30,
  countEvery: 3,
  firstLook: 8,
  countsPerInstruction: 1,
  reach: 'ran',
  advance: 8,
  retiredPerInstruction: 20,
  batchInstructions: 12,
  batchWait: 100,
  batchWaitShare: 1 / 32,
};
const MODES: readonly (JitMode | JitPace)[] = ['always', SOON];

function guestOf(jit: JitMode | JitPace, words: readonly number[]): Guest {
  const g = new Guest(sv39, undefined, jit);
  for (let page = 0; page < 2; page++) g.map(CODE / 4096 + page, 7);
  for (let page = 0; page < 4; page++) g.map(DATA / 4096 + page, 3);
  g.code(CODE, words);
  g.setX(3, BigInt(DATA));
  g.setX(2, BigInt(DATA + 0x4000));
  g.pc = CODE;
  return g;
}

/** expect() looks at each word: too slow for each stop. */
function isSame(a: Uint32Array, b: Uint32Array): boolean {
  return a.every((word, i) => word === b[i]);
}

/** Both stop at the same places with the same state, whatever the budget, up to the system call. */
function expectSame(words: readonly number[], prepare: (g: Guest) => void, budgets = [1, 7, 100_000]): void {
  for (const jit of MODES) {
    for (const budget of budgets) {
      const plain = guestOf('off', words);
      const translated = guestOf(jit, words);
      for (const g of [plain, translated]) prepare(g);
      for (let turn = 0; ; turn++) {
        const trap = plain.cpu.run(budget + (turn % 3));
        expect(translated.cpu.run(budget + (turn % 3))).toBe(trap);
        expect(translated.cpu.retired).toBe(plain.cpu.retired);
        if (!isSame(plain.cpu.registers, translated.cpu.registers))
          expect(translated.cpu.registers).toEqual(plain.cpu.registers);
        expect(translated.cpu.tlbMisses).toBe(plain.cpu.tlbMisses);
        if (trap !== TRAP_BUDGET) {
          expect(trap).toBe(TRAP_SYSCALL);
          break;
        }
      }
      expect(checkTlb(translated)).toEqual([]);
      const start = plain.ram.ramBase;
      expect(Buffer.compare(plain.ram.u8.subarray(start), translated.ram.u8.subarray(start))).toBe(0);
    }
  }
}

describe('units do what the interpreter does', () => {
  test('a switch whose cases are learned', () => {
    const cases = [0, 1, 2, 3].flatMap((n) => [
      assemble('addi', { rd: 8, rs1: 8, imm: n * n + 1 }),
      assemble('jal', { imm: 4 * 8 - 8 * n - 4 }),
    ]);
    expectSame(
      [
        assemble('andi', { rd: 5, rs1: 1, imm: 3 }),
        assemble('slli', { rd: 5, rs1: 5, imm: 3 }),
        assemble('add', { rd: 5, rs1: 5, rs2: 7 }),
        assemble('jalr', { rs1: 5 }),
        ...cases,
        assemble('addi', { rd: 1, rs1: 1, imm: -1 }),
        assemble('bne', { rs1: 1, rs2: 0, imm: -13 * 4 }),
        ECALL,
      ],
      (g) => {
        g.setX(1, 500n);
        g.setX(7, BigInt(CODE + 16));
      },
    );
  });

  test('recursion deeper than units call each other', () => {
    // f(n): n == 0 ? 0 : n + f(n - 1), a frame of 16 bytes a level
    expectSame(
      [
        assemble('jal', { rd: 1, imm: 8 }),
        ECALL,
        assemble('addi', { rd: 2, rs1: 2, imm: -16 }),
        assemble('sd', { rs1: 2, rs2: 1, imm: 8 }),
        assemble('sd', { rs1: 2, rs2: 10, imm: 0 }),
        assemble('beq', { rs1: 10, rs2: 0, imm: 12 }),
        assemble('addi', { rd: 10, rs1: 10, imm: -1 }),
        assemble('jal', { rd: 1, imm: -20 }),
        assemble('ld', { rd: 5, rs1: 2, imm: 0 }),
        assemble('ld', { rd: 1, rs1: 2, imm: 8 }),
        assemble('addi', { rd: 2, rs1: 2, imm: 16 }),
        assemble('add', { rd: 10, rs1: 10, rs2: 5 }),
        assemble('jalr', { rs1: 1 }),
      ],
      (g) => g.setX(10, 900n),
    );
  });

  test('two functions in two pages that call each other, deeper than units call each other', () => {
    // f(n): n == 0 ? 0 : n + g(n - 1) in the first page, g the same in the second
    const half = (other: number): number[] => [
      assemble('addi', { rd: 2, rs1: 2, imm: -16 }),
      assemble('sd', { rs1: 2, rs2: 1, imm: 8 }),
      assemble('sd', { rs1: 2, rs2: 10, imm: 0 }),
      assemble('beq', { rs1: 10, rs2: 0, imm: 12 }),
      assemble('addi', { rd: 10, rs1: 10, imm: -1 }),
      assemble('jal', { rd: 1, imm: other }),
      assemble('ld', { rd: 5, rs1: 2, imm: 0 }),
      assemble('ld', { rd: 1, rs1: 2, imm: 8 }),
      assemble('addi', { rd: 2, rs1: 2, imm: 16 }),
      assemble('add', { rd: 10, rs1: 10, rs2: 5 }),
      assemble('jalr', { rs1: 1 }),
    ];
    const head = [assemble('jal', { rd: 1, imm: 8 }), ECALL];
    const first = [...head, ...half(4096 - 20)];
    const rest = new Array<number>(1024 - first.length).fill(ECALL);
    expectSame([...first, ...rest, ...head, ...half(-4096 - 20)], (g) => g.setX(10, 900n), [7, 100_000]);
  });

  test('a function that two loops call, one of them through a second function', () => {
    // x8 = x8 * 3 + x1, in a function that is called at three places
    const called = 17;
    const outer = 12;
    const call = (from: number, to: number): number => assemble('jal', { rd: 1, imm: (to - from) * 4 });
    expectSame(
      [
        call(0, called),
        assemble('addi', { rd: 10, rs1: 10, imm: -1 }),
        call(2, called),
        assemble('bne', { rs1: 10, rs2: 0, imm: -12 }),
        assemble('addi', { rd: 11, rs1: 11, imm: -1 }),
        call(5, outer),
        assemble('bne', { rs1: 11, rs2: 0, imm: -8 }),
        assemble('addi', { rd: 12, rs1: 12, imm: -1 }),
        assemble('addi', { rd: 10, imm: 3 }),
        assemble('addi', { rd: 11, imm: 2 }),
        assemble('bne', { rs1: 12, rs2: 0, imm: -40 }),
        ECALL,
        // outer, which keeps its link in x5: x5 is a link register, too
        assemble('addi', { rd: 5, rs1: 1 }),
        call(13, called),
        call(14, called),
        assemble('xori', { rd: 8, rs1: 8, imm: 0x55 }),
        assemble('jalr', { rs1: 5 }),
        // called
        assemble('slli', { rd: 6, rs1: 8, imm: 1 }),
        assemble('add', { rd: 8, rs1: 8, rs2: 6 }),
        assemble('add', { rd: 8, rs1: 8, rs2: 1 }),
        assemble('jalr', { rs1: 1 }),
      ],
      (g) => {
        g.setX(10, 3n);
        g.setX(11, 2n);
        g.setX(12, 120n);
      },
    );
  });

  test.each([0, 8, 4084, 4088, 4092, 4])('neighbouring accesses from %d on', (offset) => {
    expectSame(
      [
        assemble('sd', { rs1: 3, rs2: 1, imm: 0 }),
        assemble('sw', { rs1: 3, rs2: 1, imm: 8 }),
        assemble('sb', { rs1: 3, rs2: 1, imm: 15 }),
        assemble('ld', { rd: 5, rs1: 3, imm: 8 }),
        assemble('lhu', { rd: 6, rs1: 3, imm: 2 }),
        assemble('ld', { rd: 3, rs1: 4, imm: 0 }),
        assemble('ld', { rd: 7, rs1: 3, imm: 0 }),
        assemble('lw', { rd: 8, rs1: 3, imm: -4 }),
        assemble('add', { rd: 9, rs1: 9, rs2: 5 }),
        assemble('addi', { rd: 1, rs1: 1, imm: -1 }),
        assemble('bne', { rs1: 1, rs2: 0, imm: -40 }),
        ECALL,
      ],
      (g) => {
        g.setX(1, 100n);
        g.setX(3, BigInt(DATA + 4096 + offset));
        g.setX(4, BigInt(DATA + 64));
        g.ram.u32[g.translate(DATA + 64, 2) / 4] = DATA + 4096 + offset;
      },
    );
  });

  test('a loop that stores into itself', () => {
    const other = assemble('addi', { rd: 8, rs1: 8, imm: 5 });
    expectSame(
      [
        assemble('addi', { rd: 8, rs1: 8, imm: 1 }),
        assemble('addi', { rd: 1, rs1: 1, imm: -1 }),
        assemble('bne', { rs1: 1, rs2: 9, imm: 8 }),
        assemble('sw', { rs1: 6, rs2: 7 }),
        assemble('bne', { rs1: 1, rs2: 0, imm: -16 }),
        ECALL,
      ],
      (g) => {
        g.setX(1, 400n);
        g.setX(9, 200n);
        g.setX(6, BigInt(CODE));
        g.setX(7, BigInt(other));
      },
    );
  });
});

describe('a unit belongs to its frame', () => {
  // x5 = pc; loop
  const words = [
    assemble('auipc', { rd: 5 }),
    assemble('addi', { rd: 1, rs1: 1, imm: -1 }),
    assemble('bne', { rs1: 1, rs2: 0, imm: -8 }),
    ECALL,
  ];

  test.each(MODES)('at two addresses, %j', (jit) => {
    const g = guestOf(jit, words);
    g.map(0x80, 5, { frame: sv39.frameOf(g.entry(CODE / 4096)) });
    for (const address of [CODE, 0x80000, CODE]) {
      g.setX(1, 200n);
      expect(g.runFrom(address)).toBe(TRAP_SYSCALL);
      expect(g.x(5)).toBe(BigInt(address));
    }
    expect(g.cpu.retired).toBe(3 * 600);
  });

  test.each(MODES)(
    'in two spaces that have other code at the same address, and after the page is mapped anew, %j',
    (jit) => {
      const g = guestOf(jit, words);
      const first = sv39.frameOf(g.entry(CODE / 4096));
      const second = g.frame();
      g.ram.copyFrame(second, first);
      g.ram.u32[g.ram.offsetOf(second) / 4] = assemble('addi', { rd: 6, rs1: 6, imm: 1 });
      const other = g.newSpace(2);
      g.map(CODE / 4096, 5, { frame: second, root: other });
      const run = (root: typeof other): void => {
        g.cpu.setSpace(root);
        g.setX(1, 100n);
        expect(g.runFrom(CODE)).toBe(TRAP_SYSCALL);
      };
      for (let turn = 1; turn <= 3; turn++) {
        run(g.root);
        expect(g.x(6)).toBe(BigInt((turn - 1) * 100));
        run(other);
        expect(g.x(6)).toBe(BigInt(turn * 100));
      }
      g.map(CODE / 4096, 5, { frame: first, root: other });
      g.cpu.flushSpace(2);
      run(other);
      expect(g.x(6)).toBe(300n);
    },
  );
});
