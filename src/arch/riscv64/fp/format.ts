// The floating-point formats of the F, D and Zfh extensions, and the encodings of fcsr.
// What is always true: bit patterns of a format are non-negative bigints below 2^width.

/** fflags bits. Source: RISC-V unprivileged ISA, chapter "F" (Floating-Point Control and Status Register). */
export const FFLAG_NX = 1; // inexact
export const FFLAG_UF = 2; // underflow
export const FFLAG_OF = 4; // overflow
export const FFLAG_DZ = 8; // divide by zero
export const FFLAG_NV = 16; // invalid operation

/** Rounding modes, as frm and the rm field hold them. 5 and 6 are reserved; 7 in the rm field means "take frm". */
export const RM_RNE = 0; // to nearest, ties to even
export const RM_RTZ = 1; // towards zero
export const RM_RDN = 2; // down
export const RM_RUP = 3; // up
export const RM_RMM = 4; // to nearest, ties to larger magnitude
export const RM_DYN = 7;

/** A binary interchange format of IEEE 754. */
export interface FpFormat {
  readonly width: 16 | 32 | 64;
  /** Bits of the stored fraction; the precision is one more. */
  readonly fractionBits: number;
  readonly precision: number;
  /** Exponent of the largest power of two, and of the smallest normal number. */
  readonly maxExponent: number;
  readonly minExponent: number;
  /** Exponent of the unit in the last place of a subnormal number. */
  readonly lastPlace: number;
  readonly signBit: bigint;
  readonly fractionMask: bigint;
  /** Also the bit pattern of +infinity. */
  readonly exponentMask: bigint;
  /** The most significant bit of the fraction: set in a quiet NaN. */
  readonly quietBit: bigint;
  readonly canonicalNan: bigint;
}

function makeFormat(width: 16 | 32 | 64, fractionBits: number): FpFormat {
  const maxExponent = 2 ** (width - fractionBits - 2) - 1;
  const minExponent = 1 - maxExponent;
  const fractionMask = (1n << BigInt(fractionBits)) - 1n;
  const signBit = 1n << BigInt(width - 1);
  const exponentMask = signBit - 1n - fractionMask;
  const quietBit = 1n << BigInt(fractionBits - 1);
  return {
    width,
    fractionBits,
    precision: fractionBits + 1,
    maxExponent,
    minExponent,
    lastPlace: minExponent - fractionBits,
    signBit,
    fractionMask,
    exponentMask,
    quietBit,
    canonicalNan: exponentMask | quietBit,
  };
}

export const HALF: FpFormat = makeFormat(16, 10);
export const SINGLE: FpFormat = makeFormat(32, 23);
export const DOUBLE: FpFormat = makeFormat(64, 52);
