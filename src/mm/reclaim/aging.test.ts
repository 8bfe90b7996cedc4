import { expect, it } from 'vitest';
import { PAGE_SIZE } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import { mmap } from '../ops/mmap.ts';
import { MemoryStore } from '../swap/store.ts';
import { createTestMachine } from '../testing/test-machine.ts';
import { copyToUser } from '../user-access.ts';
import { NamedPolicies } from './kinds.ts';
import { testReclaimPolicy } from './testing/contract.ts';

testReclaimPolicy('aging-2.4');

const BASE = 0x1000000;
const PAGES = 100;

it('takes from processes above their RLIMIT_RSS first', () => {
  const reclaim = new NamedPolicies('aging-2.4');
  const machine = createTestMachine({ ramMiB: 4, reclaim, config: { overcommitMemory: 1 } });
  const { mm } = machine;
  const store = new MemoryStore(1001 * PAGE_SIZE);
  mm.swap.addArea({ path: 'test', kind: 'partition', store, slotCount: 1001, badSlots: [] }, null);
  const spaces = [0, 1].map((): AddressSpace => {
    const space = machine.createSpace();
    const request = { address: BASE, lengthBytes: PAGES * PAGE_SIZE, prot: 3, flags: 0x32, file: null, offsetBytes: 0 };
    expect(mmap(mm, space, request)).toBe(BASE);
    return space;
  });
  const touchAll = (): void => {
    for (let page = 0; page < PAGES; page++)
      for (const space of spaces) copyToUser(mm, space, BASE + page * PAGE_SIZE, Uint8Array.of(1));
  };
  touchAll();
  spaces[1].limits.rssBytes = 10 * PAGE_SIZE;
  for (let round = 0; round < 4; round++) {
    // Both are in use all the time: their ages rise.
    touchAll();
    mm.reclaimer.reclaim(20);
  }
  touchAll();
  mm.reclaimer.reclaim(40);
  expect(spaces[0].rss[2]).toBeLessThan(spaces[1].rss[2] / 4);
});
