import type { FilePages } from '../page-cache/file-pages.ts';
import type { PageCache } from '../page-cache/page-cache.ts';
import { punchHole } from '../page-cache/truncate.ts';

/**
 * Memory that behaves like a file without a disk (Linux: mm/shmem.c): tmpfs files, MAP_SHARED|MAP_ANONYMOUS, memfd, SysV
 * segments. Its pages are the storage: made on first touch, zeroed, not dropped while the object lives but to swap or still clean.
 *
 * The owner counts references (an inode, a shared mapping) and calls `destroy` when the last goes.
 */
export class ShmemObject {
  readonly pages: FilePages;
  private readonly cache: PageCache;

  constructor(cache: PageCache, sizeBytes: number) {
    this.cache = cache;
    this.pages = cache.createFile(null);
    this.pages.sizeBytes = sizeBytes;
  }

  get sizeBytes(): number {
    return this.pages.sizeBytes;
  }

  /** Pages that exist: st_blocks is this times 8. */
  get allocatedPages(): number {
    return this.pages.pageCount;
  }

  /** ftruncate: beyond the new end everything is unmapped and freed. */
  truncate(sizeBytes: number): void {
    this.cache.truncate(this.pages, sizeBytes);
  }

  /** Frees the whole pages in the byte range and zeroes the rest of it (FALLOC_FL_PUNCH_HOLE, MADV_REMOVE). */
  punchHole(startBytes: number, endBytes: number): void {
    punchHole(this.cache, this.pages, startBytes, endBytes);
  }

  /** Frees all pages. No VMA maps the object any more. */
  destroy(): void {
    this.cache.evict(this.pages);
  }
}
