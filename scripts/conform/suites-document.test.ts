import { expect, test } from 'vitest';
import { mergeRows, parseSuitesDocument, type SuiteRow, suitesDocument } from './suites-document.ts';

const rows: readonly SuiteRow[] = [
  { suite: 'ltp', name: 'brk01', verdict: 'pass', detail: '' },
  { suite: 'ltp', name: 'mmap01', verdict: 'fail', detail: 'a|b: TFAIL' },
  { suite: 'open_posix', name: 'mmap-1-1', verdict: 'pass', detail: '' },
];

test('what is written reads back', () => {
  expect(parseSuitesDocument(suitesDocument(rows, new Map()))).toEqual(rows);
});

test('a new row takes the place of the old one of its case', () => {
  const fresh = [{ suite: 'ltp', name: 'mmap01', verdict: 'pass', detail: '' }] as const;
  expect(mergeRows(rows, fresh)).toEqual([rows[0], fresh[0], rows[2]]);
});

test('counts, and the reason of what does not pass', () => {
  const text = suitesDocument(rows, new Map([['ltp/mmap01', 'there is no such device']]));
  expect(text).toContain('| ltp | 2 | 1 | 1 |\n');
  expect(text).toContain('| **all** | 3 | 2 | 1 |\n');
  expect(text).toContain('| ltp | mmap01 | fail | there is no such device — a\\|b: TFAIL |\n');
});
