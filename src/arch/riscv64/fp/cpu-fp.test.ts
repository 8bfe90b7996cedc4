import { describe, expect, it } from 'vitest';
import { fc } from '../../../../test/property.ts';
import { committedVectors } from '../../../../test/riscv/fp-vectors/vectors.ts';
import { TRAP_ILLEGAL, TRAP_SYSCALL } from '../../../machine/cpu.ts';
import { sv39 } from '../../../machine/paging/sv39.ts';
import { INSTRUCTIONS } from '../instructions.ts';
import { REG_F, REG_FCSR } from '../registers.ts';
import { Guest } from '../testing/guest.ts';
import { RM_DYN, RM_RNE } from './format.ts';
import { FP_MNEMONICS, runReference } from './reference.ts';
import { ROUNDING_MODES } from './softfloat.ts';

// F and D through the whole CPU: encoding, decoder, interpreter, emitters. Each instruction lies on a line of its own in
// guest memory, once for each rm field, with an ecall behind it: rd = 4, rs1 = 1, rs2 = 2, rs3 = 3.
const BASE = 0x100000;
const RM_FIELDS = [0, 1, 2, 3, 4, 5, 6, 7];
const ECALL = 0x73;
const RM_MASK = 7 << 12;

const g = new Guest(sv39);

function instructionOf(name: string): (typeof INSTRUCTIONS)[number] {
  const found = INSTRUCTIONS.find((row) => row.name === name);
  if (found === undefined) throw new Error(`no encoding of ${name}`);
  return found;
}

function addressOf(operation: number, rmField: number): number {
  return BASE + (operation * RM_FIELDS.length + rmField) * 8;
}

function setUp(): void {
  const lines = FP_MNEMONICS.length * RM_FIELDS.length;
  for (let page = 0; page <= (lines * 8) / 4096; page++) g.map(BASE / 4096 + page, 5);
  for (const [operation, name] of FP_MNEMONICS.entries()) {
    const { match, mask } = instructionOf(name);
    for (const rmField of RM_FIELDS) {
      const registers = (4 << 7) | (1 << 15) | (2 << 20) | (3 << 27);
      const rm = (mask & RM_MASK) === 0 ? rmField << 12 : 0;
      g.code(addressOf(operation, rmField), [(match | ((registers | rm) & ~mask)) >>> 0, ECALL]);
    }
  }
}
setUp();

function setF(number: number, value: bigint): void {
  g.cpu.registers[REG_F + 2 * number] = Number(value & 0xffffffffn);
  g.cpu.registers[REG_F + 2 * number + 1] = Number(value >> 32n);
}

function getF(number: number): bigint {
  const word = REG_F + 2 * number;
  return (BigInt(g.cpu.registers[word + 1]) << 32n) | BigInt(g.cpu.registers[word]);
}

function run(operation: number, rmField: number, fcsr: number, a: bigint, b: bigint, c: bigint): string {
  const { operands } = instructionOf(FP_MNEMONICS[operation]);
  if (operands.includes('s')) g.setX(1, a);
  else setF(1, a);
  setF(2, b);
  setF(3, c);
  g.setX(4, 0n);
  setF(4, 0n);
  g.cpu.registers[REG_FCSR] = fcsr;
  g.pc = addressOf(operation, rmField);
  const trap = g.cpu.run(10);
  if (trap === TRAP_ILLEGAL) return `illegal at ${g.pc - addressOf(operation, rmField)}`;
  if (trap !== TRAP_SYSCALL) return `trap ${trap}`;
  const result = operands.includes('d') ? g.x(4) : getF(4);
  return `${result.toString(16)} fcsr=${g.cpu.registers[REG_FCSR]}`;
}

describe('F and D on the CPU', () => {
  it('agree with the committed qemu vectors', () => {
    const found: string[] = [];
    for (const v of committedVectors()) {
      for (const [rmField, fcsr] of [
        [v.rm, 0],
        [RM_DYN, v.rm << 5],
        [RM_DYN, (v.rm << 5) | 1],
      ]) {
        const want = `${v.result.toString(16)} fcsr=${v.flags | fcsr}`;
        const got = run(v.operation, rmField, fcsr, v.a, v.b, v.c);
        if (got !== want) found.push(`${FP_MNEMONICS[v.operation]} rm=${rmField}: want ${want}, got ${got}`);
      }
    }
    expect(found).toEqual([]);
  });

  it('agree with the reference on random registers', () => {
    const operation = fc.nat({ max: FP_MNEMONICS.length - 1 });
    const register = fc.oneof(
      fc.double().map((value) => {
        const view = new DataView(new ArrayBuffer(8));
        view.setFloat64(0, value);
        return view.getBigUint64(0);
      }),
      fc.integer({ min: 0, max: 0xffffffff }).map((bits) => 0xffffffff00000000n | BigInt(bits)),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    );
    const mode = fc.oneof({ weight: 3, arbitrary: fc.constant(RM_RNE) }, fc.constantFrom(...ROUNDING_MODES));
    fc.assert(
      fc.property(operation, mode, fc.nat({ max: 1 }), register, register, register, (op, rm, nx, a, b, c) => {
        const want = runReference(op, rm, a, b, c);
        const fcsr = (rm << 5) | nx;
        expect(run(op, RM_DYN, fcsr, a, b, c)).toBe(`${want.bits.toString(16)} fcsr=${want.flags | fcsr}`);
      }),
      { numRuns: 10_000, seed: 20261121 },
    );
  });

  it('trap on reserved rounding modes with nothing written', () => {
    for (const [operation, name] of FP_MNEMONICS.entries()) {
      if (!instructionOf(name).operands.includes('m')) continue;
      const one = 0xffffffff3f800000n;
      for (const reserved of [5, 6]) {
        expect(run(operation, reserved, 0, one, one, one), name).toBe('illegal at 0');
        expect(run(operation, RM_DYN, reserved << 5, one, one, one), name).toBe('illegal at 0');
        expect([g.x(4), getF(4), g.cpu.registers[REG_FCSR]], name).toEqual([0n, 0n, reserved << 5]);
      }
    }
  });
});
