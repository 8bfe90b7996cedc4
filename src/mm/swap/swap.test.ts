import { describe, expect, it } from 'vitest';
import { EIO } from '../../abi/errno.ts';
import { MADV_PAGEOUT, MADV_WILLNEED } from '../../abi/mman.ts';
import { PAGE_SIZE, type Pfn, type Vpn } from '../../machine/units.ts';
import { type AddressSpace, MM_SWAPENTS } from '../address-space.ts';
import { checkInvariants } from '../invariants.ts';
import { dupSpace } from '../ops/fork.ts';
import { madvise } from '../ops/madvise.ts';
import { mmap } from '../ops/mmap.ts';
import { swapOff } from '../ops/swapoff.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { createTestMachine, type TestMachine } from '../testing/test-machine.ts';
import { copyFromUser, copyToUser } from '../user-access.ts';
import { SwapArea } from './area.ts';
import { MAX_SWAP_SLOTS } from './entry.ts';
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

describe('a huge area', () => {
  it.each([
    ['across 4 GiB', 2 ** 20 - 8],
    ['across 8 TiB', 2 ** 31 - 8],
    ['at the end of 16 TiB, and on from its start', MAX_SWAP_SLOTS - 8],
  ])('holds pages of many processes %s, and takes memory for these alone', (_where, firstSlot) => {
    const machine = createTestMachine();
    const { mm } = machine;
    const store = new MemoryStore(MAX_SWAP_SLOTS * PAGE_SIZE);
    const options = {
      path: 'test',
      kind: 'partition',
      store,
      slotCount: MAX_SWAP_SLOTS,
      badSlots: [5],
      firstSlot,
    } as const;
    const area = mm.swap.addArea(options, null) as SwapArea;
    expect([area.pageCount, mm.swap.totalPages]).toEqual([2 ** 32 - 3, 2 ** 32 - 3]);
    const parent = map(machine, 16);
    pageOut(machine, parent, 16);
    const slots = area.slotsInUse();
    expect(slots.length).toBe(16);
    expect([slots.includes(firstSlot), slots.some((slot) => slot < firstSlot || slot >= firstSlot + 8)]).toEqual([
      true,
      true,
    ]);
    const child = dupSpace(mm, parent) as AddressSpace;
    checkInvariants(mm);
    for (let page = 0; page < 16; page += 3) copyToUser(mm, child, BASE + page * PAGE_SIZE, Uint8Array.of(99));
    pageOut(machine, child, 16);
    checkInvariants(mm);
    expect(swapOff(mm, area)).toBe(0);
    for (let page = 0; page < 16; page++)
      expect([byteAt(machine, parent, page), byteAt(machine, child, page)]).toEqual([
        page + 1,
        page % 3 === 0 ? 99 : page + 1,
      ]);
    expect(area.slotsInUse()).toEqual([]);
    checkInvariants(mm);
  });

  it('takes its lowest cluster that is wholly free, and any free slot at last', () => {
    const store = new MemoryStore(3000 * PAGE_SIZE);
    const area = new SwapArea({
      type: 0,
      path: '',
      kind: 'file',
      priority: 0,
      store,
      slotCount: 2100,
      badSlots: [1700],
    });
    const frame = 1 as Pfn;
    const take = (count: number) => Array.from({ length: count }, () => area.takeSlot(frame));
    const give = (slot: number) => {
      area.setCached(slot, NO_FRAME);
      area.giveSlot(slot);
    };
    expect(take(1600).slice(510, 513)).toEqual([511, 512, 513]);
    for (let slot = 512; slot < 1024; slot++) give(slot);
    give(3);
    expect(area.findBroken()).toBeNull();
    // The cluster in use first; of 1536 to 2047 one slot is bad, of the last one most lack, so they are not whole.
    const taken = take(2098 - area.usedSlots);
    expect([taken[0], taken[445], taken[446]]).toEqual([1601, 2047, 512]);
    expect(new Set(taken).size).toBe(taken.length);
    expect(taken).toContain(3);
    expect(taken).not.toContain(1700);
    expect([area.takeSlot(frame), area.findBroken()]).toEqual([0, null]);
    for (const slot of area.slotsInUse()) give(slot);
    expect([area.usedSlots, area.findBroken()]).toEqual([0, null]);
  });
});

describe("mkswap's header", () => {
  it('is read as it is written, in either byte order', () => {
    const page = makeSwapHeader(100 * PAGE_SIZE, new Uint8Array(16).fill(3));
    expect(parseSwapHeader(page, 100 * PAGE_SIZE, 'file', MAX_SWAP_SLOTS)).toEqual({ slotCount: 100, badSlots: [] });
    expect(parseSwapHeader(page, 99 * PAGE_SIZE, 'file', MAX_SWAP_SLOTS)).toBe(
      'Swap area shorter than signature indicates',
    );
    const view = new DataView(page.buffer);
    view.setUint32(1032, 1, true);
    view.setUint32(1536, 9, true);
    expect(parseSwapHeader(page, 100 * PAGE_SIZE, 'file', MAX_SWAP_SLOTS)).toBe('Too many bad pages');
    expect(parseSwapHeader(page, 100 * PAGE_SIZE, 'partition', MAX_SWAP_SLOTS)).toEqual({
      slotCount: 100,
      badSlots: [9],
    });
    for (const at of [1024, 1028, 1032, 1536]) view.setUint32(at, view.getUint32(at, true), false);
    expect(parseSwapHeader(page, 100 * PAGE_SIZE, 'partition', MAX_SWAP_SLOTS)).toEqual({
      slotCount: 100,
      badSlots: [9],
    });
    view.setUint32(1028, 0xffff_ffff, false);
    const sizeBytes = 2 ** 44;
    expect(parseSwapHeader(page, sizeBytes, 'partition', MAX_SWAP_SLOTS)).toMatchObject({ slotCount: 2 ** 32 - 1 });
    expect(parseSwapHeader(page, sizeBytes, 'partition', 2 ** 23)).toMatchObject({ slotCount: 2 ** 23 });
    page[4095]++;
    expect(parseSwapHeader(page, 100 * PAGE_SIZE, 'file', MAX_SWAP_SLOTS)).toBe('Unable to find swap-space signature');
  });
});
