import { describe, expect, it } from 'vitest';
import { ENOMEM } from '../../abi/errno.ts';
import { MAP_ANONYMOUS, MAP_HUGE_SHIFT, MAP_HUGETLB, MAP_NORESERVE, MAP_PRIVATE, MAP_SHARED } from '../../abi/mman.ts';
import { Rng } from '../../base/rng.ts';
import { i386 } from '../../machine/paging/i386.ts';
import { sv39 } from '../../machine/paging/sv39.ts';
import { sv48 } from '../../machine/paging/sv48.ts';
import { sv57 } from '../../machine/paging/sv57.ts';
import type { AddressSpace } from '../address-space.ts';
import { checkInvariants } from '../invariants.ts';
import { exitSpace } from '../ops/exit.ts';
import { dupSpace } from '../ops/fork.ts';
import { madvise } from '../ops/madvise.ts';
import { mmap } from '../ops/mmap.ts';
import { mprotect } from '../ops/mprotect.ts';
import { mremap } from '../ops/mremap.ts';
import { munmap } from '../ops/munmap.ts';
import { createTestMachine, type TestMachine } from '../testing/test-machine.ts';
import { copyFromUser, copyToUser } from '../user-access.ts';

const ANON = MAP_ANONYMOUS | MAP_HUGETLB;

function map({ mm }: TestMachine, space: AddressSpace, lengthBytes: number, flags: number): number {
  return mmap(mm, space, { address: 0, lengthBytes, prot: 3, flags: ANON | flags, file: null, offsetBytes: 0 });
}

describe.each([i386, sv39, sv48, sv57])('huge pages of $name', (format) => {
  it('keeps promises and gives everything back', () => {
    const machine = createTestMachine({ format, ramMiB: 64 });
    const { mm } = machine;
    const before = machine.countFree();
    const pool = mm.hugetlb.defaultPool;
    const size = pool.sizeBytes;
    pool.resize(6);
    expect(pool.totalPages).toBe(6);
    const space = machine.createSpace();
    const own = map(machine, space, 4 * size, MAP_PRIVATE);
    expect(own % size).toBe(0);
    expect(map(machine, space, 3 * size, MAP_SHARED)).toBe(-ENOMEM);
    expect(copyToUser(mm, space, own + size - 2, Uint8Array.of(1, 2, 3, 4))).toBe(4);
    expect([pool.freePages, pool.reservedPages, space.hugetlbPages]).toEqual([4, 2, 2 * pool.pages]);
    checkInvariants(mm);
    const child = dupSpace(mm, space) as AddressSpace;
    expect(copyToUser(mm, child, own, Uint8Array.of(7))).toBe(1);
    const bytes = new Uint8Array(1);
    expect([copyFromUser(mm, space, own, bytes), bytes[0]]).toEqual([1, 0]);
    checkInvariants(mm);
    exitSpace(mm, child);
    exitSpace(mm, space);
    checkInvariants(mm);
    expect([pool.freePages, pool.reservedPages]).toEqual([6, 0]);
    pool.resize(0);
    expect(machine.countFree()).toBe(before);
  });

  it('holds its invariants through a random walk', () => {
    const machine = createTestMachine({ format, ramMiB: 96 });
    const { mm } = machine;
    const rng = new Rng(11);
    const pick = (count: number) => rng.below(count);
    const pool = mm.hugetlb.defaultPool;
    const size = pool.sizeBytes;
    pool.resize(8);
    pool.overcommitPages = 3;
    let spaces = [machine.createSpace()];
    const places: number[] = [];
    for (let step = 0; step < 250; step++) {
      const space = spaces[pick(spaces.length)];
      const at = places.length === 0 ? size : places[pick(places.length)] + pick(3) * size;
      const what = pick(10);
      if (what < 2) {
        const flags = [MAP_PRIVATE, MAP_SHARED, MAP_PRIVATE | MAP_NORESERVE][pick(3)];
        const made = map(machine, space, (1 + pick(3)) * size, flags);
        if (made > 0) places.push(made);
      } else if (what < 5) copyToUser(mm, space, at + pick(size), Uint8Array.of(step));
      else if (what === 5) munmap(mm, space, at, (1 + pick(2)) * size);
      else if (what === 6) mprotect(mm, space, at, size, pick(4));
      else if (what === 7) madvise(mm, space, at, size, pick(2) === 0 ? 4 : 9);
      else if (what === 8 && places.length > 0) mremap(mm, space, at, size, size, 3, places[pick(places.length)]);
      else if (pick(2) === 0 && spaces.length < 4) {
        const child = dupSpace(mm, space);
        if (typeof child !== 'number') spaces.push(child);
      } else if (spaces.length > 1) {
        exitSpace(mm, space);
        spaces = spaces.filter((each) => each !== space);
      } else pool.resize(pick(10));
      checkInvariants(mm);
    }
    for (const space of spaces) exitSpace(mm, space);
    checkInvariants(mm);
    expect(pool.reservedPages).toBe(0);
  });
});

it('a page of 1 GiB is found, mapped by one entry, and given back', () => {
  const machine = createTestMachine({ ramMiB: 2100 });
  const { mm } = machine;
  const before = machine.countFree();
  const pool = mm.hugetlb.poolOfShift(30);
  if (pool === null) throw new Error('sv39 has pages of 1 GiB');
  pool.resize(4);
  expect(pool.totalPages).toBe(1);
  const space = machine.createSpace();
  const at = map(machine, space, 2 ** 30, MAP_PRIVATE | (30 << MAP_HUGE_SHIFT));
  expect(at % 2 ** 30).toBe(0);
  expect(copyToUser(mm, space, at + 2 ** 30 - 1, Uint8Array.of(5))).toBe(1);
  expect([space.hugetlbPages, space.pgtablesBytes]).toEqual([2 ** 18, 0]);
  checkInvariants(mm);
  exitSpace(mm, space);
  pool.resize(0);
  checkInvariants(mm);
  expect(machine.countFree()).toBe(before);
});
