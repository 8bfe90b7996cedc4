import { describe, expect, it } from 'vitest';
import { fc } from '../../../test/property.ts';
import { PAGE_SIZE, type Vpn, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import { checkInvariants } from '../invariants.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { exitSpace } from '../ops/exit.ts';
import { dupSpace } from '../ops/fork.ts';
import { mlock } from '../ops/mlock.ts';
import { mprotect } from '../ops/mprotect.ts';
import { mremap } from '../ops/mremap.ts';
import { munmap } from '../ops/munmap.ts';
import { swapOff } from '../ops/swapoff.ts';
import { PG_anon } from '../phys/page-flags.ts';
import { swapOut } from '../reclaim/swap-out.ts';
import { createTestMachine } from '../testing/test-machine.ts';
import { addTestSwap } from '../testing/test-swap.ts';
import { scanPages } from './scan.ts';
import { advise, BASE, MADV_MERGEABLE, MADV_UNMERGEABLE, map, RW, read, write } from './testing/pages.ts';
import { unmergeAll } from './unmerge.ts';

const PAGES = 16;
const at = fc.nat(PAGES - 1);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.constantFrom('write'), at, fc.constantFrom(0, 1, 1, 1, 2)) },
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom('scan'), fc.integer({ min: 1, max: 40 }), fc.constant(0)) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom('switch', 'fork', 'exit'), at, fc.constant(0)) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom('unmap', 'map', 'move', 'advise', 'protect'), at, at) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom('swapOut'), at, at) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('unmergeAll', 'knobs', 'prune', 'lock', 'swapOff'), at, at) },
);

describe('a random walk with ksmd at work', () => {
  it('reads what a naive model holds, keeps every invariant, and gives all memory back', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 100, size: 'max' }), (steps) => {
        const machine = createTestMachine({ ramMiB: 4, mmu: 'cached' });
        const { mm } = machine;
        const free = machine.countFree();
        const walker = new Walker(mm, machine.createSpace());
        for (const [what, place, argument] of steps) {
          walker.step(what, place, argument);
          checkInvariants(mm);
        }
        walker.finish();
        checkInvariants(mm);
        expect(machine.countFree()).toBe(free);
      }),
      { numRuns: 120 },
    );
  });
});

/** Processes, each with PAGES pages: what a page reads as, or null where nothing is mapped. */
class Walker {
  private readonly mm: MemoryManager;
  private readonly processes: [AddressSpace, (number | null)[]][];
  private current = 0;

  constructor(mm: MemoryManager, space: AddressSpace) {
    this.mm = mm;
    this.processes = [[space, new Array(PAGES).fill(0)]];
    map(mm, space, 0, PAGES);
    expect(advise(mm, space, 0, PAGES, MADV_MERGEABLE)).toBe(0);
    mm.ksm.run = 1;
    addTestSwap(mm, { slots: 64 });
  }

  step(what: string, place: number, argument: number): void {
    const { mm, processes } = this;
    const { ksm } = mm;
    const [space, model] = processes[this.current];
    const end = Math.min(PAGES, place + 1 + (argument % 5));
    switch (what) {
      case 'write':
        expect(write(mm, space, place, argument)).toBe(model[place] === null ? 0 : 1);
        if (model[place] !== null) model[place] = argument;
        break;
      case 'scan':
        scanPages(ksm, place);
        break;
      case 'switch':
        this.current = place % processes.length;
        break;
      case 'fork': {
        if (processes.length === 4) break;
        processes.push([dupSpace(mm, space) as AddressSpace, [...model]]);
        break;
      }
      case 'exit':
        if (processes.length === 1) break;
        exitSpace(mm, space);
        processes.splice(this.current, 1);
        this.current = 0;
        break;
      case 'unmap':
        expect(munmap(mm, space, BASE + place * PAGE_SIZE, (end - place) * PAGE_SIZE)).toBe(0);
        model.fill(null, place, end);
        break;
      case 'map':
        map(mm, space, place, end - place);
        model.fill(0, place, end);
        advise(mm, space, place, end - place, MADV_MERGEABLE);
        break;
      case 'move': {
        const to = argument;
        const pages = end - place;
        if (to + pages > PAGES || (to < end && to + pages > place) || model.slice(place, end).includes(null)) break;
        const target = BASE + to * PAGE_SIZE;
        const bytes = pages * PAGE_SIZE;
        expect(mremap(mm, space, BASE + place * PAGE_SIZE, bytes, bytes, 3, target)).toBe(target);
        const moved = model.slice(place, end);
        model.fill(null, place, end);
        for (let i = 0; i < pages; i++) model[to + i] = moved[i];
        break;
      }
      case 'advise':
        advise(mm, space, place, end - place, argument % 3 === 0 ? MADV_UNMERGEABLE : MADV_MERGEABLE);
        break;
      case 'protect':
        mprotect(mm, space, BASE + place * PAGE_SIZE, (end - place) * PAGE_SIZE, 1);
        mprotect(mm, space, BASE + place * PAGE_SIZE, (end - place) * PAGE_SIZE, RW);
        break;
      case 'unmergeAll':
        ksm.run = 2;
        expect(unmergeAll(ksm)).toBe(0);
        ksm.run = 1;
        break;
      case 'knobs':
        ksm.knobs.useZeroPages = argument % 2 === 0;
        ksm.knobs.smartScan = argument % 3 === 0;
        ksm.setMaxPageSharing(2 + (place % 3));
        break;
      case 'swapOut': {
        for (let page = place; page < end; page++) {
          const slot = mm.pageTables.findLeaf(space, vpn(BASE / PAGE_SIZE + page));
          const entry = slot === -1 ? 0 : mm.pageTables.read(slot);
          if (!mm.pageTables.isMapped(entry)) continue;
          const frame = mm.pageTables.frameOf(entry);
          if (mm.frames.has(frame, PG_anon)) swapOut(mm.pageCache, mm.reclaimer.workingset, frame);
        }
        break;
      }
      case 'swapOff': {
        const area = mm.swap.areas.find((each) => each !== null);
        if (area === null || area === undefined) addTestSwap(mm, { slots: 64 });
        else expect(swapOff(mm, area)).toBe(0);
        break;
      }
      case 'lock':
        if (!model.slice(place, end).includes(null))
          mlock(mm, space, BASE + place * PAGE_SIZE, (end - place) * PAGE_SIZE, 0);
        break;
      default:
        mm.clock.charge(3e9);
    }
    const [now, expected] = processes[this.current];
    for (let page = 0; page < PAGES; page += 3) expect(read(mm, now, page)).toBe(expected[page] ?? -1);
  }

  finish(): void {
    for (const [space, model] of this.processes)
      for (let page = 0; page < PAGES; page++) expect(read(this.mm, space, page as Vpn)).toBe(model[page] ?? -1);
    for (const [space] of this.processes) exitSpace(this.mm, space);
    this.mm.ksm.release();
  }
}
