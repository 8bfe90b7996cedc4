import { describe, expect, it } from 'vitest';
import { MADV_DONTNEED, MADV_HUGEPAGE, MAP_ANONYMOUS, MAP_PRIVATE } from '../../abi/mman.ts';
import { PAGE_SIZE, type Vpn, vaddr, vpnOf } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import { checkInvariants } from '../invariants.ts';
import { exitSpace } from '../ops/exit.ts';
import { dupSpace } from '../ops/fork.ts';
import { madvise } from '../ops/madvise.ts';
import { mlock } from '../ops/mlock.ts';
import { mmap } from '../ops/mmap.ts';
import { PG_head, PG_partially_mapped } from '../phys/page-flags.ts';
import { isMappedShared } from '../rmap/rmap-walk.ts';
import { createTestMachine } from '../testing/test-machine.ts';
import { copyFromUser, copyToUser } from '../user-access.ts';
import { splitHugePage } from './split-page.ts';

const machine = () => {
  const { mm, createSpace } = createTestMachine({ ramMiB: 32 });
  const size = mm.thp.pages * PAGE_SIZE;
  const space = createSpace();
  const request = { address: 0, lengthBytes: size, prot: 3, file: null, offsetBytes: 0 };
  const at = mmap(mm, space, { ...request, flags: MAP_PRIVATE | MAP_ANONYMOUS });
  madvise(mm, space, at, size, MADV_HUGEPAGE);
  for (let page = 0; page < 8; page++) copyToUser(mm, space, at + page * PAGE_SIZE, Uint8Array.of(page + 1));
  const frameOf = (of: AddressSpace, page: number) => {
    const vpn = (vpnOf(vaddr(at)) + page) as Vpn;
    const slot = mm.pageTables.findEntry(of, vpn);
    return mm.pageTables.frameWithin(mm.pageTables.read(slot), mm.pageTables.foundLevel, vpn);
  };
  return { mm, size, space, at, head: frameOf(space, 0), frameOf };
};

describe('a huge page that two spaces map', () => {
  it('stays whole for one when the other splits its leaf, and each frame knows its entries', () => {
    const { mm, space, at, head } = machine();
    const child = dupSpace(mm, space) as AddressSpace;
    madvise(mm, child, at, PAGE_SIZE, MADV_DONTNEED);
    checkInvariants(mm);
    const { frames } = mm;
    expect([frames.mappingsOf(head), frames.mappingsOf((head + 1) as typeof head)]).toEqual([1, 2]);
    expect([frames.entireMapcount[head], frames.largeMapcount[head], frames.refcount[head]]).toEqual([1, 512, 512]);
    expect([mm.thp.livePages, mm.vmstat.thp_split_pmd, mm.vmstat.thp_split_page]).toEqual([1, 1, 0]);
    expect([frames.has(head, PG_partially_mapped), isMappedShared(mm.rmap, head)]).toEqual([false, true]);
    exitSpace(mm, space);
    expect([frames.has(head, PG_partially_mapped), isMappedShared(mm.rmap, head)]).toEqual([true, false]);
    expect([mm.thp.livePages, mm.vmstat.thp_deferred_split_page, mm.alloc.stat.nr_anon_pages]).toEqual([0, 1, 511]);
    checkInvariants(mm);
    exitSpace(mm, child);
    checkInvariants(mm);
    expect(mm.alloc.deferredSplits.list.length).toBe(0);
  });

  it('is split for both: what nobody maps is free, and zeroes are nobody’s', () => {
    const { mm, size, space, at, head, frameOf } = machine();
    const child = dupSpace(mm, space) as AddressSpace;
    for (const each of [space, child]) madvise(mm, each, at + 2 * PAGE_SIZE, PAGE_SIZE, MADV_DONTNEED);
    const free = mm.alloc.freeCount;
    expect(splitHugePage(mm, head)).toBe(true);
    checkInvariants(mm);
    // Seven of its pages hold something.
    expect([mm.alloc.freeCount - free, space.rssPages, child.rssPages]).toEqual([512 - 7, 7, 7]);
    expect(frameOf(space, 100)).toBe(mm.zeroPage);
    const byte = new Uint8Array(1);
    for (const [page, value] of [
      [0, 1],
      [2, 0],
      [7, 8],
      [100, 0],
    ]) {
      copyFromUser(mm, child, at + page * PAGE_SIZE, byte);
      expect(byte[0]).toBe(value);
    }
    copyToUser(mm, child, at + size - 1, Uint8Array.of(5));
    checkInvariants(mm);
  });

  it('stays huge while somebody holds it', () => {
    const { mm, head } = machine();
    mm.alloc.getFrame(head);
    expect(splitHugePage(mm, head)).toBe(false);
    expect([mm.frames.has(head, PG_head), mm.vmstat.thp_split_page_failed]).toEqual([true, 1]);
    mm.alloc.putFrame(head);
    checkInvariants(mm);
  });

  it('keeps its locks when it is split', () => {
    const { mm, size, space, at, head } = machine();
    mlock(mm, space, at, size, 0);
    expect([mm.thp.livePages, mm.alloc.stat.nr_mlock]).toEqual([1, 512]);
    checkInvariants(mm);
    expect(splitHugePage(mm, head)).toBe(true);
    checkInvariants(mm);
    expect([space.rssPages, mm.alloc.stat.nr_mlock]).toEqual([512, 512]);
    exitSpace(mm, space);
    checkInvariants(mm);
    expect(mm.alloc.stat.nr_mlock).toBe(0);
  });
});
