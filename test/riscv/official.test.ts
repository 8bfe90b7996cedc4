import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TRAP_SYSCALL } from '../../src/machine/cpu.ts';
import { sv39 } from '../../src/machine/paging/sv39.ts';
import { sv48 } from '../../src/machine/paging/sv48.ts';
import { sv57 } from '../../src/machine/paging/sv57.ts';
import { loadElf, runToEcall } from './elf.ts';

/**
 * The public riscv-tests, built elsewhere: FAULTLINE_RISCV_TESTS names a folder of static ELF files that end in
 * exit(0), or exit(2 * number of the failed case + 1).
 */
const folder = process.env['FAULTLINE_RISCV_TESTS'];

describe.skipIf(folder === undefined)('riscv-tests (FAULTLINE_RISCV_TESTS)', () => {
  for (const name of folder === undefined ? [] : readdirSync(folder).sort()) {
    test.each([sv39, sv48, sv57])(`${name} $name`, (format) => {
      const guest = loadElf(readFileSync(join(folder!, name)), format);
      const { trap, number, a0 } = runToEcall(guest, 10_000_000);
      expect(trap, `pc ${guest.pc.toString(16)}, case ${guest.x(3)}`).toBe(TRAP_SYSCALL);
      expect(number).toBe(93);
      expect(a0, `case ${a0 >> 1}`).toBe(0);
    });
  }
});

test.skipIf(folder !== undefined)('riscv-tests are skipped: FAULTLINE_RISCV_TESTS is not set', () => {});
