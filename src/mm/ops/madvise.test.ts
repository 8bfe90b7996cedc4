import { describe, expect, it } from 'vitest';
import {
  MADV_FREE,
  MADV_GUARD_INSTALL,
  MADV_PAGEOUT,
  MAP_ANONYMOUS,
  MAP_DROPPABLE,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
} from '../../abi/mman.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { type AddressSpace, MM_ANONPAGES, MM_FILEPAGES } from '../address-space.ts';
import { checkInvariants } from '../invariants.ts';
import { LRU_INACTIVE_FILE } from '../phys/lruvec.ts';
import { createTestMachine, type TestFile, type TestMachine } from '../testing/test-machine.ts';
import { copyFromUser, copyToUser } from '../user-access.ts';
import { dupSpace } from './fork.ts';
import { madvise } from './madvise.ts';
import { mmap } from './mmap.ts';

const BASE = 0x40000000;

function map(
  { mm }: TestMachine,
  space: AddressSpace,
  pages: number,
  flags: number,
  file: TestFile | null = null,
): void {
  const request = { address: BASE, lengthBytes: pages * PAGE_SIZE, prot: 3, flags: flags | MAP_FIXED, file };
  expect(mmap(mm, space, { ...request, offsetBytes: 0 })).toBe(BASE);
}

function byteAt({ mm }: TestMachine, space: AddressSpace, page: number): number {
  const byte = new Uint8Array(1);
  expect(copyFromUser(mm, space, BASE + page * PAGE_SIZE, byte)).toBe(1);
  return byte[0];
}

function fill({ mm }: TestMachine, space: AddressSpace, pages: number): void {
  for (let page = 0; page < pages; page++) copyToUser(mm, space, BASE + page * PAGE_SIZE, Uint8Array.of(page + 1));
}

describe('MADV_FREE', () => {
  it('lets reclaim drop the pages that no store has touched since', () => {
    const machine = createTestMachine();
    const { mm } = machine;
    const space = machine.createSpace();
    map(machine, space, 8, MAP_PRIVATE | MAP_ANONYMOUS);
    fill(machine, space, 8);
    expect(madvise(mm, space, BASE, 6 * PAGE_SIZE, MADV_FREE)).toBe(0);
    expect([mm.vmstat.pglazyfree, mm.alloc.lru.root.lists[LRU_INACTIVE_FILE].length]).toEqual([6, 6]);
    copyToUser(mm, space, BASE + PAGE_SIZE, Uint8Array.of(99));
    expect(byteAt(machine, space, 2)).toBe(3); // read: still free to go
    checkInvariants(mm);
    mm.reclaimer.reclaim(100);
    checkInvariants(mm);
    expect(mm.vmstat.pglazyfreed).toBe(5);
    expect(space.rss[MM_ANONPAGES]).toBe(3);
    expect([0, 1, 2, 5, 6, 7].map((page) => byteAt(machine, space, page))).toEqual([0, 99, 0, 0, 7, 8]);
    // The page that was written is an ordinary one again.
    mm.reclaimer.reclaim(100);
    expect(byteAt(machine, space, 1)).toBe(99);
    checkInvariants(mm);
  });

  it('drops a page that two processes have free, and keeps it when one wrote', () => {
    const machine = createTestMachine();
    const { mm } = machine;
    const parent = machine.createSpace();
    map(machine, parent, 2, MAP_PRIVATE | MAP_ANONYMOUS);
    fill(machine, parent, 2);
    const child = dupSpace(mm, parent) as AddressSpace;
    madvise(mm, parent, BASE, 2 * PAGE_SIZE, MADV_FREE);
    mm.reclaimer.reclaim(10);
    expect(byteAt(machine, child, 0)).toBe(1); // the child's entry is dirty still
    madvise(mm, parent, BASE, 2 * PAGE_SIZE, MADV_FREE);
    madvise(mm, child, BASE, 2 * PAGE_SIZE, MADV_FREE);
    mm.reclaimer.reclaim(10);
    expect([byteAt(machine, parent, 0), byteAt(machine, child, 1)]).toEqual([0, 0]);
    checkInvariants(mm);
  });

  it('is what an allocation falls back on when memory is short', () => {
    const machine = createTestMachine({ ramMiB: 4, config: { overcommitMemory: 1 } });
    const { mm } = machine;
    const space = machine.createSpace();
    const pages = mm.alloc.freeCount - 200;
    map(machine, space, pages, MAP_PRIVATE | MAP_ANONYMOUS);
    fill(machine, space, pages);
    madvise(mm, space, BASE, (pages / 2) * PAGE_SIZE, MADV_FREE);
    const other = machine.createSpace();
    map(machine, other, 300, MAP_PRIVATE | MAP_ANONYMOUS);
    for (let page = 0; page < 300; page++)
      expect(copyToUser(mm, other, BASE + page * PAGE_SIZE, Uint8Array.of(1))).toBe(1);
    expect(mm.vmstat.pglazyfreed).toBeGreaterThan(0);
    expect(byteAt(machine, space, pages - 1)).toBe(pages & 255);
    checkInvariants(mm);
  });
});

