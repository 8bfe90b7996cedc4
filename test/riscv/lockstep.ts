import { expand } from '../../src/arch/riscv64/compressed.ts';
import { decode, OPERATIONS } from '../../src/arch/riscv64/decode.ts';
import { INSTRUCTIONS, type Instruction } from '../../src/arch/riscv64/instructions.ts';
import { Rng } from '../../src/base/rng.ts';

/**
 * A static ELF of generated cases. A case loads operands, executes an instruction (with what it needs around it) and
 * appends all registers to a buffer, which is written to standard output at the end: 64 registers and fcsr, a record each.
 *
 * Reserved: x26 scratch, x27 link, x28 constants, x29 memory that the cases use, x30 end of the output.
 */
export const RECORD_BYTES = 65 * 8;
const TEXT = 0x100000;
const DATA = 0x10000000;
const CONSTANTS = 256; // at DATA, 8 bytes each
const MEMORY = DATA + 0x3000; // in the middle of pages 1 to 4
const OUTPUT = DATA + 0x8000;
const FREE_REGISTERS = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 31,
];
const CONSTANT = 28;
const MEM = 29;
const OUT = 30;
const SCRATCH = 26;
const LINK = 27;

export interface Lockstep {
  readonly elf: Uint8Array;
  readonly outputBytes: number;
  /** What each record's case was. */
  readonly cases: readonly string[];
}

const CORNERS: readonly bigint[] = [
  0n,
  1n,
  2n,
  31n,
  32n,
  63n,
  64n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  0x7fffffffffffffffn,
  0x8000000000000000n,
  0x8000000000000001n,
  0xffffffff80000000n,
  0xffffffff7fffffffn,
  0xffffffffffffffffn,
  0xfffffffffffffffen,
  0xffffffff00000000n,
  // doubles: 1, -1, -0, min normal, max subnormal, min subnormal, max, inf, -inf, qNaN, sNaN, 2^31, 2^63, 0.5, 1.5, 2.5
  0x3ff0000000000000n,
  0xbff0000000000000n,
  0x0010000000000000n,
  0x000fffffffffffffn,
  0x7fefffffffffffffn,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  0x7ff8000000000000n,
  0x7ff0000000000001n,
  0xfff8000000000123n,
  0x41e0000000000000n,
  0x43e0000000000000n,
  0x3fe0000000000000n,
  0x3ff8000000000000n,
  0x4004000000000000n,
  0x41dfffffffc00000n,
  0xc1e0000000000000n,
  0x43f0000000000000n,
  0x380fffffe0000000n,
  0x36a0000000000000n,
  // boxed singles
  0xffffffff3f800000n,
  0xffffffffbf800000n,
  0xffffffff80000000n,
  0xffffffff00800000n,
  0xffffffff007fffffn,
  0xffffffff00000001n,
  0xffffffff7f7fffffn,
  0xffffffff7f800000n,
  0xffffffffff800000n,
  0xffffffff7fc00000n,
  0xffffffff7f800001n,
  0xffffffff4f000000n,
  0xffffffff5f000000n,
  0xffffffff3f000000n,
  0xffffffff3fc00000n,
];

/** Writes `count` cases. The same seed gives the same bytes. */
export function generateLockstep(seed: number, count: number): Lockstep {
  const g = new Generator(seed);
  g.prologue();
  const names = INSTRUCTIONS.filter((row) => !['ecall', 'ebreak', 'fence.i'].includes(row.name));
  for (let i = 0; i < count; i++) {
    if (g.below(4) === 0) g.compressedCase();
    else g.instructionCase(names[g.below(names.length)]);
  }
  return g.finish();
}

class Generator {
  private readonly rng: Rng;
  private readonly code: number[] = []; // half-words
  private readonly cases: string[] = [];

  constructor(seed: number) {
    this.rng = new Rng(seed);
  }

