import { expect, test } from 'vitest';
import { formatSize, parseSize } from './size.ts';

test.each([
  ['64M', 64 * 2 ** 20],
  ['1G', 2 ** 30],
  ['1.5g', 1.5 * 2 ** 30],
  ['4096', 4096],
  ['512KiB', 512 * 1024],
])('%s is a size', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(['', 'M', '-1M', '1X', '0x10', '1.0000001K', '99999999999T'])('%s is none', (text) => {
  expect(parseSize(text)).toBeNull();
});

test('a formatted size reads back', () => {
  for (const bytes of [1024, 64 * 2 ** 20, 2 ** 30, 1.5 * 2 ** 30]) expect(parseSize(formatSize(bytes))).toBe(bytes);
});
