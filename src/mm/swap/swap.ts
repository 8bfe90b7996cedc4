import { EPERM } from '../../abi/errno.ts';
import { assert, panic } from '../../base/assert.ts';
import { EV_SWAP_SLOT_ALLOC, EV_SWAP_SLOT_FREE, EV_SWAPOFF, EV_SWAPON } from '../../base/event-kinds.ts';
import type { Vmstat } from '../../base/vmstat.ts';
import type { VirtualClock } from '../../machine/clock.ts';
import type { Ram } from '../../machine/ram.ts';
import type { Pfn } from '../../machine/units.ts';
import type { BlockQueue } from '../block/block-queue.ts';
import type { BlockRequest } from '../block/request.ts';
import type { Memcgs } from '../memcg/memcgs.ts';
import { chargeSlot, unchargeSlot } from '../memcg/swap-charge.ts';
import type { FrameAllocator } from '../phys/alloc.ts';
import { type FrameTable, NO_FRAME } from '../phys/frame-table.ts';
import { PG_dirty, PG_reclaim, PG_swapbacked, PG_swapcache, PG_uptodate, PG_writeback } from '../phys/page-flags.ts';
import type { RefaultListener } from '../phys/reclaimer.ts';
import { SwapArea, type SwapAreaOptions } from './area.ts';
import { MAX_SWAPFILES, type SwapEntry, swapEntry, swapOffsetOf, swapTypeOf } from './entry.ts';
import { SwapReadAhead } from './swap-in.ts';
import { ZramStore } from './zram/zram-store.ts';

export interface SwapOptions {
  readonly ram: Ram;
  readonly allocator: FrameAllocator;
  readonly memcgs: Memcgs;
  readonly vmstat: Vmstat;
  readonly clock: VirtualClock;
  readonly io: BlockQueue;
}

/**
 * All swap areas of a machine, and the swap cache: the pages that are in a slot and in memory at once (Linux: mm/swapfile.c,
 * mm/swap_state.c); page-io.ts moves their bytes. README.md has the life of a page and the invariants W1 to W5.
 */
export class Swap {
  readonly ram: Ram;
  readonly allocator: FrameAllocator;
  readonly frames: FrameTable;
  readonly memcgs: Memcgs;
  readonly vmstat: Vmstat;
  readonly clock: VirtualClock;
  readonly io: BlockQueue;
  /** By type; null where there is none (any more). */
  readonly areas: (SwapArea | null)[] = [];
  /** Devices of compressed pages, whether they are an area now or not. */
  readonly zrams: ZramStore[] = [];
  readonly readAhead = new SwapReadAhead();
  /** Who is told of pages that come back after reclaim took them; null at boot. */
  refaults: RefaultListener | null = null;
  /** Did the last swapIn read a store? */
  lastInWasMajor = false;
  /** Areas that take pages: by falling priority, of the same priority the one whose turn it is first. */
  private available: SwapArea[] = [];
  /** Areas without a priority of their own come after those before them: -2, -3 ... (least_priority). */
  private leastPriority = -1;
  /** After PAGE_LOCKED: what the page is locked by. */
  lockedBy: BlockRequest | null = null;

  constructor(options: SwapOptions) {
    this.ram = options.ram;
    this.allocator = options.allocator;
    this.frames = options.allocator.frames;
    this.memcgs = options.memcgs;
    this.vmstat = options.vmstat;
    this.clock = options.clock;
    this.io = options.io;
  }

  // Areas.

  /** enable_swap_info: an area more. `priority` null: below all others. The area or -EPERM: there are MAX_SWAPFILES. */
  addArea(options: Omit<SwapAreaOptions, 'type' | 'priority'>, priority: number | null): SwapArea | number {
    let type = this.areas.indexOf(null);
    if (type < 0) type = this.areas.length;
    if (type >= MAX_SWAPFILES) return -EPERM;
    const area = new SwapArea({ ...options, type, priority: priority ?? --this.leastPriority });
    this.areas[type] = area;
    this.enlist(area);
    if (this.allocator.events.enabled[EV_SWAPON] !== 0) this.allocator.events.emit(EV_SWAPON, type, area.pageCount);
    return area;
  }

  addZram(sizeBytes: number): ZramStore {
    const store = new ZramStore(sizeBytes, this.ram, this.allocator);
    this.zrams.push(store);
    return store;
  }

  /** swapoff, first: nothing new goes there. */
  closeArea(area: SwapArea): void {
    area.isWritable = false;
    this.available = this.available.filter((other) => other !== area);
  }

