import { describe, expect, it } from 'vitest';
import { PAGE_SIZE, type Pfn, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import { checkInvariants } from '../invariants.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { exitSpace } from '../ops/exit.ts';
import { dupSpace } from '../ops/fork.ts';
import { setMemoryMerge } from '../ops/memory-merge.ts';
import { mlock } from '../ops/mlock.ts';
import { mremap } from '../ops/mremap.ts';
import { munmap } from '../ops/munmap.ts';
import { PG_ksm } from '../phys/page-flags.ts';
import { swapOut } from '../reclaim/swap-out.ts';
import { forEachMapping } from '../rmap/rmap-walk.ts';
import { tryToUnmap } from '../rmap/unmap.ts';
import { createTestMachine } from '../testing/test-machine.ts';
import { addTestSwap } from '../testing/test-swap.ts';
import { checksumOf } from './page-content.ts';
import { scanPages } from './scan.ts';
import { advise, BASE, MADV_MERGEABLE, MADV_UNMERGEABLE, map, read, write } from './testing/pages.ts';
import { unmergeAll } from './unmerge.ts';

/** The frame behind the page. */
function frameOf(mm: MemoryManager, space: AddressSpace, page: number): Pfn {
  const slot = mm.pageTables.findLeaf(space, vpn(BASE / PAGE_SIZE + page));
  return mm.pageTables.frameOf(mm.pageTables.read(slot));
}

/** So many full scans; without spaces there is nothing to scan. */
function fullScans(mm: MemoryManager, count: number): void {
  const { ksm } = mm;
  ksm.run = 1;
  for (const end = ksm.fullScans + count; ksm.fullScans < end && ksm.slots.first !== null; ) scanPages(ksm, 1000);
}

/** Pages with these contents in a fresh machine, VM_MERGEABLE. */
function machineWith(values: readonly number[], ramMiB = 4) {
  const machine = createTestMachine({ ramMiB, mmu: 'cached' });
  const { mm } = machine;
  const space = machine.createSpace();
  map(mm, space, 0, values.length);
  expect(advise(mm, space, 0, values.length, MADV_MERGEABLE)).toBe(0);
  values.forEach((value, page) => {
    expect(write(mm, space, page, value)).toBe(1);
  });
  return { machine, mm, space, ksm: mm.ksm };
}

describe('the checksum', () => {
  it('is XXH32 with seed 0 (vectors of the reference implementation, for 4096 bytes)', () => {
    const { mm } = createTestMachine({ ramMiB: 4 });
    const { ram } = mm;
    const frame = 100 as Pfn;
    ram.zeroFrame(frame);
    const naive = (bytes: Uint8Array): number => {
      const M = 0xffffffffn;
      const [p1, p2, p3] = [0x9e3779b1n, 0x85ebca77n, 0xc2b2ae3dn];
      const rotl = (x: bigint, r: bigint) => ((x << r) | (x >> (32n - r))) & M;
      const lanes = [(p1 + p2) & M, p2, 0n, -p1 & M];
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      for (let at = 0; at < bytes.length; at += 4) {
        const lane = (at / 4) % 4;
        lanes[lane] = (rotl((lanes[lane] + BigInt(view.getUint32(at, true)) * p2) & M, 13n) * p1) & M;
      }
      let hash = (rotl(lanes[0], 1n) + rotl(lanes[1], 7n) + rotl(lanes[2], 12n) + rotl(lanes[3], 18n)) & M;
      hash = (hash + BigInt(bytes.length)) & M;
      hash = ((hash ^ (hash >> 15n)) * p2) & M;
      hash = ((hash ^ (hash >> 13n)) * p3) & M;
      return Number(hash ^ (hash >> 16n));
    };
    for (let seed = 0; seed < 20; seed++) {
      expect(checksumOf(ram, frame)).toBe(naive(ram.bytesOf(frame).slice()));
      ram.bytesOf(frame).forEach((_, i, bytes) => {
        bytes[i] = (i * 31 + seed * 7 + (i >> 5)) & 255;
      });
    }
  });
});

describe('ksmd', () => {
  it('merges equal pages in the second scan, counts them, and copies for who writes (K2, K5)', () => {
    const { mm, space, ksm } = machineWith([7, 7, 8, 7, 9]);
    fullScans(mm, 1);
    expect([ksm.pagesShared, ksm.pagesVolatile, ksm.items.count]).toEqual([0, 5, 5]);
    fullScans(mm, 1);
    checkInvariants(mm);
    expect([ksm.pagesShared, ksm.pagesSharing, ksm.pagesUnshared]).toEqual([1, 2, 2]);
    expect(space.ksmMergingPages).toBe(3);
    expect(frameOf(mm, space, 0)).toBe(frameOf(mm, space, 3));
    expect(mm.frames.has(frameOf(mm, space, 1), PG_ksm)).toBe(true);
    expect(mm.frames.mapcount[frameOf(mm, space, 1)]).toBe(3);
    expect(write(mm, space, 1, 5)).toBe(1);
    checkInvariants(mm);
    expect([0, 1, 2, 3, 4].map((page) => read(mm, space, page))).toEqual([7, 5, 8, 7, 9]);
    expect(mm.vmstat.cow_ksm).toBe(1);
    // The counts follow when ksmd comes by.
    expect([ksm.pagesShared, ksm.pagesSharing]).toEqual([1, 2]);
    fullScans(mm, 2);
    expect([ksm.pagesShared, ksm.pagesSharing]).toEqual([1, 1]);
  });

  it('leaves pages alone that change from scan to scan', () => {
    const { mm, space, ksm } = machineWith([1, 1]);
    for (let value = 2; value < 6; value++) {
      write(mm, space, 0, value);
      write(mm, space, 1, value);
      fullScans(mm, 1);
    }
    expect([ksm.pagesShared, ksm.pagesVolatile]).toEqual([0, 2]);
  });

  it('does not merge a page that input or output holds', () => {
    const { mm, space, ksm } = machineWith([1, 1]);
    const held = frameOf(mm, space, 0);
    mm.alloc.getFrame(held);
    fullScans(mm, 3);
    expect(ksm.pagesShared).toBe(0);
    expect(write(mm, space, 0, 1)).toBe(1);
    expect(frameOf(mm, space, 0)).toBe(held);
    mm.alloc.putFrame(held);
    fullScans(mm, 3);
    expect([ksm.pagesShared, ksm.pagesSharing]).toEqual([1, 1]);
    checkInvariants(mm);
  });

  it('begins another page where max_page_sharing is reached, and hangs them on a chain (K3)', () => {
    const { mm, space, ksm } = machineWith(new Array(10).fill(3));
    expect(ksm.setMaxPageSharing(1)).toBe(-22);
    expect(ksm.setMaxPageSharing(3)).toBe(0);
    fullScans(mm, 5);
    checkInvariants(mm);
    expect([ksm.pagesShared, ksm.pagesSharing, ksm.nodes.chains, ksm.nodes.dups]).toEqual([3, 6, 1, 3]);
    expect(ksm.setMaxPageSharing(4)).toBe(-16);
    // One dup is left: the chain gives way to it.
    const keep = frameOf(mm, space, 0);
    for (let page = 0; page < 10; page++) if (frameOf(mm, space, page) !== keep) write(mm, space, page, 100 + page);
    mm.clock.charge(3e9);
    fullScans(mm, 2);
    map(mm, space, 20, 1);
    advise(mm, space, 20, 1, MADV_MERGEABLE);
    write(mm, space, 20, 3);
    fullScans(mm, 8);
    checkInvariants(mm);
    expect([ksm.pagesShared, ksm.nodes.chains, ksm.nodes.dups]).toEqual([1, 0, 0]);
  });

  it('gives zeroes the zero page where use_zero_pages says so (K7)', () => {
    const { mm, space, ksm } = machineWith([0, 0, 4, 0]);
    ksm.knobs.useZeroPages = true;
    fullScans(mm, 2);
    checkInvariants(mm);
    expect([ksm.zeroPages, space.ksmZeroPages, space.rss[1], ksm.pagesShared]).toEqual([3, 3, 1, 0]);
    const child = dupSpace(mm, space) as AddressSpace;
    expect([ksm.zeroPages, child.ksmZeroPages]).toEqual([6, 3]);
    write(mm, space, 0, 9);
    expect(munmap(mm, space, BASE + 3 * PAGE_SIZE, PAGE_SIZE)).toBe(0);
    checkInvariants(mm);
    expect([ksm.zeroPages, space.ksmZeroPages]).toEqual([4, 1]);
    expect(advise(mm, space, 0, 3, MADV_UNMERGEABLE)).toBe(0);
    expect([ksm.zeroPages, space.ksmZeroPages, read(mm, space, 1)]).toEqual([3, 0, 0]);
    exitSpace(mm, child);
    expect(ksm.zeroPages).toBe(0);
  });

  it('finds a merged page of a child by its parent, and every entry of it (R2, K5)', () => {
    const { mm, space } = machineWith([6, 6]);
    fullScans(mm, 2);
    const child = dupSpace(mm, space) as AddressSpace;
    const grandchild = dupSpace(mm, child) as AddressSpace;
    checkInvariants(mm);
    const frame = frameOf(mm, space, 0);
    const entries = (): string[] => {
      const found: string[] = [];
      forEachMapping(mm.rmap, frame, (vma, page) =>
        found.push(`${(vma.space as AddressSpace).id}:${page - BASE / PAGE_SIZE}`),
      );
      return found.sort();
    };
    const all = [space, child, grandchild].flatMap(({ id }) => [`${id}:0`, `${id}:1`]).sort();
    expect(entries()).toEqual(all);
    fullScans(mm, 1); // the children have items of their own now
    checkInvariants(mm);
    expect(entries()).toEqual(all);
    exitSpace(mm, space);
    checkInvariants(mm);
    expect(entries()).toEqual(all.filter((each) => !each.startsWith(`${space.id}:`)));
    mm.alloc.getFrame(frame);
    expect(tryToUnmap(mm.rmap, frame)).toBe(true);
    mm.alloc.putFrame(frame);
    checkInvariants(mm);
    expect(read(mm, child, 0)).toBe(0);
  });

  it('finds a merged page that came back from swap where mremap had moved it over another of the same contents (K5)', () => {
    const { mm, space } = machineWith([6, 6, 6, 6]);
    addTestSwap(mm, { slots: 32 });
    fullScans(mm, 2);
    expect(swapOut(mm.pageCache, mm.reclaimer.workingset, frameOf(mm, space, 0))).toBe(true);
    // Page 2 is the first to come back, and its frame is what ksmd merges the others into: a KSM page in the swap cache.
    for (const page of [2, 1, 3]) expect(read(mm, space, page)).toBe(6);
    // ksmd forgets page 0, which is in swap still. mremap takes merges back, but not of entries that lead to swap.
    fullScans(mm, 2);
    expect(mremap(mm, space, BASE, PAGE_SIZE, PAGE_SIZE, 3, BASE + 3 * PAGE_SIZE)).toBe(BASE + 3 * PAGE_SIZE);
    // Back again, it is where the item of page 3 is, which leads to where it is not.
    expect(read(mm, space, 3)).toBe(6);
    checkInvariants(mm);
    const pages: number[] = [];
    forEachMapping(mm.rmap, frameOf(mm, space, 3), (_, page) => pages.push(page - BASE / PAGE_SIZE));
    expect(pages.sort()).toEqual([1, 2, 3]);
  });

  it('goes to swap as one page, and comes back to strangers as copies', () => {
    const { machine, mm, space, ksm } = machineWith([4, 4]);
    addTestSwap(mm, { slots: 32 });
    const stranger = machine.createSpace();
    map(mm, stranger, 3, 1);
    advise(mm, stranger, 3, 1, MADV_MERGEABLE);
    write(mm, stranger, 3, 4);
    fullScans(mm, 3);
    expect([ksm.pagesShared, ksm.pagesSharing]).toEqual([1, 2]);
    expect(swapOut(mm.pageCache, mm.reclaimer.workingset, frameOf(mm, space, 0))).toBe(true);
    checkInvariants(mm);
    expect([space.rss[1], space.rss[2], stranger.rss[2], mm.vmstat.pswpout]).toEqual([0, 2, 1, 1]);
    expect([read(mm, space, 0), read(mm, space, 1), read(mm, stranger, 3)]).toEqual([4, 4, 4]);
    checkInvariants(mm);
    expect([mm.vmstat.pswpin, mm.vmstat.ksm_swpin_copy, ksm.pagesShared]).toEqual([1, 2, 1]);
    fullScans(mm, 3);
    checkInvariants(mm);
    expect([ksm.pagesShared, ksm.pagesSharing]).toEqual([1, 2]);
  });

  it('takes all merges back with run = 2, and forgets what it knew', () => {
    const { mm, space, ksm } = machineWith([1, 1, 2, 2, 2]);
    fullScans(mm, 3);
    const child = dupSpace(mm, space) as AddressSpace;
    ksm.run = 2;
    expect(unmergeAll(ksm)).toBe(0);
    checkInvariants(mm);
    expect([ksm.pagesShared, ksm.pagesSharing, ksm.items.count, ksm.nodes.count, ksm.fullScans]).toEqual([
      0, 0, 0, 0, 0,
    ]);
    expect(new Set([0, 1, 2, 3, 4].map((page) => frameOf(mm, space, page))).size).toBe(5);
    expect([0, 1, 2, 3, 4].map((page) => read(mm, child, page))).toEqual([1, 1, 2, 2, 2]);
    fullScans(mm, 2);
    expect(ksm.pagesShared).toBe(2);
  });

  it('says -ENOMEM where there is no memory to take a merge back, and keeps it', () => {
    const { mm, space, ksm, machine } = machineWith(new Array(64).fill(1), 2);
    fullScans(mm, 2);
    expect(ksm.pagesSharing).toBe(63);
    const rest = machine.createSpace();
    mm.config.overcommitMemory = 1;
    map(mm, rest, 0, 1000);
    for (let page = 0; page < 1000 && write(mm, rest, page, 1 + (page % 250)) === 1; page++);
    expect(advise(mm, space, 0, 64, MADV_UNMERGEABLE)).toBe(-11);
    ksm.run = 2;
    expect(unmergeAll(ksm)).toBe(-12);
    expect(ksm.run).toBe(0);
    checkInvariants(mm);
    for (let page = 0; page < 64; page++) expect(read(mm, space, page)).toBe(1);
    exitSpace(mm, rest);
    fullScans(mm, 3);
    checkInvariants(mm);
    expect(advise(mm, space, 0, 64, MADV_UNMERGEABLE)).toBe(0);
    checkInvariants(mm);
  });

  it('passes over what it looked at in vain (smart_scan: after 3 scans 1, then 2, 4, 8)', () => {
    const { mm, ksm } = machineWith([1, 2, 3]);
    const skipped: number[] = [];
    for (let scan = 0; scan < 12; scan++) {
      const before = ksm.pagesSkipped;
      fullScans(mm, 1);
      skipped.push((ksm.pagesSkipped - before) / 3);
    }
    expect(skipped).toEqual([0, 0, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1]);
  });

  it('merges what is locked, and locks what it merges into (R5)', () => {
    const { mm, space } = machineWith([5, 5, 5]);
    expect(mlock(mm, space, BASE + PAGE_SIZE, PAGE_SIZE, 0)).toBe(0);
    fullScans(mm, 2);
    checkInvariants(mm);
    expect(mm.alloc.stat.nr_mlock).toBe(1);
    write(mm, space, 1, 6);
    checkInvariants(mm);
    expect(mm.alloc.stat.nr_mlock).toBe(1);
  });

  it('scans all of a space that asked for it with PR_SET_MEMORY_MERGE, and nothing when it no longer does', () => {
    const machine = createTestMachine({ ramMiB: 4 });
    const { mm } = machine;
    const space = machine.createSpace();
    map(mm, space, 0, 2);
    expect(setMemoryMerge(mm, space, 'any')).toBe(0);
    map(mm, space, 5, 2);
    for (const page of [0, 1, 5, 6]) write(mm, space, page, 1);
    fullScans(mm, 2);
    expect([mm.ksm.pagesShared, mm.ksm.pagesSharing]).toEqual([1, 3]);
    expect(setMemoryMerge(mm, space, 'advised')).toBe(0);
    checkInvariants(mm);
    expect(mm.frames.mapcount[frameOf(mm, space, 0)]).toBe(1);
    fullScans(mm, 1);
    expect([mm.ksm.items.count, mm.ksm.slots.first]).toEqual([0, null]);
    expect(mm.rmap.anonVmas.findBroken()).toBeNull();
  });
});
