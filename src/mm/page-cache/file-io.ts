import { EFAULT } from '../../abi/errno.ts';
import { type IoSink, type IoSource, putRange, takePresentRange } from '../../base/io.ts';
import { PAGE_SIZE, type Pfn } from '../../machine/units.ts';
import { PAGE_LOCKED } from '../block/request.ts';
import { hasRoomForDirty } from './dirty-limits.ts';
import type { FilePages } from './file-pages.ts';
import type { PageCache } from './page-cache.ts';
import { findPlainRun, wholePages } from './page-run.ts';
import type { ReadAhead } from './readahead.ts';

const ZEROES = new Uint8Array(PAGE_SIZE);
/** Bytes on their way into a page that is to be overwritten whole; no state. */
const scratch = new Uint8Array(PAGE_SIZE);

/**
 * read(2) of a file (Linux: filemap_read; shmem_file_read_iter, where a hole reads as zeroes and stays a hole, and only a read of
 * a page's beginning is a use of it). Bytes moved, short at the end of file, on a bad address or where a sink leaves a page that is
 * being read (`isAtLockedPage`: cache.lockedBy is what to sleep on); 0 at the end; -EFAULT, -EIO, -ENOMEM if nothing moved.
 */
export function readInto(
  cache: PageCache,
  file: FilePages,
  positionBytes: number,
  sink: IoSink,
  readAhead: ReadAhead = 'sequential',
): number {
  const { ram, allocator } = cache;
  let done = 0;
  while (sink.remaining > 0) {
    const position = positionBytes + done;
    const left = file.sizeBytes - position;
    if (left <= 0) break;
    const run = readRun(cache, file, position, Math.min(left, sink.remaining), sink);
    if (run > 0) {
      done += run;
      continue;
    }
    const index = Math.floor(position / PAGE_SIZE);
    const offset = position % PAGE_SIZE;
    const want = Math.min(PAGE_SIZE - offset, left, sink.remaining);
    let moved: number;
    if (file.backing === null && !cache.hasData(file, index)) {
      moved = sink.put(ZEROES.subarray(0, want));
    } else {
      const frame = cache.ensurePage(file, index, readAhead, sink.atLockedPage ?? 'wait');
      if (frame === PAGE_LOCKED) {
        sink.isAtLockedPage = true;
        return done;
      }
      if (frame < 0) return done > 0 ? done : frame;
      if (file.backing !== null || offset === 0) cache.markAccessed(frame as Pfn);
      cache.uses?.used(cache.frames.headOf(frame as Pfn));
      const base = ram.offsetOf(frame as Pfn) + offset;
      moved = putRange(sink, ram.u8, base, base + want);
      allocator.putFrame(frame as Pfn);
    }
    done += moved;
    if (moved < want) break;
  }
  return done === 0 && sink.faulted ? -EFAULT : done;
}

/**
 * Pages in a row, to memory that is there: nothing stops it half way, so all are moved at once. Bytes moved, up to the end of a page or
 * `most`; 0: page by page, then.
 */
function readRun(cache: PageCache, file: FilePages, position: number, most: number, sink: IoSink): number {
  if (sink.copyPresent === undefined || cache.uses !== null) return 0;
  const index = Math.floor(position / PAGE_SIZE);
  const offset = position % PAGE_SIZE;
  const pages = findPlainRun(cache, file, index, Math.ceil((offset + most) / PAGE_SIZE), 'load');
  if (pages === 0) return 0;
  const frame = file.findPage(index) as Pfn;
  const wanted = Math.min(pages * PAGE_SIZE - offset, most);
  const moved = wholePages(sink.copyPresent(cache.ram.offsetOf(frame) + offset, wanted), offset, wanted);
  if (moved === 0) return 0;
  sink.advance!(moved);
  const end = frame + Math.ceil((offset + moved) / PAGE_SIZE);
  for (let used = file.backing !== null || offset === 0 ? frame : frame + 1; used < end; used++)
    cache.markAccessed(used as Pfn);
  return moved;
}

/** How often a page of the source may be reclaimed between its fault and the copy. */
const MAX_TRIES = 3;

/**
 * write(2) to a file (Linux 6.18: generic_perform_write): fills pages of the cache, marks them dirty and raises the size page by
 * page. Each is there before its bytes are copied, and what of the source is not there is faulted in after: the source may be a
 * mapping of the file, and what lies around it is mapped with it. Bytes moved, short on a bad address; -EFAULT, -EIO, -ENOMEM if
 * nothing moved. Limits (RLIMIT_FSIZE, s_maxbytes), times and O_APPEND are the file system's.
 */
export function writeFrom(cache: PageCache, file: FilePages, positionBytes: number, source: IoSource): number {
  if (positionBytes > file.sizeBytes && source.remaining > 0) cache.zeroPastEnd(file, file.sizeBytes);
  const write = file.backing === null ? writeShmemPage : writeBackedPage;
  let done = 0;
  let tries = 0;
  while (source.remaining > 0) {
    const position = positionBytes + done;
    const run = rewriteRun(cache, file, position, source);
    if (run > 0) {
      done += run;
      tries = 0;
      continue;
    }
    const want = Math.min(PAGE_SIZE - (position % PAGE_SIZE), source.remaining);
    const moved = write(cache, file, position, want, source);
    if (moved < 0) return done > 0 ? done : moved;
    done += moved;
    tries = moved > 0 ? 0 : tries + 1;
    if (moved === 0 && (tries > MAX_TRIES || !source.faultIn(want))) return done > 0 ? done : -EFAULT;
  }
  return done;
}

