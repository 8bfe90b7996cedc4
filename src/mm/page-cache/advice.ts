import type { Pfn } from '../../machine/units.ts';
import { PG_dirty, PG_writeback } from '../phys/page-flags.ts';
import { dropForced } from '../reclaim/forced.ts';
import type { FilePages } from './file-pages.ts';
import type { PageCache } from './page-cache.ts';
import { readHoles } from './readahead.ts';

/** What readahead(2) reads at once at most: the largest request of a Linux disk, 1280 KiB (BLK_DEF_MAX_SECTORS_CAP, bdi->io_pages). */
const LARGEST_REQUEST_PAGES = 320;

/** force_page_cache_ra: pages [first, end) of the file that are missing are read. */
export function readAheadRange(cache: PageCache, file: FilePages, first: number, end: number): void {
  if (file.backing === null) return;
  readHoles(cache, file, first, Math.min(end, first + LARGEST_REQUEST_PAGES));
}

/**
 * POSIX_FADV_DONTNEED (generic_fadvise, 6.18): dirty pages of [firstByte, endByte) are written, then those that lie whole in it,
 * up to the end of the file, leave the cache, unless they are mapped or in use.
 */
export function dropRange(
  cache: PageCache,
  file: FilePages,
  firstByte: number,
  endByte: number,
  pageBytes: number,
): void {
  if (file.backing === null) return;
  cache.writeback(file, Math.floor(firstByte / pageBytes), Math.ceil(endByte / pageBytes));
  const first = Math.ceil(firstByte / pageBytes);
  const end = endByte >= file.sizeBytes ? Math.ceil(endByte / pageBytes) : Math.floor(endByte / pageBytes);
  for (let index = file.pages.next(first, 'any'); index >= 0 && index < end; ) {
    const frame = file.pages.find(index) as Pfn;
    if (cache.isDroppable(frame)) dropForced(cache, frame, 'fadvise');
    index = file.pages.next(index + 1, 'any');
  }
}

export interface CacheStat {
  cached: number;
  dirty: number;
  writeback: number;
}

/** filemap_cachestat of pages [first, end). Dirty pages of shmem are not counted as such: nothing would write them. */
export function cacheStat(cache: PageCache, file: FilePages, first: number, end: number): CacheStat {
  const stat = { cached: 0, dirty: 0, writeback: 0 };
  for (
    let index = file.pages.next(first, 'any');
    index >= 0 && index < end;
    index = file.pages.next(index + 1, 'any')
  ) {
    const flags = cache.frames.flags[file.pages.find(index)];
    stat.cached++;
    if (file.backing !== null && (flags & PG_dirty) !== 0) stat.dirty++;
    if ((flags & PG_writeback) !== 0) stat.writeback++;
  }
  return stat;
}
