import { describe, expect, it } from 'vitest';
import { ENOMEM } from '../../../abi/errno.ts';
import { MADV_PAGEOUT } from '../../../abi/mman.ts';
import { Rng } from '../../../base/rng.ts';
import { PAGE_SIZE, type Pfn } from '../../../machine/units.ts';
import { checkInvariants } from '../../invariants.ts';
import { madvise } from '../../ops/madvise.ts';
import { mmap } from '../../ops/mmap.ts';
import { swapOff } from '../../ops/swapoff.ts';
import { GFP_KERNEL } from '../../phys/gfp.ts';
import { createTestMachine, type TestMachine } from '../../testing/test-machine.ts';
import { copyFromUser, copyToUser } from '../../user-access.ts';
import type { SwapArea } from '../area.ts';

const SLOTS = 256;
const BASE = 0x40000000;

/** Of rising entropy: one word, a text, random bytes. */
function pageOf(kind: 'same' | 'text' | 'noise', seed: number): Uint8Array {
  const page = new Uint8Array(PAGE_SIZE);
  const rng = new Rng(seed + 1);
  if (kind === 'noise') rng.fill(page);
  else if (kind === 'same') for (let at = 0; at < PAGE_SIZE; at++) page[at] = 1 + seed + (at % 8);
  else page.set(new TextEncoder().encode(`line ${seed} of many, `.repeat(300)).subarray(0, PAGE_SIZE));
  return page;
}

function makeZram(machine: TestMachine) {
  const store = machine.mm.swap.addZram(SLOTS * PAGE_SIZE);
  const area = machine.mm.swap.addArea(
    { path: 'zram', kind: 'partition', store, slotCount: SLOTS, badSlots: [] },
    null,
  ) as SwapArea;
  return { store, area };
}

describe('zram', () => {
  it('keeps pages of each kind, and gives back what they take', () => {
    const machine = createTestMachine();
    const { store } = makeZram(machine);
    const free = machine.countFree();
    const page = new Uint8Array(PAGE_SIZE);
    const kinds = ['same', 'text', 'noise'] as const;
    for (let slot = 1; slot < 100; slot++) expect(store.write(slot, pageOf(kinds[slot % 3], slot))).toBe(0);
    checkInvariants(machine.mm);
    for (let slot = 1; slot < 100; slot++) {
      expect(store.read(slot, page)).toBe(0);
      expect(page).toEqual(pageOf(kinds[slot % 3], slot));
    }
    const { stats, pool } = store;
    expect([stats.pagesStored, stats.samePages, stats.hugePages]).toEqual([99, 33, 33]);
    // A frame for each page of noise, and the texts in less than a frame for ten.
    expect(free - machine.countFree()).toBe(pool.frameCount);
    expect(pool.frameCount).toBeGreaterThan(33);
    expect(pool.frameCount).toBeLessThan(37);
    expect(stats.comprDataBytes).toBeLessThan(33 * PAGE_SIZE + 33 * 200);
    for (let slot = 1; slot < 100; slot++) store.discard(slot);
    expect([stats.pagesStored, stats.comprDataBytes, stats.hugePages, stats.hugePagesSince]).toEqual([0, 0, 0, 33]);
    expect([stats.notifyFree, machine.countFree()]).toEqual([99, free]);
    checkInvariants(machine.mm);
  });

  it('replaces what a slot has, and fills the holes of zspages again', () => {
    const machine = createTestMachine();
    const { store } = makeZram(machine);
    const rng = new Rng(7);
    const free = machine.countFree();
    const expected = new Map<number, Uint8Array>();
    const page = new Uint8Array(PAGE_SIZE);
    for (let round = 0; round < 1500; round++) {
      const slot = 1 + rng.below(SLOTS - 1);
      if (rng.below(3) === 0) {
        store.discard(slot);
        expected.delete(slot);
      } else {
        // As much noise as the length says: all classes are used.
        const bytes = pageOf('text', round);
        rng.fill(bytes.subarray(0, rng.below(PAGE_SIZE)));
        expect(store.write(slot, bytes)).toBe(0);
        expected.set(slot, bytes);
      }
      if (round % 100 === 0) checkInvariants(machine.mm);
    }
    for (const [slot, bytes] of expected) {
      store.read(slot, page);
      expect(page).toEqual(bytes);
    }
    store.reset();
    expect(machine.countFree()).toBe(free);
    checkInvariants(machine.mm);
  });

  it('fails where no frame is left, and keeps what it had', () => {
    const machine = createTestMachine();
    const { store } = makeZram(machine);
    expect(store.write(1, pageOf('noise', 1))).toBe(0);
    const taken: Pfn[] = [];
    const { alloc } = machine.mm;
    while (alloc.freeCount > 0) {
      const frame = alloc.allocFrame(GFP_KERNEL | 0x20000);
      if (frame < 0) break;
      taken.push(frame as Pfn);
    }
    expect(store.write(1, pageOf('noise', 2))).toBe(-ENOMEM);
    expect(store.write(2, pageOf('same', 2))).toBe(0);
    const page = new Uint8Array(PAGE_SIZE);
    store.read(1, page);
    expect(page).toEqual(pageOf('noise', 1));
    expect(store.stats.failedWrites).toBe(1);
    for (const frame of taken) alloc.putFrame(frame);
    checkInvariants(machine.mm);
  });

  it('swaps out into frames of the machine, and swapoff gives them back', () => {
    const machine = createTestMachine();
    const { mm } = machine;
    const { store, area } = makeZram(machine);
    const space = machine.createSpace();
    const request = { address: BASE, lengthBytes: 30 * PAGE_SIZE, prot: 3, flags: 0x32, file: null, offsetBytes: 0 };
    expect(mmap(mm, space, request)).toBe(BASE);
    const kinds = ['same', 'text', 'noise'] as const;
    for (let at = 0; at < 30; at++) copyToUser(mm, space, BASE + at * PAGE_SIZE, pageOf(kinds[at % 3], at));
    const free = machine.countFree();
    expect(madvise(mm, space, BASE, 30 * PAGE_SIZE, MADV_PAGEOUT)).toBe(0);
    checkInvariants(mm);
    expect([store.stats.pagesStored, store.stats.samePages, store.stats.hugePages]).toEqual([30, 10, 10]);
    expect(machine.countFree() - free).toBe(30 - store.pool.frameCount);
    expect(swapOff(mm, area)).toBe(0);
    expect([store.pool.frameCount, machine.countFree()]).toEqual([0, free]);
    checkInvariants(mm);
    const page = new Uint8Array(PAGE_SIZE);
    for (let at = 0; at < 30; at++) {
      copyFromUser(mm, space, BASE + at * PAGE_SIZE, page);
      expect(page).toEqual(pageOf(kinds[at % 3], at));
    }
  });
});
