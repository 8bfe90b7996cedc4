import { expect, test } from 'vitest';
import { faultline } from '../setup/faultline.ts';

interface Compared {
  differences: { metric: string; a: number; b: number }[];
  parting: { number: number; a: string | null; b: string | null } | null;
}

function compare(a: string, b: string): Compared {
  const { status, stdout, stderr } = faultline(['compare', '--json', a, b, '--', 'test/cli/rounds.c']);
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Compared;
}

test('a memory that is too small: swap, and the first fault that is another one', () => {
  const { differences, parting } = compare('--memory 16M', '--memory 8M --swap 32M');
  const of = (name: string) => differences.find(({ metric }) => metric === name) ?? { a: Number.NaN, b: Number.NaN };
  expect(of('swap.ins').a).toBe(0);
  expect(of('swap.ins').b).toBe(of('faults.swapIn').b);
  expect(of('pgfault').b - of('pgfault').a).toBe(of('faults.swapIn').b);
  // The second round begins anew, and finds its first page gone.
  expect(parting?.b).toMatch(/ rounds\/\d+ swapIn \[main\+0x\w+\] => .* major$/);
});

test('two more levels of page tables: longer walks, the same faults', () => {
  const { differences, parting } = compare('--paging sv39', '--paging sv57');
  expect(differences.map(({ metric }) => metric)).toEqual(['pageTableKbPeak', 'walkReferences']);
  for (const { a, b } of differences) expect(b).toBeGreaterThan(a);
  expect(parting).toBeNull();
});

test('what cannot be run gets one line', () => {
  const { status, stderr } = faultline(['compare', '--seed 1', '--paging sv99', '--', 'test/cli/rounds.c']);
  expect(status).toBe(2);
  expect(stderr).toBe(
    "faultline: with '--paging sv99': option '--paging <format>' argument 'sv99' is invalid. Allowed choices are sv39, sv48, sv57.\n",
  );
});
