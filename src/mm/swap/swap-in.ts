import { ENOMEM } from '../../abi/errno.ts';
import { EV_SWAP_READAHEAD, EV_SWAP_READAHEAD_HIT } from '../../base/event-kinds.ts';
import type { Pfn } from '../../machine/units.ts';
import type { Memcg } from '../memcg/memcg.ts';
import { payerOfSlot } from '../memcg/swap-charge.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { __GFP_NORETRY, __GFP_NOWARN, GFP_HIGHUSER_MOVABLE } from '../phys/gfp.ts';
import { PG_reclaim, PG_swapbacked } from '../phys/page-flags.ts';
import { type SwapEntry, swapEntry, swapOffsetOf, swapTypeOf } from './entry.ts';
import { awaitPage, readSlot, startRead } from './page-io.ts';
import type { Swap } from './swap.ts';

/** vm.page-cluster at boot: at most 2^3 slots are read at a time (swap_setup). */
const DEFAULT_PAGE_CLUSTER = 3;
const GFP_READ_AHEAD = GFP_HIGHUSER_MOVABLE | __GFP_NORETRY | __GFP_NOWARN;

/** How far reading ahead has paid of late (6.18: swapin_nr_pages, mm/swap_state.c). */
export class SwapReadAhead {
  pageCluster = DEFAULT_PAGE_CLUSTER;
  /** Pages that were read ahead and then wanted, since the last read. */
  hits = 4;
  private previousSlot = 0;
  private lastPages = 0;

  /** Slots to read around `slot`, a power of two. */
  window(slot: number): number {
    const most = 2 ** this.pageCluster;
    if (most <= 1) return 1;
    const { hits } = this;
    this.hits = 0;
    let pages = hits + 2;
    if (hits === 0) {
      if (slot !== this.previousSlot + 1 && slot !== this.previousSlot - 1) pages = 1;
    } else {
      let power = 4;
      while (power < pages) power *= 2;
      pages = power;
    }
    pages = Math.max(Math.min(pages, most), Math.floor(this.lastPages / 2));
    if (hits === 0) this.previousSlot = slot;
    this.lastPages = pages;
    return pages;
  }
}

/**
 * The page of a slot, from the swap cache or read into it, with a reference for the caller (swapin_readahead): -ENOMEM, or the
 * store's error. swap.lastInWasMajor says whether the store was read. `reader` pays for it where nobody paid for the slot. A page that
 * is on its way from the device is waited for, or with 'leave' the answer is PAGE_LOCKED, and swap.lockedBy what to sleep on.
 */
export function swapIn(
  swap: Swap,
  entry: SwapEntry,
  gfp: number = GFP_HIGHUSER_MOVABLE,
  reader: Memcg = swap.memcgs.current,
  atLockedPage: 'wait' | 'leave' = 'wait',
): Pfn | number {
  const { frames, allocator } = swap;
  swap.lastInWasMajor = false;
  const cached = swap.findCached(entry);
  if (cached !== NO_FRAME) {
    if ((frames.flags[cached] & PG_reclaim) !== 0) {
      frames.flags[cached] &= ~PG_reclaim;
      swap.readAhead.hits++;
      swap.vmstat.swap_ra_hit++;
      if (allocator.events.enabled[EV_SWAP_READAHEAD_HIT] !== 0)
        allocator.events.emit(EV_SWAP_READAHEAD_HIT, cached, swapTypeOf(entry), swapOffsetOf(entry));
    }
    allocator.getFrame(cached as Pfn);
    return awaitPage(swap, cached as Pfn, atLockedPage);
  }
  swap.lastInWasMajor = true;
  swap.noteWanted(entry);
  const frame = readIntoCache(swap, entry, gfp, reader);
  if (frame < 0) return frame;
  if (swap.areaOf(entry).store.speed === 'device') readCluster(swap, entry, reader);
  return awaitPage(swap, frame as Pfn, atLockedPage);
}

/** A frame of its own with the contents of a slot, which stays out of the swap cache. -ENOMEM or the store's error. */
export function readAlone(swap: Swap, entry: SwapEntry, reader: Memcg): Pfn | number {
  swap.noteWanted(entry);
  const frame = swap.memcgs.allocPage(payerOf(swap, entry, reader), GFP_HIGHUSER_MOVABLE);
  if (frame === NO_FRAME) return -ENOMEM;
  const result = readSlot(swap, entry, frame as Pfn);
  if (result === 0) {
    swap.frames.flags[frame] |= PG_swapbacked;
    swap.noteRefault(frame as Pfn, entry);
    return frame;
  }
  swap.allocator.putFrame(frame as Pfn);
  return result;
}

function payerOf(swap: Swap, entry: SwapEntry, reader: Memcg): Memcg {
  return payerOfSlot(swap.memcgs, swap.areaOf(entry), swapOffsetOf(entry), reader);
}

/** read_swap_cache_async: with a reference for the caller. */
function readIntoCache(swap: Swap, entry: SwapEntry, gfp: number, reader: Memcg): Pfn | number {
  const frame = swap.memcgs.allocPage(payerOf(swap, entry, reader), gfp);
  if (frame === NO_FRAME) return -ENOMEM;
  const result = readSlot(swap, entry, frame as Pfn);
  if (result < 0) {
    swap.allocator.putFrame(frame as Pfn);
    return result;
  }
  swap.addToCache(frame as Pfn, entry);
  startRead(swap, entry, frame as Pfn);
  return frame;
}

/** swap_cluster_readahead: the slots around one that are in use and not in memory; a favour that may fail. */
function readCluster(swap: Swap, entry: SwapEntry, reader: Memcg): void {
  const area = swap.areaOf(entry);
  const wanted = swapOffsetOf(entry);
  const window = swap.readAhead.window(wanted);
  const first = wanted - (wanted % window);
  for (let slot = Math.max(1, first); slot < Math.min(first + window, area.slotCount); slot++) {
    if (area.isBad(slot) || area.countOf(slot) === 0 || area.cachedOf(slot) !== NO_FRAME) continue;
    const frame = readIntoCache(swap, swapEntry(swapTypeOf(entry), slot), GFP_READ_AHEAD, reader);
    if (frame < 0) return;
    swap.frames.flags[frame] |= PG_reclaim;
    swap.vmstat.swap_ra++;
    if (swap.allocator.events.enabled[EV_SWAP_READAHEAD] !== 0)
      swap.allocator.events.emit(EV_SWAP_READAHEAD, frame, swapTypeOf(entry), slot);
    swap.allocator.putFrame(frame as Pfn);
  }
}
