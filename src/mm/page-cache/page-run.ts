import { PAGE_SIZE } from '../../machine/units.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { PG_head, PG_locked, PG_readahead, PG_tail, PG_uptodate } from '../phys/page-flags.ts';
import type { FilePages } from './file-pages.ts';
import type { PageCache } from './page-cache.ts';
import { SLOTS } from './page-index.ts';

const PLAIN = PG_head | PG_tail | PG_locked | PG_readahead | PG_uptodate;

/**
 * How many of the file's pages [index, index + most) are in the cache with nothing to wait for or to begin, each of one frame, in frames
 * in a row (filemap_get_folios_contig): what would be moved page by page can be moved at once. For a store none has code. 0: the first
 * is not so.
 */
export function findPlainRun(
  cache: PageCache,
  file: FilePages,
  index: number,
  most: number,
  access: 'load' | 'store',
): number {
  const around = file.pages.framesAround(index);
  if (around === null) return 0;
  const { flags } = cache.frames;
  const first = index & (SLOTS - 1);
  const end = Math.min(SLOTS, first + most);
  const frame = around[first];
  if (frame === NO_FRAME) return 0;
  let slot = first;
  while (slot < end && around[slot] === frame + (slot - first) && (flags[around[slot]] & PLAIN) === PG_uptodate) slot++;
  if (access === 'load') return slot - first;
  const { holdsCode } = cache.ram;
  let pages = 0;
  while (pages < slot - first && holdsCode[frame + pages] === 0) pages++;
  return pages;
}

/** Of `moved` bytes from `offset` in a page on: those up to the end of a page, or all where all are that were `wanted`. */
export function wholePages(moved: number, offset: number, wanted: number): number {
  return moved === wanted ? moved : Math.max(0, moved - ((offset + moved) % PAGE_SIZE));
}
