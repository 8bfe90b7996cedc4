import { describe, expect, it } from 'vitest';
import { PAGE_SIZE, type Pfn } from '../../machine/units.ts';
import { checkInvariants } from '../invariants.ts';
import { exitSpace } from '../ops/exit.ts';
import { mmap } from '../ops/mmap.ts';
import { PG_active } from '../phys/page-flags.ts';
import type { SwapArea } from '../swap/area.ts';
import { MemoryStore } from '../swap/store.ts';
import { createTestMachine } from '../testing/test-machine.ts';
import { copyFromUser, copyToUser } from '../user-access.ts';
import { NamedPolicies } from './kinds.ts';

const BASE = 0x1000000;

function boot(): ReturnType<typeof createTestMachine> {
  const reclaim = new NamedPolicies('two-list');
  return createTestMachine({ ramMiB: 4, reclaim, config: { overcommitMemory: 1 } });
}

describe('refault detection', () => {
  it('counts pages of files that come back, and takes those that come back soon for active', () => {
    const machine = boot();
    const { mm } = machine;
    const { stat } = mm.alloc;
    const file = machine.createFile(new Uint8Array(1500 * PAGE_SIZE));
    const read = (index: number): Pfn => {
      const frame = mm.pageCache.ensurePage(file.pages, index, 'none') as Pfn;
      mm.alloc.putFrame(frame);
      return frame;
    };
    for (let index = 0; index < 1500; index++) read(index);
    expect(stat.workingset_refault_file).toBe(0);
    expect(file.pages.pages.shadowCount).toBeGreaterThan(400);
    // Nothing is active: any distance is too great.
    read(0);
    expect([stat.workingset_refault_file, stat.workingset_activate_file]).toEqual([1, 0]);
    // With 300 active pages the page that went last is one that should have stayed.
    for (let index = 1200; index < 1500; index++) mm.alloc.lru.changeFlags(read(index), PG_active, 0);
    let last = 1199;
    while (file.pages.pages.shadowAt(last) === 0) last--;
    const frame = read(last);
    expect([stat.workingset_activate_file, mm.frames.flags[frame] & PG_active]).toEqual([1, PG_active]);
    checkInvariants(mm);
    mm.pageCache.truncate(file.pages, 0);
    expect([file.pages.pages.shadowCount, stat.workingset_nodes]).toEqual([0, 0]);
    file.release();
  });

  it('gives leaves of shadow entries back beyond a bound', () => {
    const machine = boot();
    const { mm } = machine;
    const file = machine.createFile(new Uint8Array(PAGE_SIZE));
    file.sizeBytes = 0;
    // A page in each leaf, so that each leaves a leaf behind.
    for (let leaf = 0; leaf < 200; leaf++) {
      mm.alloc.putFrame(mm.pageCache.addZeroedPage(file.pages, leaf * 64) as Pfn);
      mm.reclaimer.pages.reclaimPage(file.pages.pages.find(leaf * 64) as Pfn);
    }
    expect(mm.alloc.stat.workingset_nodes).toBe(200);
    mm.reclaimer.reclaim(1);
    expect(mm.alloc.stat.workingset_nodes).toBeLessThanOrEqual(mm.alloc.totalCount / 8);
    expect(mm.alloc.stat.workingset_nodes + mm.alloc.stat.workingset_nodereclaim).toBe(200);
    checkInvariants(mm);
    file.release();
  });

  it('keeps shadow entries with slots of swap, and drops them with these', () => {
    const machine = boot();
    const { mm } = machine;
    const slotCount = 2001;
    const store = new MemoryStore(slotCount * PAGE_SIZE);
    mm.swap.addArea({ path: 'test', kind: 'partition', store, slotCount, badSlots: [] }, null);
    const space = machine.createSpace();
    const request = { address: BASE, lengthBytes: 1500 * PAGE_SIZE, prot: 3, flags: 0x32, file: null, offsetBytes: 0 };
    expect(mmap(mm, space, request)).toBe(BASE);
    for (let page = 0; page < 1500; page++) copyToUser(mm, space, BASE + page * PAGE_SIZE, Uint8Array.of(page));
    const area = mm.swap.areas[0] as SwapArea;
    expect(area.slotsInUse().some((slot) => area.shadowOf(slot) !== 0)).toBe(true);
    for (let page = 0; page < 1500; page++) copyFromUser(mm, space, BASE + page * PAGE_SIZE, new Uint8Array(1));
    expect(mm.alloc.stat.workingset_refault_anon).toBe(mm.vmstat.pswpin + mm.vmstat.swpin_zero);
    checkInvariants(mm);
    exitSpace(mm, space);
    expect(area.usedSlots).toBe(0);
    checkInvariants(mm);
  });
});
