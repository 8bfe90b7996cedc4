import { EV_WORKINGSET_EVICTION, EV_WORKINGSET_REFAULT } from '../../base/event-kinds.ts';
import type { Pfn } from '../../machine/units.ts';
import type { PageCache } from '../page-cache/page-cache.ts';
import { PG_swapbacked } from '../phys/page-flags.ts';
import type { RefaultListener } from '../phys/reclaimer.ts';
import type { LruvecPages } from './lruvec-pages.ts';

/** Room in a shadow entry for the id of a memory cgroup (MEM_CGROUP_ID_SHIFT). */
const MEMCG_IDS = 2 ** 16;

/**
 * Refault detection (Linux: mm/workingset.c, 6.18): what goes for want of memory leaves a shadow entry where it will be looked for, in
 * the index of its file or with its slot of swap. A shadow entry holds the memory cgroup and a number of the policy's; 0 is none.
 */
export class Workingset implements RefaultListener {
  private readonly cache: PageCache;
  /** By id of the memory cgroup; Reclaim's. */
  private readonly lruvecs: readonly (LruvecPages | null)[];

  /** Shadow entries of pages that are being written. */
  private readonly leaving = new Map<Pfn, number>();

  constructor(cache: PageCache, lruvecs: readonly (LruvecPages | null)[]) {
    this.cache = cache;
    this.lruvecs = lruvecs;
  }

  /** workingset_eviction: the shadow entry for a page that is about to go. */
  evicted(page: Pfn): number {
    const memcg = this.cache.frames.memcg[page];
    const lruvec = this.lruvecs[memcg];
    const number = lruvec?.policy.evicted?.(lruvec, page) ?? 0;
    const { events } = this.cache.allocator;
    if (events.enabled[EV_WORKINGSET_EVICTION] !== 0) events.emit(EV_WORKINGSET_EVICTION, page, memcg, number);
    return 1 + memcg + number * MEMCG_IDS;
  }

  /** A page that goes as soon as a device has written it is off its list, and what it was to its policy is kept until then. */
  isolate(page: Pfn): void {
    this.leaving.set(page, this.evicted(page));
    this.cache.allocator.lru.remove(page);
  }

  /** The shadow entry of an isolated page, which is isolated no more. */
  takeShadow(page: Pfn): number {
    const shadow = this.leaving.get(page) ?? 0;
    this.leaving.delete(page);
    return shadow;
  }

  wanted(shadow: number): void {
    this.lruvecs[(shadow - 1) % MEMCG_IDS]?.policy.wanted?.(Math.floor((shadow - 1) / MEMCG_IDS));
  }

  /** workingset_refault. What another memory cgroup lost says nothing about this one's needs. */
  refaulted(page: Pfn, shadow: number): void {
    const { frames, allocator } = this.cache;
    const name = (frames.flags[page] & PG_swapbacked) !== 0 ? 'workingset_refault_anon' : 'workingset_refault_file';
    allocator.stat[name]++;
    this.cache.memcgs.payerOf(page).counters[name]++;
    const memcg = (shadow - 1) % MEMCG_IDS;
    const lruvec = this.lruvecs[memcg];
    const { events } = allocator;
    if (events.enabled[EV_WORKINGSET_REFAULT] !== 0) {
      const isSwapbacked = name === 'workingset_refault_anon' ? 1 : 0;
      events.emit(EV_WORKINGSET_REFAULT, page, memcg, Math.floor((shadow - 1) / MEMCG_IDS), isSwapbacked);
    }
    if (memcg === frames.memcg[page]) lruvec?.policy.refaulted?.(lruvec, page, Math.floor((shadow - 1) / MEMCG_IDS));
  }

  /** count_shadow_nodes, scan_shadow_nodes. */
  shrinkNodes(): void {
    const { shadowNodes, allocator } = this.cache;
    shadowNodes.shrink(allocator.totalCount);
  }
}
