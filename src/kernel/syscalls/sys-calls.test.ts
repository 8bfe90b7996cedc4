import { expect, test } from 'vitest';
import { SYSCALL_NUMBERS } from '../../arch/riscv64/syscall-numbers.ts';
import { sysCalls } from './sys-calls.ts';

test('every row is a system call of riscv64, and is there once', () => {
  const names = sysCalls.map((row) => row.name);
  expect(names.filter((name) => !SYSCALL_NUMBERS.has(name))).toEqual([]);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});
