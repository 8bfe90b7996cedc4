import { describe, expect, it } from 'vitest';
import { PAGE_SIZE } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import { checkInvariants } from '../invariants.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { exitSpace } from '../ops/exit.ts';
import { mmap } from '../ops/mmap.ts';
import { MemoryStore } from '../swap/store.ts';
import { createTestMachine } from '../testing/test-machine.ts';
import { copyFromUser, copyToUser } from '../user-access.ts';
import type { Memcg } from './memcg.ts';

const BASE = 0x1000000;
const RAM_PAGES = 1024;

function boot(swapPages: number): { machine: ReturnType<typeof createTestMachine>; mm: MemoryManager } {
  const machine = createTestMachine({ ramMiB: (RAM_PAGES * PAGE_SIZE) / 2 ** 20, config: { overcommitMemory: 1 } });
  const { mm } = machine;
  if (swapPages > 0) {
    const slotCount = swapPages + 1;
    const store = new MemoryStore(slotCount * PAGE_SIZE);
    mm.swap.addArea({ path: 'test', kind: 'partition', store, slotCount, badSlots: [] }, null);
  }
  return { machine, mm };
}

function child(mm: MemoryManager, parent: Memcg): Memcg {
  return mm.memcgs.create(parent) as Memcg;
}

/** A space of the cgroup with private memory of `pages`, of which none is touched. */
function spaceIn(machine: ReturnType<typeof createTestMachine>, memcg: Memcg, pages: number): AddressSpace {
  const { mm } = machine;
  mm.memcgs.current = memcg;
  const space = machine.createSpace();
  const request = { address: BASE, lengthBytes: pages * PAGE_SIZE, prot: 3, flags: 0x32, file: null, offsetBytes: 0 };
  expect(mmap(mm, space, request)).toBe(BASE);
  mm.memcgs.current = mm.memcgs.root;
  return space;
}

function touch(mm: MemoryManager, space: AddressSpace, from: number, to: number): number {
  const { current } = mm.memcgs;
  mm.memcgs.current = space.memcg;
  let done = 0;
  for (let page = from; page < to; page++)
    if (copyToUser(mm, space, BASE + page * PAGE_SIZE, Uint8Array.of(page % 251)) === 1) done++;
  mm.memcgs.current = current;
  return done;
}

