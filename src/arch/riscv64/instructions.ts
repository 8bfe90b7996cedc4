/**
 * The 32-bit instructions of RV64IMAFD, Zicsr and Zifencei in user mode (unprivileged specification 20240411, chapter 34).
 *
 * Operands, a letter each: d D = rd in x or f; s S = rs1; t T = rs2; R = rs3 in f; m = the rm field; and one immediate:
 * i (I-type), S-type o, b (branch), u (upper), j (jal), h (6-bit shift), w (5-bit shift), c (CSR), z (CSR and 5-bit
 * immediate). aq and rl are outside the mask: with one hart they order nothing.
 */
export interface Instruction {
  readonly name: string;
  readonly match: number;
  readonly mask: number;
  readonly operands: string;
}

const rows: Instruction[] = [];

function row(name: string, match: number, mask: number, operands: string): void {
  rows.push({ name, match: match >>> 0, mask: mask >>> 0, operands });
}
const OPCODE = 0x7f;
const FUNCT3 = 0x707f;
const FUNCT7 = 0xfe00707f;
const all = (opcode: number, operands: string, names: string): void => {
  names.split(' ').forEach((name, funct3) => {
    if (name !== '-') row(name, opcode | (funct3 << 12), FUNCT3, operands);
  });
};
const register = (opcode: number, funct7: number, names: string): void => {
  names.split(' ').forEach((name, funct3) => {
    if (name !== '-') row(name, opcode | (funct3 << 12) | (funct7 << 25), FUNCT7, 'dst');
  });
};

row('lui', 0x37, OPCODE, 'du');
row('auipc', 0x17, OPCODE, 'du');
row('jal', 0x6f, OPCODE, 'dj');
row('jalr', 0x67, FUNCT3, 'dsi');
all(0x63, 'stb', 'beq bne - - blt bge bltu bgeu');
all(0x03, 'dsi', 'lb lh lw ld lbu lhu lwu');
all(0x23, 'sto', 'sb sh sw sd');
all(0x13, 'dsi', 'addi - slti sltiu xori - ori andi');
row('slli', 0x1013, 0xfc00707f, 'dsh');
row('srli', 0x5013, 0xfc00707f, 'dsh');
row('srai', 0x40005013, 0xfc00707f, 'dsh');
register(0x33, 0, 'add sll slt sltu xor srl or and');
register(0x33, 0x20, 'sub - - - - sra');
row('addiw', 0x1b, FUNCT3, 'dsi');
row('slliw', 0x101b, FUNCT7, 'dsw');
row('srliw', 0x501b, FUNCT7, 'dsw');
row('sraiw', 0x4000501b, FUNCT7, 'dsw');
register(0x3b, 0, 'addw sllw - - - srlw');
register(0x3b, 0x20, 'subw - - - - sraw');
row('fence', 0x0f, FUNCT3, '');
row('fence.i', 0x100f, FUNCT3, '');
row('ecall', 0x73, 0xffffffff, '');
row('ebreak', 0x100073, 0xffffffff, '');

all(0x73, 'dsc', '- csrrw csrrs csrrc');
all(0x73, 'dz', '- - - - - csrrwi csrrsi csrrci');

register(0x33, 1, 'mul mulh mulhsu mulhu div divu rem remu');
register(0x3b, 1, 'mulw - - - divw divuw remw remuw');

const ATOMICS: readonly (readonly [string, number])[] = [
  ['sc', 3],
  ['amoswap', 1],
  ['amoadd', 0],
  ['amoxor', 4],
  ['amoand', 12],
  ['amoor', 8],
  ['amomin', 16],
  ['amomax', 20],
  ['amominu', 24],
  ['amomaxu', 28],
];
for (const [suffix, funct3] of [
  ['.w', 2],
  ['.d', 3],
] as const) {
  row(`lr${suffix}`, (0x2f | (funct3 << 12) | (2 << 27)) >>> 0, 0xf9f0707f, 'ds');
  for (const [name, funct5] of ATOMICS) row(name + suffix, 0x2f | (funct3 << 12) | (funct5 << 27), 0xf800707f, 'dst');
}

row('flw', 0x2007, FUNCT3, 'Dsi');
row('fld', 0x3007, FUNCT3, 'Dsi');
row('fsw', 0x2027, FUNCT3, 'sTo');
row('fsd', 0x3027, FUNCT3, 'sTo');
for (const [suffix, format] of [
  ['.s', 0],
  ['.d', 1],
] as const) {
  const fp = (name: string, funct5: number, operands: string, fixed: { rs2?: number; funct3?: number } = {}): void => {
    const rs2 = fixed.rs2 ?? 0;
    const funct3 = fixed.funct3 ?? 0;
    const mask = 0xfe00007f | (fixed.rs2 === undefined ? 0 : 0x1f00000) | (fixed.funct3 === undefined ? 0 : 0x7000);
    row(name, 0x53 | (funct5 << 27) | (format << 25) | (rs2 << 20) | (funct3 << 12), mask, operands);
  };
  for (const [i, name] of ['fmadd', 'fmsub', 'fnmsub', 'fnmadd'].entries())
    row(name + suffix, 0x43 | (i << 2) | (format << 25), 0x0600007f, 'DSTRm');
  fp(`fadd${suffix}`, 0, 'DSTm');
  fp(`fsub${suffix}`, 1, 'DSTm');
  fp(`fmul${suffix}`, 2, 'DSTm');
  fp(`fdiv${suffix}`, 3, 'DSTm');
  fp(`fsqrt${suffix}`, 11, 'DSm', { rs2: 0 });
  fp(`fsgnj${suffix}`, 4, 'DST', { funct3: 0 });
  fp(`fsgnjn${suffix}`, 4, 'DST', { funct3: 1 });
  fp(`fsgnjx${suffix}`, 4, 'DST', { funct3: 2 });
  fp(`fmin${suffix}`, 5, 'DST', { funct3: 0 });
  fp(`fmax${suffix}`, 5, 'DST', { funct3: 1 });
  fp(`fle${suffix}`, 20, 'dST', { funct3: 0 });
  fp(`flt${suffix}`, 20, 'dST', { funct3: 1 });
  fp(`feq${suffix}`, 20, 'dST', { funct3: 2 });
  fp(`fclass${suffix}`, 28, 'dS', { rs2: 0, funct3: 1 });
  for (const [rs2, type] of ['w', 'wu', 'l', 'lu'].entries()) {
    fp(`fcvt.${type}${suffix}`, 24, 'dSm', { rs2 });
    fp(`fcvt${suffix}.${type}`, 26, 'Dsm', { rs2 });
  }
  fp(suffix === '.s' ? 'fmv.x.w' : 'fmv.x.d', 28, 'dS', { rs2: 0, funct3: 0 });
  fp(suffix === '.s' ? 'fmv.w.x' : 'fmv.d.x', 30, 'Ds', { rs2: 0, funct3: 0 });
  if (suffix === '.s') fp('fcvt.s.d', 8, 'DSm', { rs2: 1 });
  else fp('fcvt.d.s', 8, 'DSm', { rs2: 0 });
}

export const INSTRUCTIONS: readonly Instruction[] = rows;
