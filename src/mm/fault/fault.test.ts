import { describe, expect, it } from 'vitest';
import { PAGE_SIZE, vaddr, vpn } from '../../machine/units.ts';
import { type AddressSpace, FAULT_KINDS, MM_ANONPAGES, MM_FILEPAGES, MM_SHMEMPAGES } from '../address-space.ts';
import { checkInvariants } from '../invariants.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { exitSpace } from '../ops/exit.ts';
import { dupSpace } from '../ops/fork.ts';
import { mmap } from '../ops/mmap.ts';
import { mprotect } from '../ops/mprotect.ts';
import { msync } from '../ops/msync.ts';
import { setupStack } from '../ops/setup-stack.ts';
import { installSpecialMapping } from '../ops/special-mapping.ts';
import { GFP_KERNEL } from '../phys/gfp.ts';
import { createTestMachine, TEST_LAYOUT, type TestFile } from '../testing/test-machine.ts';
import { copyFromUser, copyToUser } from '../user-access.ts';
import { VM_EXEC, VM_MAYEXEC, VM_MAYREAD, VM_READ } from '../vm-flags.ts';
import { handleFault } from './fault.ts';
import { FAULT_BUS, FAULT_DONE, FAULT_OOM, FAULT_SEGV_ACCERR, FAULT_SEGV_MAPERR } from './results.ts';

const BASE = 0x40000000;

function map(mm: MemoryManager, space: AddressSpace, pages: number, flags: number, file: TestFile | null = null): void {
  const request = { address: BASE, lengthBytes: pages * PAGE_SIZE, prot: 3, flags: flags | 0x10, file };
  expect(mmap(mm, space, { ...request, offsetBytes: 0 })).toBe(BASE);
}

/** One access as the CPU does it: faults until the MMU lets it through. */
function access(mm: MemoryManager, space: AddressSpace, address: number, how: 1 | 2 | 4): number {
  while (mm.mmu.translate(space, vaddr(address), how) === -1) {
    const result = handleFault(mm, space, vaddr(address), how);
    if (result !== FAULT_DONE) return result;
  }
  return FAULT_DONE;
}

function kinds(space: AddressSpace): Record<string, number> {
  return Object.fromEntries(FAULT_KINDS.map((kind, i) => [kind, space.faults[i]]).filter(([, count]) => count !== 0));
}

