import { describe, expect, it } from 'vitest';
import {
  MADV_COLD,
  MADV_COLLAPSE,
  MADV_DONTNEED,
  MADV_FREE,
  MADV_HUGEPAGE,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
} from '../../abi/mman.ts';
import { Rng } from '../../base/rng.ts';
import { i386 } from '../../machine/paging/i386.ts';
import { sv39 } from '../../machine/paging/sv39.ts';
import { sv57 } from '../../machine/paging/sv57.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { checkInvariants } from '../invariants.ts';
import { exitSpace } from '../ops/exit.ts';
import { dupSpace } from '../ops/fork.ts';
import { madvise } from '../ops/madvise.ts';
import { mlock, munlock } from '../ops/mlock.ts';
import { mmap } from '../ops/mmap.ts';
import { mprotect } from '../ops/mprotect.ts';
import { mremap } from '../ops/mremap.ts';
import { munmap } from '../ops/munmap.ts';
import { createTestMachine } from '../testing/test-machine.ts';
import { copyFromUser, copyToUser } from '../user-access.ts';

describe.each([i386, sv39, sv57])('transparent huge pages of $name', (format) => {
  it('are mapped at the first touch, split by a partial unmap, and given back', () => {
    const machine = createTestMachine({ format, ramMiB: 48 });
    const { mm } = machine;
    const before = machine.countFree();
    const size = mm.thp.pages * PAGE_SIZE;
    const space = machine.createSpace();
    const request = { address: 0, lengthBytes: 2 * size, prot: 3, file: null, offsetBytes: 0 };
    const at = mmap(mm, space, { ...request, flags: MAP_PRIVATE | MAP_ANONYMOUS });
    expect(at % size).toBe(0);
    madvise(mm, space, at, 2 * size, MADV_HUGEPAGE);
    copyToUser(mm, space, at + size - 1, Uint8Array.of(1, 2));
    expect([mm.thp.livePages, space.rssPages]).toEqual([2, 2 * mm.thp.pages]);
    checkInvariants(mm);
    munmap(mm, space, at, PAGE_SIZE);
    expect([mm.thp.livePages, space.rssPages]).toEqual([1, 2 * mm.thp.pages - 1]);
    checkInvariants(mm);
    const bytes = new Uint8Array(2);
    copyFromUser(mm, space, at + size - 1, bytes);
    expect([...bytes]).toEqual([1, 2]);
    exitSpace(mm, space);
    expect([mm.thp.livePages, machine.countFree()]).toEqual([0, before]);
  });

  it('are made by khugepaged of small pages, within its limits', () => {
    const machine = createTestMachine({ format, ramMiB: 64 });
    const { mm } = machine;
    const { khugepaged, pages } = mm.thp;
    const size = pages * PAGE_SIZE;
    const space = machine.createSpace();
    const request = { address: 0, lengthBytes: 2 * size, prot: 3, file: null, offsetBytes: 0 };
    const at = mmap(mm, space, { ...request, flags: MAP_PRIVATE | MAP_ANONYMOUS });
    for (const page of [0, 3, pages]) copyToUser(mm, space, at + page * PAGE_SIZE, Uint8Array.of(page % 7));
    expect([khugepaged.hasWork, khugepaged.scan(), mm.thp.livePages]).toEqual([false, 'done', 0]);
    madvise(mm, space, at, 2 * size, MADV_HUGEPAGE);
    khugepaged.maxPtesNone = pages - 2;
    expect([khugepaged.hasWork, khugepaged.scan(), mm.thp.livePages]).toEqual([true, 'done', 1]);
    expect([khugepaged.pagesCollapsed, khugepaged.fullScans, mm.vmstat.thp_scan_exceed_none_pte]).toEqual([1, 1, 1]);
    khugepaged.maxPtesNone = pages - 1;
    khugepaged.pagesToScan = 1;
    khugepaged.scan();
    expect(mm.thp.livePages).toBe(1);
    khugepaged.scan();
    expect(mm.thp.livePages).toBe(2);
    checkInvariants(mm);
    const byte = new Uint8Array(1);
    copyFromUser(mm, space, at + 3 * PAGE_SIZE, byte);
    expect([...byte]).toEqual([3]);
    exitSpace(mm, space);
    checkInvariants(mm);
    expect([khugepaged.hasWork, mm.thp.livePages]).toEqual([false, 0]);
  });

  it('hold their invariants and what was written through a random walk', () => {
    const machine = createTestMachine({ format, ramMiB: 96 });
    const { mm } = machine;
    const rng = new Rng(5);
    const pick = (count: number) => rng.below(count);
    const { pages } = mm.thp;
    const size = pages * PAGE_SIZE;
    mm.thp.enabled = 'always';
    let spaces = [machine.createSpace()];
    const request = { address: 0, lengthBytes: 3 * size, prot: 3, file: null, offsetBytes: 0 };
    const base = mmap(mm, spaces[0], { ...request, flags: MAP_PRIVATE | MAP_ANONYMOUS });
    for (let step = 0; step < 300; step++) {
      const space = spaces[pick(spaces.length)];
      const at = base + pick(3 * pages) * PAGE_SIZE;
      const whole = base + pick(3) * size;
      const what = pick(14);
      if (what < 3) {
        const bytes = Uint8Array.of(step, step >> 8);
        const wrote = copyToUser(mm, space, at + 100, bytes);
        const back = new Uint8Array(2);
        if (wrote === 2) expect([copyFromUser(mm, space, at + 100, back), ...back]).toEqual([2, ...bytes]);
      } else if (what === 3) copyFromUser(mm, space, at, new Uint8Array(1));
      else if (what === 4) munmap(mm, space, at, (1 + pick(3)) * PAGE_SIZE);
      else if (what === 5) mprotect(mm, space, pick(2) === 0 ? at : whole, pick(2) === 0 ? PAGE_SIZE : size, pick(4));
      else if (what === 6) madvise(mm, space, pick(2) === 0 ? at : whole, size, MADV_DONTNEED);
      else if (what === 7) madvise(mm, space, whole, size, MADV_COLLAPSE);
      else if (what === 8) mremap(mm, space, whole, size, size, 3, base + (4 + pick(3)) * size + pick(2) * PAGE_SIZE);
      else if (what === 9)
        mmap(mm, space, { ...request, address: whole, lengthBytes: size, flags: MAP_PRIVATE | MAP_ANONYMOUS | 0x10 });
      else if (what === 10) {
        mlock(mm, space, at, PAGE_SIZE, 0);
        munlock(mm, space, at, PAGE_SIZE);
      } else if (what > 11) {
        madvise(
          mm,
          space,
          pick(2) === 0 ? at : whole,
          pick(2) === 0 ? PAGE_SIZE : size,
          what === 12 ? MADV_COLD : MADV_FREE,
        );
      } else if (pick(2) === 0 && spaces.length < 4) {
        const child = dupSpace(mm, space);
        if (typeof child !== 'number') spaces.push(child);
      } else if (spaces.length > 1) {
        exitSpace(mm, space);
        spaces = spaces.filter((each) => each !== space);
      }
      checkInvariants(mm);
    }
    for (const space of spaces) exitSpace(mm, space);
    checkInvariants(mm);
    expect(mm.thp.livePages).toBe(0);
    expect(mm.vmstat.thp_split_pmd).toBeGreaterThan(3);
    expect(mm.vmstat.thp_split_page).toBeGreaterThan(1);
    expect(mm.vmstat.thp_deferred_split_page).toBeGreaterThan(1);
    expect(mm.vmstat.thp_collapse_alloc).toBeGreaterThan(0);
  });
});
