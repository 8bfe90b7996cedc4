import { expect, it } from 'vitest';
import { fc } from '../../../test/property.ts';
import {
  MADV_COLLAPSE,
  MADV_DONTNEED,
  MADV_HUGEPAGE,
  MADV_MERGEABLE,
  MADV_PAGEOUT,
  MADV_REMOVE,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
} from '../../abi/mman.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import { checkInvariants } from '../../mm/invariants.ts';
import { scanPages } from '../../mm/ksm/scan.ts';
import type { MemoryManager } from '../../mm/memory-manager.ts';
import { exitSpace } from '../../mm/ops/exit.ts';
import { dupSpace } from '../../mm/ops/fork.ts';
import { madvise } from '../../mm/ops/madvise.ts';
import { mlock } from '../../mm/ops/mlock.ts';
import { mmap } from '../../mm/ops/mmap.ts';
import { mprotect } from '../../mm/ops/mprotect.ts';
import { mremap } from '../../mm/ops/mremap.ts';
import { munmap } from '../../mm/ops/munmap.ts';
import { swapOff } from '../../mm/ops/swapoff.ts';
import { createTestMachine, type TestFile } from '../../mm/testing/test-machine.ts';
import { addTestSwap } from '../../mm/testing/test-swap.ts';
import { copyFromUser, copyToUser } from '../../mm/user-access.ts';
import { sumPss } from '../testing/pss-sum.ts';

/**
 * A place of two huge pages, in which small pages, huge ones, merged ones, files and shared memory, in huge pages too, change, in up to four spaces on
 * 16 MiB of RAM with two areas of swap.
 */
const BASE = 0x4000000;
const PAGES = 1024;
const FILE_PAGES = 40;
const SPACES = 4;
const RW = 3;

const KINDS = [
  ...[
    'private',
    'private',
    'shared',
    'file',
    'sharedFile',
    'write',
    'write',
    'writeSame',
    'writeSame',
    'read',
    'unmap',
  ],
  ...[
    'drop',
    'out',
    'out',
    'fork',
    'fork',
    'exit',
    'huge',
    'collapse',
    'khugepaged',
    'mergeable',
    'ksm',
    'ksm',
    'swapoff',
  ],
  ...['reclaim', 'move', 'protect', 'lock', 'sharedHuge', 'sharedHuge', 'remove'],
] as const;
const step = fc.record({
  kind: fc.constantFrom(...KINDS),
  page: fc.oneof(fc.nat(40), fc.nat(PAGES - 1)),
  size: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(512, PAGES)),
  who: fc.nat(SPACES - 1),
});
type Step = Parameters<Parameters<typeof step.map>[0]>[0];

