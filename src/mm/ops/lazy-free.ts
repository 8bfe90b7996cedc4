import { EV_LAZYFREE } from '../../base/event-kinds.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import { MM_SWAPENTS } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import {
  PG_active,
  PG_anon,
  PG_dirty,
  PG_lru,
  PG_referenced,
  PG_swapbacked,
  PG_swapcache,
  PG_unevictable,
} from '../phys/page-flags.ts';
import { isMappedShared } from '../rmap/rmap-walk.ts';
import { splitForAdvice } from '../thp/split-page.ts';
import type { Vma } from '../vma.ts';
import { zapSwap } from '../zap.ts';

/**
 * MADV_FREE of [start, end) of an anonymous VMA (Linux 6.18: madvise_free_pte_range, folio_mark_lazyfree). The pages lose
 * DIRTY and PG_swapbacked, and so are files' pages to reclaim, which may drop them as long as no store has made them dirty. What
 * is in swap goes at once.
 */
export function freeLazily(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): void {
  const { pageTables, format, frames } = mm;
  const state = format.ACCESSED | format.DIRTY;
  splitForAdvice(mm, vma, start, end);
  let swapped = 0;
  let page = start;
  while (pageTables.seek(vma.space, page, end)) {
    const at = pageTables.foundVpn;
    const slot = pageTables.foundSlot;
    page = (at + pageTables.spanOf(pageTables.foundLevel)) as Vpn;
    if (pageTables.foundLevel > 0) {
      if (at >= start && page <= end) freeHugeLeaf(mm, at, slot);
      continue;
    }
    const entry = pageTables.read(slot);
    if (pageTables.isSwap(entry)) {
      swapped += zapSwap(mm, vma, slot);
      continue;
    }
    if (!pageTables.isMapped(entry)) continue;
    const frame = pageTables.frameOf(entry);
    if (frame === mm.zeroPage || frames.isLarge(frame)) continue;
    if ((frames.flags[frame] & (PG_dirty | PG_swapcache)) !== 0) {
      if (frames.mapcount[frame] !== 1) continue;
      if ((frames.flags[frame] & PG_swapcache) !== 0 && !mm.swap.tryToFreeSwap(frame)) continue;
      frames.clear(frame, PG_dirty);
    }
    if ((entry & state) !== 0) {
      pageTables.set(slot, (entry & ~state) >>> 0);
      mm.tlbBatch.add(at);
    }
    markLazyFree(mm, frame);
  }
  mm.tlbBatch.finish(vma.space);
  if (swapped > 0) mm.addRss(vma.space, MM_SWAPENTS, -swapped);
}

/** folio_mark_lazyfree. */
function markLazyFree(mm: MemoryManager, page: Pfn): void {
  const { flags } = mm.frames;
  const eligible = PG_anon | PG_swapbacked | PG_lru;
  if ((flags[page] & (eligible | PG_unevictable)) !== eligible) return;
  const pages = mm.frames.pagesOf(page);
  mm.alloc.lru.changeFlags(page, 0, PG_active | PG_referenced | PG_swapbacked);
  mm.vmstat.pglazyfree += pages;
  if (mm.events.enabled[EV_LAZYFREE] !== 0) mm.events.emit(EV_LAZYFREE, page, pages);
  mm.memcgs.payerOf(page).counters.pglazyfree += pages;
}

/** madvise_free_huge_pmd, of a leaf that lies in the range as a whole: not of a page that others map, too. */
function freeHugeLeaf(mm: MemoryManager, at: Vpn, slot: number): void {
  const { pageTables, format, frames } = mm;
  const entry = pageTables.read(slot);
  const head = pageTables.frameOf(entry);
  if (!pageTables.isMapped(entry) || head === mm.thp.zeroPage || isMappedShared(mm.rmap, head)) return;
  frames.clear(head, PG_dirty);
  pageTables.set(slot, (entry & ~(format.ACCESSED | format.DIRTY)) >>> 0);
  mm.tlbBatch.add(at);
  markLazyFree(mm, head);
}
