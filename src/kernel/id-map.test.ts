import { describe, expect, test } from 'vitest';
import { IDENTITY, IdMap, INVALID_ID, OVERFLOW_ID, parseExtents } from './id-map.ts';

describe('IdMap', () => {
  const map = new IdMap();
  map.extents = parseExtents('0 100000 10\n 10\t200000  5\n') ?? [];

  test('maps both ways', () => {
    expect([0, 9, 10, 14].map((id) => map.toKernel(id))).toEqual([100000, 100009, 200000, 200004]);
    expect([100000, 100009, 200000, 200004].map((id) => map.fromKernel(id))).toEqual([0, 9, 10, 14]);
  });

  test('what is not in it has no number, and is shown as the overflow id', () => {
    expect([15, INVALID_ID].map((id) => map.toKernel(id))).toEqual([INVALID_ID, INVALID_ID]);
    expect([0, 100010, INVALID_ID].map((id) => map.fromKernel(id))).toEqual([INVALID_ID, INVALID_ID, INVALID_ID]);
    expect(map.show(0)).toBe(OVERFLOW_ID);
  });

  test('a range must lie in one extent', () => {
    expect(map.rangeToKernel(2, 8)).toBe(100002);
    expect(map.rangeToKernel(2, 9)).toBe(INVALID_ID);
  });

  test('the identity has all ids but the invalid one', () => {
    const whole = new IdMap();
    whole.extents = IDENTITY;
    expect([0, 65534, INVALID_ID - 1, INVALID_ID].map((id) => whole.toKernel(id))).toEqual([
      0,
      65534,
      INVALID_ID - 1,
      INVALID_ID,
    ]);
  });
});

describe('parseExtents', () => {
  test.each([
    '',
    '\n',
    '0 0',
    '0 0 1 1',
    'a 0 1',
    '0 0 0',
    '-1 0 1',
    '4294967295 0 1',
    '0 4294967295 1',
    '4294967290 0 10',
    '0 0 2\n1 10 2',
    '0 0 2\n10 1 2',
    '0 0 1\n\n',
  ])('%j is no map', (text) => {
    expect(parseExtents(text)).toBeNull();
  });

  test('at most 340 extents', () => {
    const lines = (count: number): string => Array.from({ length: count }, (_, i) => `${i} ${i} 1`).join('\n');
    expect(parseExtents(lines(340))).toHaveLength(340);
    expect(parseExtents(lines(341))).toBeNull();
  });
});