function act(mm: MemoryManager, spaces: AddressSpace[], file: TestFile, { kind, page, size, who }: Step): void {
  const space = spaces[who % spaces.length];
  const at = BASE + page * PAGE_SIZE;
  const lengthBytes = Math.min(size, PAGES - page) * PAGE_SIZE;
  const map = (flags: number): void => {
    const backing = (flags & MAP_ANONYMOUS) === 0 ? file : null;
    const length = backing === null ? lengthBytes : Math.min(lengthBytes, FILE_PAGES * PAGE_SIZE);
    const request = { address: at, lengthBytes: length, prot: RW, flags: flags | MAP_FIXED };
    mmap(mm, space, { ...request, file: backing, offsetBytes: 0 });
  };
  const store = (contentOf: (i: number) => number): void => {
    for (let i = 0; i < lengthBytes; i += PAGE_SIZE) copyToUser(mm, space, at + i, Uint8Array.of(contentOf(i)));
  };
  switch (kind) {
    case 'private':
      map(MAP_PRIVATE | MAP_ANONYMOUS);
      return;
    case 'shared':
      map(MAP_SHARED | MAP_ANONYMOUS);
      return;
    case 'sharedHuge': {
      const request = { address: BASE + (page % 2) * 512 * PAGE_SIZE, lengthBytes: 512 * PAGE_SIZE, prot: RW };
      mmap(mm, space, { ...request, flags: MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, file: null, offsetBytes: 0 });
      copyToUser(mm, space, request.address + page * PAGE_SIZE, Uint8Array.of(1));
      return;
    }
    case 'remove':
      madvise(mm, space, at, lengthBytes, MADV_REMOVE);
      return;
    case 'file':
      map(MAP_PRIVATE);
      return;
    case 'sharedFile':
      map(MAP_SHARED);
      return;
    case 'write':
      store((i) => i / PAGE_SIZE + who);
      return;
    case 'writeSame':
      store(() => 77);
      return;
    case 'read':
      copyFromUser(mm, space, at, new Uint8Array(lengthBytes));
      return;
    case 'unmap':
      munmap(mm, space, at, lengthBytes);
      return;
    case 'drop':
      madvise(mm, space, at, lengthBytes, MADV_DONTNEED);
      return;
    case 'out':
      madvise(mm, space, at, lengthBytes, MADV_PAGEOUT);
      return;
    case 'huge':
      madvise(mm, space, at, lengthBytes, MADV_HUGEPAGE);
      return;
    case 'collapse':
      madvise(mm, space, at, lengthBytes, MADV_COLLAPSE);
      return;
    case 'khugepaged':
      mm.thp.khugepaged.scan();
      return;
    case 'mergeable':
      madvise(mm, space, at, lengthBytes, MADV_MERGEABLE);
      return;
    case 'ksm':
      mm.ksm.run = 1;
      scanPages(mm.ksm, 4 * size);
      return;
    case 'swapoff': {
      const area = mm.swap.areas.find((each) => each !== null) ?? null;
      if (area === null || swapOff(mm, area) !== 0) return;
      addTestSwap(mm, { speed: area.store.speed, slots: 600, badSlots: [3] });
      return;
    }
    case 'reclaim':
      mm.reclaimer.reclaim(size);
      return;
    case 'move':
      mremap(
        mm,
        space,
        at,
        lengthBytes,
        lengthBytes,
        MREMAP_MAYMOVE | MREMAP_FIXED,
        BASE + (who * 200 + 3) * PAGE_SIZE,
      );
      return;
    case 'protect':
      mprotect(mm, space, at, lengthBytes, who % 4);
      return;
    case 'lock':
      mlock(mm, space, at, Math.min(lengthBytes, 8 * PAGE_SIZE), who % 2);
      return;
    case 'fork': {
      if (spaces.length === SPACES) return;
      const child = dupSpace(mm, space);
      if (typeof child !== 'number') spaces.push(child);
      return;
    }
    default:
      if (spaces.length > 1) exitSpace(mm, spaces.splice(spaces.indexOf(space), 1)[0]);
  }
}

it('with swap, huge and merged pages: all Pss together are the mapped frames, to the byte, after each step', () => {
  const seen = { huge: 0, merged: 0, swapped: 0, sharedHuge: 0, mappedAsOne: 0 };
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }), (steps) => {
      const machine = createTestMachine({ ramMiB: 16 });
      const { mm } = machine;
      const free = machine.countFree();
      addTestSwap(mm, { speed: 'synchronous', slots: 600, badSlots: [3] });
      addTestSwap(mm, { speed: 'device', slots: 600, badSlots: [3] });
      mm.thp.khugepaged.maxPtesNone = mm.thp.pages;
      mm.pageCache.shmemHuge.set('always');
      const file = machine.createFile(new Uint8Array(FILE_PAGES * PAGE_SIZE).fill(7));
      const spaces = [machine.createSpace()];
      act(mm, spaces, file, { kind: 'private', page: 0, size: PAGES, who: 0 });
      act(mm, spaces, file, { kind: 'huge', page: 0, size: 512, who: 0 });
      act(mm, spaces, file, { kind: 'mergeable', page: 512, size: 512, who: 0 });
      act(mm, spaces, file, { kind: 'writeSame', page: 500, size: 40, who: 0 });
      for (const each of steps) {
        act(mm, spaces, file, each);
        const { pss, mapped, swapPss, swapped, rss, entries } = sumPss(mm);
        expect({ each, pss, swapPss, rss }).toEqual({ each, pss: mapped, swapPss: swapped, rss: entries });
        expect(rss).toBe(spaces.reduce((sum, space) => sum + space.rssPages * PAGE_SIZE, 0));
        seen.huge += mm.thp.livePages;
        seen.sharedHuge += mm.alloc.stat.nr_shmem_thps;
        seen.mappedAsOne += mm.alloc.stat.nr_shmem_pmdmapped;
        seen.merged += mm.ksm.pagesSharing;
        seen.swapped += swapped;
      }
      checkInvariants(mm);
      for (const space of spaces) exitSpace(mm, space);
      file.release();
      mm.ksm.release();
      mm.thp.releaseZeroPage();
      for (const area of mm.swap.areas) expect(area?.usedSlots).toBe(0);
      expect(machine.countFree()).toBe(free);
    }),
    { numRuns: 25, seed: 20261 },
  );
  // All of them were there in the walks.
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(0);
});
