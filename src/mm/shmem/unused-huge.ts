import { PAGE_SIZE, type Pfn } from '../../machine/units.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import type { PageCache } from '../page-cache/page-cache.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { splitCached } from './split-large.ts';

/**
 * A large page that lies across the end of a file of shmem is split, which frees what lies behind the end (Linux 6.18:
 * shmem_unused_huge_shrink, mm/shmem.c). Frames that were freed.
 */
export function splitAtEnd(cache: PageCache, file: FilePages): number {
  if (file.kind !== 'shmem') return 0;
  const { frames } = cache;
  const end = file.endPage;
  const found = file.pages.find(Math.floor(file.sizeBytes / PAGE_SIZE));
  if (found === NO_FRAME || !frames.isLarge(found as Pfn)) return 0;
  const head = frames.headOf(found as Pfn);
  const next = frames.index[head] + frames.pagesOf(head);
  if (end <= frames.index[head] || end >= next) return 0;
  return splitCached(cache, head, null) ? next - end : 0;
}

/** Of all files, for want of memory. */
export function shrinkUnusedHuge(cache: PageCache): number {
  if (cache.allocator.stat.nr_shmem_thps === 0) return 0;
  return cache.files.reduce((sum, file) => (file === null ? sum : sum + splitAtEnd(cache, file)), 0);
}
