import { assert } from '../../base/assert.ts';

/** Registers by their ABI names, as far as the vdso uses them. */
export const ZERO = 0;
export const T0 = 5;
export const T1 = 6;
export const T2 = 7;
export const A0 = 10;
export const A1 = 11;
export const A4 = 14;
export const A7 = 17;
export const T3 = 28;
export const T4 = 29;
export const T5 = 30;
export const T6 = 31;

const BRANCHES = { beq: 0, bne: 1, bltu: 6, bgeu: 7 } as const;
const ALU = {
  add: [0x00, 0],
  sub: [0x20, 0],
  sll: [0x00, 1],
  srl: [0x00, 5],
  and: [0x00, 7],
  mul: [0x01, 0],
  divu: [0x01, 5],
  remu: [0x01, 7],
} as const;
const ALU_IMMEDIATE = { addi: 0, slli: 1, srli: 5, andi: 7 } as const;
const LOADS = { lw: 2, ld: 3 } as const;
const STORES = { sw: 2, sd: 3 } as const;

interface Fixup {
  readonly at: number;
  readonly label: string;
  readonly kind: 'branch' | 'jump';
}

/** A few RV64IM instructions in a row, with labels: enough for the vdso (RISC-V unprivileged specification, chapter 34). */
export class VdsoAssembler {
  private readonly words: number[] = [];
  private readonly labels = new Map<string, number>();
  private readonly fixups: Fixup[] = [];

  label(name: string): this {
    this.labels.set(name, this.words.length * 4);
    return this;
  }

  alu(op: keyof typeof ALU, rd: number, rs1: number, rs2: number): this {
    const [funct7, funct3] = ALU[op];
    return this.emit((funct7 << 25) | (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | 0x33);
  }

  alui(op: keyof typeof ALU_IMMEDIATE, rd: number, rs1: number, immediate: number): this {
    assert(immediate >= -2048 && immediate < 2048, 'arch/riscv64/vdso-assembler.ts: an immediate has 12 bits');
    return this.emit((immediate << 20) | (rs1 << 15) | (ALU_IMMEDIATE[op] << 12) | (rd << 7) | 0x13);
  }

  /** A constant of 32 bits, sign-extended. */
  li(rd: number, value: number): this {
    if (value >= -2048 && value < 2048) return this.alui('addi', rd, ZERO, value);
    const low = (value << 20) >> 20;
    this.emit(((value - low) & 0xffff_f000) | (rd << 7) | 0x37);
    // addiw: the sum is a 32-bit number.
    return low === 0 ? this : this.emit((low << 20) | (rd << 15) | (rd << 7) | 0x1b);
  }

  /** pc + pages * 4096. */
  auipc(rd: number, pages: number): this {
    return this.emit(((pages << 12) | (rd << 7) | 0x17) >>> 0);
  }

  load(op: keyof typeof LOADS, rd: number, offset: number, base: number): this {
    return this.emit((offset << 20) | (base << 15) | (LOADS[op] << 12) | (rd << 7) | 0x03);
  }

  store(op: keyof typeof STORES, source: number, offset: number, base: number): this {
    const high = (offset >> 5) & 0x7f;
    return this.emit((high << 25) | (source << 20) | (base << 15) | (STORES[op] << 12) | ((offset & 31) << 7) | 0x23);
  }

  branch(op: keyof typeof BRANCHES, rs1: number, rs2: number, label: string): this {
    this.fixups.push({ at: this.words.length * 4, label, kind: 'branch' });
    return this.emit((rs2 << 20) | (rs1 << 15) | (BRANCHES[op] << 12) | 0x63);
  }

  jump(label: string): this {
    this.fixups.push({ at: this.words.length * 4, label, kind: 'jump' });
    return this.emit(0x6f);
  }

  /** csrrs rd, time, zero. */
  rdtime(rd: number): this {
    return this.emit((0xc01 << 20) | (2 << 12) | (rd << 7) | 0x73);
  }

  /** The system call `number`, and back to the caller. */
  trap(number: number): this {
    return this.li(A7, number).emit(0x0000_0073).ret();
  }

  ret(): this {
    return this.emit(0x0000_8067);
  }

  finish(): Uint8Array {
    for (const { at, label, kind } of this.fixups) {
      const target = this.labels.get(label);
      assert(target !== undefined, 'arch/riscv64/vdso-assembler.ts: a label is somewhere');
      const distance = target - at;
      const word = at / 4;
      if (kind === 'branch') {
        this.words[word] |=
          (((distance >> 12) & 1) << 31) |
          (((distance >> 5) & 0x3f) << 25) |
          (((distance >> 1) & 0xf) << 8) |
          (((distance >> 11) & 1) << 7);
      } else {
        this.words[word] |=
          (((distance >> 20) & 1) << 31) |
          (((distance >> 1) & 0x3ff) << 21) |
          (((distance >> 11) & 1) << 20) |
          (((distance >> 12) & 0xff) << 12);
      }
    }
    const bytes = new Uint8Array(this.words.length * 4);
    const view = new DataView(bytes.buffer);
    for (const [i, word] of this.words.entries()) view.setUint32(i * 4, word >>> 0, true);
    return bytes;
  }

  private emit(word: number): this {
    this.words.push(word >>> 0);
    return this;
  }
}
