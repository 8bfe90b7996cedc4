import { describe, expect, it } from 'vitest';
import { MADV_DONTNEED, MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE } from '../abi/mman.ts';
import { i386 } from '../machine/paging/i386.ts';
import { sv39 } from '../machine/paging/sv39.ts';
import { sv48 } from '../machine/paging/sv48.ts';
import { sv57 } from '../machine/paging/sv57.ts';
import { PAGE_SIZE, pfn, type Vpn, vaddr, vpn } from '../machine/units.ts';
import type { AddressSpace } from './address-space.ts';
import { checkInvariants } from './invariants.ts';
import { exitSpace } from './ops/exit.ts';
import { dupSpace } from './ops/fork.ts';
import { madvise } from './ops/madvise.ts';
import { mmap } from './ops/mmap.ts';
import { munmap } from './ops/munmap.ts';
import { MARKER_GUARD, MARKER_POISONED, MARKER_UFFD_WP } from './page-table-entry.ts';
import { swapEntry, swapOffsetOf, swapTypeOf } from './swap/entry.ts';
import { createTestMachine, type TestMachine } from './testing/test-machine.ts';
import { copyFromUser, copyToUser } from './user-access.ts';
import { VM_READ, VM_WRITE } from './vm-flags.ts';

function mapPage({ mm }: TestMachine, space: AddressSpace, page: number, pages = 1): void {
  const address = page * PAGE_SIZE;
  const request = { address, lengthBytes: pages * PAGE_SIZE, prot: 3, file: null, offsetBytes: 0 };
  expect(mmap(mm, space, { ...request, flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED })).toBe(address);
}

function write({ mm }: TestMachine, space: AddressSpace, page: number, value: number): void {
  expect(copyToUser(mm, space, page * PAGE_SIZE, Uint8Array.of(value))).toBe(1);
}

function read({ mm }: TestMachine, space: AddressSpace, page: number): number {
  const bytes = new Uint8Array(1);
  expect(copyFromUser(mm, space, page * PAGE_SIZE, bytes)).toBe(1);
  return bytes[0];
}

