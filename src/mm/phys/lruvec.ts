import { assert, panic } from '../../base/assert.ts';
import { EV_LRU_INSERTION, EV_LRU_MOVE, EV_LRU_REMOVE, EV_LRU_ROTATE } from '../../base/event-kinds.ts';
import type { EventSink } from '../../base/events.ts';
import type { Pfn } from '../../machine/units.ts';
import { FrameList } from './frame-list.ts';
import type { FrameTable } from './frame-table.ts';
import { PG_active, PG_lru, PG_mlocked, PG_referenced, PG_swapbacked, PG_unevictable } from './page-flags.ts';

export const LRU_INACTIVE_ANON = 0;
export const LRU_ACTIVE_ANON = 1;
export const LRU_INACTIVE_FILE = 2;
export const LRU_ACTIVE_FILE = 3;
export const LRU_UNEVICTABLE = 4;
export const NR_LRU_LISTS = 5;

/** Told of pages that join the lists and leave them; moves between lists are not told. */
export interface LruListener {
  added?(page: Pfn, how: 'fault' | 'other'): void;
  removed?(page: Pfn): void;
  /** PG_swapbacked of a listed page has changed. */
  kindChanged?(page: Pfn): void;
  /** A use that the kernel knows of (folio_mark_accessed), of a listed page; whether it has made it active. */
  accessed?(page: Pfn, result: 'marked' | 'activated'): void;
}

/**
 * Linux's struct lruvec (include/linux/mmzone.h): the user pages of one memory cgroup in order of use, newest at the front. What
 * changes them is LruLists.
 */
export class Lruvec {
  readonly lists: readonly FrameList[];
  /** In pages, by list. */
  readonly sizes = new Float64Array(NR_LRU_LISTS);
  /** Who keeps an order of its own of the pages on these lists (a reclaim policy). */
  listener: LruListener | null = null;

  constructor(frames: FrameTable) {
    this.lists = Array.from({ length: NR_LRU_LISTS }, () => new FrameList(frames));
  }
}

/**
 * The lruvecs of a machine, one a memory cgroup. A page is on the lruvec of the cgroup that it is charged to (frames.memcg; 0 is
 * the root's), and there on the list that its flags name: PG_unevictable, else PG_swapbacked (anonymous and shmem) or file,
 * PG_active or not.
 *
 * Invariants:
 *  L1 PG_lru is set exactly on the frames of these lists, each on the list that its flags name.
 *  L2 sizes is the number of 4 KiB pages on each list, of a lruvec and of all: a compound page is there by its head
 *     (lru_zone_size).
 */
export class LruLists {
  /** By id of the memory cgroup; null where there is none (any more). */
  readonly lruvecs: (Lruvec | null)[];
  /** In pages, by list, over all lruvecs. */
  readonly sizes = new Float64Array(NR_LRU_LISTS);
  /** A fault of a program is being handled (lru_gen_in_fault). */
  isFault = false;
  private readonly frames: FrameTable;
  private readonly events: EventSink;

  constructor(frames: FrameTable, events: EventSink) {
    this.frames = frames;
    this.events = events;
    this.lruvecs = [new Lruvec(frames)];
  }

  get root(): Lruvec {
    return this.lruvecOf(0);
  }

  /** The lruvec of a memory cgroup that is there. */
  lruvecOf(memcg: number): Lruvec {
    return this.lruvecs[memcg] ?? panic('mm/phys/lruvec.ts: a memory cgroup that has pages has a lruvec');
  }

  addLruvec(memcg: number): Lruvec {
    const lruvec = new Lruvec(this.frames);
    this.lruvecs[memcg] = lruvec;
    return lruvec;
  }

  dropLruvec(memcg: number): void {
    assert(
      this.lruvecOf(memcg).sizes.every((size) => size === 0),
      'mm/phys/lruvec.ts: only an empty lruvec goes',
    );
    this.lruvecs[memcg] = null;
  }