  /** swapoff could not bring everything back: the area goes on. */
  reopenArea(area: SwapArea): void {
    area.isWritable = true;
    this.enlist(area);
  }

  /** swapoff, last: the area is empty. */
  removeArea(area: SwapArea): void {
    assert(area.usedSlots === 0 && !area.isWritable, 'mm/swap/swap.ts: only an empty, closed area is removed');
    this.areas[area.type] = null;
    if (this.allocator.events.enabled[EV_SWAPOFF] !== 0)
      this.allocator.events.emit(EV_SWAPOFF, area.type, area.pageCount);
    if (area.priority < 0 && area.priority === this.leastPriority) this.leastPriority++;
  }

  private enlist(area: SwapArea): void {
    const at = this.available.findIndex((other) => other.priority < area.priority);
    this.available.splice(at < 0 ? this.available.length : at, 0, area);
  }

  areaOf(entry: SwapEntry): SwapArea {
    return this.areas[swapTypeOf(entry)] ?? panic('mm/swap/swap.ts: W1 an entry leads to an area');
  }

  /** Slots of the areas in use (total_swap_pages): an area on its way out counts no more. */
  get totalPages(): number {
    return this.available.reduce((sum, area) => sum + area.pageCount, 0);
  }

  /** nr_swap_pages. */
  get freePages(): number {
    return this.available.reduce((sum, area) => sum + area.pageCount - area.usedSlots, 0);
  }

  /** vm_swap_full: so little is free that a page in memory is not worth a slot. */
  get isFull(): boolean {
    return this.freePages * 2 < this.totalPages;
  }

  // The swap cache: PG_swapcache, `private` and the area's `cached` say the same (W2).

  /** A slot for the page, of the first area that has one; the cache takes a reference (folio_alloc_swap). False: swap is full. */
  addToSwap(frame: Pfn): boolean {
    if (this.allocator.injector?.isSwapFull === true) return false;
    for (const area of this.available) {
      const slot = area.takeSlot(frame);
      if (slot === 0) continue;
      if (!chargeSlot(this.memcgs, area, slot, frame)) {
        area.setCached(slot, NO_FRAME);
        area.giveSlot(slot);
        return false;
      }
      this.rotate(area);
      this.enterCache(frame, swapEntry(area.type, slot));
      if (this.allocator.events.enabled[EV_SWAP_SLOT_ALLOC] !== 0)
        this.allocator.events.emit(EV_SWAP_SLOT_ALLOC, frame, area.type, slot);
      this.frames.flags[frame] |= PG_dirty;
      return true;
    }
    return false;
  }

  /** Areas of one priority take turns (plist_requeue). */
  private rotate(area: SwapArea): void {
    const { available } = this;
    let last = available.indexOf(area);
    while (last + 1 < available.length && available[last + 1].priority === area.priority) {
      available[last] = available[last + 1];
      available[++last] = area;
    }
  }

  /** Whether the page of the slot is in memory, with its bytes. */
  isFilled(entry: SwapEntry): boolean {
    const frame = this.findCached(entry);
    return frame !== NO_FRAME && (this.frames.flags[frame] & PG_uptodate) !== 0;
  }

  /** The page of the slot in memory, or NO_FRAME. No reference is taken. */
  findCached(entry: SwapEntry): Pfn | -1 {
    return this.areaOf(entry).cachedOf(swapOffsetOf(entry));
  }

  /** A frame that was filled from the slot. The cache takes a reference. */
  addToCache(frame: Pfn, entry: SwapEntry): void {
    this.areaOf(entry).setCached(swapOffsetOf(entry), frame);
    this.enterCache(frame, entry);
    this.frames.flags[frame] |= PG_swapbacked | PG_uptodate;
    this.noteRefault(frame, entry);
    this.allocator.lru.add(frame);
  }

  /** The page of a slot is in memory again, on no list yet (workingset_refault). */
  noteRefault(frame: Pfn, entry: SwapEntry): void {
    const area = this.areaOf(entry);
    const slot = swapOffsetOf(entry);
    const shadow = area.shadowOf(slot);
    if (shadow === 0) return;
    area.setShadow(slot, 0);
    this.refaults?.refaulted(frame, shadow);
  }

  /** The slot is about to be read. */
  noteWanted(entry: SwapEntry): void {
    const shadow = this.areaOf(entry).shadowOf(swapOffsetOf(entry));
    if (shadow !== 0) this.refaults?.wanted(shadow);
  }

