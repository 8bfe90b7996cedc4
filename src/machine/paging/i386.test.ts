import { describe, expect, test } from 'vitest';
import { pfn } from '../units.ts';
import { i386 } from './i386.ts';

describe('i386', () => {
  test('entries of the greatest frame keep frame and flags apart, unsigned', () => {
    const frame = pfn(2 ** 20 - 1);
    const flags = i386.PRESENT | i386.WRITE | i386.USER | i386.ACCESSED | i386.DIRTY | i386.SOFT0 | i386.SOFT1;
    const leaf = i386.makeLeaf(frame, flags);
    expect(leaf).toBe(0xffff_f567);
    expect(i386.frameOf(leaf)).toBe(frame);
    expect(leaf % 4096).toBe(flags);
    expect(i386.makeTable(pfn(0x12345))).toBe(0x1234_5067);
    expect(i386.frameOf(i386.makeTable(frame))).toBe(frame);
  });

  test('what is present can be read and executed; user pages are 3 GiB', () => {
    const { PRESENT, USER, WRITE } = i386;
    const read = PRESENT | USER;
    const write = read | WRITE;
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((prot) => i386.permissionFlags(prot))).toEqual([
      0,
      read,
      write,
      write,
      read,
      read,
      write,
      write,
    ]);
    expect(i386.userPages * 4096).toBe(0xc000_0000);
  });
});
