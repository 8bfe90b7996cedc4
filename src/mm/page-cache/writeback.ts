import { COST_HOST_PAGE_NS, COST_HOST_REQUEST_NS } from '../../machine/cost-model.ts';
import { PAGE_SIZE, type Pfn } from '../../machine/units.ts';
import type { FilePages } from './file-pages.ts';
import type { PageCache } from './page-cache.ts';

/**
 * Writes the dirty pages of [startIndex, endIndex) to the backing (Linux: write_cache_pages). Goes from dirty mark to dirty
 * mark: clean pages cost nothing. Goes on after an error; 0, or the first error, which is also kept for fsync.
 */
export function writebackPages(cache: PageCache, file: FilePages, startIndex: number, endIndex: number): number {
  if (file.backing === null) return 0;
  let first = 0;
  let index = file.pages.next(startIndex, 'dirty');
  while (index >= 0 && index < endIndex) {
    const result = writePage(cache, file, file.pages.find(index) as Pfn);
    if (result < 0 && first === 0) first = result;
    index = file.pages.next(index + 1, 'dirty');
  }
  return first;
}

/**
 * Writes one dirty page of a backed file. Before the bytes are read, every mapping loses WRITE and DIRTY
 * (folio_clear_dirty_for_io, folio_mkclean), so a store that comes later makes the page dirty again. 0 or -ERRNO; after an
 * error the page counts as clean, as in Linux: the error is what fsync reports.
 */
export function writePage(cache: PageCache, file: FilePages, frame: Pfn): number {
  const { backing } = file;
  if (backing === null) return 0;
  const { frames, allocator, ram, clock } = cache;
  allocator.getFrame(frame);
  cache.rmap.makeClean(frame);
  cache.clearDirty(frame);
  const position = frames.index[frame] * PAGE_SIZE;
  const lengthBytes = Math.min(PAGE_SIZE, backing.sizeBytes - position);
  let result = 0;
  if (lengthBytes > 0) {
    // C6: a mapping may have stored past the end; that never reaches the file.
    if (lengthBytes < PAGE_SIZE) cache.zeroTail(frame, lengthBytes);
    clock.charge(COST_HOST_REQUEST_NS + COST_HOST_PAGE_NS);
    result = Math.min(0, backing.writePage(frames.index[frame], ram.bytesOf(frame), lengthBytes));
    allocator.stat.nr_written++;
    cache.vmstat.pgpgout += PAGE_SIZE / 1024;
    if (result < 0 && file.writebackError === 0) file.writebackError = result;
  }
  allocator.putFrame(frame);
  return result;
}
