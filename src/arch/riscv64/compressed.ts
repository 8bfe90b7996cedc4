/**
 * The C extension for RV64 (chapter 26): each 16-bit instruction is one 32-bit instruction with short operands. `expand`
 * gives that one, or 0 (which is illegal) for reserved encodings. Hints expand to what they are the hint form of.
 */
export function expand(half: number): number {
  const funct3 = half >> 13;
  const rd = (half >> 7) & 31;
  const rs2 = (half >> 2) & 31;
  const high = 8 + ((half >> 7) & 7); // rs1', rd' of the middle field
  const low = 8 + ((half >> 2) & 7); // rd', rs2' of the low field
  switch (half & 3) {
    case 0:
      return quadrant0(half, funct3, high, low);
    case 1:
      return quadrant1(half, funct3, rd, high, low);
    case 2:
      return quadrant2(half, funct3, rd, rs2);
    default:
      return 0;
  }
}

const bit = (half: number, from: number, to: number): number => ((half >> from) & 1) << to;
const bits = (half: number, from: number, count: number, to: number): number =>
  ((half >> from) & ((1 << count) - 1)) << to;

const iType = (opcode: number, funct3: number, rd: number, rs1: number, imm: number): number =>
  (opcode | (rd << 7) | (funct3 << 12) | (rs1 << 15) | ((imm & 0xfff) << 20)) >>> 0;
const sType = (opcode: number, funct3: number, rs1: number, rs2: number, imm: number): number =>
  (opcode | ((imm & 31) << 7) | (funct3 << 12) | (rs1 << 15) | (rs2 << 20) | ((imm >> 5) << 25)) >>> 0;
const rType = (opcode: number, funct3: number, funct7: number, rd: number, rs1: number, rs2: number): number =>
  (opcode | (rd << 7) | (funct3 << 12) | (rs1 << 15) | (rs2 << 20) | (funct7 << 25)) >>> 0;

const wordOffset = (half: number): number => bit(half, 6, 2) | bits(half, 10, 3, 3) | bit(half, 5, 6);
const doubleOffset = (half: number): number => bits(half, 10, 3, 3) | bits(half, 5, 2, 6);
const signed6 = (half: number): number => ((bits(half, 2, 5, 0) | bit(half, 12, 5)) << 26) >> 26;

function quadrant0(half: number, funct3: number, base: number, reg: number): number {
  switch (funct3) {
    case 0: {
      // c.addi4spn
      const imm = bits(half, 11, 2, 4) | bits(half, 7, 4, 6) | bit(half, 6, 2) | bit(half, 5, 3);
      return imm === 0 ? 0 : iType(0x13, 0, reg, 2, imm);
    }
    case 1:
      return iType(0x07, 3, reg, base, doubleOffset(half)); // c.fld
    case 2:
      return iType(0x03, 2, reg, base, wordOffset(half)); // c.lw
    case 3:
      return iType(0x03, 3, reg, base, doubleOffset(half)); // c.ld
    case 5:
      return sType(0x27, 3, base, reg, doubleOffset(half)); // c.fsd
    case 6:
      return sType(0x23, 2, base, reg, wordOffset(half)); // c.sw
    case 7:
      return sType(0x23, 3, base, reg, doubleOffset(half)); // c.sd
    default:
      return 0;
  }
}

function quadrant1(half: number, funct3: number, rd: number, high: number, low: number): number {
  const imm = signed6(half);
  switch (funct3) {
    case 0:
      return iType(0x13, 0, rd, rd, imm); // c.addi, c.nop
    case 1:
      return rd === 0 ? 0 : iType(0x1b, 0, rd, rd, imm); // c.addiw
    case 2:
      return iType(0x13, 0, rd, 0, imm); // c.li
    case 3: {
      if (rd === 2) {
        const sp = bit(half, 12, 9) | bit(half, 6, 4) | bit(half, 5, 6) | bits(half, 3, 2, 7) | bit(half, 2, 5);
        return sp === 0 ? 0 : iType(0x13, 0, 2, 2, (sp << 22) >> 22); // c.addi16sp
      }
      return imm === 0 ? 0 : (0x37 | (rd << 7) | (imm << 12)) >>> 0; // c.lui
    }
    case 4:
      return arithmetic(half, high, low, imm);
    case 5: {
      // c.j
      const target =
        bit(half, 12, 11) |
        bit(half, 11, 4) |
        bits(half, 9, 2, 8) |
        bit(half, 8, 10) |
        bit(half, 7, 6) |
        bit(half, 6, 7) |
        bits(half, 3, 3, 1) |
        bit(half, 2, 5);
      return jType((target << 20) >> 20);
    }
    default: {
      // c.beqz, c.bnez
      const target =
        bit(half, 12, 8) | bits(half, 10, 2, 3) | bits(half, 5, 2, 6) | bits(half, 3, 2, 1) | bit(half, 2, 5);
      return bType(funct3 - 6, high, (target << 23) >> 23);
    }
  }
}

