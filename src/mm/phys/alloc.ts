import { assert, panic } from '../../base/assert.ts';
import {
  EV_DIRECT_RECLAIM_BEGIN,
  EV_DIRECT_RECLAIM_END,
  EV_PAGE_ALLOC,
  EV_PAGE_FREE,
  EV_WAKEUP_KSWAPD,
} from '../../base/event-kinds.ts';
import type { EventSink } from '../../base/events.ts';
import type { Vmstat } from '../../base/vmstat.ts';
import type { Ram } from '../../machine/ram.ts';
import type { Pfn } from '../../machine/units.ts';
import { MAX_PAGE_ORDER } from './buddy.ts';
import type { Charger } from './charger.ts';
import { makeCompound } from './compound.ts';
import { DeferredSplits } from './deferred-splits.ts';
import { type FrameTable, NO_FRAME } from './frame-table.ts';
import {
  __GFP_ACCOUNT,
  __GFP_COMP,
  __GFP_DIRECT_RECLAIM,
  __GFP_HIGH,
  __GFP_KSWAPD_RECLAIM,
  __GFP_MEMALLOC,
  __GFP_NOFAIL,
  __GFP_NORETRY,
  __GFP_ZERO,
} from './gfp.ts';
import type { FaultInjector } from './inject.ts';
import { LruLists } from './lruvec.ts';
import { NodeStat } from './node-stat.ts';
import {
  PG_buddy,
  PG_deferred,
  PG_head,
  PG_hugetlb,
  PG_locked,
  PG_lru,
  PG_mlocked,
  PG_pagecache,
  PG_partially_mapped,
  PG_reserved,
  PG_slab,
  PG_swapcache,
  PG_table,
  PG_tail,
  PG_writeback,
  PG_zsmalloc,
} from './page-flags.ts';
import type { KswapdWaker, Reclaimer } from './reclaimer.ts';
import { calculateMinFreeKbytes, setupLowmemReserve, setupPerZoneWatermarks, WatermarkSettings } from './watermarks.ts';
import {
  WMARK_LOW,
  WMARK_MIN,
  ZONE_DMA,
  ZONE_DMA32,
  ZONE_MOVABLE,
  ZONE_NORMAL,
  Zone,
  type ZoneConfig,
} from './zone.ts';
import { buildZonelists, type Depth, gfpZone, isWatermarkOk } from './zonelist.ts';

/** Frames asked of the reclaimer at a time (SWAP_CLUSTER_MAX), so that one call pays for many allocations. */
const RECLAIM_BATCH = 32;
/** Rounds of reclaim without an allocation succeeding before the request fails (MAX_RECLAIM_RETRIES). */
const MAX_RECLAIM_RETRIES = 16;
/** A frame that still has one of these is not free: whoever owns the flag forgot to let go (PAGE_FLAGS_CHECK_AT_FREE). */
const BAD_AT_FREE =
  PG_locked |
  PG_slab |
  PG_pagecache |
  PG_swapcache |
  PG_table |
  PG_reserved |
  PG_writeback |
  PG_buddy |
  PG_tail |
  PG_zsmalloc;

/** The pools of huge pages, as putFrame sees them. */
export interface HugeRelease {
  /** The last reference to the page with this head went. */
  releaseHuge(head: Pfn): void;
}

export interface FrameAllocatorOptions {
  readonly ram: Ram;
  readonly frames: FrameTable;
  readonly zones: readonly ZoneConfig[];
  /** The first frames, kept for the kernel image: never handed out. At least 1, so that no allocation is at address 0. */
  readonly reservedFrames: number;
  readonly events: EventSink;
  readonly vmstat: Vmstat;
  readonly injector?: FaultInjector | null;
}

/**
 * The page allocator (Linux: __alloc_pages, mm/page_alloc.c) and, with compound.ts, the one place where reference counts
 * change.
 *
 * Invariants:
 *  P1 A frame that is handed out has refcount 1, mapcount 0, owner 0, no flags (PG_head on a compound block's first frame).
 *  P2 putFrame frees at zero; then the frame is unmapped, in no page cache, no slab, no page table, and off the LRU lists.
 *  P3 Only a request with __GFP_DIRECT_RECLAIM calls the reclaimer, and never from within the reclaimer.
 *  P4 Requests leave `min + lowmem_reserve` frames in each zone, less for __GFP_HIGH, 0 for the reclaimer itself.
 */
