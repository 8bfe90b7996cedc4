import { EV_SWAP_IN, EV_SWAP_OUT } from '../../base/event-kinds.ts';
import type { Ram } from '../../machine/ram.ts';
import type { Pfn } from '../../machine/units.ts';
import { PAGE_LOCKED } from '../block/request.ts';
import { STALL_MEMORY, stallOf } from '../block/stall.ts';
import { PG_dirty, PG_locked, PG_uptodate } from '../phys/page-flags.ts';
import type { SwapArea } from './area.ts';
import { type SwapEntry, swapOffsetOf } from './entry.ts';
import type { Swap } from './swap.ts';

/**
 * The bytes of a page on their way to a slot and back (Linux: mm/page_io.c): what is counted, what the time costs, and who is told
 * of a request to a device. Which page has which slot does not change here.
 */

/**
 * Writes a page of the cache to its slot, for reclaim; it is clean then, and PG_writeback as long as a device works on it. A page
 * of zeroes is only noted (6.18, swap_writeout). 0 or -ERRNO.
 */
export function writePage(swap: Swap, frame: Pfn): number {
  const entry = swap.entryOf(frame);
  const area = swap.areaOf(entry);
  const slot = swapOffsetOf(entry);
  // One write at a time: what is on its way is waited for.
  swap.io.settle(frame, STALL_MEMORY);
  if (isZeroFilled(swap.ram, frame)) {
    area.setContent(slot, 'zeroes');
    area.store.discard(slot);
    swap.vmstat.swpout_zero++;
    if (swap.allocator.events.enabled[EV_SWAP_OUT] !== 0)
      swap.allocator.events.emit(EV_SWAP_OUT, frame, area.type, slot, 0);
    swap.memcgs.payerOf(frame).counters.swpout_zero++;
    swap.frames.flags[frame] &= ~PG_dirty;
    return 0;
  }
  const result = swap.io.refusal('write', 'swap') || area.store.write(slot, swap.ram.bytesOf(frame));
  if (result < 0) {
    chargeFailed(swap, area, slot, 'write');
    return result;
  }
  area.setContent(slot, 'stored');
  swap.vmstat.pswpout++;
  if (swap.allocator.events.enabled[EV_SWAP_OUT] !== 0)
    swap.allocator.events.emit(EV_SWAP_OUT, frame, area.type, slot, 1);
  swap.memcgs.payerOf(frame).counters.pswpout++;
  swap.frames.flags[frame] &= ~PG_dirty;
  const { backing } = area.store;
  if (backing === undefined) swap.clock.charge(area.store.costNs());
  else swap.io.submit('write', backing, slot, [frame], 'free');
  return 0;
}

/** Fills a frame from a slot, of which a device is told by startRead. 0 or -ERRNO. */
export function readSlot(swap: Swap, entry: SwapEntry, frame: Pfn): number {
  const area = swap.areaOf(entry);
  const slot = swapOffsetOf(entry);
  if (area.isZero(slot)) {
    swap.ram.zeroFrame(frame);
    swap.vmstat.swpin_zero++;
    if (swap.allocator.events.enabled[EV_SWAP_IN] !== 0)
      swap.allocator.events.emit(EV_SWAP_IN, frame, area.type, slot, 0);
    swap.memcgs.payerOf(frame).counters.swpin_zero++;
    return 0;
  }
  swap.ram.beforeWrite(frame);
  const result = swap.io.refusal('read', 'swap') || area.store.read(slot, swap.ram.bytesOf(frame));
  if (result < 0) {
    chargeFailed(swap, area, slot, 'read');
    return result;
  }
  swap.vmstat.pswpin++;
  if (swap.allocator.events.enabled[EV_SWAP_IN] !== 0)
    swap.allocator.events.emit(EV_SWAP_IN, frame, area.type, slot, 1);
  swap.memcgs.payerOf(frame).counters.pswpin++;
  if (area.store.backing === undefined) chargeMemory(swap, area);
  return 0;
}

/** The page of the cache that readSlot has filled is on its way from the device: PG_locked until it is there. */
export function startRead(swap: Swap, entry: SwapEntry, frame: Pfn): void {
  const area = swap.areaOf(entry);
  const slot = swapOffsetOf(entry);
  const { backing } = area.store;
  if (backing === undefined || area.isZero(slot)) return;
  swap.frames.flags[frame] &= ~PG_uptodate;
  swap.io.submit('read', backing, slot, [frame]);
}

/** As PageCache.ensurePage: the page once it is there, or PAGE_LOCKED. */
export function awaitPage(swap: Swap, frame: Pfn, atLockedPage: 'wait' | 'leave'): Pfn | number {
  const request = swap.io.requestOf(frame);
  if (request === null || (swap.frames.flags[frame] & PG_locked) === 0) return frame;
  if (atLockedPage === 'wait') {
    swap.io.finishHere(request, stallOf(swap.frames.flags[frame]));
    return frame;
  }
  swap.lockedBy = request;
  swap.allocator.putFrame(frame);
  return PAGE_LOCKED;
}

/** swap_read_folio: memory was short, or the page would not have gone. */
function chargeMemory(swap: Swap, area: SwapArea): void {
  swap.io.memstall?.enter();
  swap.clock.charge(area.store.costNs());
  swap.io.memstall?.leave();
}

function chargeFailed(swap: Swap, area: SwapArea, slot: number, direction: 'read' | 'write'): void {
  const { backing } = area.store;
  if (backing === undefined) swap.clock.charge(area.store.costNs());
  else swap.io.transfer(direction, backing, slot, 1);
}

function isZeroFilled(ram: Ram, frame: Pfn): boolean {
  const { u32 } = ram;
  const first = ram.offsetOf(frame) / 4;
  for (let at = first; at < first + 1024; at++) if (u32[at] !== 0) return false;
  return true;
}
