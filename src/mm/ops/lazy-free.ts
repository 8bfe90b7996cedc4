import type { Vpn } from '../../machine/units.ts';
import type { MemoryManager } from '../memory-manager.ts';
import {
  PG_active,
  PG_anon,
  PG_dirty,
  PG_lru,
  PG_referenced,
  PG_swapbacked,
  PG_unevictable,
} from '../phys/page-flags.ts';
import { splitHugeRange } from '../thp/split.ts';
import type { Vma } from '../vma.ts';

/**
 * MADV_FREE of [start, end) of an anonymous VMA (Linux 6.18: madvise_free_pte_range, folio_mark_lazyfree). The pages lose
 * DIRTY and PG_swapbacked, and so are files' pages to reclaim, which may drop them as long as no store has made them dirty.
 */
export function freeLazily(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): void {
  const { pageTables, format, frames } = mm;
  const state = format.ACCESSED | format.DIRTY;
  splitHugeRange(mm, vma, start, end);
  let page = start;
  while (pageTables.seek(vma.space, page, end)) {
    const at = pageTables.foundVpn;
    const slot = pageTables.foundSlot;
    page = (at + 1) as Vpn;
    const entry = pageTables.read(slot);
    if (!pageTables.isMapped(entry)) continue;
    const frame = pageTables.frameOf(entry);
    if (frame === mm.zeroPage) continue;
    if ((frames.flags[frame] & PG_dirty) !== 0) {
      if (frames.mapcount[frame] !== 1) continue;
      frames.clear(frame, PG_dirty);
    }
    if ((entry & state) !== 0) {
      pageTables.set(slot, (entry & ~state) >>> 0);
      mm.tlbBatch.add(at);
    }
    const flags = frames.flags[frame];
    const eligible = PG_anon | PG_swapbacked | PG_lru;
    if ((flags & (eligible | PG_unevictable)) !== eligible) continue;
    mm.alloc.lru.changeFlags(frame, 0, PG_active | PG_referenced | PG_swapbacked);
    mm.vmstat.pglazyfree++;
  }
  mm.tlbBatch.finish(vma.space);
}
