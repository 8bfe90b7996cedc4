import { describe, expect, test } from 'vitest';
import { pfn } from '../units.ts';
import { sv39 } from './sv39.ts';
import { sv48 } from './sv48.ts';
import { sv57 } from './sv57.ts';

describe.each([sv39, sv48, sv57])('$name', (format) => {
  test('entries of the greatest frame keep frame and flags apart, unsigned', () => {
    const frame = pfn(2 ** 20 - 1);
    const flags = format.PRESENT | format.USER | format.READ | format.DIRTY | format.SOFT1;
    const leaf = format.makeLeaf(frame, flags);
    expect(leaf).toBeGreaterThan(0);
    expect(leaf).toBeLessThan(2 ** 32);
    expect(format.frameOf(leaf)).toBe(frame);
    expect(leaf % 1024).toBe(flags);
    expect(format.isLeaf(leaf)).toBe(true);
    expect(format.isLeaf(format.makeTable(frame))).toBe(false);
    expect(format.frameOf(format.makeTable(frame))).toBe(frame);
  });

  test('protection bits, where write takes read along', () => {
    const { PRESENT, USER, READ, WRITE, EXEC } = format;
    const base = PRESENT | USER;
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((prot) => format.permissionFlags(prot))).toEqual([
      0,
      base | READ,
      base | READ | WRITE,
      base | READ | WRITE,
      base | EXEC,
      base | READ | EXEC,
      base | READ | WRITE | EXEC,
      base | READ | WRITE | EXEC,
    ]);
  });
});

test('the lower half of the addresses is the user half', () => {
  expect([sv39.userPages, sv48.userPages, sv57.userPages]).toEqual([2 ** 26, 2 ** 35, 2 ** 44]);
});
