import { describe, expect, test } from 'vitest';
import {
  TRAP_BREAKPOINT,
  TRAP_BUDGET,
  TRAP_ILLEGAL,
  TRAP_MISALIGNED,
  TRAP_PAGE_FAULT,
  TRAP_SYSCALL,
} from '../../machine/cpu.ts';
import { ACCESS_EXEC, ACCESS_READ, ACCESS_WRITE } from '../../machine/mmu.ts';
import { sv39 } from '../../machine/paging/sv39.ts';
import { pfn, vpn } from '../../machine/units.ts';
import { SLOT_COUNT } from './layout.ts';
import { assemble, C_NOP, EBREAK, ECALL } from './testing/assemble.ts';
import { Guest } from './testing/guest.ts';
import { checkTlb } from './testing/tlb-check.ts';

const CODE = 0x10000;
const DATA = 0x20000;

/** A guest with three pages of code and two of data, x3 pointing at the data. */
function guestWith(words: readonly number[], at = CODE): Guest {
  const g = new Guest(sv39);
  for (let page = 0; page < 3; page++) g.map(CODE / 4096 + page, 7);
  g.map(DATA / 4096, 3);
  g.map(DATA / 4096 + 1, 3);
  g.code(at, words);
  g.setX(3, BigInt(DATA));
  return g;
}

function dataBytes(g: Guest, address: number, length: number): number[] {
  return Array.from({ length }, (_, i) => g.ram.u8[g.translate(address + i, ACCESS_READ)]);
}

