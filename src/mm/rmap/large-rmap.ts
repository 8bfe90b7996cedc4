import { assert } from '../../base/assert.ts';
import type { Pfn } from '../../machine/units.ts';
import type { FrameAllocator } from '../phys/alloc.ts';
import type { FrameTable } from '../phys/frame-table.ts';
import { PG_anon, PG_partially_mapped, PG_swapbacked } from '../phys/page-flags.ts';

/**
 * How often a compound page and its frames are mapped (Linux 6.18: __folio_add_rmap, __folio_remove_rmap). A huge leaf maps it
 * entirely; a process that has split its leaf maps its frames one by one, while others keep theirs.
 *
 *   entireMapcount   huge leaves                     mapcount      entries of the one frame, besides
 *   largeMapcount    entries of both kinds           pagesMapped   frames with mapcount > 0
 *
 * A page that loses its last entry for some of its frames, but not for all, is queued to be split (DeferredSplits).
 */
export class LargeRmap {
  private readonly frames: FrameTable;
  private readonly allocator: FrameAllocator;

  constructor(allocator: FrameAllocator) {
    this.allocator = allocator;
    this.frames = allocator.frames;
  }

  /** RMAP_LEVEL_PMD. */
  addEntire(head: Pfn): void {
    const { frames } = this;
    const mapped = frames.mappedFramesOf(head);
    frames.largeMapcount[head]++;
    if (frames.entireMapcount[head]++ === 0) this.count(head, frames.pagesOf(head) - mapped, 1);
  }

  removeEntire(head: Pfn): void {
    const { frames } = this;
    frames.largeMapcount[head]--;
    const left = --frames.entireMapcount[head];
    assert(left >= 0, 'mm/rmap/large-rmap.ts: R1 entireMapcount is not negative');
    if (left > 0) return;
    const lost = frames.pagesOf(head) - frames.pagesMapped[head];
    this.count(head, -lost, -1);
    if (lost > 0 && lost < frames.pagesOf(head)) this.defer(head);
  }

  /** RMAP_LEVEL_PTE: an entry for each of `count` frames. */
  addParts(first: Pfn, count: number): void {
    const { frames } = this;
    const head = frames.headOf(first);
    frames.largeMapcount[head] += count;
    let fresh = 0;
    for (let frame = first; frame < first + count; frame++) if (frames.mapcount[frame]++ === 0) fresh++;
    frames.pagesMapped[head] += fresh;
    if (frames.entireMapcount[head] === 0) this.count(head, fresh, 0);
  }

  removeParts(first: Pfn, count: number): void {
    const { frames } = this;
    const head = frames.headOf(first);
    frames.largeMapcount[head] -= count;
    let lost = 0;
    for (let frame = first; frame < first + count; frame++) {
      const left = --frames.mapcount[frame];
      assert(left >= 0, 'mm/rmap/large-rmap.ts: R1 mapcount is not negative');
      if (left === 0) lost++;
    }
    frames.pagesMapped[head] -= lost;
    if (lost === 0 || frames.entireMapcount[head] > 0) return;
    this.count(head, -lost, 0);
    if (frames.pagesMapped[head] > 0) this.defer(head);
  }

  /** __folio_mod_stat. */
  private count(head: Pfn, pages: number, huge: -1 | 0 | 1): void {
    const { stat } = this.allocator;
    if ((this.frames.flags[head] & PG_anon) === 0) {
      stat.nr_mapped += pages;
      if ((this.frames.flags[head] & PG_swapbacked) !== 0) stat.nr_shmem_pmdmapped += huge * this.frames.pagesOf(head);
    } else {
      stat.nr_anon_pages += pages;
      stat.nr_anon_thps += huge;
    }
  }

  private defer(head: Pfn): void {
    if ((this.frames.flags[head] & (PG_anon | PG_partially_mapped)) === PG_anon)
      this.allocator.deferredSplits.add(head, 'partially mapped');
  }
}
