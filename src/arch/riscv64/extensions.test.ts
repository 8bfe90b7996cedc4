import { expect, test } from 'vitest';
import { fc } from '../../../test/property.ts';
import { TRAP_ILLEGAL, TRAP_SYSCALL } from '../../machine/cpu.ts';
import { sv39 } from '../../machine/paging/sv39.ts';
import { EXTENSION_INSTRUCTIONS } from './extensions.ts';
import { HALF } from './fp/format.ts';
import { box, fpOperationNumber, runReference } from './fp/reference.ts';
import { INSTRUCTIONS } from './instructions.ts';
import { assemble, ECALL } from './testing/assemble.ts';
import { Guest } from './testing/guest.ts';

const CODE = 0x10000;
const DATA = 0x20000;

/** A guest with a page of code and one of data. */
function makeGuest(): Guest {
  const g = new Guest(sv39);
  g.map(CODE / 4096, 7);
  g.map(DATA / 4096, 3);
  return g;
}
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const word = (value: bigint): bigint => value & 0xffff_ffffn;
const signedWord = (value: bigint): bigint => u64(BigInt.asIntN(32, value));
const s64 = (value: bigint): bigint => BigInt.asIntN(64, value);

function rotateLeft(value: bigint, by: bigint, width: bigint): bigint {
  const whole = (1n << width) - 1n;
  const n = by % width;
  return ((value << n) | ((value & whole) >> (width - n))) & whole;
}
function leadingZeros(value: bigint, width: number): bigint {
  return BigInt(value === 0n ? width : width - value.toString(2).length);
}
function trailingZeros(value: bigint, width: number): bigint {
  if (value === 0n) return BigInt(width);
  const text = value.toString(2);
  return BigInt(text.length - 1 - text.lastIndexOf('1'));
}
const ones = (value: bigint): bigint => BigInt([...value.toString(2)].filter((digit) => digit === '1').length);
const bytesOf = (value: bigint): bigint[] => Array.from({ length: 8 }, (_, i) => (value >> BigInt(8 * i)) & 0xffn);
const join = (bytes: readonly bigint[]): bigint => bytes.reduce((sum, byte, i) => sum | (byte << BigInt(8 * i)), 0n);
function carryless(a: bigint, b: bigint): bigint {
  let product = 0n;
  for (let i = 0n; i < 64n; i++) if (((b >> i) & 1n) !== 0n) product ^= a << i;
  return product;
}

/** The definitions of the specification's chapter 28, on unsigned 64-bit numbers; shift amounts are y modulo the width. */
const MODEL: Readonly<Record<string, (x: bigint, y: bigint) => bigint>> = {
  'add.uw': (x, y) => u64(word(x) + y),
  sh1add: (x, y) => u64((x << 1n) + y),
  sh2add: (x, y) => u64((x << 2n) + y),
  sh3add: (x, y) => u64((x << 3n) + y),
  'sh1add.uw': (x, y) => u64((word(x) << 1n) + y),
  'sh2add.uw': (x, y) => u64((word(x) << 2n) + y),
  'sh3add.uw': (x, y) => u64((word(x) << 3n) + y),
  'slli.uw': (x, y) => u64(word(x) << (y & 63n)),
  andn: (x, y) => x & u64(~y),
  orn: (x, y) => x | u64(~y),
  xnor: (x, y) => u64(~(x ^ y)),
  clz: (x) => leadingZeros(x, 64),
  ctz: (x) => trailingZeros(x, 64),
  cpop: (x) => ones(x),
  clzw: (x) => leadingZeros(word(x), 32),
  ctzw: (x) => trailingZeros(word(x), 32),
  cpopw: (x) => ones(word(x)),
  min: (x, y) => (s64(x) < s64(y) ? x : y),
  minu: (x, y) => [x, y][x < y ? 0 : 1],
  max: (x, y) => (s64(x) > s64(y) ? x : y),
  maxu: (x, y) => [x, y][x > y ? 0 : 1],
  'sext.b': (x) => u64(BigInt.asIntN(8, x)),
  'sext.h': (x) => u64(BigInt.asIntN(16, x)),
  'zext.h': (x) => x & 0xffffn,
  rol: (x, y) => rotateLeft(x, y & 63n, 64n),
  ror: (x, y) => rotateLeft(x, 64n - (y & 63n), 64n),
  rori: (x, y) => rotateLeft(x, 64n - (y & 63n), 64n),
  rolw: (x, y) => signedWord(rotateLeft(word(x), y & 31n, 32n)),
  rorw: (x, y) => signedWord(rotateLeft(word(x), 32n - (y & 31n), 32n)),
  roriw: (x, y) => signedWord(rotateLeft(word(x), 32n - (y & 31n), 32n)),
  'orc.b': (x) => join(bytesOf(x).map((byte) => (byte === 0n ? 0n : 0xffn))),
  rev8: (x) => join(bytesOf(x).reverse()),
  clmul: (x, y) => u64(carryless(x, y)),
  clmulr: (x, y) => u64(carryless(x, y) >> 63n),
  clmulh: (x, y) => carryless(x, y) >> 64n,
  bclr: (x, y) => x & u64(~(1n << (y & 63n))),
  bclri: (x, y) => x & u64(~(1n << (y & 63n))),
  bext: (x, y) => (x >> (y & 63n)) & 1n,
  bexti: (x, y) => (x >> (y & 63n)) & 1n,
  binv: (x, y) => x ^ (1n << (y & 63n)),
  binvi: (x, y) => x ^ (1n << (y & 63n)),
  bset: (x, y) => x | (1n << (y & 63n)),
  bseti: (x, y) => x | (1n << (y & 63n)),
};