  below(limit: number): number {
    return this.rng.below(limit);
  }

  private word(value: number): void {
    this.code.push(value & 0xffff, (value >>> 16) & 0xffff);
  }

  private i(opcode: number, funct3: number, rd: number, rs1: number, imm: number): void {
    this.word(opcode | (rd << 7) | (funct3 << 12) | (rs1 << 15) | (imm << 20));
  }

  private s(opcode: number, funct3: number, rs1: number, rs2: number, imm: number): void {
    this.word(opcode | ((imm & 31) << 7) | (funct3 << 12) | (rs1 << 15) | (rs2 << 20) | ((imm >> 5) << 25));
  }

  private lui(rd: number, value: number): void {
    this.word(0x37 | (rd << 7) | value);
  }

  private register(): number {
    return FREE_REGISTERS[this.below(FREE_REGISTERS.length)];
  }

  /** A constant into x or f register `to`. */
  private constant(to: number, file: 'x' | 'f'): void {
    this.i(file === 'x' ? 0x03 : 0x07, 3, to, CONSTANT, (this.below(CONSTANTS) - CONSTANTS / 2) * 8);
  }

  /** jal over the dump routine; the routine: all registers to the output, then back. */
  prologue(): void {
    this.lui(CONSTANT, DATA);
    this.i(0x13, 0, CONSTANT, CONSTANT, (CONSTANTS / 2) * 8);
    this.lui(MEM, MEMORY);
    this.lui(OUT, OUTPUT);
    for (let n = 0; n < 32; n++) this.constant(n, 'f');
    for (const n of FREE_REGISTERS) this.constant(n, 'x');
    const body: number[] = [];
    const dump = new Generator(0);
    for (let n = 0; n < 32; n++) dump.s(0x23, 3, OUT, n === SCRATCH || n === LINK ? 0 : n, n * 8);
    for (let n = 0; n < 32; n++) dump.s(0x27, 3, OUT, n, 256 + n * 8);
    dump.i(0x73, 2, SCRATCH, 0, 3);
    dump.s(0x23, 3, OUT, SCRATCH, 512);
    dump.i(0x13, 0, OUT, OUT, RECORD_BYTES);
    dump.i(0x67, 0, 0, LINK, 0);
    body.push(...dump.code);
    this.jal(0, body.length * 2 + 4);
    this.dumpAt = this.code.length * 2;
    this.code.push(...body);
  }

  private dumpAt = 0;

  private jal(rd: number, offset: number): void {
    this.word(
      0x6f |
        (rd << 7) |
        (((offset >> 12) & 0xff) << 12) |
        (((offset >> 11) & 1) << 20) |
        (((offset >> 1) & 0x3ff) << 21) |
        (((offset >> 20) & 1) << 31),
    );
  }

  private finishCase(name: string): void {
    this.jal(LINK, this.dumpAt - this.code.length * 2);
    this.cases.push(name);
  }

