import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readApart } from './read-apart.ts';

test('all of a file, in pages of its own', () => {
  const bytes = readApart(import.meta.filename);
  expect(bytes.equals(readFileSync(import.meta.filename))).toBe(true);
  // Those that cannot grow come from malloc.
  expect(bytes.buffer).toHaveProperty('resizable', true);
});

test('a file that is not there is an error as with readFileSync', () => {
  expect(() => readApart('/proc/nowhere')).toThrow('ENOENT');
});
