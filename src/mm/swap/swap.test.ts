import { describe, expect, it } from 'vitest';
import { EIO } from '../../abi/errno.ts';
import { MADV_PAGEOUT, MADV_WILLNEED } from '../../abi/mman.ts';
import { PAGE_SIZE, type Vpn } from '../../machine/units.ts';
import { type AddressSpace, MM_SWAPENTS } from '../address-space.ts';
import { checkInvariants } from '../invariants.ts';
import { dupSpace } from '../ops/fork.ts';
import { madvise } from '../ops/madvise.ts';
import { mmap } from '../ops/mmap.ts';
import { swapOff } from '../ops/swapoff.ts';
import { createTestMachine, type TestMachine } from '../testing/test-machine.ts';
import { copyFromUser, copyToUser } from '../user-access.ts';
import type { SwapArea } from './area.ts';
import { makeSwapHeader, parseSwapHeader } from './header.ts';
import { MemoryStore, type SwapStore } from './store.ts';

const BASE = 0x40000000;

/** A store of a device's speed that counts its pages and can fail. */
class Device implements SwapStore {
  readonly speed = 'device';
  readonly sizeBytes: number;
  reads = 0;
  writes = 0;
  failure = 0;
  private readonly memory: MemoryStore;

  constructor(slots: number) {
    this.sizeBytes = (slots + 1) * PAGE_SIZE;
    this.memory = new MemoryStore(this.sizeBytes);
  }
  read(slot: number, into: Uint8Array): number {
    this.reads++;
    return this.failure !== 0 ? this.failure : this.memory.read(slot, into);
  }
  write(slot: number, from: Uint8Array): number {
    this.writes++;
    return this.failure !== 0 ? this.failure : this.memory.write(slot, from);
  }
  discard(slot: number): void {
    this.memory.discard(slot);
  }
  costNs(): number {
    return 1;
  }
}

function addArea({ mm }: TestMachine, store: SwapStore, slots: number, priority: number | null = null): SwapArea {
  return mm.swap.addArea(
    { path: 'test', kind: 'partition', store, slotCount: slots + 1, badSlots: [] },
    priority,
  ) as SwapArea;
}

function map(machine: TestMachine, pages: number, from = 1): AddressSpace {
  const space = machine.createSpace();
  const request = { address: BASE, lengthBytes: pages * PAGE_SIZE, prot: 3, flags: 0x32, file: null, offsetBytes: 0 };
  expect(mmap(machine.mm, space, request)).toBe(BASE);
  for (let page = 0; page < pages; page++)
    copyToUser(machine.mm, space, BASE + page * PAGE_SIZE, Uint8Array.of(page + from, 77));
  return space;
}

function byteAt({ mm }: TestMachine, space: AddressSpace, page: number): number {
  const byte = new Uint8Array(1);
  return copyFromUser(mm, space, BASE + page * PAGE_SIZE, byte) === 1 ? byte[0] : -1;
}

const pageOut = ({ mm }: TestMachine, space: AddressSpace, pages: number): number =>
  madvise(mm, space, BASE, pages * PAGE_SIZE, MADV_PAGEOUT);