export class FrameAllocator {
  readonly frames: FrameTable;
  readonly zones: readonly Zone[];
  readonly lru: LruLists;
  readonly deferredSplits: DeferredSplits;
  readonly stat = new NodeStat();
  readonly watermarks: WatermarkSettings;
  private readonly ram: Ram;
  readonly events: EventSink;
  private readonly vmstat: Vmstat;
  /** buildZonelists. */
  private readonly zonelists: readonly (readonly Zone[])[];
  private reclaimer: Reclaimer | null = null;
  private kswapd: KswapdWaker | null = null;
  private inReclaim = false;
  private hugeRelease: HugeRelease | null = null;
  private charger: Charger | null = null;
  /** Makes requests fail that need not; null: none does. */
  readonly injector: FaultInjector | null;

  constructor(options: FrameAllocatorOptions) {
    const { frames, reservedFrames } = options;
    assert(reservedFrames >= 1, 'mm/phys/alloc.ts: frame 0 is reserved');
    this.ram = options.ram;
    this.frames = frames;
    this.events = options.events;
    this.vmstat = options.vmstat;
    this.injector = options.injector ?? null;
    this.lru = new LruLists(frames, options.events);
    this.deferredSplits = new DeferredSplits(frames, options.vmstat, options.events);
    this.zones = options.zones.map((config) => new Zone(frames, config)).sort((a, b) => a.type - b.type);
    this.zonelists = buildZonelists(this.zones);
    this.ram.touched.fill(1, 0, reservedFrames);
    for (let frame = 0; frame < reservedFrames; frame++) {
      frames.flags[frame] = PG_reserved;
      frames.refcount[frame] = 1;
    }
    for (const zone of this.zones) giveBootMemory(zone, Math.max(zone.startPfn, reservedFrames));
    this.watermarks = new WatermarkSettings(calculateMinFreeKbytes(this.zones));
    this.setupWatermarks();
  }

  /** Who takes pages of the huge pools when their last reference goes. */
  setHugeRelease(release: HugeRelease): void {
    this.hugeRelease = release;
  }

  get charges(): Charger | null {
    return this.charger;
  }

  setCharger(charger: Charger): void {
    this.charger = charger;
  }

  setReclaimer(reclaimer: Reclaimer): void {
    this.reclaimer = reclaimer;
  }

  setKswapd(kswapd: KswapdWaker): void {
    this.kswapd = kswapd;
  }

  /** Reclaim is at work: what it takes itself is counted, but never refused (PF_MEMALLOC). */
  get isReclaiming(): boolean {
    return this.inReclaim;
  }

  /** Reclaim for another reason than a lack of frames, which may use all reserves: what `reclaim` freed; 0 within reclaim. */
  reclaimWith(reclaim: () => number): number {
    if (this.inReclaim) return 0;
    this.inReclaim = true;
    const freed = reclaim();
    this.inReclaim = false;
    return freed;
  }

  /** kswapd's own work, which may use all reserves. Frames freed. */
  reclaimInBackground(frames: number): number {
    if (this.reclaimer === null || this.inReclaim) return 0;
    this.inReclaim = true;
    const freed = this.reclaimer.reclaim(frames, 'kswapd');
    this.inReclaim = false;
    return freed;
  }

  /** One frame with refcount 1, or NO_FRAME. */
  allocFrame(gfp: number): Pfn | -1 {
    return this.allocFrames(0, gfp);
  }

  /** The first of 2^order frames in a row, aligned to their number, or NO_FRAME. */
  allocFrames(order: number, gfp: number): Pfn | -1 {
    assert(order >= 0 && order <= MAX_PAGE_ORDER, 'mm/phys/alloc.ts: order is 0 to MAX_PAGE_ORDER');
    if (this.injector?.failsFrames(gfp) === true) return NO_FRAME;
    const highest = gfpZone(gfp);
    const watermarkless = this.inReclaim || (gfp & __GFP_MEMALLOC) !== 0;
    let frame = this.takeFromZones(highest, order, WMARK_LOW, watermarkless ? 'all' : 'none');
    if (frame === NO_FRAME) frame = this.allocSlowpath(highest, order, gfp);
    if (frame === NO_FRAME) {
      if (this.injector !== null) this.injector.tookMemory = false;
      if ((gfp & __GFP_NOFAIL) !== 0) panic('mm/phys/alloc.ts: memory for a request that must not fail');
      return NO_FRAME;
    }
    this.prepareNew(frame as Pfn, order, gfp);
    if ((gfp & __GFP_ACCOUNT) !== 0 && this.charger?.isCounting === true) {
      if (!this.charger.chargeKernelBlock(frame as Pfn, order, gfp)) {
        if (order > 0 && (gfp & __GFP_COMP) === 0) this.freeFrames(frame as Pfn, order);
        else this.putFrame(frame as Pfn);
        return NO_FRAME;
      }
    }
    return frame;
  }

  /** A page of a pool that nobody refers to is the pool's again. */
  renewReference(head: Pfn): void {
    assert(this.frames.refcount[head] === 0, 'mm/phys/alloc.ts: only a page without references is taken back');
    this.frames.refcount[head] = 1;
  }

