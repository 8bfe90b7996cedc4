import { panic } from '../../../base/assert.ts';
import { EXTENSION_INSTRUCTIONS } from '../extensions.ts';
import { INSTRUCTIONS } from '../instructions.ts';

export interface Operands {
  readonly rd?: number;
  readonly rs1?: number;
  readonly rs2?: number;
  readonly imm?: number;
}

/** The 32-bit word of an instruction of the table; absent operands are 0. */
export function assemble(name: string, { rd = 0, rs1 = 0, rs2 = 0, imm = 0 }: Operands = {}): number {
  const row = [...INSTRUCTIONS, ...EXTENSION_INSTRUCTIONS].find((candidate) => candidate.name === name);
  if (row === undefined) panic(`testing/assemble.ts: no instruction ${name}`);
  let word = row.match;
  for (const letter of row.operands) {
    if (letter === 'd' || letter === 'D') word |= rd << 7;
    else if (letter === 's' || letter === 'S') word |= rs1 << 15;
    else if (letter === 't' || letter === 'T') word |= rs2 << 20;
    else if ('ihwc'.includes(letter)) word |= imm << 20;
    else if (letter === 'z') word |= (imm << 20) | (rs1 << 15);
    else if (letter === 'u') word |= imm & 0xfffff000;
    else if (letter === 'o') word |= ((imm >> 5) << 25) | ((imm & 31) << 7);
    else if (letter === 'b')
      word |= ((imm >> 12) << 31) | (((imm >> 5) & 63) << 25) | (((imm >> 1) & 15) << 8) | (((imm >> 11) & 1) << 7);
    else if (letter === 'j')
      word |=
        ((imm >> 20) << 31) | (((imm >> 1) & 0x3ff) << 21) | (((imm >> 11) & 1) << 20) | (((imm >> 12) & 0xff) << 12);
  }
  return word >>> 0;
}

export const ECALL: number = 0x73;
export const EBREAK: number = 0x100073;
export const C_NOP: number = 0x0001;