describe('running', () => {
  const loop = [
    assemble('addi', { rd: 1, imm: 100 }),
    assemble('addi', { rd: 2, rs1: 2, imm: 3 }),
    assemble('sd', { rs1: 3, rs2: 2 }),
    assemble('ld', { rd: 4, rs1: 3 }),
    assemble('addi', { rd: 1, rs1: 1, imm: -1 }),
    assemble('bne', { rs1: 1, rs2: 0, imm: -16 }),
    ECALL,
  ];

  test('stops at the budget only on the way back, and counts exactly', () => {
    const g = guestWith(loop);
    expect(g.runFrom(CODE, 50)).toBe(TRAP_BUDGET);
    expect(g.pc).toBe(CODE + 4);
    expect(g.cpu.retired).toBe(51);
    expect(g.cpu.run(1000)).toBe(TRAP_SYSCALL);
    expect(g.x(4)).toBe(300n);
    expect(g.pc).toBe(CODE + 24);
    expect(g.cpu.retired).toBe(501);
    expect(checkTlb(g)).toEqual([]);
  });

  test('any budget gives the same states, whatever is dropped in between', () => {
    const g = guestWith(loop);
    g.pc = CODE;
    while (g.cpu.run(1) === TRAP_BUDGET) {
      g.cpu.flushAll();
      g.cpu.dropAllCode();
      expect(g.cpu.retired % 5).toBe(1);
    }
    expect(g.x(4)).toBe(300n);
    expect(g.cpu.retired).toBe(501);
  });

  test.each([
    ['a branch to itself', assemble('beq', { imm: 0 })],
    ['a jump to itself', assemble('jal', { imm: 0 })],
    ['an indirect jump to itself', assemble('jalr', { rs1: 5 })],
    ['c.j to itself', 0xa001],
  ])('%s ends with the budget', (_name, word) => {
    const g = guestWith([word]);
    g.setX(5, BigInt(CODE));
    expect(g.runFrom(CODE, 1000)).toBe(TRAP_BUDGET);
    expect([g.pc, g.cpu.retired]).toEqual([CODE, 1000]);
  });

  test('traps are precise', () => {
    for (const [word, trap] of [
      [ECALL, TRAP_SYSCALL],
      [EBREAK, TRAP_BREAKPOINT],
      [0x9002, TRAP_BREAKPOINT], // c.ebreak
      [0, TRAP_ILLEGAL],
      [0xffffffff, TRAP_ILLEGAL],
      [0x30200073, TRAP_ILLEGAL], // mret
      [0x10500073, TRAP_ILLEGAL], // wfi
      [0x12000073, TRAP_ILLEGAL], // sfence.vma
      [assemble('csrrw', { rd: 1, imm: 0xc00 }), TRAP_ILLEGAL], // cycle is read-only
      [assemble('csrrs', { rd: 1, imm: 0x100 }), TRAP_ILLEGAL], // sstatus
      [assemble('fadd.s') | (5 << 12), TRAP_ILLEGAL], // reserved rounding mode
    ] as const) {
      const g = guestWith([C_NOP, assemble('addi', { rd: 8, rs1: 8, imm: 1 }), word]);
      expect(g.runFrom(CODE), word.toString(16)).toBe(trap);
      expect([g.pc, g.cpu.retired, g.x(8)]).toEqual([CODE + 6, 2, 1n]);
      if (trap === TRAP_ILLEGAL) expect(g.cpu.trapAddress).toBe(CODE + 6);
    }
  });

  test('a dynamic rounding mode that is reserved is illegal', () => {
    const g = guestWith([assemble('csrrwi', { imm: 2, rs1: 6 }), assemble('fadd.d') | (7 << 12), ECALL]);
    expect(g.runFrom(CODE)).toBe(TRAP_ILLEGAL);
    expect(g.pc).toBe(CODE + 4);
  });

  test('x0 stays 0', () => {
    const g = guestWith([
      assemble('addi', { imm: 5 }),
      assemble('ld', { rs1: 3 }),
      assemble('jal', { imm: 4 }),
      assemble('amoadd.d', { rs1: 3, rs2: 3 }),
      assemble('csrrs', { imm: 3 }),
      ECALL,
    ]);
    expect(g.runFrom(CODE)).toBe(TRAP_SYSCALL);
    expect(g.x(0)).toBe(0n);
  });

  test('counters read what has retired', () => {
    const g = guestWith([
      C_NOP,
      assemble('csrrs', { rd: 5, imm: 0xc02 }),
      assemble('csrrs', { rd: 6, imm: 0xc01 }),
      assemble('csrrs', { rd: 7, imm: 0xc00 }),
      ECALL,
    ]);
    g.cpu.timeOffset = 2 ** 40;
    expect(g.runFrom(CODE)).toBe(TRAP_SYSCALL);
    expect([g.x(5), g.x(6), g.x(7)]).toEqual([1n, 2n ** 40n, 3n]);
    expect(g.runFrom(CODE)).toBe(TRAP_SYSCALL);
    // Four instructions a nanosecond, and this is the seventh.
    expect([g.x(5), g.x(6)]).toEqual([5n, 2n ** 40n + 1n]);
  });

  test('a jump to nowhere faults at its target', () => {
    const g = guestWith([assemble('jalr', { rd: 1, rs1: 5, imm: 1 })]);
    g.setX(5, 0x7000_0002n);
    expect(g.runFrom(CODE)).toBe(TRAP_PAGE_FAULT);
    expect([g.pc, g.cpu.trapAddress, g.cpu.trapAccess]).toEqual([0x7000_0002, 0x7000_0002, ACCESS_EXEC]);
    expect([g.x(1), g.cpu.retired]).toEqual([BigInt(CODE + 4), 1]);
  });

  test('goes on into the next page, and faults there', () => {
    const g = guestWith([], CODE);
    for (let i = 0; i < 3 * 1024; i++) g.code(CODE + i * 4, [assemble('addi', { rd: 1, rs1: 1, imm: 1 })]);
    expect(g.runFrom(CODE)).toBe(TRAP_PAGE_FAULT);
    expect([g.pc, g.x(1), g.cpu.trapAddress]).toEqual([CODE + 3 * 4096, 3072n, CODE + 3 * 4096]);
  });
});

