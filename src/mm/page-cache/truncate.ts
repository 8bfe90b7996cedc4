import { PAGE_SIZE, type Pfn, pagesOf } from '../../machine/units.ts';
import { PG_pagecache } from '../phys/page-flags.ts';
import { unmapFileRange } from '../rmap/unmap.ts';
import { dropSwapped } from '../shmem/shmem-swap.ts';
import { splitCached } from '../shmem/split-large.ts';
import type { FilePages } from './file-pages.ts';
import type { PageCache } from './page-cache.ts';

/**
 * Drops everything past `sizeBytes` from the cache and from all page tables (Linux: truncate_pagecache, mm/truncate.c): first
 * the mappings, private copies too, then the pages, then the rest of the last page is zeroed. The size is set already.
 * Of shmem that page is dirty from now on (shmem_undo_range).
 */
export function truncatePages(cache: PageCache, file: FilePages, sizeBytes: number): void {
  const firstGone = pagesOf(sizeBytes);
  file.fallocEnd = Math.min(file.fallocEnd, firstGone);
  unmapFileRange(cache.rmap, file, firstGone, Number.MAX_SAFE_INTEGER, 'even_cows');
  dropRange(cache, file, firstGone, Number.MAX_SAFE_INTEGER);
  if (file.kind === 'shmem')
    cutPart(cache, file, Math.floor(sizeBytes / PAGE_SIZE), sizeBytes, Number.MAX_SAFE_INTEGER);
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
  if (file.fallocEnd > first && file.fallocEnd <= end) file.fallocEnd = first;
  // Its bounds become 0 and -1 there, the latter taken for a large number; and no pages to unmap mean all of them (6.18).
  if (first === 0 && end === 0) unmapFileRange(cache.rmap, file, 0, Number.MAX_SAFE_INTEGER, 'pagecache');
  if (first < end) {
    unmapFileRange(cache.rmap, file, first, end, 'pagecache');
    dropRange(cache, file, first, end);
  }
  const cutTo = cutPart(cache, file, Math.floor(startBytes / PAGE_SIZE), startBytes, endBytes);
  if (cutTo < endBytes) cutPart(cache, file, end, startBytes, endBytes);
  // A large page that went to pieces at one of the ends has left some in between (whole_folios).
  if (file.kind === 'shmem' && first < end) dropRange(cache, file, first, end);
}

/**
 * The page at `index`, which may lie in [startBytes, endBytes) in part alone: the part is zeroed, and what of a large page lies there
 * as a whole goes, if nobody holds it (truncate_inode_partial_folio, 6.18). Where the part ends.
 */
function cutPart(cache: PageCache, file: FilePages, index: number, startBytes: number, endBytes: number): number {
  const { frames } = cache;
  const found = file.pages.find(index);
  const isLarge = found >= 0 && frames.isLarge(found as Pfn);
  if (!isLarge) {
    const to = Math.min(endBytes, (index + 1) * PAGE_SIZE);
    zeroPart(cache, file, Math.max(startBytes, index * PAGE_SIZE), to);
    return to;
  }
  const head = frames.headOf(found as Pfn);
  const count = frames.pagesOf(head);
  const firstIndex = frames.index[head];
  const from = Math.max(startBytes, firstIndex * PAGE_SIZE);
  const to = Math.min(endBytes, (firstIndex + count) * PAGE_SIZE);
  if (from >= to) return to;
  for (let at = from; at < to; at = (Math.floor(at / PAGE_SIZE) + 1) * PAGE_SIZE)
    zeroPart(cache, file, at, Math.min(to, (Math.floor(at / PAGE_SIZE) + 1) * PAGE_SIZE));
  const frameAt = (bytes: number): Pfn => (head + (Math.floor(bytes / PAGE_SIZE) - firstIndex)) as Pfn;
  if (!splitCached(cache, head, frameAt(from)) || to === (firstIndex + count) * PAGE_SIZE) return to;
  const last = frameAt(to);
  if (frames.isLarge(last) && frames.has(frames.headOf(last), PG_pagecache))
    splitCached(cache, frames.headOf(last), last);
  return to;
}

function dropRange(cache: PageCache, file: FilePages, first: number, end: number): void {
  for (
    let index = file.pages.next(first, 'any');
    index >= 0 && index < end;
    index = file.pages.next(index + 1, 'any')
  ) {
    const frame = file.pages.find(index) as Pfn;
    const head = cache.frames.headOf(frame);
    cache.io.settle(head);
    // Reclaim may have waited for the same request, and have the page.
    if (file.pages.find(index) !== frame) continue;
    const firstIndex = cache.frames.index[head];
    const behind = firstIndex + cache.frames.pagesOf(head);
    index = behind - 1;
    // Of a large page that begins before or ends behind, the part is zeroed or cut off (cutPart).
    if (firstIndex < first || behind > end) continue;
    // A page can be mapped outside of i_mmap's reach only by our bug; dropPage asserts that it is not.
    cache.dropPage(head);
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
