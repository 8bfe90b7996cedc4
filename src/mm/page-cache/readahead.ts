import { ENOMEM } from '../../abi/errno.ts';
import { EV_READ_PAGES } from '../../base/event-kinds.ts';
import { PAGE_SIZE, type Pfn, pagesOf } from '../../machine/units.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { __GFP_NORETRY, __GFP_NOWARN, GFP_HIGHUSER_MOVABLE } from '../phys/gfp.ts';
import { PG_readahead, PG_uptodate } from '../phys/page-flags.ts';
import type { FilePages, PageBacking } from './file-pages.ts';
import type { PageCache } from './page-cache.ts';

/** read_ahead_kb = 128 (VM_READAHEAD_PAGES). */
export const READ_AHEAD_PAGES = 32;
/** The window that a file read from its start begins with (get_init_ra_size of a one-page read). */
const FIRST_WINDOW_PAGES = 4;
const GFP_READ_AHEAD = GFP_HIGHUSER_MOVABLE | __GFP_NORETRY | __GFP_NOWARN;

/** Holds one request on its way from the backing; no state. */
const scratch = new Uint8Array(2 * READ_AHEAD_PAGES * PAGE_SIZE);

/**
 * What else a missing page brings along: 'around' it (a fault), what follows it where reads go on (read(2); 'double' after
 * POSIX_FADV_SEQUENTIAL), or nothing.
 */
export type ReadAhead = 'around' | 'sequential' | 'double' | 'none';

/**
 * Reads a missing page and its read-ahead window (Linux: mm/readahead.c). A fault reads around itself
 * (do_sync_mmap_readahead); read(2) that goes on where the last window ended doubles the window up to READ_AHEAD_PAGES
 * (page_cache_sync_ra), anything else reads one page. The frame with a reference for the caller, on its way from the device
 * (PG_locked) or there already, or -ERRNO if the page itself could not be had; the others are a favour, and may be reclaimed
 * again at once.
 */
export function readMissingPage(cache: PageCache, file: FilePages, index: number, readAhead: ReadAhead): Pfn | number {
  let start = index;
  let size = 1;
  if (readAhead === 'around') {
    start = Math.max(0, index - READ_AHEAD_PAGES / 2);
    size = READ_AHEAD_PAGES;
    setWindow(file, start, size, READ_AHEAD_PAGES / 4);
  } else if (readAhead !== 'none') {
    const goesOn = index === 0 || index === file.readAheadStart + file.readAheadPages;
    if (goesOn) size = index === 0 ? FIRST_WINDOW_PAGES : nextSize(file, readAhead);
    setWindow(file, start, size, size - 1);
  }
  const endOfFile = pagesOf((file.backing as PageBacking).sizeBytes);
  const end = Math.max(index + 1, Math.min(start + size, endOfFile));
  // The request that has the wanted page comes first: what follows may find no memory.
  let first = index;
  while (first > start && file.pages.find(first - 1) === NO_FRAME) first--;
  let stop = index + 1;
  while (stop < end && file.pages.find(stop) === NO_FRAME) stop++;
  const frame = readRun(cache, file, first, stop, index);
  if (frame < 0) return frame;
  readHoles(cache, file, start, first);
  readHoles(cache, file, stop, end);
  markWindow(cache, file, end);
  return frame;
}

/**
 * Somebody has come to a page with PG_readahead: the window behind the last one is read, and nobody waits for it
 * (page_cache_async_ra). A mark that an older window left starts none.
 */
export function readNextWindow(cache: PageCache, file: FilePages, index: number, readAhead: ReadAhead): void {
  const mark = file.pages.find(index);
  cache.frames.flags[mark] &= ~PG_readahead;
  const { readAheadStart: start, readAheadPages: pages } = file;
  if (readAhead === 'none' || file.backing === null || index !== start + pages - file.readAheadAsync) return;
  const size = nextSize(file, readAhead);
  setWindow(file, start + pages, size, size);
  const end = Math.min(start + pages + size, pagesOf(file.backing.sizeBytes));
  // The page itself is wanted: it stays while memory is made for those behind it.
  cache.allocator.getFrame(mark as Pfn);
  readHoles(cache, file, start + pages, end);
  cache.allocator.putFrame(mark as Pfn);
  markWindow(cache, file, end);
}

/** get_next_ra_size, with the doubling alone. */
function nextSize(file: FilePages, readAhead: ReadAhead): number {
  const most = readAhead === 'double' ? 2 * READ_AHEAD_PAGES : READ_AHEAD_PAGES;
  return Math.min(most, Math.max(2, file.readAheadPages * 2));
}

