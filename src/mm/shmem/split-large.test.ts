import { describe, expect, it } from 'vitest';
import { MADV_REMOVE, MAP_ANONYMOUS, MAP_SHARED } from '../../abi/mman.ts';
import { PAGE_SIZE, type Pfn, vaddr, vpnOf } from '../../machine/units.ts';
import { checkInvariants } from '../invariants.ts';
import { exitSpace } from '../ops/exit.ts';
import { madvise } from '../ops/madvise.ts';
import { mmap } from '../ops/mmap.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import { createTestMachine } from '../testing/test-machine.ts';
import { copyFromUser, copyToUser } from '../user-access.ts';
import { piecesAround, splitCached } from './split-large.ts';

describe('piecesAround', () => {
  it('leaves one page alone, and the rest as large as it can be, in order', () => {
    const pieces = piecesAround(512 as Pfn, 9, 517 as Pfn);
    expect(pieces.map(([first, order]) => [first - 512, 2 ** order])).toEqual([
      [0, 4],
      [4, 1],
      [5, 1],
      [6, 2],
      [8, 8],
      [16, 16],
      [32, 32],
      [64, 64],
      [128, 128],
      [256, 256],
    ]);
  });
});

function machine() {
  const { mm, createSpace, countFree } = createTestMachine({ ramMiB: 16 });
  const free = countFree();
  mm.pageCache.shmemHuge.set('always');
  const size = mm.thp.pages * PAGE_SIZE;
  const space = createSpace();
  const request = { address: 0, lengthBytes: size, prot: 3, file: null, offsetBytes: 0 };
  const at = mmap(mm, space, { ...request, flags: MAP_SHARED | MAP_ANONYMOUS });
  for (let page = 0; page < 8; page++) copyToUser(mm, space, at + page * PAGE_SIZE, Uint8Array.of(page + 1));
  const pages = space.vmas.find(vpnOf(vaddr(at)))?.pages as FilePages;
  const byteOf = (page: number): number => {
    const into = new Uint8Array(1);
    copyFromUser(mm, space, at + page * PAGE_SIZE, into);
    return into[0];
  };
  return { mm, space, at, size, pages, head: pages.findPage(0) as Pfn, byteOf, free, countFree };
}

describe('a huge page of shared memory', () => {
  it('is mapped by one leaf, and lies in the index page by page', () => {
    const { mm, space, at, size, pages, head } = machine();
    checkInvariants(mm);
    expect(at % size).toBe(0);
    expect([mm.pageTables.fileLeaves, pages.pageCount, pages.findPage(511)]).toEqual([1, 512, head + 511]);
    expect([mm.frames.refcount[head], mm.frames.largeMapcount[head], space.rssPages]).toEqual([2, 1, 512]);
    const { stat } = mm.alloc;
    expect([stat.nr_shmem, stat.nr_shmem_thps, stat.nr_shmem_pmdmapped, stat.nr_mapped]).toEqual([512, 512, 512, 512]);
  });

  it('is split into small ones that nobody maps, and every byte is still there', () => {
    const { mm, space, pages, head, byteOf, free, countFree } = machine();
    expect(splitCached(mm.pageCache, head, null)).toBe(true);
    checkInvariants(mm);
    const { stat } = mm.alloc;
    expect([space.rssPages, pages.pageCount, stat.nr_shmem, stat.nr_shmem_thps, stat.nr_mapped]).toEqual([
      0, 512, 512, 0, 0,
    ]);
    expect(Array.from({ length: 9 }, (_, page) => byteOf(page))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 0]);
    checkInvariants(mm);
    exitSpace(mm, space);
    expect(countFree()).toBe(free);
  });

  it('stays whole while somebody holds it; then a hole in it is zeroes', () => {
    const { mm, space, at, pages, head, byteOf } = machine();
    mm.alloc.getFrame(head);
    expect(madvise(mm, space, at + 2 * PAGE_SIZE, PAGE_SIZE, MADV_REMOVE)).toBe(0);
    checkInvariants(mm);
    expect([pages.pageCount, mm.vmstat.thp_split_page_failed, byteOf(2), byteOf(3)]).toEqual([512, 1, 0, 4]);
    mm.alloc.putFrame(head);
    expect(madvise(mm, space, at + 2 * PAGE_SIZE, PAGE_SIZE, MADV_REMOVE)).toBe(0);
    checkInvariants(mm);
    expect([pages.pageCount, mm.vmstat.thp_split_page]).toEqual([511, 1]);
    // A fault maps each large piece whole.
    expect([byteOf(3), space.rssPages]).toEqual([4, 15]);
    expect([byteOf(300), space.rssPages]).toEqual([0, 15 + 256]);
    checkInvariants(mm);
  });

  it('is given up with what lies past the end of the file', () => {
    const { mm, pages, byteOf } = machine();
    mm.pageCache.truncate(pages, 3 * PAGE_SIZE + 1);
    checkInvariants(mm);
    expect([pages.pageCount, byteOf(2), mm.alloc.stat.nr_shmem]).toEqual([4, 3, 4]);
  });
});
