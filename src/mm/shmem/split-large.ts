import { EV_THP_SPLIT_PAGE, EV_THP_SPLIT_PAGE_FAILED } from '../../base/event-kinds.ts';
import type { Pfn } from '../../machine/units.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import type { PageCache } from '../page-cache/page-cache.ts';
import { splitUnmapped } from '../phys/compound.ts';
import { PG_head } from '../phys/page-flags.ts';
import { tryToUnmap } from '../rmap/unmap.ts';

/** A part of a page that is split: its first frame and its order. */
export type Piece = readonly [first: Pfn, order: number];

/**
 * A large page of the page cache becomes smaller ones, which nobody maps then (Linux 6.18: __folio_split, mm/huge_memory.c). `at`: the
 * frame that is to be a page of its own, the rest stays in pieces as large as they can be (folio_split); null: all are small
 * (split_folio). What lies past the end of the file is dropped. False if somebody holds it beside the cache and its entries.
 */
export function splitCached(cache: PageCache, head: Pfn, at: Pfn | null): boolean {
  const { frames, rmap, allocator, vmstat, shmemHuge } = cache;
  const { lru, stat, events } = allocator;
  const order = frames.order[head];
  const isHuge = order === shmemHuge.pmdOrder;
  if (frames.refcount[head] !== 1 + frames.largeMapcount[head]) {
    if (isHuge) {
      vmstat.thp_split_page_failed++;
      if (events.enabled[EV_THP_SPLIT_PAGE_FAILED] !== 0) events.emit(EV_THP_SPLIT_PAGE_FAILED, head);
    }
    return false;
  }
  tryToUnmap(rmap, head);
  const file = cache.fileById(frames.owner[head]) as FilePages;
  const index = frames.index[head];
  const owner = frames.owner[head];
  const locks = frames.mlockCount[head];
  lru.remove(head);
  const flags = frames.flags[head] & ~PG_head;
  const pieces = at === null ? smallPieces(head, order) : piecesAround(head, order, at);
  splitUnmapped(allocator, head, pieces);
  if (isHuge) {
    stat.nr_shmem_thps -= 2 ** order;
    vmstat.thp_split_page++;
    if (events.enabled[EV_THP_SPLIT_PAGE] !== 0) events.emit(EV_THP_SPLIT_PAGE, head, 2 ** order);
  }
  const end = file.endPage;
  for (const [first] of pieces) {
    frames.flags[first] |= flags;
    frames.owner[first] = owner;
    frames.index[first] = index + (first - head);
    frames.mlockCount[first] = locks;
    lru.add(first);
    if (frames.index[first] >= end) cache.dropPage(first);
  }
  return true;
}

function smallPieces(head: Pfn, order: number): Piece[] {
  return Array.from({ length: 2 ** order }, (_, i): Piece => [(head + i) as Pfn, 0]);
}

/** Halves, and halves of the half that has `at`, in the order of their frames. */
export function piecesAround(head: Pfn, order: number, at: Pfn): Piece[] {
  const before: Piece[] = [];
  const after: Piece[] = [];
  let first: number = head;
  for (let half = order - 1; half >= 0; half--) {
    const middle = first + 2 ** half;
    if (at < middle) after.unshift([middle as Pfn, half]);
    else {
      before.push([first as Pfn, half]);
      first = middle;
    }
  }
  return [...before, [first as Pfn, 0], ...after];
}
