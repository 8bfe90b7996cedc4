import type { Pfn } from '../../../machine/units.ts';
import { type FrameTable, NO_FRAME } from '../../phys/frame-table.ts';
import { LRU_UNEVICTABLE, type LruLists, type Lruvec } from '../../phys/lruvec.ts';
import { PG_active, PG_mlocked, PG_referenced, PG_unevictable, PG_workingset } from '../../phys/page-flags.ts';
import { GEN_TYPES, MIN_NR_GENS } from './generations.ts';
import type { MglruPolicy } from './mglru.ts';

/**
 * Mglru takes over (fill_evictable, mm/vmscan.c, 6.18): the pages of the two lists of each kind, oldest first, come to a generation as
 * their flags say. The policy is new.
 */
export function fillGenerations(policy: MglruPolicy, lruvec: Lruvec, frames: FrameTable): void {
  const { use } = policy;
  lruvec.lists.forEach((list, which) => {
    for (let at = list.tail; at !== NO_FRAME; at = list.before(at as Pfn)) {
      const page = at as Pfn;
      if (which !== LRU_UNEVICTABLE) {
        const flags = frames.flags[page];
        if ((flags & PG_active) !== 0) use.setActive(page);
        if ((flags & PG_workingset) !== 0) use.setWorkingset(page);
        if ((flags & PG_referenced) !== 0) use.note(page);
      }
      policy.added(page, 'other');
    }
  });
}

/**
 * Mglru is turned off (drain_evictable, mm/vmscan.c, 6.18): its order becomes that of the two lists, the two youngest generations are
 * active. The policy is empty then.
 */
export function drainGenerations(policy: MglruPolicy, lists: LruLists, frames: FrameTable): void {
  const { generations, use } = policy;
  for (const type of GEN_TYPES)
    for (let seq = generations.minSeq[type]; seq <= generations.maxSeq; seq++) {
      const isActive = seq > generations.maxSeq - MIN_NR_GENS;
      for (let at = generations.oldestOf(seq, type); at !== NO_FRAME; at = generations.oldestOf(seq, type)) {
        const page = at as Pfn;
        if ((frames.flags[page] & (PG_mlocked | PG_unevictable)) === 0) {
          const kept = (use.isWorkingset(page) ? PG_workingset : 0) | (use.refsOf(page) > 0 ? PG_referenced : 0);
          frames.flags[page] = (frames.flags[page] & ~(PG_workingset | PG_referenced)) | kept;
          lists.changeFlags(page, isActive ? PG_active : 0, isActive ? 0 : PG_active);
        }
        policy.removed(page);
      }
    }
}
