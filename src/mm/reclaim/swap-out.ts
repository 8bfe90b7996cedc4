import { EV_THP_SWPOUT_FALLBACK, EV_WRITE_FOLIO } from '../../base/event-kinds.ts';
import type { Pfn } from '../../machine/units.ts';
import type { PageCache } from '../page-cache/page-cache.ts';
import {
  PG_active,
  PG_dirty,
  PG_head,
  PG_mlocked,
  PG_pagecache,
  PG_partially_mapped,
  PG_swapcache,
  PG_unevictable,
  PG_writeback,
} from '../phys/page-flags.ts';
import { tryToUnmap } from '../rmap/unmap.ts';
import { cullPage } from '../shmem/shmem-lock.ts';
import { leaveToSwap } from '../shmem/shmem-swap.ts';
import { writePage } from '../swap/page-io.ts';
import type { Workingset } from './workingset.ts';

/** `reclaim_flags` of mm_vmscan_write_folio (include/trace/events/vmscan.h); RECLAIM_WB_FILE is 2. */
const RECLAIM_WB_ANON = 1;

/**
 * Writes a swapbacked page to swap and frees its frame (what shrink_folio_list does with one). False if it stays: locked in
 * memory, held by somebody, no slot free, or the store failed; then it counts as in use. Of a huge page the first small one goes.
 *
 *   anonymous: mapped --addToSwap--> has a slot --tryToUnmap--> entries lead to the slot --writePage--> clean --> free
 *   shmem:     mapped --tryToUnmap--> in the page cache --addToSwap, writePage--> the object leads to the slot --> free
 *   shmem that was only read (its hole's zeroes): mapped --tryToUnmap--> free, with no slot needed
 *   read ahead and wanted by nobody: clean --> free
 *
 * Where a device takes its time to write, the page is off the lists and in the swap cache until it has (PageReclaim.pageEnded).
 */
export function swapOut(cache: PageCache, workingset: Workingset, page: Pfn): boolean {
  const { frames, allocator, swap } = cache;
  if ((frames.flags[page] & PG_head) !== 0 && !splitForSwap(cache, page)) return false;
  // It was a part of the huge page that nobody mapped, or zeroes.
  if (frames.refcount[page] === 0) return true;
  const flags = frames.flags[page];
  if ((flags & (PG_mlocked | PG_unevictable)) !== 0) return false;
  const isShmem = (flags & PG_pagecache) !== 0;
  if (isShmem && cache.fileById(frames.owner[page])?.isUnevictable === true) {
    cullPage(cache, page);
    return false;
  }
  const isCached = (flags & PG_swapcache) !== 0;
  const holders = frames.mapcount[page] + (isCached ? 1 : 0) + (isShmem ? 1 : 0);
  if (frames.refcount[page] !== holders) return false;
  allocator.getFrame(page);
  if (isShmem && unmapsToClean(cache, page)) {
    allocator.putFrame(page);
    cache.dropPage(page);
    return true;
  }
  const isWritten = isShmem ? writeShmem(cache, page) : writeAnon(cache, page);
  if (isWritten && isShmem) leaveToSwap(cache, page);
  if (!isWritten) allocator.lru.changeFlags(page, PG_active, 0);
  else if ((frames.flags[page] & PG_writeback) !== 0) workingset.isolate(page);
  else swap.dropCached(page, workingset.evicted(page));
  allocator.putFrame(page);
  return isWritten;
}

/** Slots are of small pages. What is mapped in part would be split in any case, for the rest that comes free. */
function splitForSwap({ frames, rmap, vmstat, memcgs, allocator }: PageCache, head: Pfn): boolean {
  // Of shmem it is no fallback that is counted (shmem_writeout).
  const isWhole = (frames.flags[head] & (PG_partially_mapped | PG_pagecache)) === 0;
  const payer = memcgs.payerOf(head);
  if (!rmap.editor.splitPage(head)) return false;
  if (!isWhole) return true;
  vmstat.thp_swpout_fallback++;
  if (allocator.events.enabled[EV_THP_SWPOUT_FALLBACK] !== 0) allocator.events.emit(EV_THP_SWPOUT_FALLBACK, head);
  payer.counters.thp_swpout_fallback++;
  return true;
}

/** Takes the page out of its mappings; whether it holds nothing then that would be lost with it. */
function unmapsToClean({ frames, rmap }: PageCache, page: Pfn): boolean {
  return tryToUnmap(rmap, page) && (frames.flags[page] & (PG_dirty | PG_swapcache)) === 0;
}

function writeAnon({ frames, rmap, swap, allocator }: PageCache, page: Pfn): boolean {
  if ((frames.flags[page] & PG_swapcache) === 0 && !swap.addToSwap(page)) return false;
  if (!tryToUnmap(rmap, page)) return false;
  if ((frames.flags[page] & PG_dirty) === 0) return true;
  if (allocator.events.enabled[EV_WRITE_FOLIO] !== 0) allocator.events.emit(EV_WRITE_FOLIO, page, RECLAIM_WB_ANON);
  return writePage(swap, page) === 0;
}

function writeShmem({ rmap, swap, allocator }: PageCache, page: Pfn): boolean {
  if (!tryToUnmap(rmap, page) || !swap.addToSwap(page)) return false;
  if (allocator.events.enabled[EV_WRITE_FOLIO] !== 0) allocator.events.emit(EV_WRITE_FOLIO, page, RECLAIM_WB_ANON);
  if (writePage(swap, page) === 0) return true;
  swap.tryToFreeSwap(page);
  return false;
}
