import { EV_WAIT_WRITEBACK, EV_WRITEBACK_PAGES } from '../../base/event-kinds.ts';
import type { Ram } from '../../machine/ram.ts';
import { PAGE_SIZE, type Pfn } from '../../machine/units.ts';
import { PG_writeback } from '../phys/page-flags.ts';
import { makeClean } from '../rmap/unmap.ts';
import type { FilePages, PageBacking } from './file-pages.ts';
import type { PageCache } from './page-cache.ts';

/** The most that one request writes: 1280 KiB (BLK_DEF_MAX_SECTORS_CAP). */
const MOST_PAGES = 320;
/** Bytes of pages on their way to the backing, in a row; no state. */
const scratch = new Uint8Array(MOST_PAGES * PAGE_SIZE);

/**
 * What to do with a page that is dirty again while its last write is on its way (WB_SYNC_ALL, WB_SYNC_NONE): wait for that, or let
 * it be until the next time.
 */
export type WritebackSync = 'all' | 'none';

/**
 * Hands the dirty pages of [startIndex, endIndex) to the device (Linux: write_cache_pages), those in a row in one request. Goes from
 * dirty mark to dirty mark: clean pages cost nothing. Goes on after an error; 0, or the first error, which is also kept for fsync.
 * Nobody waits: awaitWriteback does.
 */
export function writebackPages(
  cache: PageCache,
  file: FilePages,
  startIndex: number,
  endIndex: number,
  sync: WritebackSync,
): number {
  if (file.backing === null) return 0;
  let first = 0;
  let index = file.pages.next(startIndex, 'dirty');
  while (index >= 0 && index < endIndex) {
    const frame = file.pages.find(index) as Pfn;
    const isBusy = (cache.frames.flags[frame] & PG_writeback) !== 0;
    if (isBusy && sync === 'all') cache.io.settle(frame);
    if (!isBusy || sync === 'all') {
      const run = takeRun(cache, file, index, Math.min(endIndex, index + MOST_PAGES));
      const result = writeRun(cache, file, run, 'keep');
      if (result < 0 && first === 0) first = result;
      index += run.length - 1;
    }
    index = file.pages.next(index + 1, 'dirty');
  }
  return first;
}

/** The dirty pages in a row from `index` on that are not being written. */
function takeRun(cache: PageCache, file: FilePages, index: number, end: number): Pfn[] {
  const run: Pfn[] = [];
  for (let at = index; at < end && file.pages.isDirty(at); at++) {
    const frame = file.pages.find(at) as Pfn;
    if ((cache.frames.flags[frame] & PG_writeback) !== 0) break;
    run.push(frame);
  }
  return run;
}

/** The caller waits for all writes of [startIndex, endIndex) that are on their way (filemap_fdatawait_range). They end in their time. */
export function awaitWriteback(cache: PageCache, file: FilePages, startIndex: number, endIndex: number): void {
  if (file.backing === null) return;
  let untilNs = 0;
  for (const request of cache.io.inFlight) {
    if (request.direction === 'read') continue;
    if (request.frames.some((frame) => isIn(cache, file, frame, startIndex, endIndex))) untilNs = request.doneNs;
  }
  const { events } = cache.allocator;
  if (untilNs > 0 && events.enabled[EV_WAIT_WRITEBACK] !== 0)
    events.emit(EV_WAIT_WRITEBACK, file.id, startIndex, endIndex - 1);
  cache.io.waitFor(untilNs);
}

function isIn(cache: PageCache, file: FilePages, frame: Pfn, startIndex: number, endIndex: number): boolean {
  const { owner, index } = cache.frames;
  return owner[frame] === file.id && index[frame] >= startIndex && index[frame] < endIndex;
}

/** One dirty page of reclaim's choice: free when it is written. 0 or -ERRNO. */
export function writePage(cache: PageCache, file: FilePages, frame: Pfn): number {
  return file.backing === null ? 0 : writeRun(cache, file, [frame], 'free');
}

/**
 * Writes dirty pages of a backed file that lie in a row. Before the bytes are read, every mapping loses WRITE and DIRTY
 * (folio_clear_dirty_for_io, folio_mkclean), so a store that comes later makes the page dirty again. 0 or the first -ERRNO; after an
 * error a page counts as clean, as in Linux: the error is what fsync reports.
 */
