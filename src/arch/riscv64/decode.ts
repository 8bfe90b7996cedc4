import { assert } from '../../base/assert.ts';
import { expand } from './compressed.ts';
import { EXTENSION_INSTRUCTIONS, type ExtensionInstruction } from './extensions.ts';
import { INSTRUCTIONS, type Instruction } from './instructions.ts';
import { DISCARD_REGISTER } from './layout.ts';

/**
 * Machine code to operations. An operation is an instruction of the table, or one of the few forms that a CSR instruction
 * is split into, so that semantics never look at a CSR number.
 *
 * Register numbers count units of 8 bytes of the register file: x0..x31 are 0..31, f0..f31 are 32..63, and a destination
 * x0 is DISCARD_REGISTER.
 */
export interface Decoded {
  /** Index in OPERATIONS; 0 is illegal. */
  operation: number;
  rd: number;
  rs1: number;
  rs2: number;
  /** As the operand letter says; for `m` rm xor 7 in bits 0..2 and rs3's register number in bits 8..15; for a CSR see below. */
  imm: number;
}

const CSR_FORMS = ['rdinstret', 'rdtime'] as const;
export const OPERATIONS: readonly string[] = [
  'illegal',
  ...INSTRUCTIONS.map((row) => row.name),
  ...CSR_FORMS,
  ...new Set(EXTENSION_INSTRUCTIONS.map((row) => row.operation)),
];
const RDINSTRET = OPERATIONS.indexOf('rdinstret');
const RDTIME = OPERATIONS.indexOf('rdtime');

/** How an instruction's word is made up, for its decoder: what is done here once need not be done for each word of each program. */
interface Shape {
  /** As signed words, which compare without conversion. */
  readonly mask: number;
  readonly match: number;
  readonly operation: number;
  /** What a register's field is added to, for x 0 and for f 32; ABSENT: the instruction has none there. */
  readonly rd: number;
  readonly rs1: number;
  readonly rs2: number;
  /** What makes the immediate, of IMMEDIATES. */
  readonly immediate: number;
  readonly extension: ExtensionInstruction | null;
}
const ABSENT = -1;
/** The letters of an instruction's operands behind its registers. */
const IMMEDIATES = ['', 'i', 'o', 'b', 'u', 'j', 'h', 'w', 'm', 'Rm', 'c', 'z'];

/** By opcode (bits 2..6) and funct3, in the order of the rows. */
const SHAPES: readonly Shape[][] = Array.from({ length: 256 }, () => []);
for (const [index, row] of INSTRUCTIONS.entries()) addShape(row, index + 1, null);
for (const row of EXTENSION_INSTRUCTIONS) addShape(row, OPERATIONS.indexOf(row.operation), row);

function addShape(
  { mask, match, operands }: Instruction,
  operation: number,
  extension: ExtensionInstruction | null,
): void {
  const shape: Shape = {
    mask: mask | 0,
    match: match | 0,
    operation,
    rd: baseOf(operands, 'd', 'D'),
    rs1: baseOf(operands, 's', 'S'),
    rs2: baseOf(operands, 't', 'T'),
    immediate: IMMEDIATES.indexOf(operands.replace(/[dst]/gi, '')),
    extension,
  };
  assert(shape.immediate >= 0, 'riscv64/decode.ts: the operands of every instruction can be read');
  const opcode = (match >> 2) & 31;
  const funct3 = (match >> 12) & 7;
  if ((mask & 0x7000) !== 0) SHAPES[opcode * 8 + funct3].push(shape);
  else for (let each = 0; each < 8; each++) SHAPES[opcode * 8 + each].push(shape);
}

function baseOf(operands: string, x: string, f: string): number {
  return operands.includes(x) ? 0 : operands.includes(f) ? 32 : ABSENT;
}

const ILLEGAL: Readonly<Decoded> = { operation: 0, rd: 0, rs1: 0, rs2: 0, imm: 0 };

export function isCompressed(half: number): boolean {
  return (half & 3) !== 3;
}

/** What each half-word is: a program has few different ones, and has them often. */
const compressed = new Map<number, Readonly<Decoded>>();

