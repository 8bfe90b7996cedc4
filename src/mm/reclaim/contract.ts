import { MADV_PAGEOUT } from '../../abi/mman.ts';
import { assert } from '../../base/assert.ts';
import { Rng } from '../../base/rng.ts';
import { PAGE_SIZE, type Pfn, type Vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import { checkInvariants } from '../invariants.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { exitSpace } from '../ops/exit.ts';
import { dupSpace } from '../ops/fork.ts';
import { madvise } from '../ops/madvise.ts';
import { mlock, munlock } from '../ops/mlock.ts';
import { mmap } from '../ops/mmap.ts';
import { MemoryStore } from '../swap/store.ts';
import { createTestMachine } from '../testing/test-machine.ts';
import { copyFromUser, copyToUser } from '../user-access.ts';
import type { ReclaimPolicies } from './kinds.ts';
import { missesOf } from './plain-memory.ts';
import { optMisses } from './testing/models.ts';

const BASE = 0x1000000;
const RAM_PAGES = 1024;
/** Two and a half times what the machine has. */
const PAGES = 2560;

/** One thing that every policy must do, whatever it chooses. `run` throws, in one line, where it does not. */
export interface ContractCase {
  readonly name: string;
  readonly run: (policies: ReclaimPolicies) => void;
}

/** The contract of ReclaimPolicy: our own pass it, and `faultline policy check FILE` runs it. */
export const RECLAIM_CONTRACT: readonly ContractCase[] = [
  {
    name: 'keeps what a program wrote to private memory of many times the RAM',
    run: (policies) => keepsContents(policies, 'private'),
  },
  {
    name: 'keeps what a program wrote to shared memory of many times the RAM',
    run: (policies) => keepsContents(policies, 'shared'),
  },
  { name: 'swaps pages that fork shares once, and copies them apart on a write', run: sharesAfterFork },
  { name: 'leaves locked pages where they are, and refuses when nothing can go', run: leavesLockedPages },
  { name: 'gives clean pages of files to those who need memory', run: dropsCleanFilePages },
  { name: 'frees a page where every page can go, and misses no less than the optimum', run: freesOnePageEach },
];

function boot(reclaim: ReclaimPolicies, swapPages: number): ReturnType<typeof createTestMachine> {
  const ramMiB = (RAM_PAGES * PAGE_SIZE) / 2 ** 20;
  const machine = createTestMachine({ ramMiB, reclaim, config: { overcommitMemory: 1 } });
  if (swapPages > 0) {
    const slotCount = swapPages + 1;
    const store = new MemoryStore(slotCount * PAGE_SIZE);
    machine.mm.swap.addArea({ path: 'test', kind: 'partition', store, slotCount, badSlots: [] }, null);
  }
  return machine;
}

function map(mm: MemoryManager, space: AddressSpace, pages: number, kind: 'private' | 'shared'): void {
  const flags = 0x30 | (kind === 'shared' ? 1 : 2);
  const request = { address: BASE, lengthBytes: pages * PAGE_SIZE, prot: 3, flags, file: null, offsetBytes: 0 };
  assert(mmap(mm, space, request) === BASE, 'the test maps memory');
}

/** Whether there was a page for it. */
function write(mm: MemoryManager, space: AddressSpace, page: number, value: number): boolean {
  return copyToUser(mm, space, BASE + page * PAGE_SIZE + (page % 64), Uint8Array.of(value)) === 1;
}

function mustWrite(mm: MemoryManager, space: AddressSpace, page: number, value: number): void {
  assert(write(mm, space, page, value), `no memory for page ${page}, though others could go`);
}

function mustRead(mm: MemoryManager, space: AddressSpace, page: number, value: number): void {
  const byte = new Uint8Array(1);
  const count = copyFromUser(mm, space, BASE + page * PAGE_SIZE + (page % 64), byte);
  assert(count === 1, `no memory to bring page ${page} back, though others could go`);
  assert(byte[0] === value, `page ${page} has ${byte[0]} where ${value} was written`);
}

function keepsContents(policies: ReclaimPolicies, kind: 'private' | 'shared'): void {
  const machine = boot(policies, PAGES);
  const { mm } = machine;
  const free = machine.countFree();
  const space = machine.createSpace();
  map(mm, space, PAGES, kind);
  for (let page = 0; page < PAGES; page++) mustWrite(mm, space, page, page % 251);
  const rng = new Rng(7);
  for (let i = 0; i < 2000; i++) {
    // Most accesses go to a few pages.
    const page = rng.below(4) > 0 ? rng.below(200) : rng.below(PAGES);
    mustRead(mm, space, page, page % 251);
  }
  checkInvariants(mm);
  assert(mm.vmstat.pswpout > PAGES - RAM_PAGES, 'what does not fit has gone to swap');
  for (let page = 0; page < PAGES; page++) mustRead(mm, space, page, page % 251);
  exitSpace(mm, space);
  checkInvariants(mm);
  assert(machine.countFree() === free, 'all frames are free in the end');
  assert(mm.swap.freePages === PAGES, 'all slots of swap are free in the end');
}

function sharesAfterFork(policies: ReclaimPolicies): void {
  const machine = boot(policies, PAGES);
  const { mm } = machine;
  const parent = machine.createSpace();
  map(mm, parent, 300, 'private');
  for (let page = 0; page < 300; page++) mustWrite(mm, parent, page, 1);
  const child = dupSpace(mm, parent) as AddressSpace;
  mm.reclaimer.reclaim(600);
  assert(mm.swap.freePages >= PAGES - 300, 'a page that two share takes one slot');
  for (let page = 0; page < 300; page++) mustWrite(mm, child, page, 2);
  mm.reclaimer.reclaim(600);
  checkInvariants(mm);
  for (let page = 0; page < 300; page++) {
    mustRead(mm, parent, page, 1);
    mustRead(mm, child, page, 2);
  }
  exitSpace(mm, parent);
  exitSpace(mm, child);
  assert(mm.swap.freePages === PAGES, 'all slots of swap are free in the end');
}

function leavesLockedPages(policies: ReclaimPolicies): void {
  const machine = boot(policies, 0);
  const { mm } = machine;
  const space = machine.createSpace();
  map(mm, space, PAGES, 'private');
  let written = 0;
  while (written < PAGES && write(mm, space, written, 3)) written++;
  assert(written < RAM_PAGES, 'without swap there is an end to memory');
  checkInvariants(mm);
  const store = new MemoryStore(101 * PAGE_SIZE);
  mm.swap.addArea({ path: 'test', kind: 'partition', store, slotCount: 101, badSlots: [] }, null);
  assert(mlock(mm, space, BASE, 50 * PAGE_SIZE, 0) === 0, 'the test locks pages');
  while (written < PAGES && write(mm, space, written, 3)) written++;
  assert(mm.swap.freePages === 0, `memory was refused while ${mm.swap.freePages} slots of swap were free`);
  assert(space.rss[2] === 100, 'all slots hold pages of the program');
  for (let page = 0; page < 50; page++)
    assert(mm.pageTables.findLeaf(space, (BASE / PAGE_SIZE + page) as Vpn) !== -1, 'a locked page has stayed');
  munlock(mm, space, BASE, 50 * PAGE_SIZE);
  assert(madvise(mm, space, BASE, 50 * PAGE_SIZE, MADV_PAGEOUT) === 0, 'the test pages out');
  for (let page = 0; page < 50; page++) mustRead(mm, space, page, 3);
  checkInvariants(mm);
  exitSpace(mm, space);
}

function dropsCleanFilePages(policies: ReclaimPolicies): void {
  const machine = boot(policies, 0);
  const { mm } = machine;
  const file = machine.createFile(new Uint8Array(700 * PAGE_SIZE).fill(9));
  for (let index = 0; index < 700; index++) {
    const frame = mm.pageCache.ensurePage(file.pages, index, 'none');
    assert(frame >= 0, `no memory for page ${index} of the file`);
    mm.alloc.putFrame(frame as Pfn);
  }
  const space = machine.createSpace();
  map(mm, space, 600, 'private');
  for (let page = 0; page < 600; page++) mustWrite(mm, space, page, 5);
  checkInvariants(mm);
  exitSpace(mm, space);
  file.release();
}

function freesOnePageEach(policies: ReclaimPolicies): void {
  const rng = new Rng(3);
  for (const frames of [1, 2, 7]) {
    const references = Array.from({ length: 400 }, (_, i) => (i % 100 < 30 ? i % 10 : rng.below(12)));
    const misses = missesOf((table) => policies.create(table), references, frames);
    assert(misses >= optMisses(references, frames), 'fewer misses than the optimum');
  }
}
