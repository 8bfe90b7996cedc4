import { assert } from '../../base/assert.ts';
import { EV_THP_DEFERRED_SPLIT } from '../../base/event-kinds.ts';
import type { EventSink } from '../../base/events.ts';
import type { Vmstat } from '../../base/vmstat.ts';
import type { Pfn } from '../../machine/units.ts';
import { FrameList } from './frame-list.ts';
import { type FrameTable, NO_FRAME } from './frame-table.ts';
import { PG_deferred, PG_partially_mapped, PG_swapcache } from './page-flags.ts';

/** Which frame of the page is linked: its head is on an LRU list (Linux: folio->_deferred_list lies in the third struct page, too). */
const LINK = 2;

/**
 * Huge pages that are to be split when memory is short (Linux 6.18: deferred_split_folio, struct deferred_split). Oldest first.
 *
 *   mapped as a whole --an entry goes, others stay--> PG_partially_mapped --short of memory--> small pages, those unmapped free
 *
 * Invariant F7 (phys/check.ts): PG_deferred is set on the heads of listed pages alone; PG_partially_mapped on some of them.
 */
export class DeferredSplits {
  /** Pages with PG_partially_mapped (nr_anon_partially_mapped). */
  partiallyMapped = 0;
  readonly list: FrameList;
  private readonly frames: FrameTable;
  private readonly vmstat: Vmstat;
  private readonly events: EventSink;

  constructor(frames: FrameTable, vmstat: Vmstat, events: EventSink) {
    this.frames = frames;
    this.vmstat = vmstat;
    this.events = events;
    this.list = new FrameList(frames);
  }

  /** 'unused' pages are whole, and may turn out to be mostly zeroes. */
  add(head: Pfn, why: 'partially mapped' | 'unused'): void {
    const { flags } = this.frames;
    if ((flags[head] & PG_swapcache) !== 0) return;
    if (why === 'partially mapped' && (flags[head] & PG_partially_mapped) === 0) {
      flags[head] |= PG_partially_mapped;
      this.partiallyMapped++;
      this.vmstat.thp_deferred_split_page++;
      if (this.events.enabled[EV_THP_DEFERRED_SPLIT] !== 0) this.events.emit(EV_THP_DEFERRED_SPLIT, head);
    }
    if ((flags[head] & PG_deferred) !== 0) return;
    flags[head] |= PG_deferred;
    this.list.pushBack((head + LINK) as Pfn);
  }

  /** It is small pages now, or free (folio_unqueue_deferred_split). */
  remove(head: Pfn): void {
    const { flags } = this.frames;
    if ((flags[head] & PG_deferred) !== 0) this.list.remove((head + LINK) as Pfn);
    if ((flags[head] & PG_partially_mapped) !== 0) this.partiallyMapped--;
    flags[head] &= ~(PG_deferred | PG_partially_mapped);
  }

  /** Takes it off the list; what it is stays known. */
  unlist(head: Pfn): void {
    assert((this.frames.flags[head] & PG_deferred) !== 0, 'mm/phys/deferred-splits.ts: F7 only a listed page leaves');
    this.list.remove((head + LINK) as Pfn);
    this.frames.flags[head] &= ~PG_deferred;
  }

  /** The heads, oldest first. */
  collect(): Pfn[] {
    const heads: Pfn[] = [];
    for (let link = this.list.head; link !== NO_FRAME; link = this.list.after(link as Pfn))
      heads.push((link - LINK) as Pfn);
    return heads;
  }
}