describe('swap', () => {
  it('reads ahead around a slot, and finds what it read in the cache', () => {
    const machine = createTestMachine();
    const { mm } = machine;
    const device = new Device(64);
    addArea(machine, device, 64);
    const space = map(machine, 16);
    expect(pageOut(machine, space, 16)).toBe(0);
    expect([device.writes, space.rss[MM_SWAPENTS], mm.vmstat.pswpout]).toEqual([16, 16, 16]);
    expect(byteAt(machine, space, 7)).toBe(8);
    expect(device.reads).toBe(8);
    const [reads, majors] = [device.reads, mm.vmstat.pgmajfault];
    expect(byteAt(machine, space, 8)).toBe(9);
    expect([device.reads, mm.vmstat.pgmajfault, mm.vmstat.swap_ra_hit]).toEqual([reads, majors, 1]);
    checkInvariants(mm);
  });

  it('writes a page that was only read no second time', () => {
    const machine = createTestMachine();
    const device = new Device(64);
    addArea(machine, device, 64);
    const space = map(machine, 8);
    pageOut(machine, space, 8);
    for (let page = 0; page < 8; page++) expect(byteAt(machine, space, page)).toBe(page + 1);
    copyToUser(machine.mm, space, BASE, Uint8Array.of(99));
    pageOut(machine, space, 8);
    expect(device.writes).toBe(9);
    expect(byteAt(machine, space, 0)).toBe(99);
    checkInvariants(machine.mm);
  });

  it('shares one slot between the entries of a fork, and one frame between their readers', () => {
    const machine = createTestMachine();
    const { mm } = machine;
    const area = addArea(machine, new Device(64), 64);
    const parent = map(machine, 4);
    pageOut(machine, parent, 4);
    const child = dupSpace(mm, parent) as AddressSpace;
    expect([area.usedSlots, child.rss[MM_SWAPENTS]]).toEqual([4, 4]);
    expect([byteAt(machine, parent, 2), byteAt(machine, child, 2)]).toEqual([3, 3]);
    const frameOf = (space: AddressSpace) =>
      mm.pageTables.frameOf(mm.pageTables.read(mm.pageTables.findLeaf(space, (BASE / PAGE_SIZE + 2) as Vpn)));
    expect(frameOf(parent)).toBe(frameOf(child));
    copyToUser(mm, child, BASE + 2 * PAGE_SIZE, Uint8Array.of(50));
    expect([byteAt(machine, parent, 2), byteAt(machine, child, 2)]).toEqual([3, 50]);
    checkInvariants(mm);
  });

  it('fills the area of the highest priority first, and areas of one priority in turn', () => {
    const machine = createTestMachine();
    const low = addArea(machine, new Device(64), 64);
    const first = addArea(machine, new Device(8), 8, 5);
    const second = addArea(machine, new Device(8), 8, 5);
    const space = map(machine, 20);
    expect(low.priority).toBe(-2);
    pageOut(machine, space, 6);
    expect([low.usedSlots, first.usedSlots, second.usedSlots]).toEqual([0, 3, 3]);
    pageOut(machine, space, 20);
    expect([low.usedSlots, first.usedSlots, second.usedSlots]).toEqual([4, 8, 8]);
    expect(swapOff(machine.mm, first)).toBe(0);
    checkInvariants(machine.mm);
    for (let page = 0; page < 20; page++) expect(byteAt(machine, space, page)).toBe(page + 1);
  });

  it('notes a page of zeroes without writing it, and keeps one word of a page that repeats one', () => {
    const machine = createTestMachine();
    const { mm } = machine;
    const store = new MemoryStore(65 * PAGE_SIZE);
    addArea(machine, store, 64);
    const space = map(machine, 3, 0);
    copyToUser(mm, space, BASE, new Uint8Array(PAGE_SIZE));
    copyToUser(mm, space, BASE + PAGE_SIZE, new Uint8Array(PAGE_SIZE).fill(7));
    pageOut(machine, space, 3);
    expect([mm.vmstat.swpout_zero, mm.vmstat.pswpout, store.keptBytes]).toEqual([1, 2, 8 + PAGE_SIZE]);
    expect([0, 1, 2].map((page) => byteAt(machine, space, page))).toEqual([0, 7, 2]);
    expect([mm.vmstat.swpin_zero, store.keptBytes]).toEqual([1, 0]);
  });

  it('loses nothing to a store that fails: writes stay in memory, reads fail and can be tried again', () => {
    const machine = createTestMachine();
    const { mm } = machine;
    const device = new Device(64);
    const area = addArea(machine, device, 64);
    const space = map(machine, 4);
    device.failure = -EIO;
    pageOut(machine, space, 4);
    expect([0, 1, 2, 3].map((page) => byteAt(machine, space, page))).toEqual([1, 2, 3, 4]);
    checkInvariants(mm);
    device.failure = 0;
    pageOut(machine, space, 4);
    device.failure = -EIO;
    expect(byteAt(machine, space, 1)).toBe(-1);
    expect(swapOff(mm, area)).toBeLessThan(0);
    checkInvariants(mm);
    device.failure = 0;
    expect(byteAt(machine, space, 1)).toBe(2);
    expect(swapOff(mm, area)).toBe(0);
    expect([0, 1, 2, 3].map((page) => byteAt(machine, space, page))).toEqual([1, 2, 3, 4]);
  });

  it('brings in before it is wanted what MADV_WILLNEED names', () => {
    const machine = createTestMachine();
    const { mm } = machine;
    addArea(machine, new Device(64), 64);
    const space = map(machine, 8);
    pageOut(machine, space, 8);
    expect(madvise(mm, space, BASE, 8 * PAGE_SIZE, MADV_WILLNEED)).toBe(0);
    const majors = mm.vmstat.pgmajfault;
    for (let page = 0; page < 8; page++) expect(byteAt(machine, space, page)).toBe(page + 1);
    expect(mm.vmstat.pgmajfault).toBe(majors);
    checkInvariants(mm);
  });
});

describe("mkswap's header", () => {
  it('is read as it is written, in either byte order', () => {
    const page = makeSwapHeader(100 * PAGE_SIZE, new Uint8Array(16).fill(3));
    expect(parseSwapHeader(page, 100 * PAGE_SIZE, 'file')).toEqual({ slotCount: 100, badSlots: [] });
    expect(parseSwapHeader(page, 99 * PAGE_SIZE, 'file')).toBe('Swap area shorter than signature indicates');
    const view = new DataView(page.buffer);
    view.setUint32(1032, 1, true);
    view.setUint32(1536, 9, true);
    expect(parseSwapHeader(page, 100 * PAGE_SIZE, 'file')).toBe('Too many bad pages');
    expect(parseSwapHeader(page, 100 * PAGE_SIZE, 'partition')).toEqual({ slotCount: 100, badSlots: [9] });
    for (const at of [1024, 1028, 1032, 1536]) view.setUint32(at, view.getUint32(at, true), false);
    expect(parseSwapHeader(page, 100 * PAGE_SIZE, 'partition')).toEqual({ slotCount: 100, badSlots: [9] });
    page[4095]++;
    expect(parseSwapHeader(page, 100 * PAGE_SIZE, 'file')).toBe('Unable to find swap-space signature');
  });
});
