import { expect, test } from 'vitest';
import type { FaultDescription } from '../src/index.ts';
import { TwoColumns, wrap } from './two-columns.ts';

const fault = (change: object): FaultDescription =>
  ({
    timeNs: 0,
    pid: 4,
    comm: 'x',
    kind: 'anonZero',
    major: false,
    mode: 'user',
    access: 'write',
    address: 0x1000,
    symbol: 'main+0x10',
    mapping: '//anon',
    offset: 0,
    ...change,
  }) as FaultDescription;

test('wrap breaks at spaces and indents', () => {
  expect(wrap('  one two three', 9)).toEqual(['  one two', '    three']);
  expect(wrap('abcdefghij', 4).join('').replaceAll(' ', '')).toBe('abcdefghij');
  expect(wrap('', 10)).toEqual(['']);
});

test.each([60, 80, 100, 120, 200])('no line is wider than the page of %d columns', (columns) => {
  let text = '';
  const page = new TwoColumns({ columns, colour: 'plain', write: (piece) => (text += piece) });
  page.addTitle('left', 'right');
  page.addOutput(new TextEncoder().encode('0. start\n'));
  for (let i = 0; i < 9; i++) page.addFault(fault({ pid: 4 + (i % 2), symbol: `a_function_with_a_long_name${i}+0x1` }));
  page.addFault(fault({ kind: 'stackGrow', mapping: '[stack]', symbol: 'deep.isra.0+0x4' }));
  page.addOutput(new TextEncoder().encode(`1. ${'a line that is too long '.repeat(9)}\nshort\n`));
  page.flush();
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(Math.min(Math.max(columns, 80), 120));
  expect(text).toContain('anonZero ×5');
  expect(text).toContain('child: ');
  expect(text).toContain('[stack] in deep');
});