/** As readRun: pages that the cache has, from memory that is there, and no writer has to wait. */
function rewriteRun(cache: PageCache, file: FilePages, position: number, source: IoSource): number {
  if (source.fillPresent === undefined || cache.uses !== null) return 0;
  const index = Math.floor(position / PAGE_SIZE);
  const offset = position % PAGE_SIZE;
  const most = source.remaining;
  const pages = findPlainRun(cache, file, index, Math.ceil((offset + most) / PAGE_SIZE), 'store');
  if (pages === 0 || (file.backing !== null && !hasRoomForDirty(cache.allocator, cache.dirty, pages))) return 0;
  const frame = file.findPage(index) as Pfn;
  const wanted = Math.min(pages * PAGE_SIZE - offset, most);
  const moved = wholePages(source.fillPresent(cache.ram.offsetOf(frame) + offset, wanted), offset, wanted);
  if (moved === 0) return 0;
  source.advance!(moved);
  const end = frame + Math.ceil((offset + moved) / PAGE_SIZE);
  for (let stored = frame; stored < end; stored++) finishStore(cache, stored as Pfn);
  if (position + moved > file.sizeBytes) file.sizeBytes = position + moved;
  return moved;
}

/**
 * shmem_write_begin and shmem_write_end: the page stays, dirty and used, and the size grows to where the copy ended, also where not
 * a byte of the source is there. Bytes moved or -ERRNO.
 */
function writeShmemPage(cache: PageCache, file: FilePages, position: number, want: number, source: IoSource): number {
  const { ram } = cache;
  const index = Math.floor(position / PAGE_SIZE);
  if (!file.has(index)) cache.largePages?.addForWrite(file, index, writeEnd(cache, position, source.remaining));
  const frame = cache.ensurePage(file, index, 'none');
  if (frame < 0) return frame;
  ram.beforeWrite(frame as Pfn);
  const base = ram.offsetOf(frame as Pfn) + (position % PAGE_SIZE);
  const moved = takePresentRange(source, ram.u8, base, base + want);
  finishStore(cache, frame as Pfn);
  cache.allocator.putFrame(frame as Pfn);
  if (position + moved > file.sizeBytes) file.sizeBytes = position + moved;
  return moved;
}

/** Where the piece ends that Linux would write at once: at most a page of the largest kind (mapping_max_folio_size). */
function writeEnd({ shmemHuge }: PageCache, position: number, remaining: number): number {
  const chunk = PAGE_SIZE * 2 ** Math.max(0, shmemHuge.pmdOrder);
  return position + Math.min(chunk - (position % chunk), remaining);
}

/** Of a file system with a store: where nothing moves, nothing has changed. Bytes moved or -ERRNO. */
function writeBackedPage(cache: PageCache, file: FilePages, position: number, want: number, source: IoSource): number {
  const { ram, allocator } = cache;
  const index = Math.floor(position / PAGE_SIZE);
  const offset = position % PAGE_SIZE;
  const isHole = !file.has(index);
  const hasOld = index * PAGE_SIZE < file.sizeBytes;
  const overwritesAll = offset === 0 && (want === PAGE_SIZE || position + want >= file.sizeBytes);
  let moved: number;
  if (isHole && hasOld && overwritesAll) {
    // The old contents need not be read, unless the source ends half way: so the bytes are taken before the page is made.
    moved = source.takePresent(scratch.subarray(0, want));
    if (moved === 0) return 0;
    const result = storePage(cache, file, index, scratch.subarray(0, moved), moved === want ? 'new' : 'read');
    if (result < 0) return result;
  } else {
    const fresh = isHole && !hasOld;
    const frame = fresh ? cache.addZeroedPage(file, index) : cache.ensurePage(file, index, 'none');
    if (frame < 0) return frame;
    ram.beforeWrite(frame as Pfn);
    const base = ram.offsetOf(frame as Pfn) + offset;
    moved = takePresentRange(source, ram.u8, base, base + want);
    if (moved > 0) finishStore(cache, frame as Pfn);
    else if (fresh) cache.dropPage(frame as Pfn); // nobody wrote: still a hole
    allocator.putFrame(frame as Pfn);
  }
  if (moved > 0) {
    if (position + moved > file.sizeBytes) file.sizeBytes = position + moved;
    cache.balanceDirty();
  }
  return moved;
}

/** Puts `bytes` at the start of a page that was a hole, over zeroes ('new') or over the old contents ('read'). 0 or -ERRNO. */
function storePage(cache: PageCache, file: FilePages, index: number, bytes: Uint8Array, over: 'new' | 'read'): number {
  const isHole = !file.has(index);
  const frame = over === 'new' && isHole ? cache.addZeroedPage(file, index) : cache.ensurePage(file, index, 'none');
  if (frame < 0) return frame;
  cache.ram.writeFrame(frame as Pfn, 0, bytes);
  finishStore(cache, frame as Pfn);
  cache.allocator.putFrame(frame as Pfn);
  return 0;
}

function finishStore(cache: PageCache, frame: Pfn): void {
  cache.markDirty(frame);
  cache.markAccessed(frame);
  cache.uses?.used(cache.frames.headOf(frame));
}
