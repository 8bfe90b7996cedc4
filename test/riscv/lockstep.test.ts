import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Guest } from '../../src/arch/riscv64/testing/guest.ts';
import { Rng } from '../../src/base/rng.ts';
import { TRAP_BUDGET, TRAP_SYSCALL } from '../../src/machine/cpu.ts';
import { ACCESS_READ } from '../../src/machine/mmu.ts';
import { sv39 } from '../../src/machine/paging/sv39.ts';
import { sv57 } from '../../src/machine/paging/sv57.ts';
import { vaddr } from '../../src/machine/units.ts';
import { loadElf } from './elf.ts';
import { generateLockstep, type Lockstep, RECORD_BYTES } from './lockstep.ts';

/** FAULTLINE_LOCKSTEP: cases a seed (default 4000); FAULTLINE_LOCKSTEP_SEEDS: seeds (default 2). */
const count = Number(process.env['FAULTLINE_LOCKSTEP'] ?? 4000);
const seeds = Number(process.env['FAULTLINE_LOCKSTEP_SEEDS'] ?? 2);
const haveQemu = spawnSync('qemu-riscv64', ['--version']).status === 0;

describe.skipIf(!haveQemu)('lockstep with qemu-riscv64', () => {
  for (let seed = 1; seed <= seeds; seed++) {
    test(`seed ${seed}, ${count} cases`, () => {
      const program = generateLockstep(seed, count);
      const theirs = runOnQemu(program);
      expect(theirs.length).toBe(program.outputBytes);
      compare(program, runOnOurs(program, 'plain'), theirs);
      compare(program, runOnOurs(program, 'dropping'), theirs);
      compare(program, runOnOurs(program, 'translated'), theirs);
    });
  }
});

test.skipIf(haveQemu)('lockstep with qemu-riscv64 is skipped: there is no qemu-riscv64', () => {});

function runOnQemu(program: Lockstep): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-lockstep-'));
  try {
    const path = join(folder, 'cases');
    writeFileSync(path, program.elf);
    chmodSync(path, 0o755);
    return execFileSync('qemu-riscv64', [path], { maxBuffer: program.outputBytes + 4096, timeout: 60_000 });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** 'dropping': short budgets, and all that is cached thrown away at each trap; 'translated': all code as units. */
function runOnOurs(program: Lockstep, manner: 'plain' | 'dropping' | 'translated'): Uint8Array {
  const format = manner === 'dropping' ? sv57 : sv39;
  const guest = loadElf(program.elf, format, 128 * 1024 * 1024, manner === 'translated' ? 'always' : 'off');
  const rng = new Rng(7);
  const output = new Uint8Array(program.outputBytes);
  let written = 0;
  for (;;) {
    const trap = guest.cpu.run(manner !== 'dropping' ? 1_000_000 : 1 + rng.below(5000));
    if (manner === 'dropping') {
      guest.cpu.flushAll();
      guest.cpu.dropAllCode();
    }
    if (trap === TRAP_BUDGET) continue;
    expect(trap, `pc ${guest.pc.toString(16)}`).toBe(TRAP_SYSCALL);
    if (guest.x(17) === 93n) break;
    const length = Number(guest.x(12));
    copyOut(guest, Number(guest.x(11)), output.subarray(written, written + length));
    written += length;
    guest.setX(10, BigInt(length));
    guest.pc += 4;
  }
  expect(written).toBe(program.outputBytes);
  return output;
}

function copyOut(guest: Guest, address: number, into: Uint8Array): void {
  for (let done = 0; done < into.length; ) {
    const step = Math.min(4096 - ((address + done) % 4096), into.length - done);
    const offset = guest.cpu.translate(guest.root, vaddr(address + done), ACCESS_READ);
    into.set(guest.ram.u8.subarray(offset, offset + step), done);
    done += step;
  }
}

function compare(program: Lockstep, ours: Uint8Array, theirs: Uint8Array): void {
  if (Buffer.compare(ours, theirs) === 0) return;
  const a = new DataView(ours.buffer, ours.byteOffset);
  const b = new DataView(theirs.buffer, theirs.byteOffset);
  for (let at = 0; at < program.outputBytes; at += 8) {
    const mine = a.getBigUint64(at, true);
    const wanted = b.getBigUint64(at, true);
    if (mine === wanted) continue;
    const record = Math.floor(at / RECORD_BYTES);
    const word = (at % RECORD_BYTES) / 8;
    const register = word < 32 ? `x${word}` : word < 64 ? `f${word - 32}` : 'fcsr';
    throw new Error(
      `case ${record}, ${program.cases[record]}: ${register} is ${mine.toString(16)}, qemu has ${wanted.toString(16)}`,
    );
  }
}
