import { describe, expect, it } from 'vitest';
import { fc } from '../../../../test/property.ts';
import { committedVectors } from '../../../../test/riscv/fp-vectors/vectors.ts';
import { DOUBLE, type FpFormat, RM_DYN, RM_RNE, SINGLE } from './format.ts';
import { box, FP_MNEMONICS, fpOperationNumber, runReference } from './reference.ts';
import { ROUNDING_MODES } from './softfloat.ts';
import { createFpHarness } from './testing/fp-harness.ts';

const harness = createFpHarness();

/** Runs one instruction through its emitter; what differs from (bits, flags), or null. */
function difference(
  operation: number,
  rmField: number,
  fcsr: number,
  operands: readonly [bigint, bigint, bigint],
  want: { bits: bigint; flags: number },
): string | null {
  const outcome = harness.run(operation, rmField, fcsr, ...operands);
  const got = `${outcome} ${harness.result.toString(16)} fcsr=${harness.fcsr}`;
  const expected = `done ${want.bits.toString(16)} fcsr=${want.flags | fcsr}`;
  if (got === expected) return null;
  const shown = operands.map((x) => x.toString(16)).join(' ');
  return `${FP_MNEMONICS[operation]} rm=${rmField} fcsr=${fcsr} ${shown}: want ${expected}, got ${got}`;
}

/** Bit patterns with structure: special exponents, near-equal exponents, sparse fractions. */
function pattern(format: FpFormat): fc.Arbitrary<bigint> {
  const top = Number(format.exponentMask >> BigInt(format.fractionBits));
  const middle = top >> 1;
  const exponent = fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(0, 0, 1, 2, top - 2, top - 1, top) },
    { weight: 4, arbitrary: fc.integer({ min: middle - 3, max: middle + 3 }) },
    { weight: 3, arbitrary: fc.integer({ min: middle - 60, max: middle + 66 }) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: top }) },
  );
  const fraction = fc.oneof(
    fc.bigInt({ min: 0n, max: format.fractionMask }),
    fc.integer({ min: 0, max: format.fractionBits - 1 }).map((bit) => 1n << BigInt(bit)),
    fc.bigInt({ min: 0n, max: 7n }),
    fc
      .integer({ min: 0, max: format.fractionBits })
      .map((bits) => (format.fractionMask << BigInt(bits)) & format.fractionMask),
    fc.constantFrom(0n, format.fractionMask),
  );
  return fc
    .tuple(fc.boolean(), exponent, fraction)
    .map(([negative, e, f]) => (negative ? format.signBit : 0n) | (BigInt(e) << BigInt(format.fractionBits)) | f);
}

const boxedSingle = pattern(SINGLE).map((bits) => box(SINGLE, bits));
const register = fc.oneof(
  { weight: 6, arbitrary: pattern(DOUBLE) },
  { weight: 6, arbitrary: boxedSingle },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 4096n }) },
);
/** Operands of one format, often with a sum or a product that cancels. */
const operands = fc.oneof(
  fc.tuple(pattern(DOUBLE), pattern(DOUBLE), pattern(DOUBLE)),
  fc.tuple(boxedSingle, boxedSingle, boxedSingle),
  fc.tuple(register, register, register),
  fc
    .tuple(pattern(DOUBLE), pattern(DOUBLE), fc.constantFrom(RM_RNE, 1, 2))
    .map(([a, b, rm]): [bigint, bigint, bigint] => {
      const product = runReference(fpOperationNumber('fmul.d'), rm, a, b, 0n).bits;
      return [a, b, product ^ DOUBLE.signBit];
    }),
  fc.tuple(boxedSingle, boxedSingle, fc.constantFrom(RM_RNE, 1, 2)).map(([a, b, rm]): [bigint, bigint, bigint] => {
    const product = runReference(fpOperationNumber('fmul.s'), rm, a, b, 0n).bits;
    return [a, b, product ^ SINGLE.signBit];
  }),
);

describe('emitters of F and D', () => {
  it('agree with the committed qemu vectors, static and dynamic, flags clear and set', () => {
    const found: string[] = [];
    for (const v of committedVectors()) {
      const want = { bits: v.result, flags: v.flags };
      const dynamic = v.rm << 5;
      for (const [rmField, fcsr] of [
        [v.rm, 0],
        [v.rm, 0xe0],
        [RM_DYN, dynamic],
        [RM_DYN, dynamic | 1],
        [RM_DYN, dynamic | 31],
      ]) {
        const wrong = difference(v.operation, rmField, fcsr, [v.a, v.b, v.c], want);
        if (wrong !== null) found.push(wrong);
      }
    }
    expect(found).toEqual([]);
  });

  it('agree with the reference on random operands', () => {
    const operation = fc.nat({ max: FP_MNEMONICS.length - 1 });
    // Most programs round to nearest, and that is where the fast paths are.
    const mode = fc.oneof({ weight: 3, arbitrary: fc.constant(RM_RNE) }, fc.constantFrom(...ROUNDING_MODES));
    fc.assert(
      fc.property(operation, mode, fc.boolean(), fc.nat({ max: 1 }), operands, (op, rm, isStatic, nx, [a, b, c]) => {
        const fcsr = isStatic ? nx : (rm << 5) | nx;
        const wrong = difference(op, isStatic ? rm : RM_DYN, fcsr, [a, b, c], runReference(op, rm, a, b, c));
        if (wrong !== null) throw new Error(wrong);
      }),
      { numRuns: 50_000, seed: 20261121 },
    );
  });

  it('trap on a reserved rounding mode in frm, and only where the instruction has an rm field', () => {
    const trapping = FP_MNEMONICS.filter((_, op) => harness.run(op, RM_DYN, 5 << 5, 0n, 0n, 0n) === 'illegal');
    const withoutRm = /^(fsgnj|fmin|fmax|feq|flt|fle|fclass|fmv)/;
    expect(trapping).toEqual(FP_MNEMONICS.filter((name) => !withoutRm.test(name)));
    for (const name of trapping) {
      expect(harness.run(fpOperationNumber(name), RM_DYN, 7 << 5, 0n, 0n, 0n)).toBe('illegal');
      expect(harness.run(fpOperationNumber(name), RM_RNE, 7 << 5, 0n, 0n, 0n)).toBe('done');
    }
  });

  it('need no slow path for ordinary operands, whether NX is set or not', () => {
    harness.slowPath.calls.fill(0);
    const ordinary = [1, -2.5, 1 / 3, 1e-30, 1e30, 123456789, 0, -0, Infinity, Number.NaN];
    const view = new DataView(new ArrayBuffer(8));
    const encode = (value: number, format: FpFormat): bigint => {
      if (format === SINGLE) {
        view.setFloat32(0, value);
        return box(SINGLE, BigInt(view.getUint32(0)));
      }
      view.setFloat64(0, value);
      return view.getBigUint64(0);
    };
    for (const [op, name] of FP_MNEMONICS.entries()) {
      const format = name.endsWith('.s') ? SINGLE : DOUBLE;
      for (const fcsr of [0, 1]) {
        for (const x of ordinary) {
          for (const y of ordinary) {
            for (const z of ordinary)
              harness.run(op, RM_DYN, fcsr, encode(x, format), encode(y, format), encode(z, format));
          }
        }
      }
    }
    const slow = FP_MNEMONICS.filter((_, op) => harness.slowPath.calls[op] !== 0);
    expect(slow).toEqual([]);
  });
});
