import { describe, expect, it } from 'vitest';
import { EAGAIN, EBUSY, EEXIST, EINVAL, ENOENT } from '../../abi/errno.ts';
import { MAP_ANONYMOUS, MAP_PRIVATE } from '../../abi/mman.ts';
import {
  UFFD_EVENT_PAGEFAULT,
  UFFD_FEATURE_EVENT_FORK,
  UFFD_FEATURE_EVENT_UNMAP,
  UFFD_FEATURE_INITIALIZED,
  UFFD_FEATURE_WP_ASYNC,
  UFFD_FEATURE_WP_UNPOPULATED,
} from '../../abi/userfaultfd.ts';
import { WaitQueue, WakeList } from '../../base/wait-queue.ts';
import { ACCESS_READ, ACCESS_WRITE } from '../../machine/mmu.ts';
import { PAGE_SIZE, vaddr, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import { handleFault } from '../fault/fault.ts';
import { FAULT_BLOCKED, FAULT_BUS, FAULT_DONE } from '../fault/results.ts';
import { FaultWaiter } from '../fault/waiter.ts';
import { checkInvariants } from '../invariants.ts';
import { exitSpace } from '../ops/exit.ts';
import { dupSpace } from '../ops/fork.ts';
import { mmap } from '../ops/mmap.ts';
import { mremap } from '../ops/mremap.ts';
import { munmap } from '../ops/munmap.ts';
import { createTestMachine } from '../testing/test-machine.ts';
import { copyFromUser, copyToUser } from '../user-access.ts';
import { VM_UFFD_MISSING, VM_UFFD_WP } from '../vm-flags.ts';
import { UffdContext } from './context.ts';
import { fillRange } from './fill.ts';
import { movePages } from './move.ts';
import { registerRange, releaseContext, unregisterRange } from './register.ts';
import { writeProtect } from './write-protect.ts';

const PAGES = 8;

function setUp(features = 0, mode: number = VM_UFFD_MISSING) {
  const machine = createTestMachine({ mmu: 'cached' });
  const { mm } = machine;
  const space = machine.createSpace();
  const wakeList = new WakeList();
  const context = new UffdContext(space, 'any', new WaitQueue(wakeList));
  context.features = (features | UFFD_FEATURE_INITIALIZED) >>> 0;
  const at = mmap(mm, space, {
    address: 0,
    lengthBytes: PAGES * PAGE_SIZE,
    prot: 3,
    flags: MAP_PRIVATE | MAP_ANONYMOUS,
    file: null,
    offsetBytes: 0,
  });
  const first = vpn(at / PAGE_SIZE);
  const page = (i: number) => vpn(first + i);
  expect(registerRange(mm, context, first, page(PAGES), mode)).toBe(0);
  mm.waiter = new FaultWaiter(7);
  const touch = (i: number, access: 1 | 2 = ACCESS_READ) =>
    handleFault(mm, space, vaddr(at + i * PAGE_SIZE + 5), access);
  const end = (): void => {
    checkInvariants(mm);
    mm.waiter = null;
    releaseContext(mm, context);
    checkInvariants(mm);
    exitSpace(mm, space);
    checkInvariants(mm);
  };
  return { mm, space, context, at, page, touch, end, wakeList };
}

describe('userfaultfd', () => {
  it('makes a fault a message, keeps the tid once, and wakes whom a range holds', () => {
    const { mm, context, at, page, touch, end, wakeList } = setUp();
    expect(touch(1)).toBe(FAULT_BLOCKED);
    expect(mm.waiter?.source).toBe(context);
    context.waiters.add(7);
    expect(touch(1)).toBe(FAULT_BLOCKED);
    checkInvariants(mm);
    expect(context.takeMessage()).toEqual({
      event: UFFD_EVENT_PAGEFAULT,
      fault: { tid: 7, address: at + PAGE_SIZE, flags: 0 },
    });
    context.wake(at, PAGE_SIZE);
    expect(wakeList.tids).toEqual([]);
    const fill = { kind: 'zero' } as const;
    expect(fillRange(mm, context, { start: page(1), end: page(2), fill, write: 'plain' })).toBe(PAGE_SIZE);
    context.wake(at + PAGE_SIZE, PAGE_SIZE);
    expect([wakeList.tids, context.seen.length]).toEqual([[7], 0]);
    expect(touch(1)).toBe(FAULT_DONE);
    expect(fillRange(mm, context, { start: page(0), end: page(3), fill, write: 'plain' })).toBe(PAGE_SIZE);
    expect(fillRange(mm, context, { start: page(1), end: page(2), fill, write: 'plain' })).toBe(-EEXIST);
    end();
  });

  it('answers BUS where the fault may not sleep', () => {
    const { mm, touch, end } = setUp();
    mm.waiter = null;
    expect(touch(1)).toBe(FAULT_BUS);
    end();
  });

  it('owes what the kernel stores, in order, and nothing to a page that is there', () => {
    const { mm, space, context, at, end } = setUp();
    const waiter = mm.waiter as FaultWaiter;
    expect(copyToUser(mm, space, at + PAGE_SIZE - 2, Uint8Array.of(1, 2, 3))).toBe(3);
    expect(waiter.stores.map(({ address, bytes }) => [address - at, bytes.length])).toEqual([
      [PAGE_SIZE - 2, 2],
      [PAGE_SIZE, 1],
    ]);
    expect(context.pending.length).toBe(1);
    waiter.stores.length = 0;
    expect(copyFromUser(mm, space, at, new Uint8Array(4))).toBe(0);
    expect(waiter.source).toBe(context);
    end();
  });

  it('protects pages that are there, and with markers those that are not', () => {
    const { mm, space, context, at, page, touch, end } = setUp(UFFD_FEATURE_WP_UNPOPULATED, VM_UFFD_WP);
    expect(touch(0, ACCESS_WRITE)).toBe(FAULT_DONE);
    expect(writeProtect(mm, context, page(0), page(3), 'protect')).toBe(0);
    checkInvariants(mm);
    expect(touch(0)).toBe(FAULT_DONE);
    expect(touch(0, ACCESS_WRITE)).toBe(FAULT_BLOCKED);
    // A read of a marked page maps the zero page, still protected.
    expect(touch(1)).toBe(FAULT_DONE);
    expect(touch(1, ACCESS_WRITE)).toBe(FAULT_BLOCKED);
    // A write makes the page, still protected, and comes again.
    expect(touch(2, ACCESS_WRITE)).toBe(FAULT_DONE);
    expect(touch(2, ACCESS_WRITE)).toBe(FAULT_BLOCKED);
    expect(touch(3, ACCESS_WRITE)).toBe(FAULT_DONE);
    checkInvariants(mm);
    const child = dupSpace(mm, space) as AddressSpace;
    expect(copyToUser(mm, child, at, Uint8Array.of(1))).toBe(1);
    checkInvariants(mm);
    exitSpace(mm, child);
    expect(writeProtect(mm, context, page(0), page(1), 'resolve')).toBe(0);
    expect(touch(0, ACCESS_WRITE)).toBe(FAULT_DONE);
    expect(unregisterRange(mm, context, page(0), page(PAGES))).toBe(0);
    expect(touch(2, ACCESS_WRITE)).toBe(FAULT_DONE);
    end();
  });

  it('lets an asynchronous protection go at the first write', () => {
    const { mm, context, page, touch, end } = setUp(UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED, VM_UFFD_WP);
    expect(writeProtect(mm, context, page(0), page(1), 'protect')).toBe(0);
    expect([touch(0, ACCESS_WRITE), touch(0, ACCESS_WRITE)]).toEqual([FAULT_DONE, FAULT_DONE]);
    const slot = mm.pageTables.findLeaf(context.space, page(0));
    expect(mm.pageTables.isUffdWp(mm.pageTables.read(slot))).toBe(false);
    end();
  });

  it('moves a page with its contents, refusing holes and what is taken', () => {
    const { mm, space, context, at, page, touch, end } = setUp();
    mm.waiter = null;
    const other = mmap(mm, space, {
      address: at - 64 * PAGE_SIZE,
      lengthBytes: 2 * PAGE_SIZE,
      prot: 3,
      flags: MAP_PRIVATE | MAP_ANONYMOUS,
      file: null,
      offsetBytes: 0,
    });
    expect(copyToUser(mm, space, other, Uint8Array.of(9))).toBe(1);
    const from = vpn(other / PAGE_SIZE);
    expect(movePages(mm, context, { to: page(2), from, pages: 2, holes: 'refuse' })).toBe(PAGE_SIZE);
    checkInvariants(mm);
    expect(movePages(mm, context, { to: page(3), from, pages: 1, holes: 'refuse' })).toBe(-ENOENT);
    expect(movePages(mm, context, { to: page(3), from, pages: 2, holes: 'allow' })).toBe(2 * PAGE_SIZE);
    expect(movePages(mm, context, { to: from, from: page(2), pages: 1, holes: 'refuse' })).toBe(-EINVAL);
    expect(movePages(mm, context, { to: page(3), from: page(2), pages: 1, holes: 'refuse' })).toBe(PAGE_SIZE);
    expect(touch(3)).toBe(FAULT_DONE);
    const child = dupSpace(mm, space) as AddressSpace;
    expect(movePages(mm, context, { to: page(4), from: page(3), pages: 1, holes: 'refuse' })).toBe(-EBUSY);
    exitSpace(mm, child);
    end();
  });

  it('tells of unmapping and forking, and the call waits for its reader', () => {
    const { mm, space, context, at, page, end } = setUp(UFFD_FEATURE_EVENT_UNMAP | UFFD_FEATURE_EVENT_FORK);
    const waiter = mm.waiter as FaultWaiter;
    expect(munmap(mm, space, at, PAGE_SIZE)).toBe(0);
    expect([waiter.notices.length, waiter.notices[0].isTaken]).toEqual([1, false]);
    const fill = { kind: 'zero' } as const;
    expect(fillRange(mm, context, { start: page(1), end: page(2), fill, write: 'plain' })).toBe(-EAGAIN);
    expect(context.takeMessage()).toMatchObject({ words: [at, at + PAGE_SIZE] });
    expect(waiter.notices[0].isTaken).toBe(true);
    const child = dupSpace(mm, space) as AddressSpace;
    checkInvariants(mm);
    const message = context.takeMessage();
    const forked = message !== null && 'forked' in message ? message.forked : null;
    expect(forked?.space).toBe(child);
    exitSpace(mm, child);
    // Without the feature a move leaves the registration behind.
    const moved = mremap(mm, space, at + PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, 3, at - 1024 * PAGE_SIZE);
    expect(moved).toBe(at - 1024 * PAGE_SIZE);
    expect(space.vmas.find(vpn(moved / PAGE_SIZE))?.uffd).toBe(null);
    end();
  });
});