describe('an instruction across two pages', () => {
  const EDGE = CODE + 4094;
  const words = [assemble('addi', { rd: 1, rs1: 1, imm: 0x123 }), ECALL];

  test('executes, also as a branch, a jump and a faulting load', () => {
    const g = guestWith(words, EDGE);
    expect(g.runFrom(EDGE)).toBe(TRAP_SYSCALL);
    expect([g.x(1), g.pc, g.cpu.retired]).toEqual([0x123n, EDGE + 4, 1]);
    for (const [word, to] of [
      [assemble('beq', { imm: -8 }), EDGE - 8],
      [assemble('jal', { rd: 1, imm: -64 }), EDGE - 64],
      [assemble('jal', { rd: 1, imm: 256 }), EDGE + 256],
    ]) {
      g.code(EDGE, [word]);
      g.code(to, [EBREAK]);
      expect(g.runFrom(EDGE)).toBe(TRAP_BREAKPOINT);
      expect(g.pc).toBe(to);
    }
    g.code(EDGE, [assemble('lw', { rd: 1, rs1: 0 })]);
    expect(g.runFrom(EDGE)).toBe(TRAP_PAGE_FAULT);
    expect([g.pc, g.cpu.trapAddress, g.cpu.trapAccess]).toEqual([EDGE, 0, ACCESS_READ]);
  });

  test('faults with the address of the second page and its own pc', () => {
    const g = guestWith(words, EDGE);
    const entry = g.ram.u32[g.entryAt(CODE / 4096 + 1)];
    g.ram.u32[g.entryAt(CODE / 4096 + 1)] = 0;
    g.cpu.flushAll();
    expect(g.runFrom(EDGE)).toBe(TRAP_PAGE_FAULT);
    expect([g.pc, g.cpu.trapAddress, g.cpu.trapAccess, g.cpu.retired]).toEqual([EDGE, EDGE + 2, ACCESS_EXEC, 0]);
    g.ram.u32[g.entryAt(CODE / 4096 + 1)] = entry;
    expect(g.cpu.run(10)).toBe(TRAP_SYSCALL);
    expect(g.x(1)).toBe(0x123n);
  });

  test('sees the second page change, and another page in its place', () => {
    const g = guestWith(words, EDGE);
    g.runFrom(EDGE);
    const other = g.frame();
    g.ram.u16[g.ram.offsetOf(other) / 2] = assemble('addi', { rd: 1, rs1: 1, imm: 0x200 }) >>> 16;
    g.ram.u32[g.ram.offsetOf(other) / 4] |= 0x730000;
    g.map(CODE / 4096 + 1, 5, { frame: other });
    g.cpu.flushPage(g.root.asid, vpn(CODE / 4096 + 1));
    g.runFrom(EDGE);
    expect(g.x(1)).toBe(0x323n);
    // by the guest's own store, without fence.i
    g.map(CODE / 4096 + 1, 7, { frame: other });
    g.cpu.flushAll();
    g.code(CODE, [assemble('sh', { rs1: 6, rs2: 7 }), assemble('jalr', { rs1: 8 })]);
    g.setX(6, BigInt(EDGE + 2));
    g.setX(7, BigInt(assemble('addi', { rd: 1, rs1: 1, imm: 0x300 }) >>> 16));
    g.setX(8, BigInt(EDGE));
    g.runFrom(CODE);
    expect(g.x(1)).toBe(0x623n);
  });
});

describe('accesses that are not aligned', () => {
  test('every offset and size around a page edge stores and loads the same bytes', () => {
    for (const [store, load, bytes] of [
      ['sh', 'lhu', 2],
      ['sw', 'lwu', 4],
      ['sd', 'ld', 8],
      ['fsd', 'ld', 8],
    ] as const) {
      const g = guestWith([assemble(store, { rs1: 6, rs2: 7 }), assemble(load, { rd: 8, rs1: 6 }), ECALL]);
      const value = 0xf122334455667788n & ((1n << BigInt(8 * bytes)) - 1n);
      g.setX(7, value);
      g.setX(39, value); // f7
      for (let address = DATA + 4096 - 9; address < DATA + 4096 + 9; address++) {
        for (const page of [DATA, DATA + 4096]) {
          const offset = g.translate(page, ACCESS_READ);
          g.ram.u8.fill(0xee, offset, offset + 4096);
        }
        g.setX(6, BigInt(address));
        expect(g.runFrom(CODE)).toBe(TRAP_SYSCALL);
        expect(g.x(8)).toBe(value);
        const stored = dataBytes(g, address, bytes).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
        expect(stored).toBe(value);
        expect(dataBytes(g, address - 1, 1)).toEqual([0xee]);
        expect(dataBytes(g, address + bytes, 1)).toEqual([0xee]);
      }
    }
  });

  test('a fault in either page writes nothing and names the page that faults', () => {
    for (const [page, stval] of [
      [0, DATA + 4093],
      [1, DATA + 4096],
    ]) {
      const g = guestWith([assemble('sd', { rs1: 6, rs2: 6 })]);
      g.map(DATA / 4096 + page, 1, { frame: sv39.frameOf(g.entry(DATA / 4096 + page)) });
      g.setX(6, BigInt(DATA + 4093));
      expect(g.runFrom(CODE)).toBe(TRAP_PAGE_FAULT);
      expect([g.pc, g.cpu.trapAddress, g.cpu.trapAccess]).toEqual([CODE, stval, ACCESS_WRITE]);
      expect(dataBytes(g, DATA + 4090, 12)).toEqual(new Array(12).fill(0));
    }
  });

  test('atomics trap', () => {
    for (const [name, access] of [
      ['amoadd.w', ACCESS_WRITE],
      ['amoswap.d', ACCESS_WRITE],
      ['lr.d', ACCESS_READ],
      ['sc.w', ACCESS_WRITE],
    ] as const) {
      const g = guestWith([assemble(name, { rd: 5, rs1: 6 })]);
      g.setX(6, BigInt(DATA + 2));
      expect(g.runFrom(CODE)).toBe(TRAP_MISALIGNED);
      expect([g.pc, g.cpu.trapAddress, g.cpu.trapAccess]).toEqual([CODE, DATA + 2, access]);
    }
  });
});

