import { describe, expect, it } from 'vitest';
import { PAGE_SIZE, vaddr } from '../../machine/units.ts';
import { checkInvariants } from '../invariants.ts';
import { createTestMachine } from '../testing/test-machine.ts';
import { copyToUser } from '../user-access.ts';
import { brk } from './brk.ts';
import { dupSpace } from './fork.ts';
import { mmap } from './mmap.ts';
import { munmap } from './munmap.ts';

const START = 0x10000000;

function machineWithBreak() {
  const machine = createTestMachine();
  const space = machine.createSpace();
  space.startBrk = vaddr(START);
  space.brk = vaddr(START);
  return { mm: machine.mm, space };
}

describe('brk', () => {
  it('tells, grows, shrinks, and refuses below the start', () => {
    const { mm, space } = machineWithBreak();
    expect(brk(mm, space, 0)).toBe(START);
    expect(brk(mm, space, START + 100)).toBe(START + 100);
    expect(space.vmas.count).toBe(1);
    expect(brk(mm, space, START + 10 * PAGE_SIZE)).toBe(START + 10 * PAGE_SIZE);
    expect([space.vmas.count, space.dataVm]).toEqual([1, 10]);
    expect(copyToUser(mm, space, START + 9 * PAGE_SIZE, Uint8Array.of(1))).toBe(1);
    expect(brk(mm, space, START + PAGE_SIZE + 1)).toBe(START + PAGE_SIZE + 1);
    expect([space.dataVm, space.rssPages]).toEqual([2, 0]);
    expect(brk(mm, space, START)).toBe(START);
    expect([space.vmas.count, space.pgtablesBytes, mm.committedPages]).toEqual([0, 0, 0]);
    checkInvariants(mm);
  });

  it('stops at the data limit, at a mapping in the way, and one page short of it', () => {
    const { mm, space } = machineWithBreak();
    space.limits.dataBytes = 4 * PAGE_SIZE;
    expect(brk(mm, space, START + 5 * PAGE_SIZE)).toBe(START);
    space.limits.dataBytes = Number.POSITIVE_INFINITY;
    const request = { address: START + 4 * PAGE_SIZE, lengthBytes: PAGE_SIZE, prot: 3, flags: 0x32, file: null };
    mmap(mm, space, { ...request, offsetBytes: 0 });
    expect(brk(mm, space, START + 4 * PAGE_SIZE)).toBe(START);
    expect(brk(mm, space, START + 3 * PAGE_SIZE)).toBe(START + 3 * PAGE_SIZE);
    checkInvariants(mm);
  });

  it('does not widen the bss below its start, but goes on with a heap that a hole was cut into', () => {
    const { mm, space } = machineWithBreak();
    const bss = {
      address: START - PAGE_SIZE,
      lengthBytes: PAGE_SIZE,
      prot: 3,
      flags: 0x32,
      file: null,
      offsetBytes: 0,
    };
    expect(mmap(mm, space, bss)).toBe(START - PAGE_SIZE);
    brk(mm, space, START + PAGE_SIZE);
    expect(space.vmas.count).toBe(2);
    brk(mm, space, START + 4 * PAGE_SIZE);
    munmap(mm, space, START + 2 * PAGE_SIZE, PAGE_SIZE);
    brk(mm, space, START + 6 * PAGE_SIZE);
    expect(space.vmas.count).toBe(3);
    checkInvariants(mm);
  });

  it("makes a new VMA for a fork's child whose heap was touched", () => {
    const { mm, space } = machineWithBreak();
    brk(mm, space, START + PAGE_SIZE);
    copyToUser(mm, space, START, Uint8Array.of(1));
    const child = dupSpace(mm, space);
    if (typeof child === 'number') throw new Error('out of memory');
    brk(mm, child, START + 2 * PAGE_SIZE);
    brk(mm, space, START + 2 * PAGE_SIZE);
    expect([child.vmas.count, space.vmas.count]).toEqual([2, 1]);
    checkInvariants(mm);
  });
});