function jType(offset: number): number {
  return (
    (0x6f |
      (((offset >> 12) & 0xff) << 12) |
      (((offset >> 11) & 1) << 20) |
      (((offset >> 1) & 0x3ff) << 21) |
      (((offset >> 20) & 1) << 31)) >>>
    0
  );
}

function bType(funct3: number, rs1: number, offset: number): number {
  return (
    (0x63 |
      (((offset >> 11) & 1) << 7) |
      (((offset >> 1) & 15) << 8) |
      (funct3 << 12) |
      (rs1 << 15) |
      (((offset >> 5) & 0x3f) << 25) |
      (((offset >> 12) & 1) << 31)) >>>
    0
  );
}

function arithmetic(half: number, rd: number, rs2: number, imm: number): number {
  switch ((half >> 10) & 3) {
    case 0:
      return iType(0x13, 5, rd, rd, imm & 63); // c.srli
    case 1:
      return iType(0x13, 5, rd, rd, (imm & 63) | 0x400); // c.srai
    case 2:
      return iType(0x13, 7, rd, rd, imm); // c.andi
    default:
      break;
  }
  switch (bits(half, 5, 2, 0) | bit(half, 12, 2)) {
    case 0:
      return rType(0x33, 0, 0x20, rd, rd, rs2); // c.sub
    case 1:
      return rType(0x33, 4, 0, rd, rd, rs2); // c.xor
    case 2:
      return rType(0x33, 6, 0, rd, rd, rs2); // c.or
    case 3:
      return rType(0x33, 7, 0, rd, rd, rs2); // c.and
    case 4:
      return rType(0x3b, 0, 0x20, rd, rd, rs2); // c.subw
    case 5:
      return rType(0x3b, 0, 0, rd, rd, rs2); // c.addw
    default:
      return 0;
  }
}

function quadrant2(half: number, funct3: number, rd: number, rs2: number): number {
  const doubleSp = bit(half, 12, 5) | bits(half, 5, 2, 3) | bits(half, 2, 3, 6);
  const storeDoubleSp = bits(half, 10, 3, 3) | bits(half, 7, 3, 6);
  switch (funct3) {
    case 0:
      return iType(0x13, 1, rd, rd, signed6(half) & 63); // c.slli
    case 1:
      return iType(0x07, 3, rd, 2, doubleSp); // c.fldsp
    case 2:
      return rd === 0 ? 0 : iType(0x03, 2, rd, 2, bit(half, 12, 5) | bits(half, 4, 3, 2) | bits(half, 2, 2, 6)); // c.lwsp
    case 3:
      return rd === 0 ? 0 : iType(0x03, 3, rd, 2, doubleSp); // c.ldsp
    case 4:
      if ((half & 0x1000) === 0) {
        if (rs2 !== 0) return rType(0x33, 0, 0, rd, 0, rs2); // c.mv
        return rd === 0 ? 0 : iType(0x67, 0, 0, rd, 0); // c.jr
      }
      if (rs2 !== 0) return rType(0x33, 0, 0, rd, rd, rs2); // c.add
      return rd === 0 ? 0x00100073 : iType(0x67, 0, 1, rd, 0); // c.ebreak, c.jalr
    case 5:
      return sType(0x27, 3, 2, rs2, storeDoubleSp); // c.fsdsp
    case 6:
      return sType(0x23, 2, 2, rs2, bits(half, 9, 4, 2) | bits(half, 7, 2, 6)); // c.swsp
    default:
      return sType(0x23, 3, 2, rs2, storeDoubleSp); // c.sdsp
  }
}
