import {
  EV_LRU_ACTIVATE,
  EV_LRU_DEACTIVATE,
  EV_PAGE_REFERENCED,
  EV_RECLAIM_CHOICE,
  EV_RECLAIM_KEEP,
  EV_RECLAIM_SCAN,
  EV_RECLAIM_STEAL,
  EV_WORKINGSET_DECISION,
} from '../../base/event-kinds.ts';
import type { EventSink } from '../../base/events.ts';
import type { Rng } from '../../base/rng.ts';
import { COST_RECLAIM_LOOK_NS, COST_REFERENCES_NS } from '../../machine/cost-model.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import type { Memcg } from '../memcg/memcg.ts';
import { freeSlotsOf } from '../memcg/swap-charge.ts';
import type { PageCache } from '../page-cache/page-cache.ts';
import type { FrameTable } from '../phys/frame-table.ts';
import type { Lruvec } from '../phys/lruvec.ts';
import {
  PG_active,
  PG_lru,
  PG_mlocked,
  PG_referenced,
  PG_swapbacked,
  PG_swapcache,
  PG_unevictable,
  PG_workingset,
} from '../phys/page-flags.ts';
import { WMARK_HIGH } from '../phys/zone.ts';
import type { RmapVma } from '../rmap/rmap-vma.ts';
import { forEachMapping } from '../rmap/rmap-walk.ts';
import { hasRecency } from '../vm-flags.ts';
import type { PageReclaim } from './page-reclaim.ts';
import type { ReclaimablePages, ReclaimPolicy, References, TableVisitor } from './policy.ts';
import { type PolicyWhy, whyNumber } from './why.ts';

/** The way to page tables by address and not by page; mm/young-walk.ts. */
export interface TableWalker {
  lookAround(vma: RmapVma, at: Vpn, window: number, visitor: TableVisitor): void;
  walk(visitor: TableVisitor): void;
}

/** By the values of `by` in events. */
export const RECLAIM_BY: readonly ReclaimRun['by'][] = ['direct', 'kswapd', 'proactive'];

/** What a run of reclaim is for, as all its lruvecs see it. Reclaim sets it. */
export interface ReclaimRun {
  readonly rng: Rng;
  swappiness: number;
  by: 'direct' | 'kswapd' | 'proactive';
  /** The memory cgroup whose limit it is for; the root: the machine is short. */
  target: Memcg;
  /** null before there are address spaces. */
  tables: TableWalker | null;
}

/** The pages of one memory cgroup, as its policy sees them (Linux: a lruvec under a scan_control). */
export class LruvecPages implements ReclaimablePages {
  readonly memcg: Memcg;
  readonly lru: Lruvec;
  readonly policy: ReclaimPolicy;
  private readonly run: ReclaimRun;
  private readonly cache: PageCache;
  private readonly pages: PageReclaim;
  private readonly references: References = { count: 0, vmFlags: 0 };
  /** Pages since it was made: what mm_vmscan_lru_shrink_inactive tells the difference of. */
  scanned = 0;
  activated = 0;

  constructor(memcg: Memcg, policy: ReclaimPolicy, run: ReclaimRun, pages: PageReclaim) {
    this.memcg = memcg;
    this.policy = policy;
    this.run = run;
    this.pages = pages;
    this.cache = pages.cache;
    this.lru = this.cache.allocator.lru.lruvecOf(memcg.id);
  }

  private get events(): EventSink {
    return this.cache.allocator.events;
  }
  get frames(): FrameTable {
    return this.cache.frames;
  }
  get rng(): Rng {
    return this.run.rng;
  }
  get swappiness(): number {
    return this.run.swappiness;
  }
  get hasSwap(): boolean {
    return freeSlotsOf(this.memcg, this.cache.swap.freePages) > 0;
  }
  get freePages(): number {
    return this.run.target.isRoot ? this.cache.allocator.freeCount : 0;
  }
  get highMarkPages(): number {
    if (!this.run.target.isRoot) return 0;
    return this.cache.allocator.zones.reduce((sum, zone) => sum + zone.watermarks[WMARK_HIGH], 0);
  }

  isCandidate(page: Pfn): boolean {
    const flags = this.frames.flags[page];
    if ((flags & (PG_lru | PG_mlocked | PG_unevictable)) !== PG_lru) return false;
    return (flags & PG_swapbacked) === 0 || (flags & PG_swapcache) !== 0 || this.hasSwap;
  }

  takeReferences(page: Pfn): References {
    const { references } = this;
    const { rmap, clock } = this.cache;
    clock.charge(COST_REFERENCES_NS);
    references.count = 0;
    references.vmFlags = 0;
    references.isOverRssLimit = this.frames.mappingsOfPage(page) > 0;
    forEachMapping(rmap, page, (vma, at) => {
      if (vma.space.isOverRssLimit !== true) references.isOverRssLimit = false;
      // invalid_folio_referenced_vma
      if (!hasRecency(vma.flags) || !rmap.editor.clearAccessed(vma, at)) return;
      references.count++;
      references.vmFlags |= vma.flags;
    });
    if (this.events.enabled[EV_PAGE_REFERENCED] !== 0) this.events.emit(EV_PAGE_REFERENCED, page, references.count);
    return references;
  }

  takeReferenced(page: Pfn): boolean {
    const { flags } = this.frames;
    const was = (flags[page] & PG_referenced) !== 0;
    flags[page] &= ~PG_referenced;
    return was;
  }

  setReferenced(page: Pfn): void {
    this.frames.flags[page] |= PG_referenced;
  }

