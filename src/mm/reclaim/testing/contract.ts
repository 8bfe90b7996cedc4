import { describe, expect, it } from 'vitest';
import { MADV_PAGEOUT } from '../../../abi/mman.ts';
import { Rng } from '../../../base/rng.ts';
import { PAGE_SIZE } from '../../../machine/units.ts';
import type { AddressSpace } from '../../address-space.ts';
import { checkInvariants } from '../../invariants.ts';
import type { MemoryManager } from '../../memory-manager.ts';
import { exitSpace } from '../../ops/exit.ts';
import { dupSpace } from '../../ops/fork.ts';
import { madvise } from '../../ops/madvise.ts';
import { mlock, munlock } from '../../ops/mlock.ts';
import { mmap } from '../../ops/mmap.ts';
import { MemoryStore } from '../../swap/store.ts';
import { createTestMachine } from '../../testing/test-machine.ts';
import { copyFromUser, copyToUser } from '../../user-access.ts';
import { NamedPolicies, type ReclaimPolicyName } from '../kinds.ts';

const BASE = 0x1000000;
const RAM_PAGES = 1024;
/** Two and a half times what the machine has. */
const PAGES = 2560;

function boot(name: ReclaimPolicyName, swapPages: number): ReturnType<typeof createTestMachine> {
  const machine = createTestMachine({ ramMiB: (RAM_PAGES * PAGE_SIZE) / 2 ** 20, config: { overcommitMemory: 1 } });
  machine.mm.setReclaimPolicies(new NamedPolicies(name));
  if (swapPages > 0) {
    const slotCount = swapPages + 1;
    const store = new MemoryStore(slotCount * PAGE_SIZE);
    machine.mm.swap.addArea({ path: 'test', kind: 'partition', store, slotCount, badSlots: [] }, null);
  }
  return machine;
}

function map(mm: MemoryManager, space: AddressSpace, pages: number, kind: 'private' | 'shared'): void {
  const flags = 0x30 | (kind === 'shared' ? 1 : 2);
  const request = { address: BASE, lengthBytes: pages * PAGE_SIZE, prot: 3, flags, file: null, offsetBytes: 0 };
  expect(mmap(mm, space, request)).toBe(BASE);
}

function write(mm: MemoryManager, space: AddressSpace, page: number, value: number): number {
  return copyToUser(mm, space, BASE + page * PAGE_SIZE + (page % 64), Uint8Array.of(value));
}

function read(mm: MemoryManager, space: AddressSpace, page: number): number {
  const byte = new Uint8Array(1);
  expect(copyFromUser(mm, space, BASE + page * PAGE_SIZE + (page % 64), byte)).toBe(1);
  return byte[0];
}

/** What every reclaim policy must do, whatever it chooses. */
export function testReclaimPolicy(name: ReclaimPolicyName): void {
  describe(`reclaim policy ${name}`, () => {
    it.each(['private', 'shared'] as const)('keeps what a program wrote to %s memory of many times the RAM', (kind) => {
      const machine = boot(name, PAGES);
      const { mm } = machine;
      const free = machine.countFree();
      const space = machine.createSpace();
      map(mm, space, PAGES, kind);
      for (let page = 0; page < PAGES; page++) expect(write(mm, space, page, page % 251)).toBe(1);
      const rng = new Rng(7);
      for (let i = 0; i < 2000; i++) {
        // Most accesses go to a few pages.
        const page = rng.below(4) > 0 ? rng.below(200) : rng.below(PAGES);
        expect(read(mm, space, page)).toBe(page % 251);
      }
      checkInvariants(mm);
      expect(mm.vmstat.pswpout).toBeGreaterThan(PAGES - RAM_PAGES);
      for (let page = 0; page < PAGES; page++) expect(read(mm, space, page)).toBe(page % 251);
      exitSpace(mm, space);
      checkInvariants(mm);
      expect(machine.countFree()).toBe(free);
      expect(mm.swap.freePages).toBe(PAGES);
    });

    it('swaps pages that fork shares once, and copies them apart on a write', () => {
      const machine = boot(name, PAGES);
      const { mm } = machine;
      const parent = machine.createSpace();
      map(mm, parent, 300, 'private');
      for (let page = 0; page < 300; page++) write(mm, parent, page, 1);
      const child = dupSpace(mm, parent) as AddressSpace;
      mm.reclaimer.reclaim(600);
      expect(mm.swap.freePages).toBeGreaterThanOrEqual(PAGES - 300);
      for (let page = 0; page < 300; page++) write(mm, child, page, 2);
      mm.reclaimer.reclaim(600);
      checkInvariants(mm);
      for (let page = 0; page < 300; page++) expect([read(mm, parent, page), read(mm, child, page)]).toEqual([1, 2]);
      exitSpace(mm, parent);
      exitSpace(mm, child);
      expect(mm.swap.freePages).toBe(PAGES);
    });

    it('leaves locked pages where they are, and refuses when nothing can go', () => {
      const machine = boot(name, 0);
      const { mm } = machine;
      const space = machine.createSpace();
      map(mm, space, PAGES, 'private');
      let written = 0;
      while (written < PAGES && write(mm, space, written, 3) === 1) written++;
      expect(written).toBeLessThan(RAM_PAGES);
      checkInvariants(mm);
      const store = new MemoryStore(101 * PAGE_SIZE);
      mm.swap.addArea({ path: 'test', kind: 'partition', store, slotCount: 101, badSlots: [] }, null);
      expect(mlock(mm, space, BASE, 50 * PAGE_SIZE, 0)).toBe(0);
      while (written < PAGES && write(mm, space, written, 3) === 1) written++;
      expect(mm.swap.freePages).toBe(0);
      expect(space.rss[2]).toBe(100);
      for (let page = 0; page < 50; page++)
        expect(mm.pageTables.findLeaf(space, (BASE / PAGE_SIZE + page) as never)).not.toBe(-1);
      munlock(mm, space, BASE, 50 * PAGE_SIZE);
      expect(madvise(mm, space, BASE, 50 * PAGE_SIZE, MADV_PAGEOUT)).toBe(0);
      for (let page = 0; page < 50; page++) expect(read(mm, space, page)).toBe(3);
      checkInvariants(mm);
      exitSpace(mm, space);
    });

    it('gives clean pages of files to those who need memory', () => {
      const machine = boot(name, 0);
      const { mm } = machine;
      const file = machine.createFile(new Uint8Array(700 * PAGE_SIZE).fill(9));
      for (let index = 0; index < 700; index++)
        mm.alloc.putFrame(mm.pageCache.ensurePage(file.pages, index, 'none') as never);
      const space = machine.createSpace();
      map(mm, space, 600, 'private');
      for (let page = 0; page < 600; page++) expect(write(mm, space, page, 5)).toBe(1);
      checkInvariants(mm);
      exitSpace(mm, space);
      file.release();
    });
  });
}
