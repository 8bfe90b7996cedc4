import { expect, test } from 'vitest';
import { MADV_COLLAPSE, MADV_HUGEPAGE, MAP_ANONYMOUS, MAP_PRIVATE } from '../../abi/mman.ts';
import {
  EV_COLLAPSE_ALLOC_FAILED,
  EV_THP_FAULT_FALLBACK,
  EV_THP_SPLIT_PAGE_FAILED,
  EVENT_KINDS,
} from '../../base/event-kinds.ts';
import { PAGE_SIZE, vaddr, vpnOf } from '../../machine/units.ts';
import { madvise } from '../ops/madvise.ts';
import { mmap } from '../ops/mmap.ts';
import { GFP_KERNEL } from '../phys/gfp.ts';
import { createTestMachine } from '../testing/test-machine.ts';
import { copyToUser } from '../user-access.ts';
import { splitHugePage } from './split-page.ts';

/** What goes wrong with huge pages, which programs seldom meet. */
function setUp() {
  const machine = createTestMachine({ ramMiB: 16 });
  const { mm } = machine;
  const space = machine.createSpace();
  const bytes = 2 * mm.thp.pages * PAGE_SIZE;
  const request = { address: 0, prot: 3, file: null, offsetBytes: 0, flags: MAP_PRIVATE | MAP_ANONYMOUS };
  const at = mmap(mm, space, { ...request, lengthBytes: bytes });
  const lines: string[] = [];
  mm.events.subscribe([EV_COLLAPSE_ALLOC_FAILED, EV_THP_FAULT_FALLBACK, EV_THP_SPLIT_PAGE_FAILED], ({ kind, values }) =>
    lines.push(`${EVENT_KINDS[kind].name} ${values[0]} ${values[1]}`),
  );
  const takeBlocks = (): void => {
    while (mm.alloc.allocFrames(mm.thp.order, GFP_KERNEL) >= 0);
  };
  return { mm, space, at, bytes, lines, takeBlocks };
}

test('a fault without a block for a huge page', () => {
  const { mm, space, at, bytes, lines, takeBlocks } = setUp();
  madvise(mm, space, at, bytes, MADV_HUGEPAGE);
  takeBlocks();
  copyToUser(mm, space, at, Uint8Array.of(1));
  expect(lines).toEqual([`faultline:thp_fault_fallback ${space.id} ${at}`]);
  expect([mm.vmstat.thp_fault_fallback, mm.vmstat.thp_fault_alloc]).toEqual([1, 0]);
});

test('a collapse without a block', () => {
  const { mm, space, at, bytes, lines, takeBlocks } = setUp();
  copyToUser(mm, space, at, Uint8Array.of(1));
  takeBlocks();
  madvise(mm, space, at, bytes / 2, MADV_COLLAPSE);
  expect(lines).toEqual([`faultline:thp_collapse_alloc_failed ${space.id} ${at}`]);
  expect(mm.vmstat.thp_collapse_alloc_failed).toBe(1);
});

test('a huge page that somebody holds stays whole', () => {
  const { mm, space, at, bytes, lines } = setUp();
  madvise(mm, space, at, bytes, MADV_HUGEPAGE);
  copyToUser(mm, space, at, Uint8Array.of(1));
  const head = mm.rmap.editor.frameAt(space.vmas.find(vpnOf(vaddr(at))) as never, vpnOf(vaddr(at)));
  if (head < 0) throw new Error('nothing is mapped');
  mm.alloc.getFrame(head as never);
  expect(splitHugePage(mm, head as never)).toBe(false);
  mm.alloc.putFrame(head as never);
  expect(lines).toEqual([`faultline:thp_split_page_failed ${head} 0`]);
});
