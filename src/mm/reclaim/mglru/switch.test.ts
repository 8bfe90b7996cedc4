import { describe, expect, it } from 'vitest';
import { LRU_GEN_CORE, LRU_GEN_MM_WALK } from '../../../abi/lru-gen.ts';
import { PAGE_SIZE, type Pfn, type Vpn } from '../../../machine/units.ts';
import type { AddressSpace } from '../../address-space.ts';
import { checkInvariants } from '../../invariants.ts';
import type { MemoryManager } from '../../memory-manager.ts';
import { exitSpace } from '../../ops/exit.ts';
import { mlock } from '../../ops/mlock.ts';
import { mmap } from '../../ops/mmap.ts';
import { NO_FRAME } from '../../phys/frame-table.ts';
import { LRU_ACTIVE_ANON, LRU_INACTIVE_ANON } from '../../phys/lruvec.ts';
import { PG_active, PG_lru, PG_unevictable } from '../../phys/page-flags.ts';
import { MemoryStore } from '../../swap/store.ts';
import { createTestMachine } from '../../testing/test-machine.ts';
import { copyFromUser, copyToUser } from '../../user-access.ts';
import { YoungWalker } from '../../young-walk.ts';
import { NamedPolicies } from '../kinds.ts';
import type { LruGen } from './lru-gen.ts';
import { MglruPolicy } from './mglru.ts';

const BASE = 0x1000000;

function boot(): { mm: MemoryManager; space: AddressSpace; lruGen: LruGen } {
  const machine = createTestMachine({ ramMiB: 4, config: { overcommitMemory: 1 } });
  const { mm } = machine;
  const store = new MemoryStore(3001 * PAGE_SIZE);
  mm.swap.addArea({ path: 'test', kind: 'partition', store, slotCount: 3001, badSlots: [] }, null);
  const space = machine.createSpace();
  const request = { address: BASE, lengthBytes: 2500 * PAGE_SIZE, prot: 3, flags: 0x32, file: null, offsetBytes: 0 };
  expect(mmap(mm, space, request)).toBe(BASE);
  const { lruGen } = mm.reclaimer;
  if (lruGen === null) throw new Error('the default is mglru');
  return { mm, space, lruGen };
}

function write(mm: MemoryManager, space: AddressSpace, from: number, to: number): void {
  for (let page = from; page < to; page++)
    expect(copyToUser(mm, space, BASE + page * PAGE_SIZE, Uint8Array.of(page % 251))).toBe(1);
}

function read(mm: MemoryManager, space: AddressSpace, from: number, to: number): void {
  const byte = new Uint8Array(1);
  for (let page = from; page < to; page++) {
    expect(copyFromUser(mm, space, BASE + page * PAGE_SIZE, byte)).toBe(1);
    expect(byte[0]).toBe(page % 251);
  }
}

const policy = (mm: MemoryManager) => mm.reclaimer.policyOf(0 as Pfn);

function listed(mm: MemoryManager): Pfn[] {
  return Array.from({ length: mm.frames.frameCount }, (_, page) => page as Pfn).filter(
    (page) => (mm.frames.flags[page] & PG_lru) !== 0,
  );
}

