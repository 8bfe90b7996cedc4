import { EV_THP_UNDERUSED_SPLIT } from '../../base/event-kinds.ts';
import type { Pfn } from '../../machine/units.ts';
import type { Memcg } from '../memcg/memcg.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { PG_mlocked, PG_partially_mapped } from '../phys/page-flags.ts';
import type { HugePageShrinker } from '../reclaim/reclaim.ts';
import { shrinkUnusedHuge } from '../shmem/unused-huge.ts';
import { isZeroFilled, splitHugePage } from './split-page.ts';

/**
 * The shrinker of huge pages (Linux 6.18: deferred_split_scan, mm/huge_memory.c): those that are mapped in part are split, which frees
 * the rest of them; and those that hold more zeroes than khugepaged would fill up. A whole page that is in use leaves the queue.
 */
export class DeferredSplitShrinker implements HugePageShrinker {
  private readonly mm: MemoryManager;

  constructor(mm: MemoryManager) {
    this.mm = mm;
  }

  /** Frames that became free, those past the ends of shared memory's files included: of `memcg` and those below it. */
  shrink(memcg: Memcg): number {
    const { alloc, frames, memcgs } = this.mm;
    const before = alloc.freeCount;
    for (const head of alloc.deferredSplits.collect()) {
      if (!memcg.isRoot && !memcgs.memcgOf(frames.memcg[head])?.isWithin(memcg)) continue;
      this.splitOne(head);
    }
    if (memcg.isRoot) shrinkUnusedHuge(this.mm.pageCache);
    return alloc.freeCount - before;
  }

  private splitOne(head: Pfn): void {
    const { alloc, frames, vmstat } = this.mm;
    if ((frames.flags[head] & PG_partially_mapped) !== 0) {
      splitHugePage(this.mm, head);
      return;
    }
    alloc.deferredSplits.unlist(head);
    if ((frames.flags[head] & PG_mlocked) !== 0 || !this.isUnderused(head)) return;
    if (!splitHugePage(this.mm, head)) return;
    vmstat.thp_underused_split_page++;
    if (this.mm.events.enabled[EV_THP_UNDERUSED_SPLIT] !== 0) this.mm.events.emit(EV_THP_UNDERUSED_SPLIT, head);
  }

  /** thp_underused. */
  private isUnderused(head: Pfn): boolean {
    const { thp } = this.mm;
    const most = thp.khugepaged.maxPtesNone;
    if (most === thp.pages - 1) return false;
    let zeroes = 0;
    for (let frame = head; frame < head + thp.pages; frame = (frame + 1) as Pfn)
      if (isZeroFilled(this.mm, frame) && ++zeroes > most) return true;
    return false;
  }
}