  /**
   * 2^order frames in a row beyond MAX_PAGE_ORDER, as a compound page with one reference (alloc_contig_pages): NO_FRAME where no
   * aligned stretch is free as a whole, or the zone would fall below its low mark. Moves nothing out of the way.
   */
  allocContig(order: number): Pfn | -1 {
    const count = 2 ** order;
    for (const zone of [...this.zones].reverse()) {
      if (zone.buddy.freePages - count <= zone.watermarks[WMARK_LOW]) continue;
      const first = Math.ceil(zone.startPfn / count) * count;
      for (let frame = first; frame + count <= zone.endPfn; frame += count) {
        if (!zone.buddy.takeRange(frame as Pfn, count)) continue;
        zone.pgalloc += count;
        this.vmstat.pgalloc_dma32 += zone.type === ZONE_DMA32 ? count : 0;
        this.prepareNew(frame as Pfn, order, __GFP_COMP);
        return frame as Pfn;
      }
    }
    return NO_FRAME;
  }

  /** Drops the one reference on a block that is not compound, all of whose frames go (Linux: __free_pages). */
  freeFrames(frame: Pfn, order: number): void {
    const { refcount } = this.frames;
    assert(refcount[frame] === 1, 'mm/phys/alloc.ts: freeFrames ends the last reference');
    refcount[frame] = 0;
    this.release(frame, order);
  }

  getFrame(frame: Pfn): void {
    const head = this.frames.headOf(frame);
    assert(this.frames.refcount[head] > 0, 'mm/phys/alloc.ts: a reference is taken on a frame in use');
    this.frames.refcount[head]++;
  }

  /** Drops a reference; the last one frees the frame, or the compound block that it is part of (P2). */
  putFrame(frame: Pfn): void {
    const head = this.frames.headOf(frame);
    const left = --this.frames.refcount[head];
    if (left > 0) return;
    assert(left === 0, 'mm/phys/alloc.ts: refcount is not negative');
    if ((this.frames.flags[head] & PG_hugetlb) !== 0) this.hugeRelease?.releaseHuge(head);
    else this.release(head, (this.frames.flags[head] & PG_head) !== 0 ? this.frames.order[head] : 0);
  }

  /** Free frames of all zones. */
  get freeCount(): number {
    let total = 0;
    for (const zone of this.zones) total += zone.buddy.freePages;
    return total;
  }

  /** Frames that the allocator manages (MemTotal). */
  get totalCount(): number {
    let total = 0;
    for (const zone of this.zones) total += zone.managedPages;
    return total;
  }

  zoneOf(frame: Pfn): Zone {
    for (const zone of this.zones) if (frame >= zone.startPfn && frame < zone.endPfn) return zone;
    return panic('mm/phys/alloc.ts: every frame that is freed lies in a zone');
  }

  /** After `watermarks` has changed (setup_per_zone_wmarks, setup_per_zone_lowmem_reserve). */
  setupWatermarks(): void {
    setupPerZoneWatermarks(this.zones, this.watermarks);
    setupLowmemReserve(this.zones, this.watermarks);
  }

  /** __alloc_pages_slowpath: wakes kswapd; down to the min mark, then reclaim and try again as long as that makes progress. */
  private allocSlowpath(highest: number, order: number, gfp: number): Pfn | -1 {
    if ((gfp & __GFP_KSWAPD_RECLAIM) !== 0 && !this.inReclaim) {
      if (this.events.enabled[EV_WAKEUP_KSWAPD] !== 0) this.events.emit(EV_WAKEUP_KSWAPD, order, gfp);
      this.kswapd?.wake();
    }
    const mayReclaim = (gfp & __GFP_DIRECT_RECLAIM) !== 0 && !this.inReclaim;
    const depth: Depth = (gfp & __GFP_HIGH) !== 0 ? 'high' : 'none';
    const depthNow: Depth = mayReclaim || this.inReclaim ? depth : depth === 'high' ? 'atomic' : 'none';
    let frame = this.takeFromZones(highest, order, WMARK_MIN, depthNow);
    if (frame !== NO_FRAME || !mayReclaim || this.reclaimer === null) return frame;
    for (let round = 0; round < MAX_RECLAIM_RETRIES; round++) {
      this.vmstat.allocstall_normal++;
      if (this.events.enabled[EV_DIRECT_RECLAIM_BEGIN] !== 0) this.events.emit(EV_DIRECT_RECLAIM_BEGIN, order, gfp);
      this.inReclaim = true;
      const freed = this.reclaimer.reclaim(Math.max(RECLAIM_BATCH, 1 << order));
      this.inReclaim = false;
      if (this.events.enabled[EV_DIRECT_RECLAIM_END] !== 0) this.events.emit(EV_DIRECT_RECLAIM_END, freed);
      if (freed > 0) this.kswapd?.noteProgress();
      frame = this.takeFromZones(highest, order, WMARK_MIN, depth);
      if (frame !== NO_FRAME || freed === 0 || (gfp & __GFP_NORETRY) !== 0) return frame;
    }
    return NO_FRAME;
  }