describe('MAP_DROPPABLE', () => {
  it('loses dirty pages when memory is short, before anything is killed', () => {
    const machine = createTestMachine({ ramMiB: 4 });
    const { mm } = machine;
    const space = machine.createSpace();
    map(machine, space, 2000, MAP_DROPPABLE | MAP_ANONYMOUS);
    for (let page = 0; page < 2000; page++)
      expect(copyToUser(mm, space, BASE + page * PAGE_SIZE, Uint8Array.of(7))).toBe(1);
    expect(mm.vmstat.pglazyfreed).toBeGreaterThan(900);
    expect(byteAt(machine, space, 0)).toBe(0);
    expect(byteAt(machine, space, 1999)).toBe(7);
    checkInvariants(mm);
    const child = dupSpace(mm, space) as AddressSpace;
    expect(byteAt(machine, child, 1999)).toBe(0);
    checkInvariants(mm);
  });
});

describe('MADV_PAGEOUT', () => {
  it('drops clean pages of a file, and only unmaps those that are dirty', () => {
    const machine = createTestMachine();
    const { mm } = machine;
    const space = machine.createSpace();
    const file = machine.createFile(new Uint8Array(8 * PAGE_SIZE).fill(5));
    map(machine, space, 8, MAP_SHARED, file);
    for (let page = 0; page < 8; page++) byteAt(machine, space, page);
    copyToUser(mm, space, BASE + 3 * PAGE_SIZE, Uint8Array.of(9));
    expect(madvise(mm, space, BASE + 2 * PAGE_SIZE, 3 * PAGE_SIZE, MADV_PAGEOUT)).toBe(0);
    const cached = [0, 1, 2, 3, 4, 5].map((index) => file.pages.findPage(index) >= 0);
    expect(cached).toEqual([true, true, false, true, false, true]);
    expect(space.rss[MM_FILEPAGES]).toBe(5);
    expect([file.disk[3 * PAGE_SIZE], byteAt(machine, space, 3)]).toEqual([5, 9]);
    checkInvariants(mm);
  });

  it('leaves pages that another process maps, and anonymous ones', () => {
    const machine = createTestMachine();
    const { mm } = machine;
    const space = machine.createSpace();
    map(machine, space, 4, MAP_PRIVATE | MAP_ANONYMOUS);
    fill(machine, space, 4);
    madvise(mm, space, BASE, PAGE_SIZE, MADV_FREE);
    madvise(mm, space, BASE + 3 * PAGE_SIZE, PAGE_SIZE, MADV_GUARD_INSTALL);
    expect(madvise(mm, space, BASE, 4 * PAGE_SIZE, MADV_PAGEOUT)).toBe(0);
    expect([0, 1, 2].map((page) => byteAt(machine, space, page))).toEqual([0, 2, 3]);
    checkInvariants(mm);
  });
});