export function decodeCompressed(half: number): Readonly<Decoded> {
  let decoded = compressed.get(half);
  if (decoded === undefined) {
    decoded = decode(expand(half));
    compressed.set(half, decoded);
  }
  return decoded;
}

export function decode(word: number): Decoded {
  if ((word & 3) === 3) {
    const shapes = SHAPES[((word >> 2) & 31) * 8 + ((word >> 12) & 7)];
    for (let i = 0; i < shapes.length; i++) {
      const shape = shapes[i];
      if ((word & shape.mask) === shape.match) return operandsOf(word, shape);
    }
  }
  return { ...ILLEGAL };
}

function operandsOf(word: number, { operation, rd, rs1, rs2, immediate, extension }: Shape): Decoded {
  const rdField = (word >> 7) & 31;
  const d: Decoded = {
    operation,
    rd: rd === ABSENT || rd + rdField === 0 ? DISCARD_REGISTER : rd + rdField,
    rs1: rs1 === ABSENT ? 0 : rs1 + ((word >> 15) & 31),
    rs2: rs2 === ABSENT ? 0 : rs2 + ((word >> 20) & 31),
    imm: 0,
  };
  switch (immediate) {
    case 1: // i
      d.imm = word >> 20;
      break;
    case 2: // o
      d.imm = ((word >> 25) << 5) | rdField;
      break;
    case 3: // b
      d.imm = ((word >> 31) << 12) | ((rdField & 1) << 11) | (((word >> 25) & 63) << 5) | (rdField & 30);
      break;
    case 4: // u
      d.imm = word & 0xfffff000;
      break;
    case 5: // j
      d.imm = ((word >> 31) << 20) | (word & 0xff000) | (((word >> 20) & 1) << 11) | (((word >> 21) & 0x3ff) << 1);
      break;
    case 6: // h
      d.imm = (word >> 20) & 63;
      break;
    case 7: // w
      d.imm = (word >> 20) & 31;
      break;
    case 8: // m
    case 9: {
      // Rm
      const rm = (word >> 12) & 7;
      if (rm === 5 || rm === 6) return { ...ILLEGAL };
      d.imm = (rm ^ 7) | (immediate === 9 ? (32 + (word >>> 27)) << 8 : 0);
      break;
    }
    case 10: // c
      return csr(word, d, 0);
    case 11: // z
      return csr(word, d, (word >> 15) & 31);
  }
  if (extension !== null) select(d, extension);
  return d;
}

/** Adds what tells the members of a group apart. One without an rm field is rounded to nearest, whatever frm says. */
function select(d: Decoded, { operation, operands, selector }: ExtensionInstruction): void {
  if (operation === 'half' && !operands.includes('m')) d.imm |= 7;
  d.imm = (d.imm & 0xffff) | (selector << 16);
}

/** fflags, frm, fcsr as a field of fcsr: shift in bits 0..7, mask in bits 8..15, the 5-bit immediate in bits 16..20. */
const FIELDS: Readonly<Record<number, number>> = { 1: 0 | (0x1f << 8), 2: 5 | (7 << 8), 3: 0 | (0xff << 8) };

function csr(word: number, d: Decoded, zimm: number): Decoded {
  const number = word >>> 20;
  const field = FIELDS[number];
  if (field !== undefined) {
    // csrrs and csrrc with x0 or 0 do not write, which is the same as writing what was read.
    d.imm = field | (zimm << 16);
    d.rd = ((word >> 7) & 31) === 0 ? DISCARD_REGISTER : (word >> 7) & 31;
    return d;
  }
  const writes = ((word >> 12) & 3) === 1 || ((word >> 15) & 31) !== 0;
  if (number < 0xc00 || number > 0xc02 || writes) return { ...ILLEGAL };
  d.rd = ((word >> 7) & 31) === 0 ? DISCARD_REGISTER : (word >> 7) & 31;
  d.operation = number === 0xc01 ? RDTIME : RDINSTRET;
  return d;
}

/** Operations that a compressed instruction can be. */
export const COMPRESSED_OPERATIONS: ReadonlySet<string> = new Set(
  'addi fld lw ld fsd sw sd addiw lui srli srai andi sub xor or and subw addw jal beq bne slli add jalr ebreak'.split(
    ' ',
  ),
);