  instructionCase(row: Instruction): void {
    const start = this.code.length;
    const { name, operands } = row;
    let rd = this.register();
    let rs1 = this.register();
    let rs2 = this.register();
    let bits = 0;
    const memory = name.includes('.') ? /^(amo|lr|sc)/.test(name) : /^(l[bhwd]u?|s[bhwd]|f[ls][wd])$/.test(name);
    const atomic = memory && name.includes('.');
    const offset = this.below(4096) - 2048;
    if (operands.includes('S')) this.constant((rs1 = this.below(32)), 'f');
    if (operands.includes('T')) this.constant((rs2 = this.below(32)), 'f');
    if (operands.includes('t') && rs2 !== 0) this.constant(rs2, 'x');
    if (operands.includes('s') && rs1 !== 0 && !memory && this.below(4) !== 0) this.constant(rs1, 'x');
    if (operands.includes('D')) rd = this.below(32);
    if (operands.includes('R')) bits |= this.below(32) << 27;
    if (operands.includes('m')) bits |= [0, 1, 2, 3, 4, 7, 7, 7][this.below(8)] << 12;
    if (operands.includes('i')) bits |= (memory ? offset : this.below(4096)) << 20;
    if (operands.includes('o')) bits |= ((offset >> 5) << 25) | ((offset & 31) << 7);
    if (operands.includes('h')) bits |= this.below(64) << 20;
    if (operands.includes('w')) bits |= this.below(32) << 20;
    if (operands.includes('u')) bits |= this.below(1 << 20) << 12;
    if (operands.includes('c') || operands.includes('z')) bits |= (1 + this.below(3)) << 20;
    if (operands.includes('z')) bits |= this.below(32) << 15;
    if (memory) rs1 = MEM;
    if (atomic) {
      this.i(0x13, 0, SCRATCH, MEM, offset & ~7);
      rs1 = SCRATCH;
      if (name.startsWith('sc')) {
        // A reservation there, or one elsewhere: what an older one is worth is not architectural.
        const where = this.below(4) === 0 ? MEM : SCRATCH;
        this.word(0x1000202f | (name.endsWith('d') ? 0x1000 : 0) | (where << 15));
      }
      bits |= this.below(4) << 25;
    }
    if (name === 'jal' || operands.includes('b')) bits |= name === 'jal' ? 8 << 20 : 8 << 7;
    if (name === 'jalr') {
      this.word(0x17 | (SCRATCH << 7));
      rs1 = SCRATCH;
      bits = (12 + this.below(2)) << 20;
    }
    if (/[dD]/.test(operands)) bits |= rd << 7;
    if (/[sS]/.test(operands)) bits |= rs1 << 15;
    if (/[tT]/.test(operands)) bits |= rs2 << 20;
    this.word(row.match | bits);
    if (name === 'jal' || name === 'jalr' || operands.includes('b')) this.i(0x13, 0, 5, 5, 1);
    if (operands.includes('c') || operands.includes('z')) this.i(0x73, 5, 0, this.below(5), 2); // fsrmi
    if (name.startsWith('f') && this.below(4) === 0) this.i(0x73, 5, 0, 0, 1); // fsflagsi 0
    if (operands.includes('o') || atomic) this.readBack(atomic ? offset & ~7 : offset);
    this.finishCase(this.describe(name, start));
  }

  /** The doublewords around a store, into x6 and x7. */
  private readBack(offset: number): void {
    const aligned = Math.min(Math.max(offset & ~7, -2048), 2032);
    this.i(0x03, 3, 6, MEM, aligned);
    this.i(0x03, 3, 7, MEM, aligned + 8);
  }

  compressedCase(): void {
    const start = this.code.length;
    for (;;) {
      const half = this.below(65536);
      if ((half & 3) === 3) continue;
      const word = expand(half);
      if (word === 0) continue;
      const name = OPERATIONS[decode(word).operation];
      const rd = (word >> 7) & 31;
      const rs1 = (word >> 15) & 31;
      if (name === 'ebreak' || name === 'jalr') continue;
      const isStore = /^f?s[wd]$/.test(name);
      const isLoad = /^f?l[wd]$/.test(name);
      const isBranch = name === 'beq' || name === 'bne';
      const readsReserved = rs1 >= SCRATCH && rs1 <= OUT;
      if (readsReserved && name !== 'lui' && name !== 'jal') continue;
      const writesX = !isStore && !isBranch && !name.startsWith('f');
      if (writesX && rd >= SCRATCH && rd <= OUT) continue;
      if (isLoad || isStore) this.i(0x13, 0, rs1, MEM, 0);
      else if (!isBranch && name !== 'jal' && rd !== 0 && writesX) this.constant(rd, 'x');
      if (isBranch || name === 'jal') {
        // Only the shortest way forward: +4, over a c.nop.
        this.code.push(name === 'jal' ? 0xa011 : (half & 0xe383) | (4 << 1), 1);
      } else this.code.push(half);
      if (isStore) this.readBack(((word >> 25) << 5) | ((word >> 7) & 31));
      this.finishCase(this.describe(`c.${name} ${half.toString(16)}`, start));
      return;
    }
  }