  private enterCache(frame: Pfn, entry: SwapEntry): void {
    const { frames, allocator } = this;
    assert((frames.flags[frame] & PG_swapcache) === 0, 'mm/swap/swap.ts: W2 a page is in the swap cache once');
    allocator.getFrame(frame);
    frames.flags[frame] |= PG_swapcache;
    frames.private[frame] = entry;
    allocator.stat.nr_swapcached++;
  }

  /** delete_from_swap_cache: the page is memory's alone, so what it holds was written nowhere. The slot goes if no entry leads to it. */
  removeFromCache(frame: Pfn): void {
    this.frames.flags[frame] |= PG_dirty;
    this.leaveCache(frame);
  }

  /** The slot has what the page has, and nobody maps it: the slot alone stays, with `shadow` (__remove_mapping). */
  dropCached(frame: Pfn, shadow = 0): void {
    assert(this.frames.mapcount[frame] === 0, 'mm/swap/swap.ts: a page that is dropped is not mapped');
    const entry = this.entryOf(frame);
    this.areaOf(entry).setShadow(swapOffsetOf(entry), shadow);
    this.frames.flags[frame] &= ~PG_dirty;
    this.leaveCache(frame);
  }

  private leaveCache(frame: Pfn): void {
    const { frames, allocator } = this;
    const entry = this.entryOf(frame);
    const area = this.areaOf(entry);
    const slot = swapOffsetOf(entry);
    frames.flags[frame] &= ~(PG_swapcache | PG_reclaim);
    frames.private[frame] = 0;
    allocator.stat.nr_swapcached--;
    area.setCached(slot, NO_FRAME);
    if (area.countOf(slot) === 0) this.giveSlot(area, slot);
    allocator.putFrame(frame);
  }

  /** folio_free_swap: takes a page that no entry leads to out of the cache. False: some entry does, or it is being written. */
  tryToFreeSwap(frame: Pfn): boolean {
    const entry = this.entryOf(frame);
    if (this.countOf(entry) > 0 || (this.frames.flags[frame] & PG_writeback) !== 0) return false;
    this.removeFromCache(frame);
    return true;
  }

  /** Of a page in the swap cache. */
  entryOf(frame: Pfn): SwapEntry {
    assert((this.frames.flags[frame] & PG_swapcache) !== 0, 'mm/swap/swap.ts: W2 a page of the swap cache has a slot');
    return this.frames.private[frame] as SwapEntry;
  }

  // Entries.

  /** Entries that lead to the slot. */
  countOf(entry: SwapEntry): number {
    return this.areaOf(entry).countOf(swapOffsetOf(entry));
  }

  /** One entry more (swap_duplicate). */
  dup(entry: SwapEntry): void {
    const area = this.areaOf(entry);
    const slot = swapOffsetOf(entry);
    assert(!area.isBad(slot) && !area.isFree(slot), 'mm/swap/swap.ts: W1 an entry leads to a slot in use');
    area.addEntry(slot);
  }

  /** One entry less; with the last one a page that only the cache has goes, too (swap_free, free_swap_and_cache). */
  free(entry: SwapEntry): void {
    const area = this.areaOf(entry);
    const slot = swapOffsetOf(entry);
    assert(!area.isBad(slot) && area.countOf(slot) > 0, 'mm/swap/swap.ts: W1 a slot has an entry that goes');
    if (area.dropEntry(slot) > 0) return;
    const frame = area.cachedOf(slot);
    if (frame === NO_FRAME) this.giveSlot(area, slot);
    else this.dropUnused(frame as Pfn);
  }

  private giveSlot(area: SwapArea, slot: number): void {
    unchargeSlot(this.memcgs, area, slot);
    area.giveSlot(slot);
    if (this.allocator.events.enabled[EV_SWAP_SLOT_FREE] !== 0)
      this.allocator.events.emit(EV_SWAP_SLOT_FREE, area.type, slot);
  }

  /** A mapping of the page went: where neither another one nor an entry is left, a page of the cache goes too (free_swap_cache). */
  dropUnused(frame: Pfn): void {
    const { flags, mapcount, refcount } = this.frames;
    if ((flags[frame] & PG_swapcache) === 0 || mapcount[frame] > 0 || refcount[frame] > 1) return;
    if (this.countOf(this.entryOf(frame)) === 0) this.dropCached(frame);
  }
}
