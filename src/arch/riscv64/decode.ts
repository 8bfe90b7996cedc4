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

/** Rows by opcode (bits 2..6) and funct3. */
interface Candidate {
  readonly row: Instruction;
  readonly operation: number;
  readonly extension: ExtensionInstruction | null;
}
const CANDIDATES: readonly Candidate[] = [
  ...INSTRUCTIONS.map((row, index) => ({ row, operation: index + 1, extension: null })),
  ...EXTENSION_INSTRUCTIONS.map((row) => ({ row, operation: OPERATIONS.indexOf(row.operation), extension: row })),
];
/** Made when the first of them is met. */
const buckets: (readonly Candidate[] | undefined)[] = Array.from({ length: 256 });

function makeBucket(key: number): readonly Candidate[] {
  const word = ((key >> 3) << 2) | ((key & 7) << 12) | 3;
  const bucket = CANDIDATES.filter(({ row }) => ((word ^ row.match) & row.mask & 0x707f) === 0);
  buckets[key] = bucket;
  return bucket;
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
  if ((word & 3) !== 3) return { ...ILLEGAL };
  const key = ((word >> 2) & 31) * 8 + ((word >> 12) & 7);
  for (const { row, operation, extension } of buckets[key] ?? makeBucket(key)) {
    if ((word & row.mask) >>> 0 !== row.match) continue;
    const decoded = operandsOf(word, row.operands, operation);
    if (extension !== null && decoded.operation !== 0) select(decoded, extension);
    return decoded;
  }
  return { ...ILLEGAL };
}

/** Adds what tells the members of a group apart. One without an rm field is rounded to nearest, whatever frm says. */
function select(d: Decoded, { operation, operands, selector }: ExtensionInstruction): void {
  if (operation === 'half' && !operands.includes('m')) d.imm |= 7;
  d.imm = (d.imm & 0xffff) | (selector << 16);
}

function operandsOf(word: number, operands: string, operation: number): Decoded {
  const d: Decoded = { operation, rd: DISCARD_REGISTER, rs1: 0, rs2: 0, imm: 0 };
  const rd = (word >> 7) & 31;
  const rs1 = (word >> 15) & 31;
  const rs2 = (word >> 20) & 31;
  for (const letter of operands) {
    switch (letter) {
      case 'd':
        d.rd = rd === 0 ? DISCARD_REGISTER : rd;
        break;
      case 'D':
        d.rd = 32 + rd;
        break;
      case 's':
        d.rs1 = rs1;
        break;
      case 'S':
        d.rs1 = 32 + rs1;
        break;
      case 't':
        d.rs2 = rs2;
        break;
      case 'T':
        d.rs2 = 32 + rs2;
        break;
      case 'R':
        d.imm |= (32 + (word >>> 27)) << 8;
        break;
      case 'm': {
        const rm = (word >> 12) & 7;
        if (rm === 5 || rm === 6) return { ...ILLEGAL };
        d.imm |= rm ^ 7;
        break;
      }
      case 'i':
        d.imm = word >> 20;
        break;
      case 'o':
        d.imm = ((word >> 25) << 5) | rd;
        break;
      case 'b':
        d.imm = ((word >> 31) << 12) | ((rd & 1) << 11) | (((word >> 25) & 63) << 5) | (rd & 30);
        break;
      case 'u':
        d.imm = word & 0xfffff000;
        break;
      case 'j':
        d.imm = ((word >> 31) << 20) | (word & 0xff000) | (((word >> 20) & 1) << 11) | (((word >> 21) & 0x3ff) << 1);
        break;
      case 'h':
        d.imm = (word >> 20) & 63;
        break;
      case 'w':
        d.imm = (word >> 20) & 31;
        break;
      case 'c':
      case 'z':
        return csr(word, d, letter === 'z' ? rs1 : 0);
    }
  }
  return d;
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