  private describe(name: string, start: number): string {
    const halves = this.code.slice(start).map((half) => half.toString(16).padStart(4, '0'));
    return `${name} at ${(TEXT + 0x1000 + start * 2).toString(16)}: ${halves.join(' ')}`;
  }

  finish(): Lockstep {
    const outputBytes = this.cases.length * RECORD_BYTES;
    // write(1, OUTPUT, outputBytes) until all is out; exit(0)
    this.lui(11, OUTPUT);
    this.lui(12, (outputBytes + 0x800) & 0xfffff000);
    this.i(0x1b, 0, 12, 12, outputBytes & 0xfff);
    this.i(0x13, 0, 10, 0, 1);
    this.i(0x13, 0, 17, 0, 64);
    this.word(0x73);
    this.word(0x00a585b3); // add a1, a1, a0
    this.word(0x40a60633); // sub a2, a2, a0
    this.word(0x00060463 | 0); // beq a2, x0, +8
    this.jal(0, -24);
    this.i(0x13, 0, 10, 0, 0);
    this.i(0x13, 0, 17, 0, 93);
    this.word(0x73);
    return { elf: this.elf(outputBytes), outputBytes, cases: this.cases };
  }

  private elf(outputBytes: number): Uint8Array {
    const textBytes = this.code.length * 2;
    const dataOffset = 0x1000 + Math.ceil(textBytes / 4096) * 4096;
    const bytes = new Uint8Array(dataOffset + 0x8000);
    const view = new DataView(bytes.buffer);
    bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
    view.setUint16(16, 2, true);
    view.setUint16(18, 243, true);
    view.setUint32(20, 1, true);
    view.setBigUint64(24, BigInt(TEXT + 0x1000), true);
    view.setBigUint64(32, 64n, true);
    view.setUint32(48, 5, true); // EF_RISCV_RVC | double float
    view.setUint16(52, 64, true);
    view.setUint16(54, 56, true);
    view.setUint16(56, 2, true);
    const segment = (index: number, flags: number, offset: number, address: number, file: number, memory: number) => {
      const at = 64 + index * 56;
      view.setUint32(at, 1, true);
      view.setUint32(at + 4, flags, true);
      const values = [offset, address, address, file, memory, 4096];
      for (const [n, value] of values.entries()) view.setBigUint64(at + 8 + n * 8, BigInt(value), true);
    };
    segment(0, 5, 0x1000, TEXT + 0x1000, textBytes, textBytes);
    segment(1, 6, dataOffset, DATA, 0x8000, 0x8000 + outputBytes);
    for (const [n, half] of this.code.entries()) view.setUint16(0x1000 + n * 2, half, true);
    for (let n = 0; n < 0x1000; n++) view.setBigUint64(dataOffset + n * 8, this.operand(), true);
    return bytes;
  }

  private operand(): bigint {
    const random = (BigInt(this.below(2 ** 31)) << 33n) ^ (BigInt(this.below(2 ** 31)) << 5n) ^ BigInt(this.below(32));
    switch (this.below(6)) {
      case 0:
      case 1:
      case 2:
        return CORNERS[this.below(CORNERS.length)];
      case 3:
        return (0xffffffffn << 32n) | (random & 0xffffffffn);
      case 4: {
        // a double near a corner of the exponent
        const exponent = BigInt([0, 1, 2, 1022, 1023, 1024, 1054, 1086, 2045, 2046, 896, 870][this.below(12)]);
        return ((random >> 63n) << 63n) | (exponent << 52n) | (random & 0xfffffffffffffn);
      }
      default:
        return random;
    }
  }
}
