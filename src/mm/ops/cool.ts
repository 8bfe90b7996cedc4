import { EV_LRU_DEACTIVATE, EV_THP_SWPOUT_FALLBACK } from '../../base/event-kinds.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { PG_active, PG_lru, PG_referenced, PG_unevictable } from '../phys/page-flags.ts';
import { tellForced, tellForcedGone } from '../reclaim/forced.ts';
import { isMappedShared } from '../rmap/rmap-walk.ts';
import { splitForAdvice, splitHugePage } from '../thp/split-page.ts';
import { VMA_ANON, type Vma } from '../vma.ts';

/**
 * MADV_COLD and MADV_PAGEOUT of [start, end) (Linux 6.18: madvise_cold_or_pageout_pte_range). Pages that this entry alone maps
 * look unused from now on; 'pageout' reclaims them at once as far as they can go, whether they were used or not.
 */
export function coolRange(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn, what: 'cold' | 'pageout'): void {
  const { pageTables, format, frames } = mm;
  const { lru } = mm.alloc;
  const victims: Pfn[] = [];
  splitForAdvice(mm, vma, start, end);
  mm.mlockBatch.drain();
  let page = start;
  while (pageTables.seek(vma.space, page, end)) {
    const at = pageTables.foundVpn;
    const slot = pageTables.foundSlot;
    page = (at + pageTables.spanOf(pageTables.foundLevel)) as Vpn;
    if (pageTables.foundLevel > 0) {
      if (what === 'pageout' && vma.kind !== VMA_ANON) takeFileLeaf(mm, slot, victims);
      else if (coolHugeLeaf(mm, slot, what) === 'split') page = at;
      else mm.tlbBatch.add(at);
      continue;
    }
    const entry = pageTables.read(slot);
    if (!pageTables.isMapped(entry)) continue;
    const frame = pageTables.frameOf(entry);
    if (frame === mm.zeroPage || frames.mapcount[frame] !== 1 || frames.isLarge(frame)) continue;
    if (what === 'cold' && (entry & format.ACCESSED) !== 0) {
      pageTables.set(slot, (entry & ~format.ACCESSED) >>> 0);
      mm.tlbBatch.add(at);
    }
    frames.clear(frame, PG_referenced);
    const flags = frames.flags[frame];
    // Isolated and put back, it does not know its locks any more (lru_add).
    if (what === 'pageout' && (flags & PG_unevictable) !== 0) frames.mlockCount[frame] = 0;
    if ((flags & (PG_lru | PG_unevictable)) !== PG_lru) continue;
    if (what === 'pageout') {
      mm.alloc.getFrame(frame);
      victims.push(frame);
    } else if ((flags & PG_active) !== 0) {
      lru.changeFlags(frame, 0, PG_active);
      mm.vmstat.pgdeactivate++;
      if (mm.events.enabled[EV_LRU_DEACTIVATE] !== 0) mm.events.emit(EV_LRU_DEACTIVATE, frame, 1);
    }
  }
  mm.tlbBatch.finish(vma.space);
  // reclaim_pages: each page is held while it is unmapped, and freed with that reference if nobody wants it.
  for (const frame of victims) {
    mm.alloc.putFrame(frame);
    const flags = frames.flags[frame];
    tellForced(mm.alloc, frame, 'pageout');
    if (mm.reclaimer.pages.reclaimPage(frame)) tellForcedGone(mm.alloc, frame, 'pageout', flags);
  }
}

/** A huge page of shared memory that one leaf maps: nobody maps the small ones that it is split into, all of which are reclaimed. */
function takeFileLeaf(mm: MemoryManager, slot: number, victims: Pfn[]): void {
  const { pageTables, frames, rmap, alloc, thp } = mm;
  const head = pageTables.frameOf(pageTables.read(slot));
  if ((frames.flags[head] & PG_unevictable) !== 0 || isMappedShared(rmap, head) || !splitHugePage(mm, head)) return;
  for (let frame = head; frame < head + thp.pages; frame = (frame + 1) as Pfn) {
    if ((frames.flags[frame] & PG_lru) === 0) continue;
    alloc.getFrame(frame);
    victims.push(frame);
  }
}

/** A huge page that the range covers: colder as a whole, or 'split' now, as what goes to swap is. Not one that others map, too. */
function coolHugeLeaf(mm: MemoryManager, slot: number, what: 'cold' | 'pageout'): 'whole' | 'split' {
  const { pageTables, format, frames, vmstat } = mm;
  const entry = pageTables.read(slot);
  const head = pageTables.frameOf(entry);
  if (!pageTables.isMapped(entry) || head === mm.thp.zeroPage || isMappedShared(mm.rmap, head)) return 'whole';
  if (what === 'pageout') {
    if ((frames.flags[head] & PG_unevictable) !== 0 || !splitHugePage(mm, head)) return 'whole';
    vmstat.thp_swpout_fallback++;
    if (mm.events.enabled[EV_THP_SWPOUT_FALLBACK] !== 0) mm.events.emit(EV_THP_SWPOUT_FALLBACK, head);
    return 'split';
  }
  pageTables.set(slot, (entry & ~format.ACCESSED) >>> 0);
  frames.clear(head, PG_referenced);
  if ((frames.flags[head] & (PG_lru | PG_active | PG_unevictable)) === (PG_lru | PG_active)) {
    mm.alloc.lru.changeFlags(head, 0, PG_active);
    vmstat.pgdeactivate += mm.thp.pages;
    if (mm.events.enabled[EV_LRU_DEACTIVATE] !== 0) mm.events.emit(EV_LRU_DEACTIVATE, head, mm.thp.pages);
  }
  return 'whole';
}
