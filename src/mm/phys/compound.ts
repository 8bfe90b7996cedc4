import { assert } from '../../base/assert.ts';
import type { Pfn } from '../../machine/units.ts';
import type { FrameAllocator } from './alloc.ts';
import type { FrameTable } from './frame-table.ts';
import { PG_head, PG_tail } from './page-flags.ts';

/**
 * A block of frames that is one page: its head has the flags, the references and the order, each tail's owner is the head (Linux:
 * prep_compound_page, __split_folio_to_order).
 */

/** The block that begins at `head`, blank but for the head's reference, is one page from now on. */
export function makeCompound(frames: FrameTable, head: Pfn, order: number): void {
  frames.flags[head] = PG_head;
  frames.order[head] = order;
  const end = head + 2 ** order;
  for (let tail = head + 1; tail < end; tail++) {
    frames.flags[tail] = PG_tail;
    frames.owner[tail] = head;
  }
}

/**
 * The frames of a compound page go on alone, each with a reference for each entry that maps it and one of the caller's
 * (__split_folio_to_order). Nobody else holds the page.
 */
export function splitCompound(alloc: FrameAllocator, head: Pfn): void {
  const { frames } = alloc;
  alloc.deferredSplits.remove(head);
  const count = 2 ** frames.order[head];
  frames.order[head] = 0;
  frames.clear(head, PG_head);
  frames.refcount[head] = frames.mapcount[head] + 1;
  for (let tail = head + 1; tail < head + count; tail++) {
    frames.flags[tail] = 0;
    frames.owner[tail] = 0;
    frames.memcg[tail] = frames.memcg[head];
    frames.refcount[tail] = frames.mapcount[tail] + 1;
  }
}

/**
 * A compound page that nobody maps goes on in pieces (first frame, order), each with one reference. Who has it clears up their
 * flags and owners: those of the pieces are blank, but that they are compound.
 */
export function splitUnmapped(
  alloc: FrameAllocator,
  head: Pfn,
  pieces: readonly (readonly [first: Pfn, order: number])[],
): void {
  const { frames } = alloc;
  assert(frames.largeMapcount[head] === 0, 'mm/phys/compound.ts: a page is split in pieces when nobody maps it');
  const payer = frames.memcg[head];
  for (const [first, order] of pieces) {
    const count = 2 ** order;
    frames.refcount[first] = 1;
    frames.memcg[first] = payer;
    frames.flags[first] = order > 0 ? PG_head : 0;
    frames.owner[first] = 0;
    frames.order[first] = order;
    for (let tail = first + 1; tail < first + count; tail++) {
      frames.flags[tail] = PG_tail;
      frames.owner[tail] = first;
      frames.memcg[tail] = 0;
    }
  }
}