describe('handleFault', () => {
  it('maps the zero page on a read of anonymous memory, a frame of its own on a write', () => {
    const { mm, createSpace } = createTestMachine();
    const space = createSpace();
    map(mm, space, 4, 0x22);
    const free = mm.alloc.freeCount;
    expect(access(mm, space, BASE, 1)).toBe(FAULT_DONE);
    expect(mm.lastFaultFrame).toBe(mm.zeroPage);
    expect(space.rssPages).toBe(0);
    expect(mm.alloc.freeCount).toBe(free - 2); // two levels of tables
    access(mm, space, BASE, 2);
    access(mm, space, BASE + PAGE_SIZE, 2);
    access(mm, space, BASE + PAGE_SIZE, 1);
    expect(kinds(space)).toEqual({ anonReadZero: 1, cowCopy: 1, anonZero: 1 });
    expect(space.rss[MM_ANONPAGES]).toBe(2);
    checkInvariants(mm);
  });

  it('copies a private page that a fork shares, and lets the last owner have it', () => {
    const { mm, createSpace } = createTestMachine();
    const parent = createSpace();
    map(mm, parent, 2, 0x22);
    copyToUser(mm, parent, BASE, Uint8Array.of(7));
    const child = dupSpace(mm, parent) as AddressSpace;
    const frame = mm.lastFaultFrame;
    access(mm, parent, BASE, 2);
    expect(mm.lastFaultFrame).not.toBe(frame);
    access(mm, child, BASE, 2);
    expect(mm.lastFaultFrame).toBe(frame);
    expect(kinds(parent)).toEqual({ anonZero: 1, cowCopy: 1 });
    expect(kinds(child)).toEqual({ cowReuse: 1 });
    checkInvariants(mm);
    exitSpace(mm, parent);
    exitSpace(mm, child);
    checkInvariants(mm);
  });

  it('counts a private file page as a copy at once when the first touch is a write', () => {
    const { mm, createSpace, createFile } = createTestMachine();
    const space = createSpace();
    const file = createFile(new Uint8Array(4 * PAGE_SIZE).fill(9));
    map(mm, space, 4, 0x02, file);
    access(mm, space, BASE, 2);
    expect([space.rss[MM_FILEPAGES], space.rss[MM_ANONPAGES]]).toEqual([0, 1]);
    access(mm, space, BASE + PAGE_SIZE, 1);
    access(mm, space, BASE + PAGE_SIZE, 2);
    expect(kinds(space)).toEqual({ cowCopy: 2, fileRead: 1 });
    // Pages 2 and 3 came along with page 1: they were in the page cache.
    expect([space.rss[MM_FILEPAGES], space.rss[MM_ANONPAGES]]).toEqual([2, 2]);
    expect(file.mkwrites).toBe(0);
    expect(mm.vmstat.pgmajfault).toBeGreaterThan(0);
    checkInvariants(mm);
  });

  it('maps the cached pages around a read, up to the ends of the window, the mapping and the file', () => {
    const { mm, createSpace, createFile } = createTestMachine();
    const file = createFile(new Uint8Array(40 * PAGE_SIZE - 100).fill(9));
    const space = createSpace();
    map(mm, space, 48, 0x01, file);
    access(mm, space, BASE + 20 * PAGE_SIZE, 1);
    expect(space.rss[MM_FILEPAGES]).toBe(1); // it was not in the cache, so nothing was
    access(mm, space, BASE + 19 * PAGE_SIZE, 1);
    // Page 28 has the mark of read-ahead: who comes to it starts the next window (next_uptodate_folio).
    expect(space.rss[MM_FILEPAGES]).toBe(15);
    access(mm, space, BASE + 31 * PAGE_SIZE, 1);
    expect(kinds(space)).toEqual({ fileRead: 2 });
    for (let at = 32; at < 40; at++) access(mm, space, BASE + at * PAGE_SIZE, 1);
    // The first fault read pages 4 to 35; page 36 is read and mapped alone, the rest with page 37.
    expect(kinds(space)).toEqual({ fileRead: 5 });
    expect(space.rss[MM_FILEPAGES]).toBe(23);
    expect(access(mm, space, BASE + 40 * PAGE_SIZE, 1)).toBe(FAULT_BUS);
    // Entries made around are as clean as others: the first store is announced.
    access(mm, space, BASE + 16 * PAGE_SIZE, 2);
    expect(file.mkwrites).toBe(1);
    checkInvariants(mm);
    exitSpace(mm, space);
    checkInvariants(mm);
  });

  it('tells a file of the first write through a shared mapping, and again after it was written back', () => {
    const { mm, createSpace, createFile } = createTestMachine();
    const space = createSpace();
    const file = createFile(new Uint8Array(4 * PAGE_SIZE));
    map(mm, space, 4, 0x01, file);
    access(mm, space, BASE, 1);
    copyToUser(mm, space, BASE, Uint8Array.of(5));
    copyToUser(mm, space, BASE + 1, Uint8Array.of(6));
    expect(file.mkwrites).toBe(1);
    expect(msync(mm, space, BASE, PAGE_SIZE, 4)).toBe(0);
    expect([...file.disk.subarray(0, 2)]).toEqual([5, 6]);
    copyToUser(mm, space, BASE, Uint8Array.of(8));
    expect(file.mkwrites).toBe(2);
    checkInvariants(mm);
    exitSpace(mm, space);
    mm.pageCache.writeback(file.pages);
    expect(file.disk[0]).toBe(8);
  });

  it('gives SIGBUS when the file refuses the write, and when it ends before the page', () => {
    const { mm, createSpace, createFile } = createTestMachine();
    const space = createSpace();
    const file = createFile(new Uint8Array(PAGE_SIZE + 10).fill(1), { mkwriteResult: -28 });
    map(mm, space, 4, 0x01, file);
    expect(access(mm, space, BASE, 2)).toBe(FAULT_BUS);
    expect(access(mm, space, BASE + PAGE_SIZE, 1)).toBe(FAULT_DONE);
    expect(access(mm, space, BASE + 2 * PAGE_SIZE, 1)).toBe(FAULT_BUS);
    expect(kinds(space)).toEqual({ bus: 2, fileRead: 1 });
    const tail = new Uint8Array(3);
    expect(copyFromUser(mm, space, BASE + PAGE_SIZE + 9, tail)).toBe(3);
    expect([...tail]).toEqual([1, 0, 0]);
    mm.pageCache.truncate(file.pages, 100);
    expect(access(mm, space, BASE + PAGE_SIZE, 1)).toBe(FAULT_BUS);
    checkInvariants(mm);
  });

  it('maps shared anonymous memory writable at the first read, so that a later write takes no fault', () => {
    const { mm, createSpace } = createTestMachine();
    const space = createSpace();
    map(mm, space, 2, 0x21);
    access(mm, space, BASE, 1);
    access(mm, space, BASE, 2);
    access(mm, space, BASE + PAGE_SIZE, 2);
    expect(kinds(space)).toEqual({ fileRead: 1, fileShared: 1 });
    expect(space.rss[MM_SHMEMPAGES]).toBe(2);
    checkInvariants(mm);
  });

  it('tells no mapping from no right', () => {
    const { mm, createSpace } = createTestMachine();
    const space = createSpace();
    map(mm, space, 2, 0x22);
    expect(access(mm, space, BASE, 4)).toBe(FAULT_SEGV_ACCERR);
    expect(access(mm, space, BASE - 1, 1)).toBe(FAULT_SEGV_MAPERR);
    mprotect(mm, space, BASE, PAGE_SIZE, 4);
    expect(access(mm, space, BASE, 1)).toBe(FAULT_SEGV_ACCERR);
    expect(access(mm, space, BASE, 4)).toBe(FAULT_DONE);
    mprotect(mm, space, BASE, PAGE_SIZE, 2);
    expect(access(mm, space, BASE, 1)).toBe(FAULT_DONE);
    expect(mm.vmstat.pgfault).toBe(1);
    checkInvariants(mm);
  });

  it('grows a stack to its limit and no further', () => {
    const { mm, createSpace } = createTestMachine();
    const space = createSpace();
    space.limits.stackBytes = 64 * PAGE_SIZE;
    const top = TEST_LAYOUT.stackTop * PAGE_SIZE;
    expect(setupStack(mm, space, vaddr(top), 100, 'noexec')).toBe(0);
    expect(space.stackVm).toBe(33);
    expect(access(mm, space, top - 64 * PAGE_SIZE, 2)).toBe(FAULT_DONE);
    expect(kinds(space)).toEqual({ stackGrow: 1 });
    expect(access(mm, space, top - 64 * PAGE_SIZE - 1, 2)).toBe(FAULT_SEGV_MAPERR);
    expect(space.stackVm).toBe(64);
    checkInvariants(mm);
  });

  it('maps the frames of the kernel in a special mapping', () => {
    const { mm, createSpace } = createTestMachine();
    const space = createSpace();
    const frame = mm.alloc.allocFrame(GFP_KERNEL);
    const mapping = { name: '[vdso]', frames: [frame] };
    const flags = VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYEXEC;
    expect(installSpecialMapping(mm, space, BASE, mapping, flags)).toBe(0);
    expect(access(mm, space, BASE, 4)).toBe(FAULT_DONE);
    expect(mm.lastFaultFrame).toBe(frame);
    expect(access(mm, space, BASE, 2)).toBe(FAULT_SEGV_ACCERR);
    const child = dupSpace(mm, space) as AddressSpace;
    expect(access(mm, child, BASE, 1)).toBe(FAULT_DONE);
    checkInvariants(mm);
    exitSpace(mm, child);
    exitSpace(mm, space);
    expect(mm.frames.refcount[frame]).toBe(1);
  });

  it('answers out of memory and leaves everything consistent', () => {
    const { mm, createSpace, countFree } = createTestMachine({ ramMiB: 1, config: { overcommitMemory: 1 } });
    const free = countFree();
    const space = createSpace();
    map(mm, space, 4096, 0x22);
    let result: number = FAULT_DONE;
    for (let i = 0; i < 4096 && result === FAULT_DONE; i++) result = access(mm, space, BASE + i * PAGE_SIZE, 2);
    expect(result).toBe(FAULT_OOM);
    expect(dupSpace(mm, space)).toBe(-12);
    checkInvariants(mm);
    exitSpace(mm, space);
    expect(countFree()).toBe(free);
    checkInvariants(mm);
  });

  it('runs more spaces than the hardware has identifiers', () => {
    const { mm, createSpace } = createTestMachine({ ramMiB: 64 });
    const spaces = Array.from({ length: 600 }, () => createSpace());
    for (const [i, space] of spaces.entries()) {
      map(mm, space, 1, 0x22);
      copyToUser(mm, space, BASE, Uint8Array.of(i % 251));
    }
    checkInvariants(mm);
    const into = new Uint8Array(1);
    for (const [i, space] of spaces.entries()) {
      expect(copyFromUser(mm, space, BASE, into)).toBe(1);
      expect(into[0]).toBe(i % 251);
    }
    for (const space of spaces) exitSpace(mm, space);
    checkInvariants(mm);
  });

  it('keeps the accessed and dirty bits of the tables true', () => {
    const { mm, createSpace } = createTestMachine();
    const space = createSpace();
    map(mm, space, 1, 0x21);
    access(mm, space, BASE, 1);
    const slot = mm.pageTables.findLeaf(space, vpn(BASE / PAGE_SIZE));
    expect(mm.pageTables.read(slot) & (mm.format.ACCESSED | mm.format.DIRTY)).toBe(mm.format.ACCESSED);
    access(mm, space, BASE, 2);
    expect(mm.pageTables.read(slot) & mm.format.DIRTY).toBe(mm.format.DIRTY);
  });
});
