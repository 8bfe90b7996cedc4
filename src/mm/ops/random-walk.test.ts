import { describe, expect, it } from 'vitest';
import { fc } from '../../../test/property.ts';
import { MADV_PAGEOUT } from '../../abi/mman.ts';
import { i386 } from '../../machine/paging/i386.ts';
import { sv39 } from '../../machine/paging/sv39.ts';
import { sv48 } from '../../machine/paging/sv48.ts';
import { sv57 } from '../../machine/paging/sv57.ts';
import { PAGE_SIZE, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import { checkInvariants } from '../invariants.ts';
import { createTestMachine, type TestFile } from '../testing/test-machine.ts';
import { addTestSwap } from '../testing/test-swap.ts';
import { copyFromUser, copyToUser } from '../user-access.ts';
import { createVmaIndex } from '../vma-index/kinds.ts';
import { exitSpace } from './exit.ts';
import { dupSpace } from './fork.ts';
import { madvise } from './madvise.ts';
import { mmap } from './mmap.ts';
import { mprotect } from './mprotect.ts';
import { mremap } from './mremap.ts';
import { munmap } from './munmap.ts';
import { swapOff } from './swapoff.ts';

/**
 * Address spaces against a model in which a page is a cell of one number and a space is an array of cells: private memory is
 * copied at once at fork, shared memory is the same cell. What a program reads must be what the model holds.
 */
interface Cell {
  value: number;
}
interface ModelPage {
  cell: Cell;
  /** A private page of a file that was not written yet shows the file's cell. */
  source: Cell | null;
  shared: boolean;
  prot: number;
  anonymous: boolean;
}

const BASE = 0x1000000;
const PAGES = 20;
const FILE_PAGES = 16;

const page = fc.nat(PAGES - 1);
const size = fc.integer({ min: 1, max: 8 });
const prot = fc.constantFrom(0, 1, 3, 3, 3, 5);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom('private', 'shared', 'file', 'sharedFile'), page, size, prot) },
  { weight: 9, arbitrary: fc.tuple(fc.constantFrom('write'), page, fc.integer({ min: 1, max: 255 }), fc.constant(0)) },
  { weight: 5, arbitrary: fc.tuple(fc.constantFrom('read'), page, size, fc.constant(0)) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('unmap', 'dontneed'), page, size, fc.constant(0)) },
  {
    weight: 5,
    arbitrary: fc.tuple(fc.constantFrom('pageout', 'pageout', 'reclaim', 'swapoff'), page, size, fc.constant(0)),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom('protect'), page, size, prot) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('move'), page, size, page) },
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom('fork', 'switch', 'switch', 'exit'), page, size, fc.constant(0)) },
);

for (const [format, indexKind] of [
  [sv39, 'maple'],
  [sv48, 'rbtree'],
  [sv57, 'avl'],
  [i386, 'list'],
] as const)
  describe(`a random walk over address spaces, ${format.name}, ${indexKind}`, () => {
    it('reads what a naive model holds, keeps every invariant, and gives all memory back', () => {
      fc.assert(
        fc.property(fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }), (steps) => {
          const machine = createTestMachine({
            ramMiB: 4,
            format,
            mmu: 'cached',
            config: { createIndex: () => createVmaIndex(indexKind) },
          });
          const free = machine.countFree();
          addTestSwap(machine.mm, { speed: 'synchronous', slots: 6, priority: 5, badSlots: [3] });
          addTestSwap(machine.mm, { speed: 'device', slots: 24, priority: 5, badSlots: [3] });
          const disk = new Uint8Array(FILE_PAGES * PAGE_SIZE).map((_, i) =>
            i % PAGE_SIZE === 0 ? 200 + i / PAGE_SIZE : 0,
          );
          const file = machine.createFile(disk);
          const cells = Array.from({ length: FILE_PAGES }, (_, i) => ({ value: 200 + i }));
          const processes: [AddressSpace, (ModelPage | null)[]][] = [
            [machine.createSpace(), new Array(PAGES).fill(null)],
          ];
          // A full start: the walk breaks it up, and most steps meet memory.
          walk(machine.mm, processes[0][0], processes[0][1], file, cells, 'private', 0, PAGES, 3);
          let current = 0;
          for (const [what, at, count, argument] of steps) {
            const [space, model] = processes[current];
            if (what === 'fork') {
              if (processes.length === 4) continue;
              const child = dupSpace(machine.mm, space);
              if (typeof child === 'number') throw new Error('out of memory');
              processes.push([
                child,
                model.map((each) => each && { ...each, cell: each.shared ? each.cell : { ...each.cell } }),
              ]);
              if (at % 2 === 0) current = processes.length - 1;
            } else if (what === 'switch') current = at % processes.length;
            else if (what === 'exit') {
              if (processes.length === 1) continue;
              exitSpace(machine.mm, space);
              processes.splice(current, 1);
              current = 0;
            } else walk(machine.mm, space, model, file, cells, what, at, count, argument);
            checkInvariants(machine.mm);
          }
          for (const [space, model] of processes)
            for (let i = 0; i < PAGES; i++) expectPage(machine.mm, space, model, i);
          for (const [space] of processes) exitSpace(machine.mm, space);
          file.release();
          checkInvariants(machine.mm);
          expect(machine.countFree()).toBe(free);
          expect(machine.mm.committedPages).toBe(0);
        }),
        { numRuns: 100 },
      );
    });
  });