describe('lru_gen/enabled', () => {
  it('is there on a machine with mglru only', () => {
    const { mm } = createTestMachine({ reclaim: new NamedPolicies('two-list') });
    expect(mm.reclaimer.lruGen).toBe(null);
  });

  it('gives all pages to two lists, in the order of the generations, and back', () => {
    const { mm, space, lruGen } = boot();
    write(mm, space, 0, 400);
    expect(mlock(mm, space, BASE, 5 * PAGE_SIZE, 0)).toBe(0);
    const before = policy(mm) as MglruPolicy;
    // The first hundred that can go are the oldest.
    const young = listed(mm).filter((page) => (mm.frames.flags[page] & PG_unevictable) === 0);
    const old = young.splice(0, 100);
    const { generations } = before;
    for (const page of old) generations.move(page, generations.minSeq[0], 0);
    mm.reclaimer.setLruGenCaps(lruGen, 0);
    expect(policy(mm).name).toBe('two-list');
    const { lists, sizes } = mm.alloc.lru.root;
    expect([sizes[LRU_INACTIVE_ANON], sizes[LRU_ACTIVE_ANON]]).toEqual([100, young.length]);
    const inactive = lists[LRU_INACTIVE_ANON];
    const order: number[] = [];
    for (let page = inactive.tail; page !== NO_FRAME; page = inactive.before(page)) order.push(page);
    expect(order).toEqual(old);
    expect(listed(mm).some((page) => generations.has(page))).toBe(false);
    checkInvariants(mm);

    mm.reclaimer.setLruGenCaps(lruGen, LRU_GEN_CORE);
    const after = policy(mm) as MglruPolicy;
    expect(after).toBeInstanceOf(MglruPolicy);
    for (const page of listed(mm)) expect(after.generations.has(page)).toBe(true);
    expect(young.every((page) => (mm.frames.flags[page] & PG_active) !== 0)).toBe(true);
    expect(young.every((page) => after.generations.seqOf(page) === after.generations.maxSeq - 1)).toBe(true);
    checkInvariants(mm);
  });

  it('goes back and forth under pressure without losing a page', () => {
    const { mm, space, lruGen } = boot();
    for (const caps of [0, LRU_GEN_CORE, 0, LRU_GEN_CORE | LRU_GEN_MM_WALK]) {
      mm.reclaimer.setLruGenCaps(lruGen, caps);
      write(mm, space, 0, 1600);
      checkInvariants(mm);
      read(mm, space, 0, 1600);
      const now = policy(mm);
      if (now instanceof MglruPolicy) expect(listed(mm).every((page) => now.generations.has(page))).toBe(true);
      expect(now instanceof MglruPolicy).toBe(lruGen.isOn);
    }
    expect(mm.vmstat.pswpout).toBeGreaterThan(1600);
    exitSpace(mm, space);
    checkInvariants(mm);
    expect(mm.swap.freePages).toBe(3000);
  });

  it.each([
    [LRU_GEN_CORE, false],
    [LRU_GEN_CORE | LRU_GEN_MM_WALK, true],
  ])('walks page tables only where the bit says so: %i', (caps, isWalked) => {
    const { mm, space, lruGen } = boot();
    let walks = 0;
    const walker = new YoungWalker(mm);
    mm.reclaimer.setTableWalker({
      walk: (visitor) => {
        walks++;
        walker.walk(visitor);
      },
      lookAround: (vma, at: Vpn, window, visitor) => walker.lookAround(vma, at, window, visitor),
    });
    mm.reclaimer.setLruGenCaps(lruGen, caps);
    write(mm, space, 0, 2500);
    read(mm, space, 0, 2500);
    expect((policy(mm) as MglruPolicy).generations.maxSeq).toBeGreaterThan(4);
    expect(walks > 0).toBe(isWalked);
    checkInvariants(mm);
  });
});

describe('lru_gen/min_ttl_ms', () => {
  it('is kept while a generation that can be evicted from is older', () => {
    const { mm, space, lruGen } = boot();
    const clock = mm.pageCache.clock;
    const { reclaimer } = mm;
    // Without pages there is nothing to give, but nobody has asked.
    expect(reclaimer.keepsMinTtl).toBe(true);
    lruGen.minTtlMs = 1000;
    expect(reclaimer.keepsMinTtl).toBe(false);
    write(mm, space, 0, 400);
    // All generations are as old as the machine.
    const { generations } = policy(mm) as MglruPolicy;
    generations.birthsNs.fill(clock.nowNs - 1000e6);
    expect(reclaimer.keepsMinTtl).toBe(false);
    generations.birthsNs.fill(clock.nowNs - 1001e6);
    expect(reclaimer.keepsMinTtl).toBe(true);
    // Only the oldest counts.
    generations.birthsNs[generations.minSeq[0] % 4] = clock.nowNs;
    expect(reclaimer.keepsMinTtl).toBe(false);
    lruGen.minTtlMs = 0;
    expect(reclaimer.keepsMinTtl).toBe(true);
    lruGen.minTtlMs = 1000;
    reclaimer.setLruGenCaps(lruGen, 0);
    expect(reclaimer.keepsMinTtl).toBe(true);
  });
});