  /** get_page_from_freelist. */
  private takeFromZones(highest: number, order: number, mark: number, depth: Depth): Pfn | -1 {
    for (const zone of this.zonelists[highest]) {
      if (!isWatermarkOk(zone, highest, order, mark, depth)) continue;
      const frame = zone.buddy.alloc(order);
      if (frame === NO_FRAME) continue;
      const count = 2 ** order;
      zone.pgalloc += count;
      if (zone.type === ZONE_DMA) this.vmstat.pgalloc_dma += count;
      else if (zone.type === ZONE_DMA32) this.vmstat.pgalloc_dma32 += count;
      else if (zone.type === ZONE_NORMAL) this.vmstat.pgalloc_normal += count;
      else if (zone.type === ZONE_MOVABLE) this.vmstat.pgalloc_movable += count;
      return frame;
    }
    return NO_FRAME;
  }

  private prepareNew(frame: Pfn, order: number, gfp: number): void {
    const { frames } = this;
    assert(frames.refcount[frame] === 0 && frames.flags[frame] === 0, 'mm/phys/alloc.ts: P1 a free frame is blank');
    frames.refcount[frame] = 1;
    const count = 2 ** order;
    if (order === 0) this.ram.touched[frame] = 1;
    else this.ram.touched.fill(1, frame, frame + count);
    if (order > 0 && (gfp & __GFP_COMP) !== 0) makeCompound(frames, frame, order);
    if ((gfp & __GFP_ZERO) !== 0) for (let i = 0; i < count; i++) this.ram.zeroFrame((frame + i) as Pfn);
    if (this.events.enabled[EV_PAGE_ALLOC] !== 0) this.events.emit(EV_PAGE_ALLOC, frame, order, gfp);
  }

  /** free_pages_prepare and __free_one_page: the block is blank again and back in its zone. */
  private release(frame: Pfn, order: number): void {
    const { frames } = this;
    const { flags } = frames;
    const count = 2 ** order;
    if ((flags[frame] & PG_lru) !== 0) this.lru.remove(frame);
    if ((flags[frame] & (PG_deferred | PG_partially_mapped)) !== 0) this.deferredSplits.remove(frame);
    if (frames.memcg[frame] !== 0) this.charger?.unchargeBlock(frame, count);
    if ((flags[frame] & PG_mlocked) !== 0) {
      this.stat.nr_mlock -= count;
      this.vmstat.unevictable_pgs_cleared += count;
    }
    frames.mlockCount[frame] = 0;
    for (let each = frame as number; each < frame + count; each++) {
      const bad = each === frame ? BAD_AT_FREE : BAD_AT_FREE & ~PG_tail;
      if ((flags[each] & bad) !== 0) panic('mm/phys/alloc.ts: P2 nobody owns a frame that is freed');
      const mappings = frames.mapcount[each] | frames.largeMapcount[each];
      assert(mappings === 0, 'mm/phys/alloc.ts: P2 a frame that is freed is not mapped');
      flags[each] = 0;
      frames.owner[each] = 0;
      frames.index[each] = 0;
      frames.private[each] = 0;
      frames.order[each] = 0;
      this.ram.beforeWrite(each as Pfn);
    }
    const zone = this.zoneOf(frame);
    zone.pgfree += count;
    this.vmstat.pgfree += count;
    if (order <= MAX_PAGE_ORDER) zone.buddy.free(frame, order);
    else for (let at = 0; at < count; at += 2 ** MAX_PAGE_ORDER) zone.buddy.free((frame + at) as Pfn, MAX_PAGE_ORDER);
    if (this.events.enabled[EV_PAGE_FREE] !== 0) this.events.emit(EV_PAGE_FREE, frame, order);
  }
}

/** memblock_free_all: the largest aligned blocks, lowest first, so that low addresses are given out first. */
function giveBootMemory(zone: Zone, firstFree: number): void {
  for (let frame = firstFree; frame < zone.endPfn; ) {
    let order = MAX_PAGE_ORDER;
    while (frame % (1 << order) !== 0 || frame + (1 << order) > zone.endPfn) order--;
    zone.buddy.free(frame as Pfn, order, 'back');
    frame += 1 << order;
  }
  zone.managedPages = zone.buddy.freePages;
}
