import { describe, expect, it } from 'vitest';
import { MADV_DONTNEED, MADV_HUGEPAGE, MAP_ANONYMOUS, MAP_PRIVATE } from '../../abi/mman.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { checkInvariants } from '../invariants.ts';
import { exitSpace } from '../ops/exit.ts';
import { madvise } from '../ops/madvise.ts';
import { mmap } from '../ops/mmap.ts';
import { createTestMachine } from '../testing/test-machine.ts';
import { copyToUser } from '../user-access.ts';

describe('huge pages that are mapped in part', () => {
  it('give what nobody maps back when memory is short, before anything fails', () => {
    const machine = createTestMachine({ ramMiB: 32 });
    const { mm } = machine;
    const before = machine.countFree();
    const size = mm.thp.pages * PAGE_SIZE;
    const space = machine.createSpace();
    const request = { address: 0, prot: 3, file: null, offsetBytes: 0, flags: MAP_PRIVATE | MAP_ANONYMOUS };
    const at = mmap(mm, space, { ...request, lengthBytes: 8 * size });
    madvise(mm, space, at, 8 * size, MADV_HUGEPAGE);
    for (let huge = 0; huge < 8; huge++) {
      copyToUser(mm, space, at + huge * size, Uint8Array.of(huge + 1));
      madvise(mm, space, at + huge * size + PAGE_SIZE, size - PAGE_SIZE, MADV_DONTNEED);
    }
    expect([space.rssPages, mm.alloc.deferredSplits.partiallyMapped]).toEqual([8, 8]);
    checkInvariants(mm);
    // More than is free while the huge pages are whole.
    const pages = mm.alloc.freeCount + 4 * mm.thp.pages;
    const small = mmap(mm, space, { ...request, lengthBytes: pages * PAGE_SIZE });
    for (let page = 0; page < pages; page++)
      expect(copyToUser(mm, space, small + page * PAGE_SIZE, Uint8Array.of(1))).toBe(1);
    expect(mm.vmstat.thp_split_page).toBeGreaterThanOrEqual(4);
    expect(space.rssPages).toBe(8 + pages);
    checkInvariants(mm);
    exitSpace(mm, space);
    checkInvariants(mm);
    expect([machine.countFree(), mm.alloc.deferredSplits.list.length]).toEqual([before, 0]);
  });

  it('leave the queue when they are whole and in use', () => {
    const machine = createTestMachine({ ramMiB: 32 });
    const { mm } = machine;
    const size = mm.thp.pages * PAGE_SIZE;
    const space = machine.createSpace();
    const request = { address: 0, prot: 3, file: null, offsetBytes: 0, flags: MAP_PRIVATE | MAP_ANONYMOUS };
    const at = mmap(mm, space, { ...request, lengthBytes: 2 * size });
    madvise(mm, space, at, 2 * size, MADV_HUGEPAGE);
    for (let page = 0; page < 20; page++) copyToUser(mm, space, at + page * PAGE_SIZE, Uint8Array.of(1));
    copyToUser(mm, space, at + size, Uint8Array.of(1));
    mm.thp.khugepaged.maxPtesNone = mm.thp.pages - 10;
    expect(mm.hugePageShrinker.shrink(mm.memcgs.root)).toBe(mm.thp.pages - 1);
    expect([mm.vmstat.thp_underused_split_page, mm.thp.livePages, mm.alloc.deferredSplits.list.length]).toEqual([
      1, 1, 0,
    ]);
    checkInvariants(mm);
  });
});
