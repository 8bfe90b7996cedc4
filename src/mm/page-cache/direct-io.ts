import { EFAULT } from '../../abi/errno.ts';
import type { IoSink, IoSource } from '../../base/io.ts';
import { PAGE_SIZE, type Pfn } from '../../machine/units.ts';
import { unmapFileRange } from '../rmap/unmap.ts';
import { writeFrom } from './file-io.ts';
import type { FilePages, PageBacking } from './file-pages.ts';
import type { PageCache } from './page-cache.ts';

/** Pages of one request. */
const REQUEST_PAGES = 16;
/** Bytes between a program and the store; no state. */
const scratch = new Uint8Array(REQUEST_PAGES * PAGE_SIZE);

/**
 * read(2) with O_DIRECT (Linux: generic_file_read_iter, iomap_dio_rw): what the cache has and the store has not is written first; the
 * bytes come from the store and leave no page behind. Bytes moved, short at the end of file; -EFAULT or the store's error if none.
 */
export function readDirect(cache: PageCache, file: FilePages, positionBytes: number, sink: IoSink): number {
  const backing = file.backing as PageBacking;
  const endBytes = Math.min(file.sizeBytes, positionBytes + sink.remaining);
  const written = cache.writeback(file, Math.floor(positionBytes / PAGE_SIZE), Math.ceil(endBytes / PAGE_SIZE));
  if (written < 0) return written;
  let at = positionBytes;
  while (at < endBytes) {
    const index = Math.floor(at / PAGE_SIZE);
    const pages = Math.min(REQUEST_PAGES, Math.ceil(endBytes / PAGE_SIZE) - index);
    const result = cache.io.refusal('read', 'file') || readPages(backing, index, pages);
    cache.io.transfer('read', backing, index, pages);
    if (result < 0) return at > positionBytes ? at - positionBytes : result;
    cache.vmstat.pgpgin += (pages * PAGE_SIZE) / 1024;
    const want = Math.min(endBytes, (index + pages) * PAGE_SIZE) - at;
    const moved = sink.put(scratch.subarray(at - index * PAGE_SIZE, at - index * PAGE_SIZE + want));
    at += moved;
    if (moved < want) break;
  }
  return at === positionBytes && sink.faulted ? -EFAULT : at - positionBytes;
}

/** 0 or the store's error; what lies behind the end is zeroes. */
function readPages(backing: PageBacking, index: number, pages: number): number {
  for (let i = 0; i < pages; i++) {
    const into = scratch.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE);
    const given = backing.readPage(index + i, into);
    if (given < 0) return given;
    into.fill(0, given);
  }
  return 0;
}

/**
 * write(2) with O_DIRECT: past the cache, whose pages of the range go, mapped ones too, so that whoever looks next sees what the store has
 * (kiocb_invalidate_pages). Where one cannot go, for somebody holds it, the write is an ordinary one that is waited for. Bytes
 * moved; -EFAULT or the store's error if none. Raises the size.
 */
export function writeDirect(cache: PageCache, file: FilePages, positionBytes: number, source: IoSource): number {
  const backing = file.backing as PageBacking;
  const first = Math.floor(positionBytes / PAGE_SIZE);
  const end = Math.ceil((positionBytes + source.remaining) / PAGE_SIZE);
  if (positionBytes > file.sizeBytes) cache.zeroPastEnd(file, file.sizeBytes);
  const settled = cache.writeback(file, first, end);
  if (settled < 0) return settled;
  if (!invalidate(cache, file, first, end)) {
    const moved = writeFrom(cache, file, positionBytes, source);
    const written = cache.writeback(file, first, end);
    return written < 0 ? written : moved;
  }
  let at = positionBytes;
  while (source.remaining > 0) {
    const index = Math.floor(at / PAGE_SIZE);
    const offset = at % PAGE_SIZE;
    const want = Math.min(PAGE_SIZE - offset, source.remaining);
    const page = scratch.subarray(0, PAGE_SIZE);
    const old = offset > 0 || want < PAGE_SIZE ? readPages(backing, index, 1) : 0;
    const moved = old < 0 ? 0 : source.take(page.subarray(offset, offset + want));
    if (moved === 0) return at > positionBytes ? at - positionBytes : old < 0 ? old : -EFAULT;
    const lengthBytes = Math.min(PAGE_SIZE, Math.max(offset + moved, file.sizeBytes - index * PAGE_SIZE));
    if (at + moved > file.sizeBytes) file.sizeBytes = at + moved;
    const result = cache.io.refusal('write', 'file') || backing.writePage(index, page, lengthBytes);
    if (result < 0) return at > positionBytes ? at - positionBytes : result;
    cache.vmstat.pgpgout += PAGE_SIZE / 1024;
    at += moved;
    if (moved < want) break;
  }
  cache.io.transfer('write', backing, first, Math.ceil(at / PAGE_SIZE) - first);
  return at - positionBytes;
}

/** invalidate_inode_pages2_range: false if a page stays. */
function invalidate(cache: PageCache, file: FilePages, first: number, end: number): boolean {
  unmapFileRange(cache.rmap, file, first, end, 'pagecache');
  let areAllGone = true;
  for (
    let index = file.pages.next(first, 'any');
    index >= 0 && index < end;
    index = file.pages.next(index + 1, 'any')
  ) {
    cache.io.settle(file.pages.find(index) as Pfn);
    const frame = file.pages.find(index);
    if (frame < 0) continue;
    if (cache.isDroppable(frame as Pfn)) cache.dropPage(frame as Pfn);
    else areAllGone = false;
  }
  return areAllGone;
}
