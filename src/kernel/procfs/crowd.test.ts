import { describe, expect, it } from 'vitest';
import { MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED } from '../../abi/mman.ts';
import { Rng } from '../../base/rng.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import { checkInvariants } from '../../mm/invariants.ts';
import type { MemoryManager } from '../../mm/memory-manager.ts';
import { exitSpace } from '../../mm/ops/exit.ts';
import { dupSpace } from '../../mm/ops/fork.ts';
import { mmap } from '../../mm/ops/mmap.ts';
import { MemoryStore } from '../../mm/swap/store.ts';
import { createTestMachine, type TestFile } from '../../mm/testing/test-machine.ts';
import { copyFromUser, copyToUser } from '../../mm/user-access.ts';
import { sumPss } from '../testing/pss-sum.ts';

function addSwap(mm: MemoryManager, slots: number): void {
  const store = new MemoryStore((slots + 1) * PAGE_SIZE);
  mm.swap.addArea({ path: 'swap', kind: 'partition', store, slotCount: slots + 1, badSlots: [] }, 0);
}

function map(mm: MemoryManager, space: AddressSpace, pages: number, flags: number, file: TestFile | null): number {
  return mmap(mm, space, { address: 0, lengthBytes: pages * PAGE_SIZE, prot: 3, flags, file, offsetBytes: 0 });
}

function forked(mm: MemoryManager, parent: AddressSpace): AddressSpace {
  const child = dupSpace(mm, parent);
  if (typeof child === 'number') throw new Error(`fork: error ${-child}`);
  return child;
}

function store(mm: MemoryManager, space: AddressSpace, address: number, value: number): void {
  expect(copyToUser(mm, space, address, Uint8Array.of(value))).toBe(1);
}

function load(mm: MemoryManager, space: AddressSpace, address: number): number {
  const byte = new Uint8Array(1);
  expect(copyFromUser(mm, space, address, byte)).toBe(1);
  return byte[0];
}

describe('many processes', () => {
  it('400 that share 200 pages: each page is found from all of them, shared out, reclaimed and given back', () => {
    const machine = createTestMachine({ ramMiB: 24 });
    const { mm } = machine;
    const free = machine.countFree();
    addSwap(mm, 6000);
    const file = machine.createFile(new Uint8Array(64 * PAGE_SIZE).fill(9));
    const rng = new Rng(400);
    const spaces = [machine.createSpace()];
    const anon = map(mm, spaces[0], 100, MAP_PRIVATE | MAP_ANONYMOUS, null);
    const shared = map(mm, spaces[0], 40, MAP_SHARED | MAP_ANONYMOUS, null);
    const backed = map(mm, spaces[0], 60, MAP_PRIVATE, file);
    for (let page = 0; page < 100; page++) store(mm, spaces[0], anon + page * PAGE_SIZE, page);
    // Of a random process each, so that there are children of children.
    while (spaces.length < 400) spaces.push(forked(mm, spaces[rng.below(spaces.length)]));
    for (const [who, space] of spaces.entries()) {
      store(mm, space, shared + rng.below(40) * PAGE_SIZE, 1);
      load(mm, space, backed + rng.below(60) * PAGE_SIZE);
      store(mm, space, anon + rng.below(50) * PAGE_SIZE + 1, who);
      store(mm, space, backed + rng.below(20) * PAGE_SIZE + 1, who);
    }
    checkInvariants(mm);
    expectShared(mm);
    mm.reclaimer.reclaim(2000);
    checkInvariants(mm);
    expectShared(mm);
    for (const space of spaces)
      for (let page = 0; page < 100; page += 7) expect(load(mm, space, anon + page * PAGE_SIZE)).toBe(page);
    checkInvariants(mm);
    while (spaces.length > 0) {
      exitSpace(mm, spaces.splice(rng.below(spaces.length), 1)[0]);
      if (spaces.length % 100 === 50) checkInvariants(mm);
    }
    file.release();
    expect([machine.countFree(), mm.swap.areas[0]?.usedSlots, mm.committedPages]).toEqual([free, 0, 0]);
  });

  it('3000 forks deep in pressure: each generation has what the one before it had, and nothing is left', () => {
    const machine = createTestMachine({ ramMiB: 4 });
    const { mm } = machine;
    const free = machine.countFree();
    const pages = 1100; // more than there is room for
    addSwap(mm, 3000);
    const rng = new Rng(3000);
    const expected = new Uint8Array(pages);
    let space = machine.createSpace();
    const at = map(mm, space, pages, MAP_PRIVATE | MAP_ANONYMOUS, null);
    for (let page = 0; page < pages; page++) store(mm, space, at + page * PAGE_SIZE, 0);
    for (let generation = 1; generation <= 3000; generation++) {
      const child = forked(mm, space);
      for (let i = 0; i < 4; i++) {
        const page = rng.below(pages);
        // The parent's copy is not the child's.
        store(mm, space, at + rng.below(pages) * PAGE_SIZE, 99);
        expected[page] = generation;
        store(mm, child, at + page * PAGE_SIZE, generation);
      }
      exitSpace(mm, space);
      space = child;
      const look = rng.below(pages);
      expect({ generation, look, value: load(mm, space, at + look * PAGE_SIZE) }).toEqual({
        generation,
        look,
        value: expected[look],
      });
      if (generation % 500 === 0) checkInvariants(mm);
    }
    expect(mm.vmstat.pswpout).toBeGreaterThan(0);
    for (let page = 0; page < pages; page++) expect(load(mm, space, at + page * PAGE_SIZE)).toBe(expected[page]);
    exitSpace(mm, space);
    expect([machine.countFree(), mm.swap.areas[0]?.usedSlots, mm.committedPages]).toEqual([free, 0, 0]);
  });
});

function expectShared(mm: MemoryManager): void {
  const { pss, mapped, swapPss, swapped, rss, entries } = sumPss(mm);
  expect({ pss, swapPss, rss }).toEqual({ pss: mapped, swapPss: swapped, rss: entries });
}
