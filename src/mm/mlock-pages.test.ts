import { describe, expect, it } from 'vitest';
import { MAP_FIXED, MAP_LOCKED, MAP_POPULATE, MAP_SHARED } from '../abi/mman.ts';
import { PAGE_SIZE, type Pfn, type Vpn } from '../machine/units.ts';
import type { AddressSpace } from './address-space.ts';
import { checkInvariants } from './invariants.ts';
import type { MemoryManager } from './memory-manager.ts';
import { mmap } from './ops/mmap.ts';
import { munmap } from './ops/munmap.ts';
import { PG_mlocked } from './phys/page-flags.ts';
import { createTestMachine, type TestFile } from './testing/test-machine.ts';

const AT = 0x40000000;

/** Pages [index, index + pages) of the file, locked, at AT: over what is there. */
function mapLocked(mm: MemoryManager, space: AddressSpace, file: TestFile, index: number, pages: number): void {
  const flags = MAP_SHARED | MAP_FIXED | MAP_LOCKED | MAP_POPULATE;
  const offsetBytes = index * PAGE_SIZE;
  expect(mmap(mm, space, { address: AT, lengthBytes: pages * PAGE_SIZE, prot: 3, flags, file, offsetBytes })).toBe(AT);
}

function lockedPages(mm: MemoryManager, space: AddressSpace, pages: number): boolean[] {
  return Array.from({ length: pages }, (_, i) => {
    const slot = mm.pageTables.findLeaf(space, (AT / PAGE_SIZE + i) as Vpn);
    const frame: Pfn = mm.pageTables.frameOf(mm.pageTables.read(slot));
    return (mm.frames.flags[frame] & PG_mlocked) !== 0;
  });
}

describe('a page that is unlocked and locked again', () => {
  it('within one batch is unlocked, and locked again by reclaim', () => {
    const { mm, createSpace, createFile } = createTestMachine();
    const space = createSpace();
    const file = createFile(new Uint8Array(4 * PAGE_SIZE));
    mapLocked(mm, space, file, 0, 3);
    mm.mlockBatch.drain();
    expect(lockedPages(mm, space, 3)).toEqual([true, true, true]);
    mapLocked(mm, space, file, 1, 3);
    expect(lockedPages(mm, space, 3)).toEqual([false, false, true]);
    expect(mm.mlockBatch.lostLocks).toBe(2);
    checkInvariants(mm);
    mm.mlockBatch.drain();
    const frame = mm.pageCache.ensurePage(file.pages, 1) as Pfn;
    mm.alloc.putFrame(frame);
    expect(mm.reclaimer.pages.reclaimPage(frame)).toBe(false);
    expect(lockedPages(mm, space, 3)).toEqual([true, false, true]);
    checkInvariants(mm);
  });

  it('within two batches is locked', () => {
    const { mm, createSpace, createFile } = createTestMachine();
    const space = createSpace();
    const file = createFile(new Uint8Array(4 * PAGE_SIZE));
    mapLocked(mm, space, file, 0, 3);
    mm.mlockBatch.drain();
    expect(munmap(mm, space, AT, 3 * PAGE_SIZE)).toBe(0);
    mm.mlockBatch.drain();
    mapLocked(mm, space, file, 0, 3);
    expect(lockedPages(mm, space, 3)).toEqual([true, true, true]);
    expect(mm.mlockBatch.lostLocks).toBe(0);
    checkInvariants(mm);
  });
});