describe('reservations', () => {
  const pair = [
    assemble('lr.d', { rd: 5, rs1: 3 }),
    ECALL,
    assemble('sc.d', { rd: 6, rs1: 3, rs2: 7 }),
    assemble('sc.d', { rd: 8, rs1: 3, rs2: 3 }),
    ECALL,
  ];

  test('one store-conditional succeeds, and none after clearReservation', () => {
    for (const cleared of [false, true]) {
      const g = guestWith(pair);
      g.setX(7, 99n);
      g.runFrom(CODE);
      if (cleared) g.cpu.clearReservation();
      expect(g.runFrom(CODE + 8)).toBe(TRAP_SYSCALL);
      expect([g.x(6), g.x(8)]).toEqual([cleared ? 1n : 0n, 1n]);
      expect(dataBytes(g, DATA, 1)[0]).toBe(cleared ? 0 : 99);
    }
  });

  test('are on physical addresses', () => {
    const g = guestWith(pair);
    g.map(0x30, 3, { frame: sv39.frameOf(g.entry(DATA / 4096)) });
    g.runFrom(CODE);
    g.setX(3, 0x30000n);
    g.runFrom(CODE + 8);
    expect(g.x(6)).toBe(0n);
  });

  test('a store-conditional that faults stores nothing', () => {
    const g = guestWith(pair);
    g.map(DATA / 4096, 1, { frame: sv39.frameOf(g.entry(DATA / 4096)) });
    g.runFrom(CODE);
    expect(g.runFrom(CODE + 8)).toBe(TRAP_PAGE_FAULT);
    expect(g.cpu.trapAccess).toBe(ACCESS_WRITE);
  });
});

describe('code that changes', () => {
  const patched = assemble('addi', { rd: 1, rs1: 1, imm: 2 });

  test('by a store to the instruction behind it', () => {
    const g = guestWith([assemble('sw', { rs1: 6, rs2: 7 }), assemble('addi', { rd: 1, rs1: 1, imm: 1 }), ECALL]);
    g.setX(6, BigInt(CODE + 4));
    g.setX(7, BigInt(assemble('addi', { rd: 1, rs1: 1, imm: 1 })));
    g.runFrom(CODE);
    expect(g.x(1)).toBe(1n);
    g.setX(7, BigInt(patched));
    g.runFrom(CODE);
    expect(g.x(1)).toBe(3n);
    expect(checkTlb(g)).toEqual([]);
  });

  test('by an atomic, a misaligned store, and through another mapping', () => {
    for (const manner of ['atomic', 'misaligned', 'alias']) {
      const store = manner === 'atomic' ? 'amoswap.w' : manner === 'misaligned' ? 'sw' : 'sd';
      const g = guestWith([
        assemble(store, { rs1: 6, rs2: 7 }),
        C_NOP,
        C_NOP,
        assemble('addi', { rd: 1, rs1: 1, imm: 1 }),
        ECALL,
      ]);
      g.map(0x40, 3, { frame: sv39.frameOf(g.entry(CODE / 4096)) });
      g.runFrom(CODE + 8);
      expect(g.x(1)).toBe(1n);
      const base = manner === 'alias' ? 0x40000 : CODE;
      g.setX(6, BigInt(base + (manner === 'misaligned' ? 7 : 8)));
      if (manner === 'misaligned') g.setX(7, BigInt.asUintN(32, BigInt(patched) << 8n));
      else g.setX(7, BigInt(patched) | (BigInt(ECALL) << 32n));
      g.runFrom(CODE);
      expect(g.x(1)).toBe(3n);
    }
  });

  test('by the kernel, through Ram, which clears holdsCode', () => {
    const g = guestWith([assemble('addi', { rd: 1, rs1: 1, imm: 1 }), ECALL]);
    const frame = sv39.frameOf(g.entry(CODE / 4096));
    g.runFrom(CODE);
    expect(g.ram.holdsCode[frame]).toBe(1);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, patched, true);
    g.ram.writeFrame(frame, 0, bytes);
    expect(g.ram.holdsCode[frame]).toBe(0);
    g.runFrom(CODE);
    expect(g.x(1)).toBe(3n);
    expect(checkTlb(g)).toEqual([]);
  });

  test('more pages of code than slots', () => {
    const g = new Guest(sv39, 32 * 1024 * 1024);
    const pages = SLOT_COUNT + 300;
    for (let page = 0; page < pages; page++) {
      const frame = g.map(0x100 + page, 5);
      const word = g.ram.offsetOf(frame) / 4;
      g.ram.u32[word] = assemble('addi', { rd: 1, rs1: 1, imm: 1 });
      g.ram.u32[word + 1] = page + 1 < pages ? assemble('jal', { imm: 4092 }) : assemble('jalr', { rs1: 5 });
    }
    g.setX(5, 0x100000n);
    expect(g.runFrom(0x100000, pages * 4 + 1)).toBe(TRAP_BUDGET);
    expect(g.x(1)).toBe(BigInt(pages * 3));
    expect(checkTlb(g)).toEqual([]);
    expect(g.ram.holdsCode.reduce((sum, flag) => sum + flag, 0)).toBe(SLOT_COUNT);
    for (let frame = 0; frame < g.ram.frameCount; frame++) g.ram.beforeWrite(pfn(frame));
    expect(g.ram.holdsCode.includes(1)).toBe(false);
  });
});

