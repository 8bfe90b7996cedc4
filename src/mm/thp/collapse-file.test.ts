import { describe, expect, it } from 'vitest';
import { EAGAIN, EINVAL } from '../../abi/errno.ts';
import { MADV_COLLAPSE, MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED } from '../../abi/mman.ts';
import { PAGE_SIZE, type Pfn, vaddr, vpnOf } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import { checkInvariants } from '../invariants.ts';
import { exitSpace } from '../ops/exit.ts';
import { dupSpace } from '../ops/fork.ts';
import { madvise } from '../ops/madvise.ts';
import { mmap } from '../ops/mmap.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import { MemoryStore } from '../swap/store.ts';
import { createTestMachine } from '../testing/test-machine.ts';
import { copyFromUser, copyToUser } from '../user-access.ts';

function machine() {
  const { mm, createSpace, countFree } = createTestMachine({ ramMiB: 16 });
  const free = countFree();
  const size = mm.thp.pages * PAGE_SIZE;
  const space = createSpace();
  const flags = MAP_SHARED | MAP_ANONYMOUS;
  const request = { address: 0, prot: 3, file: null, offsetBytes: 0 };
  const room = mmap(mm, space, { ...request, lengthBytes: 2 * size, flags: MAP_PRIVATE | MAP_ANONYMOUS });
  const at = Math.ceil(room / size) * size;
  mmap(mm, space, { ...request, address: at, lengthBytes: size, flags: flags | 0x10 });
  for (let page = 0; page < 8; page++) copyToUser(mm, space, at + page * PAGE_SIZE, Uint8Array.of(page + 1));
  const pages = space.vmas.find(vpnOf(vaddr(at)))?.pages as FilePages;
  const bytes = (of: AddressSpace, count: number): number[] =>
    Array.from({ length: count }, (_, page) => {
      const into = new Uint8Array(1);
      copyFromUser(mm, of, at + page * PAGE_SIZE, into);
      return into[0];
    });
  return { mm, space, at, size, pages, bytes, free, countFree };
}

describe('small pages of shared memory', () => {
  it('become one, holes as zeroes, for all who map them', () => {
    const { mm, space, at, size, pages, bytes, free, countFree } = machine();
    const child = dupSpace(mm, space) as AddressSpace;
    bytes(child, 8);
    expect([pages.pageCount, child.rssPages > 0]).toEqual([8, true]);
    expect(madvise(mm, space, at, size, MADV_COLLAPSE)).toBe(0);
    checkInvariants(mm);
    expect([pages.pageCount, mm.pageTables.fileLeaves, mm.alloc.stat.nr_shmem_thps]).toEqual([512, 1, 512]);
    expect([bytes(space, 9), bytes(child, 9)]).toEqual([
      [1, 2, 3, 4, 5, 6, 7, 8, 0],
      [1, 2, 3, 4, 5, 6, 7, 8, 0],
    ]);
    expect([mm.pageTables.fileLeaves, mm.vmstat.thp_file_mapped, mm.vmstat.thp_collapse_alloc]).toEqual([2, 2, 1]);
    checkInvariants(mm);
    exitSpace(mm, child);
    exitSpace(mm, space);
    expect(countFree()).toBe(free);
  });

  it('stay as they are while somebody holds one', () => {
    const { mm, space, at, size, pages, bytes } = machine();
    const held = pages.findPage(3) as Pfn;
    mm.alloc.getFrame(held);
    expect(madvise(mm, space, at, size, MADV_COLLAPSE)).toBe(-EAGAIN);
    checkInvariants(mm);
    mm.alloc.putFrame(held);
    expect([pages.pageCount, bytes(space, 4)]).toEqual([8, [1, 2, 3, 4]]);
    mm.pageCache.shmemHuge.set('deny');
    expect(madvise(mm, space, at, size, MADV_COLLAPSE)).toBe(-EINVAL);
  });

  it('come back from swap for it', () => {
    const { mm, space, at, size, pages, bytes } = machine();
    const store = Object.assign(new MemoryStore(64 * PAGE_SIZE), { speed: 'synchronous' as const, costNs: () => 0 });
    mm.swap.addArea({ path: 'swap', kind: 'partition', store, slotCount: 64, badSlots: [] }, 0);
    expect(mm.reclaimer.pages.reclaimPage(pages.findPage(2) as Pfn)).toBe(true);
    expect(pages.swapped.size).toBe(1);
    expect(madvise(mm, space, at, size, MADV_COLLAPSE)).toBe(0);
    checkInvariants(mm);
    expect([pages.swapped.size, pages.pageCount, bytes(space, 4)]).toEqual([0, 512, [1, 2, 3, 4]]);
  });
});
