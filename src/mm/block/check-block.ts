import { assert } from '../../base/assert.ts';
import type { FrameTable } from '../phys/frame-table.ts';
import { PG_locked, PG_writeback } from '../phys/page-flags.ts';
import type { BlockQueue } from './block-queue.ts';

/** D1 to D3, counted anew from the frames in use. */
export function checkBlock(queue: BlockQueue, frames: FrameTable, inUse: Uint32Array, nrWriteback: number): void {
  let reading = 0;
  let writing = 0;
  let freeing = 0;
  let before = { doneNs: 0, id: 0 };
  for (const request of queue.inFlight) {
    const isLater = request.doneNs > before.doneNs || (request.doneNs === before.doneNs && request.id > before.id);
    assert(isLater && !request.hasEnded, 'mm/block/block-queue.ts: D1 requests stand in the order of their ends');
    before = request;
    const flag = request.direction === 'read' ? PG_locked : PG_writeback;
    for (const frame of request.frames) {
      assert(queue.requestOf(frame) === request, 'mm/block/block-queue.ts: D2 a page knows its request');
      const isMarked = (frames.flags[frame] & (PG_locked | PG_writeback)) === flag && frames.refcount[frame] > 0;
      assert(isMarked, 'mm/block/block-queue.ts: D2 a page on its way is marked and held');
    }
    if (request.direction === 'read') reading += request.frames.length;
    else writing += request.frames.length;
    if (request.purpose === 'free') freeing += request.frames.length;
  }
  let marked = 0;
  for (const frame of inUse) if ((frames.flags[frame] & (PG_locked | PG_writeback)) !== 0) marked++;
  assert(marked === reading + writing, 'mm/block/block-queue.ts: D2 no other page is marked');
  assert(writing === nrWriteback && freeing === queue.freeingPages, 'mm/block/block-queue.ts: D3 nr_writeback');
}