describe('pairs that are executed as one op', () => {
  const C_ADDI_X1 = (imm: number): number => 0x0081 | (imm << 2);
  const ADDI_X1 = (imm: number): number => assemble('addi', { rd: 1, rs1: 1, imm });
  const shapes: readonly (readonly [string, number, number])[] = [
    ['4 and 4 bytes', ADDI_X1(1), ADDI_X1(16)],
    ['4 and 2 bytes', ADDI_X1(1), C_ADDI_X1(16)],
    ['2 and 4 bytes', C_ADDI_X1(1), ADDI_X1(16)],
    ['2 and 2 bytes', C_ADDI_X1(1), C_ADDI_X1(16)],
  ];
  const lengthOf = (word: number): number => ((word & 3) === 3 ? 4 : 2);

  test.each(shapes)('%s: a store of one byte into either is seen', (_name, first, second) => {
    for (const victim of ['first', 'second'] as const) {
      for (const lead of [[], [C_NOP]]) {
        const g = guestWith([assemble('sb', { rs1: 6, rs2: 7 }), ...lead, first, second, first, second, ECALL]);
        const start = CODE + 4 + 2 * lead.length;
        expect(g.runFrom(start)).toBe(TRAP_SYSCALL);
        expect(g.x(1)).toBe(34n);
        // + 2: bit 3 of a c.addi, bit 21 of an addi
        const word = victim === 'first' ? first : second;
        const at = start + (victim === 'first' ? 0 : lengthOf(first));
        const patched = word + (lengthOf(word) === 4 ? 2 << 20 : 2 << 2);
        const byte = lengthOf(word) === 4 ? 2 : 0;
        g.setX(6, BigInt(at + byte));
        g.setX(7, BigInt((patched >>> (8 * byte)) & 0xff));
        g.setX(1, 0n);
        expect(g.runFrom(CODE)).toBe(TRAP_SYSCALL);
        expect(g.x(1)).toBe(36n);
        expect(g.runFrom(start + lengthOf(first))).toBe(TRAP_SYSCALL);
      }
    }
  });

  test('the second one traps on itself', () => {
    const g = guestWith([assemble('ld', { rd: 5, rs1: 3 }), assemble('ld', { rd: 6, rs1: 0 }), ECALL]);
    expect(g.runFrom(CODE)).toBe(TRAP_PAGE_FAULT);
    expect([g.pc, g.cpu.retired, g.cpu.trapAddress]).toEqual([CODE + 4, 1, 0]);
  });

  test('a branch that comes second counts and stops like any other', () => {
    const g = guestWith([ADDI_X1(1), assemble('bne', { rs1: 1, rs2: 2, imm: -4 }), ECALL]);
    g.setX(2, 1000n);
    expect(g.runFrom(CODE, 11)).toBe(TRAP_BUDGET);
    expect([g.pc, g.cpu.retired, g.x(1)]).toEqual([CODE, 12, 6n]);
    expect(g.cpu.run(100_000)).toBe(TRAP_SYSCALL);
    expect(g.cpu.retired).toBe(2000);
  });
});
