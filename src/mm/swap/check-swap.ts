import { assert } from '../../base/assert.ts';
import type { Pfn } from '../../machine/units.ts';
import type { PageCache } from '../page-cache/page-cache.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { PG_anon_exclusive, PG_locked, PG_swapcache, PG_writeback } from '../phys/page-flags.ts';
import { type SwapEntry, swapEntry, swapOffsetOf, swapTypeOf } from './entry.ts';
import type { Swap } from './swap.ts';
import { checkZrams } from './zram/check-zram.ts';

/** What page tables and shmem objects have of each slot, counted anew. */
export class SwapCensus {
  /** By slot; only slots with an entry. */
  private readonly counts: (Map<number, number> | null)[];
  private readonly swap: Swap;

  constructor(swap: Swap) {
    this.swap = swap;
    this.counts = swap.areas.map((area) => (area === null ? null : new Map()));
  }

  /** An entry of a page table or a shmem object. */
  note(entry: SwapEntry, sharing: 'exclusive' | 'shared'): void {
    const area = this.counts[swapTypeOf(entry)];
    const slot = swapOffsetOf(entry);
    const isThere = slot < (this.swap.areas[swapTypeOf(entry)]?.slotCount ?? 0);
    assert(area !== null && area !== undefined && isThere, 'mm/swap: W1 an entry leads to an area');
    area.set(slot, (area.get(slot) ?? 0) + 1);
    if (sharing === 'exclusive')
      assert(this.swap.countOf(entry) === 1, 'mm/swap: W4 an exclusive entry alone leads to its slot');
  }

  /** W1 to W4 and Z1 to Z5, after all entries were noted. */
  check(cache: PageCache): void {
    checkZrams(this.swap.zrams, this.swap.allocator);
    // This runs at each trap of a test: most machines never had an area.
    if (this.swap.areas.length === 0) return;
    for (const file of cache.files) {
      if (file === null) continue;
      for (const [index, entry] of file.swapped) {
        this.note(entry, 'exclusive');
        assert(file.pages.find(index) === NO_FRAME, 'mm/swap: W5 a page of shmem is in memory or in swap');
      }
    }
    this.swap.areas.forEach((_, type) => {
      this.checkArea(type);
    });
    this.checkCache();
  }

  private checkArea(type: number): void {
    const area = this.swap.areas[type];
    const counts = this.counts[type];
    if (area === null || counts === null) return;
    const used = area.slotsInUse();
    for (const slot of counts.keys())
      assert(area.countOf(slot) > 0, 'mm/swap: W1 the count of a slot is the number of its entries');
    for (const slot of used) {
      assert(!area.isBad(slot), 'mm/swap: W1 a bad slot is not used');
      assert(
        area.countOf(slot) === (counts.get(slot) ?? 0),
        'mm/swap: W1 the count of a slot is the number of its entries',
      );
      const isAlone = area.countOf(slot) > 0 && area.cachedOf(slot) === NO_FRAME;
      assert(area.shadowOf(slot) === 0 || isAlone, 'mm/swap: W7 a shadow entry is of a page that is in its slot alone');
      const frame = area.cachedOf(slot);
      if (frame === NO_FRAME) continue;
      const entry = swapEntry(type, slot);
      const knows = (this.swap.frames.flags[frame] & PG_swapcache) !== 0 && this.swap.frames.private[frame] === entry;
      assert(knows, 'mm/swap: W2 the page of a slot knows the slot');
    }
    assert(used.length === area.usedSlots, 'mm/swap: W3 usedSlots counts the slots in use');
    assert(area.findBroken() === null, `mm/swap: W3 ${area.findBroken()}`);
  }

  private checkCache(): void {
    const { frames, allocator } = this.swap;
    let cached = 0;
    for (let frame = 0; frame < frames.frameCount; frame++) {
      if ((frames.flags[frame] & PG_swapcache) === 0) continue;
      cached++;
      const entry = this.swap.entryOf(frame as Pfn);
      assert(this.swap.findCached(entry) === frame, 'mm/swap: W2 the slot knows its page');
      if ((frames.flags[frame] & PG_anon_exclusive) !== 0)
        assert(this.swap.countOf(entry) === 0, 'mm/swap: W4 no entry leads to the slot of an exclusive page');
      // One that is on its way goes when it has arrived.
      if (frames.mapcount[frame] === 0 && (frames.flags[frame] & (PG_locked | PG_writeback)) === 0)
        assert(
          this.swap.countOf(entry) > 0,
          'mm/swap: W6 a page of the cache is mapped, or an entry leads to its slot',
        );
    }
    assert(cached === allocator.stat.nr_swapcached, 'mm/swap: W2 nr_swapcached counts the pages of the cache');
  }
}
