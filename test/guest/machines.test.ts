/** A program's results do not depend on how the machine keeps VMAs or on its page-table format. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileForGuest } from '../../cli/toolchain.ts';
import { faultline } from '../setup/faultline.ts';
import { compileAll, listGuestPrograms } from './programs.ts';

const NAMES = ['mm-merge', 'mm-munmap-split', 'mm-growsdown', 'thread-malloc'];
const programs = listGuestPrograms().filter(({ name }) => NAMES.includes(name));
/** Each index and each format once; the default machine runs all guest programs elsewhere. */
const MACHINES = [
  ['--vma-index', 'list', '--paging', 'sv39'],
  ['--vma-index', 'avl', '--paging', 'sv48'],
  ['--vma-index', 'rbtree', '--paging', 'sv57'],
];

const elfs = new Map<string, string>();
function run(name: string, flags: readonly string[]): string {
  const done = faultline(['run', ...flags, elfs.get(name) ?? '']);
  expect(done.stderr).toBe('');
  expect(done.status).toBe(0);
  return done.stdout;
}

describe('one program on different machines', () => {
  beforeAll(async () => {
    for (const [name, result] of await compileAll(programs)) if ('elf' in result) elfs.set(name, result.elf);
    for (const name of ['maps', 'high-hints']) {
      const result = await compileForGuest(join(import.meta.dirname, 'machines', `${name}.c`), {});
      if ('elf' in result) elfs.set(name, result.elf);
    }
  }, 300_000);

  it.each(programs)(
    '$name prints what Linux prints under each VMA index and page-table format',
    async (program) => {
      for (const flags of MACHINES) expect(run(program.name, flags)).toBe(program.expected);
    },
    120_000,
  );

  it('shows the same /proc/self/maps under each VMA index', () => {
    const shown = run('maps', ['--vma-index', 'maple']);
    expect(shown.split('\n').length).toBeGreaterThan(500);
    for (const index of ['list', 'avl', 'rbtree']) expect(run('maps', ['--vma-index', index])).toBe(shown);
  }, 60_000);

  it('maps high addresses by hint as far as the format reaches, to the byte', () => {
    const line = (bits: number, where: string, fixed: string) => `2^${bits}: ${where}, holds xx, fixed: ${fixed}\n`;
    const expected = (format: string, highest: number) =>
      `${[37, 46, 48, 52, 53, 55, 60]
        .map((bits) => (bits <= highest ? line(bits, 'taken', 'ok') : line(bits, 'below the window', 'ENOMEM')))
        .join('')}mmu\t\t: ${format}\n`;
    expect(run('high-hints', ['--paging', 'sv39'])).toBe(expected('sv39', 37));
    expect(run('high-hints', ['--paging', 'sv48'])).toBe(expected('sv48', 46));
    // Linux reaches 2^55 here; ours ends at 2^53 (arch/riscv64/address-layout.ts).
    expect(run('high-hints', ['--paging', 'sv57'])).toBe(expected('sv57', 52));
  }, 60_000);
});