  isDirty(page: Pfn): boolean {
    return this.pages.isDirty(page);
  }

  activate(page: Pfn): void {
    if ((this.frames.flags[page] & PG_active) !== 0) return;
    this.cache.allocator.lru.changeFlags(page, PG_active, 0);
    this.cache.vmstat.pgactivate++;
    this.activated++;
    if (this.events.enabled[EV_LRU_ACTIVATE] !== 0) this.events.emit(EV_LRU_ACTIVATE, page, 1);
    this.memcg.counters.pgactivate++;
  }

  deactivate(page: Pfn): void {
    this.cache.allocator.lru.changeFlags(page, 0, PG_active);
    this.cache.vmstat.pgdeactivate++;
    if (this.events.enabled[EV_LRU_DEACTIVATE] !== 0) this.events.emit(EV_LRU_DEACTIVATE, page, 1);
    this.memcg.counters.pgdeactivate++;
  }

  rotate(page: Pfn): void {
    this.cache.allocator.lru.rotateToFront(page);
  }

  get nowNs(): number {
    return this.cache.clock.nowNs;
  }
  get isFault(): boolean {
    return this.cache.allocator.lru.isFault;
  }

  lookAround(page: Pfn, window: number, visitor: TableVisitor): number {
    const { rmap, clock } = this.cache;
    clock.charge(COST_REFERENCES_NS);
    let count = 0;
    forEachMapping(rmap, page, (vma, at) => {
      // invalid_folio_referenced_vma
      if (!hasRecency(vma.flags) || !rmap.editor.clearAccessed(vma, at)) return;
      count++;
      this.run.tables?.lookAround(vma, at, window, visitor);
    });
    if (this.events.enabled[EV_PAGE_REFERENCED] !== 0) this.events.emit(EV_PAGE_REFERENCED, page, count);
    return count;
  }

  walkTables(visitor: TableVisitor): void {
    this.run.tables?.walk(visitor);
  }

  startActive(page: Pfn): void {
    this.cache.allocator.lru.changeFlags(page, PG_active, 0);
  }

  noteRefault(page: Pfn, what: 'activated' | 'restored'): void {
    const kind = (this.frames.flags[page] & PG_swapbacked) !== 0 ? 'anon' : 'file';
    const name = `workingset_${what === 'activated' ? 'activate' : 'restore'}_${kind}` as const;
    this.cache.allocator.stat[name]++;
    this.memcg.counters[name]++;
    if (this.events.enabled[EV_WORKINGSET_DECISION] !== 0)
      this.events.emit(EV_WORKINGSET_DECISION, page, what === 'activated' ? 0 : 1, kind === 'anon' ? 1 : 0);
  }

  markWorkingset(page: Pfn): void {
    this.frames.flags[page] |= PG_workingset;
  }

  isWorkingset(page: Pfn): boolean {
    return (this.frames.flags[page] & PG_workingset) !== 0;
  }

  noteScanned(page: Pfn): void {
    const { vmstat, clock } = this.cache;
    clock.charge(COST_RECLAIM_LOOK_NS);
    const name = `pgscan_${this.run.by}` as const;
    this.memcg.counters[name]++;
    vmstat[name]++;
    this.scanned++;
    const isSwapbacked = (this.frames.flags[page] & PG_swapbacked) !== 0;
    if (isSwapbacked) vmstat.pgscan_anon++;
    else vmstat.pgscan_file++;
    if (this.events.enabled[EV_RECLAIM_SCAN] !== 0)
      this.events.emit(EV_RECLAIM_SCAN, page, RECLAIM_BY.indexOf(this.run.by), this.memcg.id, isSwapbacked ? 1 : 0);
  }

  free(page: Pfn, dirty: 'write' | 'skip', why: PolicyWhy = 'policy', rank = 0): boolean {
    if (this.events.enabled[EV_RECLAIM_CHOICE] !== 0)
      this.events.emit(EV_RECLAIM_CHOICE, page, RECLAIM_BY.indexOf(this.run.by), this.memcg.id, whyNumber(why), rank);
    const { vmstat } = this.cache;
    const { flags } = this.frames;
    const before = flags[page];
    const isSwapbacked = (before & PG_swapbacked) !== 0;
    if (!this.pages.tryToFree(page, dirty)) {
      if (this.events.enabled[EV_RECLAIM_KEEP] !== 0) this.tellKept(page);
      return false;
    }
    const name = `pgsteal_${this.run.by}` as const;
    this.memcg.counters[name]++;
    vmstat[name]++;
    if (isSwapbacked) vmstat.pgsteal_anon++;
    else vmstat.pgsteal_file++;
    if (this.events.enabled[EV_RECLAIM_STEAL] !== 0) this.tellFreed(page, before);
    return true;
  }

  private tellFreed(page: Pfn, flags: number): void {
    const isSwapbacked = (flags & PG_swapbacked) !== 0 ? 1 : 0;
    const by = RECLAIM_BY.indexOf(this.run.by);
    this.events.emit(EV_RECLAIM_STEAL, page, by, this.memcg.id, isSwapbacked, flags >>> 0);
  }

  private tellKept(page: Pfn): void {
    const { flags, refcount } = this.frames;
    const by = RECLAIM_BY.indexOf(this.run.by);
    const mappings = this.frames.mappingsOfPage(page);
    this.events.emit(EV_RECLAIM_KEEP, page, by, this.memcg.id, flags[page] >>> 0, refcount[page], mappings);
  }
}