function setWindow(file: FilePages, start: number, pages: number, asyncPages: number): void {
  file.readAheadStart = start;
  file.readAheadPages = pages;
  file.readAheadAsync = asyncPages;
}

/** PG_readahead on the page from which on the window counts as read ahead; none where the file's end cut it: nothing follows. */
function markWindow(cache: PageCache, file: FilePages, end: number): void {
  if (file.readAheadAsync === 0 || end < file.readAheadStart + file.readAheadPages) return;
  const frame = file.pages.find(end - file.readAheadAsync);
  if (frame !== NO_FRAME) cache.frames.flags[frame] |= PG_readahead;
}

/** Reads the missing pages of [start, end), for nobody in particular. */
export function readHoles(cache: PageCache, file: FilePages, start: number, givenEnd: number): void {
  const end = Math.min(givenEnd, pagesOf((file.backing as PageBacking).sizeBytes));
  for (let at = start; at < end; at++) {
    if (file.pages.find(at) !== NO_FRAME) continue;
    let stop = at + 1;
    while (stop < Math.min(end, at + READ_AHEAD_PAGES) && file.pages.find(stop) === NO_FRAME) stop++;
    readRun(cache, file, at, stop, -1);
    at = stop - 1;
  }
}

/**
 * Reads pages [start, stop), all missing, at most twice READ_AHEAD_PAGES, in one request. Returns the frame of page `wanted` with a
 * reference, or why it could not be had; 0 where `wanted` is -1.
 */
function readRun(cache: PageCache, file: FilePages, start: number, stop: number, wanted: number): Pfn | number {
  const { io, vmstat, allocator } = cache;
  const backing = file.backing as PageBacking;
  const refused = io.refusal('read', 'file');
  const given = refused < 0 ? refused : readBacking(backing, start, stop);
  const count = stop - start;
  if (given < 0) {
    if (wanted < 0) return given;
    io.transfer('read', backing, start, count);
    // One bad page must not take its neighbours along, nor they it (Linux then reads the page alone: filemap_read_folio).
    return count === 1 ? given : readRun(cache, file, wanted, wanted + 1, wanted);
  }
  vmstat.pgpgin += (count * PAGE_SIZE) / 1024;
  if (allocator.events.enabled[EV_READ_PAGES] !== 0)
    allocator.events.emit(EV_READ_PAGES, file.id, start, count, wanted < 0 ? 0 : 1);
  scratch.fill(0, given, count * PAGE_SIZE); // C6
  // The wanted page goes first: for the others there may be no memory.
  const first = wanted < 0 ? null : addFilledPage(cache, file, wanted, wanted - start, GFP_HIGHUSER_MOVABLE);
  if (first !== null && first < 0) return first;
  const frames: Pfn[] = first === null ? [] : [first as Pfn];
  for (let at = start; at < stop; at++) {
    if (at === wanted) continue;
    const frame = addFilledPage(cache, file, at, at - start, GFP_READ_AHEAD);
    if (frame < 0) break;
    frames.push(frame as Pfn);
  }
  if (frames.length === 0) return 0;
  for (const frame of frames) cache.frames.flags[frame] &= ~PG_uptodate;
  io.submit('read', backing, start, frames);
  for (const frame of frames) if (frame !== first) allocator.putFrame(frame);
  return first ?? 0;
}

/** Bytes put in `scratch` from page `start` on, or -ERRNO. */
function readBacking(backing: PageBacking, start: number, stop: number): number {
  if (stop - start > 1 && backing.readPages !== undefined)
    return backing.readPages(start, scratch.subarray(0, (stop - start) * PAGE_SIZE));
  let total = 0;
  for (let at = start; at < stop; at++) {
    const begin = (at - start) * PAGE_SIZE;
    const given = backing.readPage(at, scratch.subarray(begin, begin + PAGE_SIZE));
    if (given < 0) return given;
    total = begin + given;
    if (given < PAGE_SIZE) break; // the end of the file
  }
  return total;
}

/** A frame with bytes of `scratch`, entered in the cache, with a reference for the caller; or -ENOMEM. */
function addFilledPage(cache: PageCache, file: FilePages, index: number, at: number, gfp: number): Pfn | number {
  const frame = cache.allocator.allocFrame(gfp);
  if (frame === NO_FRAME) return -ENOMEM;
  cache.ram.writeFrame(frame as Pfn, 0, scratch.subarray(at * PAGE_SIZE, (at + 1) * PAGE_SIZE));
  if (cache.addPage(file, index, frame as Pfn, 'old', gfp)) return frame;
  cache.allocator.putFrame(frame as Pfn);
  return -ENOMEM;
}
