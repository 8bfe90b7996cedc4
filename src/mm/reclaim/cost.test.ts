import { describe, expect, it } from 'vitest';
import {
  COST_RECLAIM_LOOK_NS,
  COST_REFERENCES_NS,
  COST_TABLE_LOOK_NS,
  COST_TABLE_YOUNG_NS,
} from '../../machine/cost-model.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import { mmap } from '../ops/mmap.ts';
import { createTestMachine, type TestMachine } from '../testing/test-machine.ts';
import { copyFromUser } from '../user-access.ts';
import { YoungWalker } from '../young-walk.ts';
import { NamedPolicies } from './kinds.ts';

const BASE = 0x1000000;
const PAGES = 700;

/** Clean pages of a file, mapped and just read, so that reclaim writes nothing. */
function boot(policy: 'mglru' | 'two-list'): { machine: TestMachine; space: AddressSpace } {
  const machine = createTestMachine({ ramMiB: 16, reclaim: new NamedPolicies(policy) });
  const file = machine.createFile(new Uint8Array(PAGES * PAGE_SIZE));
  const space = machine.createSpace();
  const request = { address: BASE, lengthBytes: PAGES * PAGE_SIZE, prot: 1, flags: 0x11, file, offsetBytes: 0 };
  expect(mmap(machine.mm, space, request)).toBe(BASE);
  for (let page = 0; page < PAGES; page++) copyFromUser(machine.mm, space, BASE + page * PAGE_SIZE, new Uint8Array(1));
  return { machine, space };
}

describe('what reclaim costs in virtual time', () => {
  it.each(['mglru', 'two-list'] as const)('a look at each page that %s scans, and its references', (policy) => {
    const { mm } = boot(policy).machine;
    const { chargedNs } = mm.clock;
    expect(mm.reclaimer.reclaim(100)).toBeGreaterThan(0);
    const ns = mm.clock.chargedNs - chargedNs;
    expect(mm.vmstat.pgscan_direct).toBeGreaterThan(0);
    expect(ns).toBeGreaterThanOrEqual(mm.vmstat.pgscan_direct * (COST_RECLAIM_LOOK_NS + COST_REFERENCES_NS));
  });

  it('each entry that a walk reads, and each that it finds accessed', () => {
    const { mm } = boot('mglru').machine;
    const visitor = { looked: 0, young: 0 };
    const { chargedNs } = mm.clock;
    new YoungWalker(mm).walk({
      wantsTable: () => true,
      wantsPage: () => true,
      pageIsYoung: () => {},
      tableDone: (_table, total, young) => {
        visitor.looked += total;
        visitor.young += young;
      },
    });
    expect([visitor.looked, visitor.young]).toEqual([PAGES, PAGES]);
    expect(mm.clock.chargedNs - chargedNs).toBe(PAGES * (COST_TABLE_LOOK_NS + COST_TABLE_YOUNG_NS));
  });
});