const BITS = EXTENSION_INSTRUCTIONS.filter((row) => row.operation === 'bits');
const value = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constantFrom(0n, 1n, 2n ** 63n, 2n ** 64n - 1n));

test('every instruction of Zba, Zbb, Zbc and Zbs does what its definition says', () => {
  const g = makeGuest();
  expect(BITS.map((row) => row.name).sort()).toEqual(Object.keys(MODEL).sort());
  fc.assert(
    fc.property(value, value, (x, y) => {
      for (const { name, operands } of BITS) {
        const shift = operands === 'dsw' ? y & 31n : y & 63n;
        const isImmediate = operands === 'dsh' || operands === 'dsw';
        g.code(CODE, [
          assemble(name, {
            rd: 7,
            rs1: 5,
            ...(operands === 'dst' ? { rs2: 6 } : {}),
            imm: isImmediate ? Number(shift) : 0,
          }),
          ECALL,
        ]);
        g.setX(5, x);
        g.setX(6, y);
        expect(g.runFrom(CODE), name).toBe(TRAP_SYSCALL);
        expect(g.x(7), `${name} ${x} ${y}`).toBe(MODEL[name](x, y));
      }
    }),
    { numRuns: 60 },
  );
});

test('half precision is computed as the reference says, with its flags', () => {
  const g = makeGuest();
  const program = [
    assemble('fmv.h.x', { rd: 1, rs1: 5 }),
    assemble('fmv.h.x', { rd: 2, rs1: 6 }),
    assemble('csrrwi', { imm: 1, rs1: 0 }),
    assemble('fdiv.h', { rd: 3, rs1: 1, rs2: 2 }),
    assemble('csrrs', { rd: 8, imm: 1 }),
    assemble('fmv.x.h', { rd: 7, rs1: 3 }),
    assemble('fsh', { rs1: 2, rs2: 3, imm: -6 }),
    assemble('flh', { rd: 4, rs1: 2, imm: -6 }),
    assemble('feq.h', { rd: 9, rs1: 3, rs2: 4 }),
    ECALL,
  ];
  const half = fc.bigInt({ min: 0n, max: 0xffffn });
  fc.assert(
    fc.property(half, half, (a, b) => {
      g.code(CODE, program);
      g.setX(2, BigInt(DATA + 64));
      g.setX(5, a);
      g.setX(6, b);
      expect(g.runFrom(CODE)).toBe(TRAP_SYSCALL);
      const want = runReference(fpOperationNumber('fdiv.h'), 0, box(HALF, a), box(HALF, b), 0n);
      expect([g.x(7) & 0xffffn, g.x(8)]).toEqual([want.bits & 0xffffn, BigInt(want.flags)]);
      const isNan = (want.bits & 0x7fffn) > 0x7c00n;
      expect(g.x(9)).toBe(isNan ? 0n : 1n);
    }),
    { numRuns: 200 },
  );
});

test('a reserved rounding mode is illegal where there is one, and no matter elsewhere', () => {
  const g = makeGuest();
  const setFrm = assemble('csrrwi', { imm: 2, rs1: 6 });
  g.code(CODE, [setFrm, assemble('fadd.h') | (7 << 12)]);
  expect(g.runFrom(CODE)).toBe(TRAP_ILLEGAL);
  g.code(CODE, [setFrm, assemble('fsgnj.h'), ECALL]);
  expect(g.runFrom(CODE)).toBe(TRAP_SYSCALL);
});

test('no extension instruction is one of the base', () => {
  const all = [...INSTRUCTIONS, ...EXTENSION_INSTRUCTIONS];
  for (const row of EXTENSION_INSTRUCTIONS)
    expect(all.filter((other) => (row.match & other.mask) >>> 0 === other.match).map((other) => other.name)).toEqual([
      row.name,
    ]);
});