type Machine = ReturnType<typeof createTestMachine>['mm'];

function walk(
  mm: Machine,
  space: AddressSpace,
  model: (ModelPage | null)[],
  file: TestFile,
  cells: Cell[],
  what: string,
  at: number,
  count: number,
  argument: number,
): void {
  const address = BASE + at * PAGE_SIZE;
  const end = Math.min(PAGES, at + count);
  const lengthBytes = (end - at) * PAGE_SIZE;
  switch (what) {
    case 'private':
    case 'shared':
    case 'file':
    case 'sharedFile': {
      const shared = what.startsWith('shared');
      const backed = what === 'file' || what === 'sharedFile';
      const first = at % (FILE_PAGES - 8);
      const flags = 0x10 | (shared ? 1 : 2) | (backed ? 0 : 0x20);
      const request = { address, lengthBytes, prot: argument, flags, file: backed ? file : null };
      expect(mmap(mm, space, { ...request, offsetBytes: first * PAGE_SIZE })).toBe(address);
      for (let i = at; i < end; i++) {
        const source = backed ? cells[first + i - at] : null;
        const cell = shared && source !== null ? source : { value: 0 };
        model[i] = { cell, source: shared ? null : source, shared, prot: argument, anonymous: !backed };
      }
      return;
    }
    case 'unmap':
      expect(munmap(mm, space, address, lengthBytes)).toBe(0);
      model.fill(null, at, end);
      return;
    case 'dontneed': {
      const result = madvise(mm, space, address, lengthBytes, 4);
      expect(result).toBe(model.slice(at, end).includes(null) ? -12 : 0);
      for (let i = at; i < end; i++) dropPrivate(model, i, cells, space);
      return;
    }
    case 'protect': {
      const hole = model.slice(at, end).indexOf(null);
      expect(mprotect(mm, space, address, lengthBytes, argument)).toBe(hole === -1 ? 0 : -12);
      for (let i = at; i < (hole === -1 ? end : at + hole); i++) (model[i] as ModelPage).prot = argument;
      return;
    }
    case 'pageout': {
      const result = madvise(mm, space, address, lengthBytes, MADV_PAGEOUT);
      expect(result).toBe(model.slice(at, end).includes(null) ? -12 : 0);
      return;
    }
    case 'reclaim':
      mm.reclaimer.reclaim(count);
      return;
    case 'swapoff': {
      const area = mm.swap.areas.find((each) => each !== null);
      if (area === null || area === undefined) return;
      expect(swapOff(mm, area)).toBe(0);
      addTestSwap(mm, { speed: area.store.speed, slots: area.slotCount - 1, priority: area.priority, badSlots: [3] });
      return;
    }
    case 'move': {
      const target = argument;
      const overlaps = target < end && target + (end - at) > at;
      if (overlaps || target + (end - at) > PAGES || model.slice(at, end).includes(null)) return;
      const to = BASE + target * PAGE_SIZE;
      expect(mremap(mm, space, address, lengthBytes, lengthBytes, 3, to)).toBe(to);
      const moved = model.slice(at, end);
      model.fill(null, at, end);
      for (let i = 0; i < moved.length; i++) model[target + i] = moved[i];
      return;
    }
    case 'write': {
      const entry = model[at];
      const done = copyToUser(mm, space, address, Uint8Array.of(count));
      expect(done).toBe(entry !== null && (entry.prot & 2) !== 0 ? 1 : 0);
      if (done === 0 || entry === null) return;
      entry.cell.value = count;
      entry.source = null;
      return;
    }
    default:
      for (let i = at; i < end; i++) expectPage(mm, space, model, i);
  }
}

/** MADV_DONTNEED: private memory is as when it was mapped, shared memory keeps its contents. */
function dropPrivate(model: (ModelPage | null)[], i: number, cells: Cell[], space: AddressSpace): void {
  const entry = model[i];
  if (entry === null || entry.shared) return;
  const vma = space.vmas.find(vpn(BASE / PAGE_SIZE + i));
  const index = vma === null ? 0 : vma.pgoff + (BASE / PAGE_SIZE + i - vma.startVpn);
  model[i] = { ...entry, cell: { value: 0 }, source: entry.anonymous ? null : cells[index] };
}

function expectPage(mm: Machine, space: AddressSpace, model: (ModelPage | null)[], i: number): void {
  const entry = model[i];
  const into = new Uint8Array(1);
  const done = copyFromUser(mm, space, BASE + i * PAGE_SIZE, into);
  const readable = entry !== null && (entry.prot & 3) !== 0;
  expect({ i, done }).toEqual({ i, done: readable ? 1 : 0 });
  if (readable) expect({ i, value: into[0] }).toEqual({ i, value: (entry.source ?? entry.cell).value });
}