  /** Linux: folio_lru_list. */
  listOf(page: Pfn): number {
    const flags = this.frames.flags[page];
    if ((flags & PG_unevictable) !== 0) return LRU_UNEVICTABLE;
    const base = (flags & PG_swapbacked) !== 0 ? LRU_INACTIVE_ANON : LRU_INACTIVE_FILE;
    return (flags & PG_active) !== 0 ? base + 1 : base;
  }

  private link(page: Pfn): void {
    const which = this.listOf(page);
    const lruvec = this.lruvecs[this.frames.memcg[page]] as Lruvec;
    const pages = this.frames.pagesOf(page);
    lruvec.lists[which].pushFront(page);
    lruvec.sizes[which] += pages;
    this.sizes[which] += pages;
  }

  private unlink(page: Pfn): void {
    const which = this.listOf(page);
    const lruvec = this.lruvecs[this.frames.memcg[page]] as Lruvec;
    const pages = this.frames.pagesOf(page);
    lruvec.lists[which].remove(page);
    lruvec.sizes[which] -= pages;
    this.sizes[which] -= pages;
  }

  /** A page that is on no list joins the front of its own (Linux: folio_add_lru; mlocked pages are unevictable). */
  add(page: Pfn): void {
    const { flags } = this.frames;
    if ((flags[page] & PG_lru) !== 0) return;
    if ((flags[page] & PG_mlocked) !== 0) flags[page] = (flags[page] & ~PG_active) | PG_unevictable;
    flags[page] |= PG_lru;
    this.link(page);
    if (this.events.enabled[EV_LRU_INSERTION] !== 0)
      this.events.emit(EV_LRU_INSERTION, page, this.listOf(page), flags[page] >>> 0);
    this.lruvecOf(this.frames.memcg[page]).listener?.added?.(page, this.isFault ? 'fault' : 'other');
  }

  /** Takes the page off its list; PG_active and PG_unevictable stay and say where it was. */
  remove(page: Pfn): void {
    const { flags } = this.frames;
    if ((flags[page] & PG_lru) === 0) return;
    this.unlink(page);
    if (this.events.enabled[EV_LRU_REMOVE] !== 0) this.events.emit(EV_LRU_REMOVE, page, this.listOf(page));
    flags[page] &= ~PG_lru;
    this.lruvecOf(this.frames.memcg[page]).listener?.removed?.(page);
  }

  /** Changes flags that decide the list (PG_active, PG_unevictable, PG_swapbacked), moving the page along. */
  changeFlags(page: Pfn, set: number, clear: number): void {
    const { flags } = this.frames;
    const listed = (flags[page] & PG_lru) !== 0;
    const from = this.listOf(page);
    if (listed) this.unlink(page);
    const before = flags[page];
    flags[page] = (before & ~clear) | set;
    if (!listed) return;
    this.link(page);
    if (this.events.enabled[EV_LRU_MOVE] !== 0) this.events.emit(EV_LRU_MOVE, page, from, this.listOf(page));
    if (((flags[page] ^ before) & PG_swapbacked) !== 0)
      this.lruvecOf(this.frames.memcg[page]).listener?.kindChanged?.(page);
  }

  /** To the front of its list: the last to be reclaimed of it. */
  rotateToFront(page: Pfn): void {
    if ((this.frames.flags[page] & PG_lru) === 0) return;
    this.unlink(page);
    this.link(page);
    if (this.events.enabled[EV_LRU_ROTATE] !== 0) this.events.emit(EV_LRU_ROTATE, page, this.listOf(page));
  }

  /**
   * A read or write through the page cache, or a fault (Linux: folio_mark_accessed, mm/swap.c): the second access in a row
   * activates. Returns whether it did.
   */
  markAccessed(page: Pfn): boolean {
    const { flags } = this.frames;
    const word = flags[page];
    const activates = (word & (PG_referenced | PG_unevictable | PG_active | PG_lru)) === (PG_referenced | PG_lru);
    if ((word & PG_referenced) === 0) flags[page] = word | PG_referenced;
    else if (activates) this.changeFlags(page, PG_active, PG_referenced);
    if ((word & PG_lru) !== 0)
      this.lruvecOf(this.frames.memcg[page]).listener?.accessed?.(page, activates ? 'activated' : 'marked');
    return activates;
  }
}