describe('Memcgs', () => {
  it('counts what its tasks take, and nothing of the root', () => {
    const { machine, mm } = boot(0);
    const a = child(mm, mm.memcgs.root);
    const b = child(mm, a);
    const rootSpace = spaceIn(machine, mm.memcgs.root, 50);
    touch(mm, rootSpace, 0, 50);
    expect(a.memory.usage).toBe(0);
    const space = spaceIn(machine, b, 100);
    touch(mm, space, 0, 100);
    checkInvariants(mm);
    expect(b.memory.usage).toBeGreaterThan(100);
    expect(b.memory.usage).toBeLessThan(130);
    expect(a.memory.usage).toBe(b.memory.usage);
    expect(mm.alloc.lru.lruvecOf(b.id).sizes.reduce((sum, size) => sum + size)).toBe(100);
    exitSpace(mm, space);
    exitSpace(mm, rootSpace);
    expect([a.memory.usage, b.memory.usage]).toEqual([0, 0]);
    expect(b.memory.watermark).toBeGreaterThan(100);
    mm.memcgs.offline(b);
    mm.memcgs.offline(a);
    expect(mm.memcgs.all.filter((memcg) => memcg !== null)).toEqual([mm.memcgs.root]);
    checkInvariants(mm);
  });

  it('reclaims from the cgroup whose limit is met, and from no other', () => {
    const { machine, mm } = boot(2000);
    const a = child(mm, mm.memcgs.root);
    const b = child(mm, mm.memcgs.root);
    const other = spaceIn(machine, b, 200);
    touch(mm, other, 0, 200);
    a.memory.max = 64;
    const space = spaceIn(machine, a, 300);
    expect(touch(mm, space, 0, 300)).toBe(300);
    checkInvariants(mm);
    expect(a.memory.usage).toBeLessThanOrEqual(64);
    expect(a.events.max).toBeGreaterThan(0);
    expect(a.swap.usage).toBeGreaterThan(200);
    expect([b.swap.usage, b.events.max, other.rss[1]]).toEqual([0, 0, 200]);
    const byte = new Uint8Array(1);
    for (let page = 0; page < 300; page++) {
      expect(copyFromUser(mm, space, BASE + page * PAGE_SIZE, byte)).toBe(1);
      expect(byte[0]).toBe(page % 251);
    }
    checkInvariants(mm);
    exitSpace(mm, space);
    exitSpace(mm, other);
    expect([a.memory.usage, a.swap.usage]).toEqual([0, 0]);
  });

  it('refuses what no reclaim makes room for, and goes no further than memory.swap.max', () => {
    const { machine, mm } = boot(2000);
    const a = child(mm, mm.memcgs.root);
    a.memory.max = 64;
    a.swap.max = 20;
    const space = spaceIn(machine, a, 300);
    const written = touch(mm, space, 0, 300);
    expect(written).toBeGreaterThan(60);
    expect(written).toBeLessThan(90);
    expect(a.swap.usage).toBe(20);
    checkInvariants(mm);
    exitSpace(mm, space);
  });

  it('leaves a removed cgroup dying while it has pages, and gives its swap a new payer when it comes back', () => {
    const { machine, mm } = boot(500);
    const a = child(mm, mm.memcgs.root);
    const b = child(mm, a);
    const space = spaceIn(machine, b, 40);
    touch(mm, space, 0, 40);
    mm.memcgs.reclaim(b, 20);
    const swapped = b.swap.usage;
    expect(swapped).toBeGreaterThan(0);
    space.memcg = a;
    mm.memcgs.offline(b);
    expect(mm.memcgs.memcgOf(b.id)).toBe(b);
    checkInvariants(mm);
    touch(mm, space, 0, 40);
    checkInvariants(mm);
    expect(b.memory.usage).toBe(40 - swapped);
    exitSpace(mm, space);
    expect(mm.memcgs.memcgOf(b.id)).toBe(null);
    expect(a.memory.usage).toBe(0);
    checkInvariants(mm);
  });

  it('spares what memory.min and memory.low protect while there is anything else', () => {
    const { machine, mm } = boot(2000);
    const kept = child(mm, mm.memcgs.root);
    const free = child(mm, mm.memcgs.root);
    const keptSpace = spaceIn(machine, kept, 200);
    const freeSpace = spaceIn(machine, free, 600);
    touch(mm, keptSpace, 0, 200);
    touch(mm, freeSpace, 0, 600);
    kept.memory.low = kept.memory.usage;
    mm.reclaimer.reclaim(100);
    expect([keptSpace.rss[2], kept.events.low]).toEqual([0, 0]);
    expect(freeSpace.rss[2]).toBeGreaterThanOrEqual(100);
    // What is low gives way when nothing else is left; what is min never does.
    mm.reclaimer.reclaim(2000);
    mm.reclaimer.reclaim(2000);
    expect(keptSpace.rss[2]).toBeGreaterThan(0);
    expect(kept.events.low).toBeGreaterThan(0);
    touch(mm, keptSpace, 0, 200);
    kept.memory.min = kept.memory.usage;
    mm.reclaimer.reclaim(2000);
    mm.reclaimer.reclaim(2000);
    expect(keptSpace.rss[2]).toBe(0);
    checkInvariants(mm);
    exitSpace(mm, keptSpace);
    exitSpace(mm, freeSpace);
  });

  it('charges the cache to who reads first, and moves nothing with a process', () => {
    const { machine, mm } = boot(0);
    const a = child(mm, mm.memcgs.root);
    const b = child(mm, mm.memcgs.root);
    const file = machine.createFile(new Uint8Array(30 * PAGE_SIZE).fill(9));
    mm.memcgs.current = a;
    for (let index = 0; index < 30; index++)
      mm.alloc.putFrame(mm.pageCache.ensurePage(file.pages, index, 'none') as never);
    mm.memcgs.current = b;
    for (let index = 0; index < 30; index++)
      mm.alloc.putFrame(mm.pageCache.ensurePage(file.pages, index, 'none') as never);
    mm.memcgs.current = mm.memcgs.root;
    expect(mm.alloc.lru.lruvecOf(a.id).sizes[2] + mm.alloc.lru.lruvecOf(a.id).sizes[3]).toBe(30);
    expect(b.memory.usage).toBe(0);
    expect(a.memory.usage).toBe(30 + a.slabPages);
    checkInvariants(mm);
    file.release();
    expect(a.memory.usage).toBe(a.slabPages);
  });
});
