import { describe, expect, it } from 'vitest';
import { committedVectors, type FpVector, generateVectors } from '../../../../test/riscv/fp-vectors/vectors.ts';
import { FP_MNEMONICS, runReference } from './reference.ts';

function disagreements(vectors: readonly FpVector[]): string[] {
  const found: string[] = [];
  for (const v of vectors) {
    const got = runReference(v.operation, v.rm, v.a, v.b, v.c);
    if (got.bits === v.result && got.flags === v.flags) continue;
    const operands = [v.a, v.b, v.c].map((x) => x.toString(16)).join(' ');
    found.push(
      `${FP_MNEMONICS[v.operation]} rm=${v.rm} ${operands}: want ${v.result.toString(16)}/${v.flags}, got ${got.bits.toString(16)}/${got.flags}`,
    );
  }
  return found;
}

describe('reference arithmetic of F and D', () => {
  it('agrees with the committed qemu vectors', () => {
    const vectors = committedVectors();
    expect(vectors.length).toBe(5800);
    expect(disagreements(vectors)).toEqual([]);
  });

  it('agrees with fresh qemu vectors where qemu is installed', ({ skip }) => {
    const vectors = generateVectors(7, 58_000);
    if (vectors === null) skip();
    expect(disagreements(vectors ?? [])).toEqual([]);
  });
});