/** What every format must do: one generic walk, folded to its levels. */
describe.each([i386, sv39, sv48, sv57])('page tables of $name', (format) => {
  const leafPages = 2 ** format.bitsPerLevel;
  const create = () => {
    const machine = createTestMachine({ format, mmu: 'cached' });
    const { taskSize } = machine.mm.config.layout;
    return { machine, last: taskSize - 1 };
  };

  it('reaches the first and the last page of user space through one table a level', () => {
    const { machine, last } = create();
    const { mm } = machine;
    const space = machine.createSpace();
    const below = (format.levels - 1) * PAGE_SIZE;
    mapPage(machine, space, 16);
    mapPage(machine, space, last);
    write(machine, space, 16, 7);
    expect(space.pgtablesBytes).toBe(below);
    write(machine, space, last, 9);
    // The formats with more levels than the test layout needs share the upper ones.
    const shared = format.levels > 3 ? (format.levels - 3) * PAGE_SIZE : 0;
    expect(space.pgtablesBytes).toBe(2 * below - shared);
    expect([read(machine, space, 16), read(machine, space, last)]).toEqual([7, 9]);
    checkInvariants(mm);
    exitSpace(mm, space);
  });

  it('tells markers from frames and from nothing', () => {
    const { pageTables } = create().machine.mm;
    for (const bits of [MARKER_UFFD_WP, MARKER_POISONED, MARKER_GUARD, MARKER_UFFD_WP | MARKER_POISONED]) {
      const entry = pageTables.makeMarker(bits);
      expect([pageTables.isMarker(entry), pageTables.isMapped(entry), pageTables.markerOf(entry)]).toEqual([
        true,
        false,
        bits,
      ]);
      expect(entry & format.PRESENT).toBe(0);
    }
    expect([pageTables.makeMarker(0), pageTables.isMarker(0), pageTables.markerOf(0)]).toEqual([0, false, 0]);
    const none = pageTables.makeEntry(pfn(5), 0, 'readonly', format.ACCESSED);
    expect([pageTables.isMarker(none), pageTables.isMapped(none)]).toEqual([false, true]);
  });

  it('has room for every slot of an area in a swap entry, with its flags', () => {
    const { machine } = create();
    const { mm } = machine;
    const { pageTables } = mm;
    const space = machine.createSpace();
    mapPage(machine, space, 16, 2);
    write(machine, space, 16, 1);
    const slot = pageTables.findLeaf(space, vpn(16));
    const before = pageTables.read(slot);
    const beside = pageTables.slotBeside(slot, 1);
    for (const offset of [1, 2 ** 20, 3 * 2 ** 20, 2 ** 31 + 5, 2 ** 32 - 2].filter((at) => at < format.swapOffsets))
      for (const type of [0, 27])
        for (const flags of [
          0,
          format.SWAP_EXCLUSIVE,
          format.SWAP_UFFD_WP,
          format.SWAP_EXCLUSIVE + format.SWAP_UFFD_WP,
        ]) {
          const entry = swapEntry(type, offset);
          pageTables.set(beside, pageTables.makeSwap(entry, flags));
          const read = pageTables.read(beside);
          expect([pageTables.isSwap(read), pageTables.swapOf(read), swapTypeOf(entry), swapOffsetOf(entry)]).toEqual([
            true,
            entry,
            type,
            offset,
          ]);
          expect(pageTables.isSwapExclusive(read)).toBe((flags & format.SWAP_EXCLUSIVE) !== 0);
          expect(pageTables.isUffdWp(read)).toBe((flags & format.SWAP_UFFD_WP) !== 0);
          for (const changed of [pageTables.withUffdWp(read), pageTables.withoutUffdWp(read)])
            expect(pageTables.swapOf(pageTables.withoutSwapExclusive(changed))).toBe(entry);
          expect(pageTables.seek(space, vpn(17), vpn(18)) && pageTables.foundSlot).toBe(beside);
          pageTables.set(beside, 0);
          expect(pageTables.seek(space, vpn(17), vpn(18))).toBe(false);
        }
    expect(pageTables.read(slot)).toBe(before);
    checkInvariants(mm);
  });

  it('keeps a guard marker through madvise and fork, and drops it with the mapping', () => {
    const { machine } = create();
    const { mm } = machine;
    const space = machine.createSpace();
    mapPage(machine, space, 16, 2);
    write(machine, space, 16, 7);
    const slot = mm.pageTables.findLeaf(space, vpn(17));
    mm.pageTables.set(slot, mm.pageTables.makeMarker(MARKER_GUARD));
    expect(copyToUser(mm, space, 17 * PAGE_SIZE, Uint8Array.of(1))).toBe(0);
    expect(madvise(mm, space, 16 * PAGE_SIZE, 2 * PAGE_SIZE, MADV_DONTNEED)).toBe(0);
    expect(mm.pageTables.markerOf(mm.pageTables.read(slot))).toBe(MARKER_GUARD);
    const child = dupSpace(mm, space) as AddressSpace;
    expect(copyToUser(mm, child, 17 * PAGE_SIZE, Uint8Array.of(1))).toBe(0);
    checkInvariants(mm);
    expect(munmap(mm, space, 16 * PAGE_SIZE, 2 * PAGE_SIZE)).toBe(0);
    mapPage(machine, space, 16, 2);
    write(machine, space, 17, 8);
    checkInvariants(mm);
    exitSpace(mm, child);
    exitSpace(mm, space);
  });

  it('gives a leaf table back with the last mapping under it, and all of them at exit', () => {
    const { machine } = create();
    const { mm } = machine;
    const free = machine.countFree();
    const space = machine.createSpace();
    const first = 4 * leafPages;
    mapPage(machine, space, first, 2 * leafPages);
    write(machine, space, first, 1);
    write(machine, space, first + leafPages, 2);
    const both = space.pgtablesBytes;
    expect(both).toBe(format.levels * PAGE_SIZE);
    expect(munmap(mm, space, first * PAGE_SIZE, leafPages * PAGE_SIZE)).toBe(0);
    expect(space.pgtablesBytes).toBe(both - PAGE_SIZE);
    expect(mm.pageTables.findLeaf(space, vpn(first))).toBe(-1);
    expect(read(machine, space, first + leafPages)).toBe(2);
    checkInvariants(mm);
    exitSpace(mm, space);
    expect(machine.countFree()).toBe(free);
  });

  it('seeks over empty tables to the next entry', () => {
    const { machine } = create();
    const { mm } = machine;
    const space = machine.createSpace();
    const pages = [17, leafPages + 3, 9 * leafPages - 1, 700 * leafPages + 1];
    for (const page of pages) {
      mapPage(machine, space, page);
      write(machine, space, page, 1);
    }
    const found: number[] = [];
    for (let page = vpn(0); mm.pageTables.seek(space, page, space.taskSize); ) {
      const at: Vpn = mm.pageTables.foundVpn;
      found.push(at);
      page = vpn(at + 1);
    }
    expect(found).toEqual(pages);
    exitSpace(mm, space);
  });

  it('the MMU marks ACCESSED and DIRTY in the same bytes; fork takes WRITE away and a store brings a copy', () => {
    const { machine } = create();
    const { mm } = machine;
    const space = machine.createSpace();
    mapPage(machine, space, 32);
    write(machine, space, 32, 5);
    const entry = mm.pageTables.read(mm.pageTables.findLeaf(space, vpn(32)));
    const state = format.PRESENT | format.USER | format.WRITE | format.ACCESSED | format.DIRTY;
    expect(entry & state).toBe(state);
    const child = dupSpace(mm, space);
    if (typeof child === 'number') throw new Error('no memory');
    expect(mm.pageTables.read(mm.pageTables.findLeaf(space, vpn(32))) & format.WRITE).toBe(0);
    write(machine, child, 32, 6);
    expect([read(machine, space, 32), read(machine, child, 32)]).toEqual([5, 6]);
    checkInvariants(mm);
    exitSpace(mm, child);
    exitSpace(mm, space);
  });

  it.each(format.hugeLevels)('a huge leaf at level %i maps all its pages, and is found as one', (level) => {
    const { machine, last } = create();
    const { mm, mmu } = machine;
    const { pageTables } = mm;
    const space = machine.createSpace();
    const span = pageTables.spanOf(level);
    const first = span < last / 2 ? span : 0;
    const slot = pageTables.ensureAt(space, vpn(first), level);
    expect(space.pgtablesBytes).toBe((format.levels - 1 - level) * PAGE_SIZE);
    // No frame is taken: the leaf maps all of RAM from frame 0 on, and only translations are looked at.
    pageTables.set(slot, pageTables.makeEntry(pfn(0), VM_READ | VM_WRITE, 'writable', 0, level));
    const at = vpn(first + 5);
    expect(mmu.translate(space, vaddr(at * PAGE_SIZE + 3), 1)).toBe(mm.ram.offsetOf(pfn(5)) + 3);
    expect(pageTables.read(slot) & (format.ACCESSED | format.DIRTY)).toBe(format.ACCESSED);
    expect(pageTables.findLeaf(space, at)).toBe(-1);
    expect([pageTables.findEntry(space, at), pageTables.foundLevel]).toEqual([slot, level]);
    expect(pageTables.frameWithin(pageTables.read(slot), level, at)).toBe(5);
    expect(pageTables.seek(space, at, space.taskSize)).toBe(true);
    expect([pageTables.foundVpn, pageTables.foundSlot, pageTables.foundLevel]).toEqual([first, slot, level]);
    // PROT_NONE: nothing for the hardware, and still a leaf for us.
    pageTables.set(slot, pageTables.makeEntry(pfn(0), 0, 'readonly', format.ACCESSED, level));
    mmu.flushPage(space.asid, at);
    expect(mmu.translate(space, vaddr(at * PAGE_SIZE), 1)).toBe(-1);
    expect([pageTables.findEntry(space, at), pageTables.foundLevel]).toEqual([slot, level]);
    expect(pageTables.frameOf(pageTables.read(slot))).toBe(0);
    pageTables.set(slot, 0);
    expect(pageTables.seek(space, vpn(0), space.taskSize)).toBe(false);
    pageTables.freeTables(space, vpn(first), vpn(first + span), vpn(0), vpn(Number.POSITIVE_INFINITY));
    exitSpace(mm, space);
  });

  it('no access above user space', () => {
    const { machine, last } = create();
    const space = machine.createSpace();
    expect(copyToUser(machine.mm, space, (last + 1) * PAGE_SIZE, Uint8Array.of(1))).toBe(0);
    expect(machine.mmu.translate(space, vaddr(format.userPages * PAGE_SIZE), 1)).toBe(-1);
    exitSpace(machine.mm, space);
  });
});
