import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RISCV64_ARCH } from '../src/arch/riscv64/arch.ts';
import { ALL_CALLS } from '../src/kernel/syscalls/table.ts';
import { syscallsDocument } from './syscalls-document.ts';

const ROWS = [...ALL_CALLS, ...RISCV64_ARCH.ownCalls];
const NUMBERS = RISCV64_ARCH.syscallNumbers;

test('docs/syscalls.md is what the table generates', () => {
  const committed = readFileSync(new URL('../docs/syscalls.md', import.meta.url), 'utf8');
  expect(committed, 'run: node scripts/generate-syscalls-doc.mjs').toBe(syscallsDocument(ROWS, NUMBERS));
});

test('every row has a number, once, and rows that are absent have no body', () => {
  const seen = new Set<string>();
  for (const row of ROWS) {
    expect(NUMBERS.has(row.name), row.name).toBe(true);
    expect(seen.has(row.name), `twice: ${row.name}`).toBe(false);
    seen.add(row.name);
    if (row.run === null) expect(row.support, row.name).toBe('absent');
    if (row.support === 'partial') expect(row.note, row.name).not.toBe('');
  }
});
