import { NT_PRFPREG, NT_PRSTATUS } from '../../abi/ptrace.ts';
import { REG_F, REG_FCSR, REG_PC, REG_X } from './registers.ts';

/**
 * Register sets as ptrace shows them (6.18, arch/riscv/kernel/ptrace.c): NT_PRSTATUS is struct user_regs_struct, pc and x1 to
 * x31; NT_PRFPREG is struct __riscv_d_ext_state, f0 to f31 and fcsr, padded to a double word.
 */
const GENERAL_BYTES = 256;
const FLOAT_BYTES = 264;
const FLOAT_WORDS = 64;

export function readRegset(registers: Uint32Array, note: number): Uint8Array | null {
  if (note === NT_PRSTATUS) {
    const words = new Uint32Array(GENERAL_BYTES / 4);
    words.set(registers.subarray(REG_PC, REG_PC + 2), 0);
    words.set(registers.subarray(REG_X + 2, REG_X + 64), 2);
    return new Uint8Array(words.buffer);
  }
  if (note !== NT_PRFPREG) return null;
  const words = new Uint32Array(FLOAT_BYTES / 4);
  words.set(registers.subarray(REG_F, REG_F + FLOAT_WORDS), 0);
  words[FLOAT_WORDS] = registers[REG_FCSR];
  return new Uint8Array(words.buffer);
}

export function writeRegset(registers: Uint32Array, note: number, bytes: Uint8Array): void {
  const words = new Uint32Array(bytes.slice().buffer);
  if (note === NT_PRSTATUS) {
    registers.set(words.subarray(0, 2), REG_PC);
    registers.set(words.subarray(2, 64), REG_X + 2);
  } else if (note === NT_PRFPREG) {
    registers.set(words.subarray(0, FLOAT_WORDS), REG_F);
    registers[REG_FCSR] = words[FLOAT_WORDS] & 0xff;
  }
}
