import { PAGE_SIZE, type Pfn, pagesOf } from '../../machine/units.ts';
import { dropSwapped } from '../shmem/shmem-swap.ts';
import type { FilePages } from './file-pages.ts';
import type { PageCache } from './page-cache.ts';

/**
 * Drops everything past `sizeBytes` from the cache and from all page tables (Linux: truncate_pagecache, mm/truncate.c): first
 * the mappings, private copies too, then the pages, then the rest of the last page is zeroed. The size is set already.
 * Of shmem that page is dirty from now on (shmem_undo_range).
 */
export function truncatePages(cache: PageCache, file: FilePages, sizeBytes: number): void {
  const firstGone = pagesOf(sizeBytes);
  cache.rmap.unmapFileRange(file, firstGone, Number.MAX_SAFE_INTEGER, 'even_cows');
  dropRange(cache, file, firstGone, Number.MAX_SAFE_INTEGER);
  if (file.kind === 'shmem') zeroPart(cache, file, sizeBytes, firstGone * PAGE_SIZE);
  else cache.zeroPastEnd(file, sizeBytes);
  if (file.readAheadStart + file.readAheadPages > firstGone) {
    file.readAheadStart = firstGone;
    file.readAheadPages = 0;
    file.readAheadAsync = 0;
  }
}

/**
 * A hole in [startBytes, endBytes) (fallocate FALLOC_FL_PUNCH_HOLE, madvise MADV_REMOVE; truncate_pagecache_range): whole pages
 * are dropped from cache and mappings, the rests of the pages at both ends are zeroed and dirty. Private copies stay.
 */
export function punchHole(cache: PageCache, file: FilePages, startBytes: number, endBytes: number): void {
  const first = pagesOf(startBytes);
  const end = Math.floor(endBytes / PAGE_SIZE);
  // Its bounds become 0 and -1 there, the latter taken for a large number; and no pages to unmap mean all of them (6.18).
  if (first === 0 && end === 0) cache.rmap.unmapFileRange(file, 0, Number.MAX_SAFE_INTEGER, 'pagecache');
  if (first < end) {
    cache.rmap.unmapFileRange(file, first, end, 'pagecache');
    dropRange(cache, file, first, end);
  }
  if (Math.floor(startBytes / PAGE_SIZE) === Math.floor(endBytes / PAGE_SIZE)) {
    zeroPart(cache, file, startBytes, endBytes);
    return;
  }
  zeroPart(cache, file, startBytes, first * PAGE_SIZE);
  zeroPart(cache, file, end * PAGE_SIZE, endBytes);
}

function dropRange(cache: PageCache, file: FilePages, first: number, end: number): void {
  for (
    let index = file.pages.next(first, 'any');
    index >= 0 && index < end;
    index = file.pages.next(index + 1, 'any')
  ) {
    const frame = file.pages.find(index) as Pfn;
    cache.io.settle(frame);
    // Reclaim may have waited for the same request, and have the page.
    if (file.pages.find(index) !== frame) continue;
    // A page can be mapped outside of i_mmap's reach only by our bug; dropPage asserts that it is not.
    cache.dropPage(frame);
  }
  file.pages.dropShadows(first, end);
  if (file.swapped.size > 0) dropSwapped(cache, file, first, end);
}

/** Zeroes [startBytes, endBytes), which lies in one page, if that page is cached. */
function zeroPart(cache: PageCache, file: FilePages, startBytes: number, endBytes: number): void {
  if (startBytes >= endBytes) return;
  const frame = cache.findInMemory(file, Math.floor(startBytes / PAGE_SIZE));
  if (frame < 0) return;
  cache.ram.beforeWrite(frame as Pfn);
  const base = cache.ram.offsetOf(frame as Pfn) + (startBytes % PAGE_SIZE);
  cache.ram.u8.fill(0, base, base + (endBytes - startBytes));
  cache.markDirty(frame as Pfn);
}
