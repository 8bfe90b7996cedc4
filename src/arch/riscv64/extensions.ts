import { fpOperationNumber } from './fp/reference.ts';
import type { Instruction } from './instructions.ts';
import { bitFunctionNumber } from './semantics/bits.ts';

/**
 * The instructions of Zba, Zbb, Zbc, Zbs (bit manipulation) and Zfh (half precision) (unprivileged specification 20240411,
 * chapters 28 and 23). Programs seldom have them, so that they share a few operations: an operation of a group does what
 * `selector`, bits 16..23 of the immediate, says.
 */
export interface ExtensionInstruction extends Instruction {
  /** The group's name in OPERATIONS. */
  readonly operation: 'bits' | 'half' | 'half.memory';
  readonly selector: number;
}

const rows: ExtensionInstruction[] = [];

/** `does`: the function of semantics/bits.ts; without: that of the instruction's own name. */
function bits(name: string, match: number, operands: 'dst' | 'ds' | 'dsh' | 'dsw', does = name): void {
  const mask = { dst: 0xfe00707f, ds: 0xfff0707f, dsh: 0xfc00707f, dsw: 0xfe00707f }[operands];
  rows.push({ name, match, mask, operands, operation: 'bits', selector: bitFunctionNumber(does) });
}

bits('add.uw', 0x0800003b, 'dst');
bits('sh1add', 0x20002033, 'dst');
bits('sh2add', 0x20004033, 'dst');
bits('sh3add', 0x20006033, 'dst');
bits('sh1add.uw', 0x2000203b, 'dst');
bits('sh2add.uw', 0x2000403b, 'dst');
bits('sh3add.uw', 0x2000603b, 'dst');
bits('slli.uw', 0x0800101b, 'dsh');

bits('andn', 0x40007033, 'dst');
bits('orn', 0x40006033, 'dst');
bits('xnor', 0x40004033, 'dst');
bits('clz', 0x60001013, 'ds');
bits('ctz', 0x60101013, 'ds');
bits('cpop', 0x60201013, 'ds');
bits('clzw', 0x6000101b, 'ds');
bits('ctzw', 0x6010101b, 'ds');
bits('cpopw', 0x6020101b, 'ds');
bits('min', 0x0a004033, 'dst');
bits('minu', 0x0a005033, 'dst');
bits('max', 0x0a006033, 'dst');
bits('maxu', 0x0a007033, 'dst');
bits('sext.b', 0x60401013, 'ds');
bits('sext.h', 0x60501013, 'ds');
bits('zext.h', 0x0800403b, 'ds');
bits('rol', 0x60001033, 'dst');
bits('ror', 0x60005033, 'dst');
bits('rori', 0x60005013, 'dsh', 'ror');
bits('rolw', 0x6000103b, 'dst');
bits('rorw', 0x6000503b, 'dst');
bits('roriw', 0x6000501b, 'dsw', 'rorw');
bits('orc.b', 0x28705013, 'ds');
bits('rev8', 0x6b805013, 'ds');

bits('clmul', 0x0a001033, 'dst');
bits('clmulr', 0x0a002033, 'dst');
bits('clmulh', 0x0a003033, 'dst');

bits('bclr', 0x48001033, 'dst');
bits('bclri', 0x48001013, 'dsh', 'bclr');
bits('bext', 0x48005033, 'dst');
bits('bexti', 0x48005013, 'dsh', 'bext');
bits('binv', 0x68001033, 'dst');
bits('binvi', 0x68001013, 'dsh', 'binv');
bits('bset', 0x28001033, 'dst');
bits('bseti', 0x28001013, 'dsh', 'bset');

/** An OP-FP instruction: funct5, fmt, and what of rs2 and funct3 is fixed; a free funct3 is rm. */
function half(
  name: string,
  [funct5, fmt]: readonly [number, number],
  operands: string,
  fixed: { readonly rs2?: number; readonly funct3?: number } = {},
): void {
  const { rs2 = 0, funct3 = 0 } = fixed;
  const match = (0x53 | (funct5 << 27) | (fmt << 25) | (rs2 << 20) | (funct3 << 12)) >>> 0;
  const mask =
    (0xfe00007f | (fixed.rs2 === undefined ? 0 : 0x1f00000) | (fixed.funct3 === undefined ? 0 : 0x7000)) >>> 0;
  rows.push({ name, match, mask, operands, operation: 'half', selector: fpOperationNumber(name) });
}

const H = 2;
/** Selectors of half.memory, whose offset is what stands below them. */
const LOAD = 0;
const STORE = 1;
rows.push({ name: 'flh', match: 0x1007, mask: 0x707f, operands: 'Dsi', operation: 'half.memory', selector: LOAD });
rows.push({ name: 'fsh', match: 0x1027, mask: 0x707f, operands: 'sTo', operation: 'half.memory', selector: STORE });
for (const [i, name] of ['fmadd.h', 'fmsub.h', 'fnmsub.h', 'fnmadd.h'].entries()) {
  rows.push({
    name,
    match: 0x43 | (i << 2) | (H << 25),
    mask: 0x0600007f,
    operands: 'DSTRm',
    operation: 'half',
    selector: fpOperationNumber(name),
  });
}
for (const [funct5, name] of ['fadd.h', 'fsub.h', 'fmul.h', 'fdiv.h'].entries()) half(name, [funct5, H], 'DSTm');
half('fsqrt.h', [11, H], 'DSm', { rs2: 0 });
for (const [funct3, name] of ['fsgnj.h', 'fsgnjn.h', 'fsgnjx.h'].entries()) half(name, [4, H], 'DST', { funct3 });
for (const [funct3, name] of ['fmin.h', 'fmax.h'].entries()) half(name, [5, H], 'DST', { funct3 });
for (const [funct3, name] of ['fle.h', 'flt.h', 'feq.h'].entries()) half(name, [20, H], 'dST', { funct3 });
half('fclass.h', [28, H], 'dS', { rs2: 0, funct3: 1 });
half('fmv.x.h', [28, H], 'dS', { rs2: 0, funct3: 0 });
half('fmv.h.x', [30, H], 'Ds', { rs2: 0, funct3: 0 });
for (const [rs2, type] of ['w', 'wu', 'l', 'lu'].entries()) {
  half(`fcvt.${type}.h`, [24, H], 'dSm', { rs2 });
  half(`fcvt.h.${type}`, [26, H], 'Dsm', { rs2 });
}
half('fcvt.s.h', [8, 0], 'DSm', { rs2: 2 });
half('fcvt.h.s', [8, H], 'DSm', { rs2: 0 });
half('fcvt.d.h', [8, 1], 'DSm', { rs2: 2 });
half('fcvt.h.d', [8, H], 'DSm', { rs2: 1 });

export const EXTENSION_INSTRUCTIONS: readonly ExtensionInstruction[] = rows;