function writeRun(cache: PageCache, file: FilePages, run: readonly Pfn[], purpose: 'keep' | 'free'): number {
  const { allocator, frames, io } = cache;
  const backing = file.backing as PageBacking;
  let first = 0;
  for (const frame of run) allocator.getFrame(frame);
  const firstIndex = frames.index[run[0]];
  const refused = io.refusal('write', 'file');
  for (const frame of run) {
    makeClean(cache.rmap, frame);
    cache.clearDirty(frame);
  }
  let written: readonly Pfn[] = [];
  if (refused < 0) first = noteErrors(file, run.length, refused);
  else if (storeRun(cache, backing, run)) written = run;
  else {
    // One bad page must not take its neighbours along.
    const stored: Pfn[] = [];
    for (const frame of run) {
      const result = storePage(cache, backing, frame);
      if (result < 0) {
        if (first === 0) first = result;
        file.noteWritebackError(result);
      } else if (result > 0) stored.push(frame);
    }
    written = stored;
  }
  if (allocator.events.enabled[EV_WRITEBACK_PAGES] !== 0)
    allocator.events.emit(EV_WRITEBACK_PAGES, file.id, firstIndex, run.length, purpose === 'free' ? 1 : 0);
  // What failed has taken its time with the others.
  if (written.length > 0) io.submit('write', backing, firstIndex, written, purpose);
  for (const frame of run) allocator.putFrame(frame);
  return first;
}

function noteErrors(file: FilePages, pages: number, error: number): number {
  for (let i = 0; i < pages; i++) file.noteWritebackError(error);
  return error;
}

/** Writes all of the run at once: false where that is not possible, or did not work. */
function storeRun(cache: PageCache, backing: PageBacking, run: readonly Pfn[]): boolean {
  const { ram, frames, allocator, vmstat } = cache;
  if (run.length === 1 || backing.writePages === undefined) return false;
  const index = frames.index[run[0]];
  const lengthBytes = Math.min(run.length * PAGE_SIZE, backing.sizeBytes - index * PAGE_SIZE);
  const tailBytes = lengthBytes - (run.length - 1) * PAGE_SIZE;
  if (tailBytes <= 0) return false;
  if (tailBytes < PAGE_SIZE) cache.zeroTail(run[run.length - 1], tailBytes); // C6
  if (backing.writePages(index, bytesInARow(ram, run).subarray(0, lengthBytes)) < 0) return false;
  allocator.stat.nr_written += run.length;
  vmstat.pgpgout += (run.length * PAGE_SIZE) / 1024;
  return true;
}

/** The bytes of the frames one after the other: where they lie so in RAM, these themselves. */
function bytesInARow(ram: Ram, run: readonly Pfn[]): Uint8Array {
  for (let from = 0; from < run.length; ) {
    let end = from + 1;
    while (end < run.length && run[end] === run[end - 1] + 1) end++;
    const at = ram.offsetOf(run[from]);
    const bytes = ram.u8.subarray(at, at + (end - from) * PAGE_SIZE);
    if (bytes.length === run.length * PAGE_SIZE) return bytes;
    scratch.set(bytes, from * PAGE_SIZE);
    from = end;
  }
  return scratch;
}

/** 1; 0 where the file ends before the page; or -ERRNO. */
function storePage(cache: PageCache, backing: PageBacking, frame: Pfn): number {
  const index = cache.frames.index[frame];
  const lengthBytes = Math.min(PAGE_SIZE, backing.sizeBytes - index * PAGE_SIZE);
  if (lengthBytes <= 0) return 0;
  // C6: a mapping may have stored past the end; that never reaches the file.
  if (lengthBytes < PAGE_SIZE) cache.zeroTail(frame, lengthBytes);
  const result = backing.writePage(index, cache.ram.bytesOf(frame), lengthBytes);
  cache.allocator.stat.nr_written++;
  cache.vmstat.pgpgout += PAGE_SIZE / 1024;
  return result < 0 ? result : 1;
}
