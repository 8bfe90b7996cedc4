import type { Prologue, Unwinding } from '../unwinding.ts';
import { expand } from './compressed.ts';
import { REG_X } from './registers.ts';
import { SC_REGS } from './signal-frame.ts';
import { unsigned64 } from './words.ts';

/** RISC-V ELF psABI 1.0, "DWARF Register Numbers" and "Frame Pointer Convention". */
const RA = 1;
const SP = 2;
const S0 = 8;

export const RISCV64_UNWINDING: Unwinding = {
  registerCount: 32,
  stackPointer: SP,
  framePointer: S0,
  returnAddress: RA,
  register: (registers, number) => unsigned64(registers[REG_X + 2 * number], registers[REG_X + 2 * number + 1]),
  // struct user_regs_struct: pc, then x1 to x31.
  signalFrame: { pcOffset: SC_REGS, registerOffset: (number) => SC_REGS + 8 * number },
  frameRecord: { returnAddressOffset: -8, framePointerOffset: -16 },
  scanPrologue,
};

/**
 * Reads on through jumps, as if they were not there: what opens a frame stands before them. Only what goes down counts, because in the
 * middle of a function stand the ends of other ways through it.
 */
function scanPrologue(code: Uint8Array): Prologue {
  let frameBytes: number | null = 0;
  let framePointerBelow: number | null = null;
  let returnAddressOffset: number | null = null;
  let framePointerOffset: number | null = null;
  for (let at = 0; at + 2 <= code.length; ) {
    const half = code[at] | (code[at + 1] << 8);
    const isShort = (half & 3) !== 3;
    if (!isShort && at + 4 > code.length) break;
    const word = isShort ? expand(half) : (half | (code[at + 2] << 16) | (code[at + 3] << 24)) >>> 0;
    at += isShort ? 2 : 4;
    const opcode = word & 0x7f;
    const rd = (word >>> 7) & 31;
    const funct3 = (word >>> 12) & 7;
    const rs1 = (word >>> 15) & 31;
    const rs2 = (word >>> 20) & 31;
    if (opcode === 0x13 && funct3 === 0 && rs1 === SP) {
      const immediate = (word | 0) >> 20;
      if (rd === SP && immediate < 0 && frameBytes !== null) frameBytes -= immediate;
      if (rd === S0 && framePointerBelow === null && frameBytes !== null) framePointerBelow = frameBytes - immediate;
    } else if (opcode === 0x33 && rd === SP && framePointerBelow === null) frameBytes = null;
    else if (opcode === 0x23 && funct3 === 3 && rs1 === SP && frameBytes !== null) {
      const immediate = (((word | 0) >> 25) << 5) | rd;
      if (rs2 === RA) returnAddressOffset ??= immediate - frameBytes;
      if (rs2 === S0) framePointerOffset ??= immediate - frameBytes;
    }
  }
  return { frameBytes, framePointerBelow, returnAddressOffset, framePointerOffset };
}
