/**
 * The register file of a riscv64 task: an array of 32-bit words, little-endian pairs. The CPU keeps the live one in its
 * machine area; a task's saved registers are a copy of it with the same layout.
 */
export const REG_X = 0; // x0..x31: words 2n and 2n+1; x0 is always 0
export const REG_F = 64; // f0..f31: raw bits, single precision NaN-boxed
export const REG_PC = 128;
export const REG_FCSR = 130; // fflags in bits 0..4, frm in bits 5..7
export const REGISTER_WORDS = 132;
