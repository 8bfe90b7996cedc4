import { describe, expect, it } from 'vitest';
import { MADV_DONTNEED, MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE } from '../abi/mman.ts';
import { i386 } from '../machine/paging/i386.ts';
import { sv39 } from '../machine/paging/sv39.ts';
import { sv48 } from '../machine/paging/sv48.ts';
import { sv57 } from '../machine/paging/sv57.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import { exitSpace } from '../mm/ops/exit.ts';
import { madvise } from '../mm/ops/madvise.ts';
import { mmap } from '../mm/ops/mmap.ts';
import { munmap } from '../mm/ops/munmap.ts';
import { createTestMachine } from '../mm/testing/test-machine.ts';
import { copyToUser } from '../mm/user-access.ts';
import { collectTabledPages, compareLevels, geometriesFor, tableCost } from './page-table-levels.ts';

const KIB = 1024;
const bytesOf = (ranges: { start: number; end: number }[], format = sv39) =>
  compareLevels(ranges, format).map(({ bytes }) => bytes);

describe('tableCost', () => {
  it('the classic 32-bit space: 4 MiB flat, or a directory and a table for each 4 MiB in use', () => {
    const text = { start: 0x8048, end: 0x8058 };
    const stack = { start: 0xbffff, end: 0xc0000 };
    expect(bytesOf([text, stack], i386).slice(0, 2)).toEqual([4096 * KIB, 12 * KIB]);
    expect(bytesOf([], i386).slice(0, 2)).toEqual([4096 * KIB, 4 * KIB]);
    expect(bytesOf([{ start: 0, end: 2 ** 20 }], i386).slice(0, 2)).toEqual([4096 * KIB, 4100 * KIB]);
  });

  it('Sv39: one page and two far apart', () => {
    const flat = 2 ** 27 * 8;
    const root18 = 2 ** 18 * 8;
    expect(bytesOf([{ start: 16, end: 17 }])).toEqual([flat, root18 + 4096, 12288, 16384, 20480]);
    expect(
      bytesOf([
        { start: 16, end: 17 },
        { start: 2 ** 26 - 1, end: 2 ** 26 },
      ]),
    ).toEqual([flat, root18 + 8192, 20480, 24576, 28672]);
  });

  it('counts a table once that several runs share, and each that one run crosses', () => {
    const geometry = { indexBits: [9, 9, 9], entryBytes: 8 };
    expect(
      tableCost(
        [
          { start: 1, end: 2 },
          { start: 5, end: 6 },
          { start: 511, end: 513 },
        ],
        geometry,
      ).tables,
    ).toBe(4);
    expect(tableCost([{ start: 0, end: 2 ** 18 + 1 }], geometry).tables).toBe(1 + 2 + 513);
  });

  it('a level gained is a root more; the shapes of the formats', () => {
    expect(geometriesFor(sv48).map(({ indexBits }) => indexBits.join('+'))).toEqual([
      '36',
      '27+9',
      '18+9+9',
      '9+9+9+9',
      '9+9+9+9+9',
    ]);
  });
});

describe.each([i386, sv39, sv48, sv57])('collectTabledPages, $name', (format) => {
  it('gives the row in force what the real tables take, emptied tables included', () => {
    const machine = createTestMachine({ format });
    const { mm } = machine;
    const space = machine.createSpace();
    const leaf = 2 ** format.bitsPerLevel;
    const touch = (page: number, pages = 1) => {
      const request = {
        address: page * PAGE_SIZE,
        lengthBytes: pages * PAGE_SIZE,
        prot: 3,
        file: null,
        offsetBytes: 0,
      };
      mmap(mm, space, { ...request, flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED });
      for (let i = 0; i < pages; i++) expect(copyToUser(mm, space, (page + i) * PAGE_SIZE, Uint8Array.of(1))).toBe(1);
    };
    const inForce = () => compareLevels(collectTabledPages(mm, space), format).find((row) => row.isInForce)?.bytes;
    const real = () => space.pgtablesBytes + PAGE_SIZE;
    expect(inForce()).toBe(PAGE_SIZE);
    touch(16, 5);
    touch(leaf - 2, 4);
    touch(100 * leaf);
    touch(mm.config.layout.taskSize - 1);
    expect(collectTabledPages(mm, space).map(({ start, end }) => [start, end])).toEqual([
      [16, 21],
      [leaf - 2, leaf + 2],
      [100 * leaf, 100 * leaf + 1],
      [mm.config.layout.taskSize - 1, mm.config.layout.taskSize],
    ]);
    expect(inForce()).toBe(real());
    // The frames go, the tables stay.
    expect(madvise(mm, space, 100 * leaf * PAGE_SIZE, PAGE_SIZE, MADV_DONTNEED)).toBe(0);
    expect(inForce()).toBe(real());
    const before = real();
    expect(munmap(mm, space, 100 * leaf * PAGE_SIZE, PAGE_SIZE)).toBe(0);
    expect(real()).toBeLessThan(before);
    expect(inForce()).toBe(real());
    exitSpace(mm, space);
  });
});
