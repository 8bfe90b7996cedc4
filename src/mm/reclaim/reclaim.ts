import {
  EV_MEMCG_RECLAIM_BEGIN,
  EV_MEMCG_RECLAIM_END,
  EV_SHRINK_INACTIVE,
  EV_THROTTLED,
} from '../../base/event-kinds.ts';
import { Rng } from '../../base/rng.ts';
import type { ReferenceStream } from '../../machine/reference-stream.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import type { Memcg } from '../memcg/memcg.ts';
import type { MemcgReclaim, Memcgs } from '../memcg/memcgs.ts';
import { calculateProtection } from '../memcg/protection.ts';
import type { PageCache } from '../page-cache/page-cache.ts';
import { PG_lru, PG_tail } from '../phys/page-flags.ts';
import type { Reclaimer, UseListener } from '../phys/reclaimer.ts';
import type { SlabAllocator } from '../phys/slab.ts';
import { LruGenPolicies, type ReclaimPolicies } from './kinds.ts';
import { LruvecPages, RECLAIM_BY, type ReclaimRun, type TableWalker } from './lruvec-pages.ts';
import type { LruGen } from './mglru/lru-gen.ts';
import { MglruPolicy } from './mglru/mglru.ts';
import { isReclaimable } from './mglru/min-ttl.ts';
import { drainGenerations, fillGenerations } from './mglru/switch.ts';
import { PageReclaim } from './page-reclaim.ts';
import { DEF_PRIORITY, type ReclaimPolicy } from './policy.ts';
import { Workingset } from './workingset.ts';

/** What splits huge pages that hold memory in vain (thp/deferred-split.ts). */
export interface HugePageShrinker {
  /** Frames freed, of the memory cgroup's pages and of those below it. */
  shrink(memcg: Memcg): number;
}

/**
 * Makes frames free when memory is short (Linux: mm/vmscan.c). Every memory cgroup has a lruvec with a policy of its own, which says
 * which of its pages go; how much each has to give is said here, and PageReclaim makes the pages go.
 */
export class Reclaim implements Reclaimer, MemcgReclaim, ReferenceStream, UseListener {
  readonly pages: PageReclaim;
  readonly workingset: Workingset;
  private readonly cache: PageCache;
  private readonly slab: SlabAllocator;
  private readonly memcgs: Memcgs;
  private readonly run: ReclaimRun;
  private hugePages: HugePageShrinker | null = null;
  private readonly policies: ReclaimPolicies;
  /** By id of the memory cgroup. */
  private readonly lruvecs: (LruvecPages | null)[] = [];
  /** Where the last walk that stopped half way is to go on: id of a memory cgroup (mem_cgroup_reclaim_iter). */
  private nextMemcg = 0;

  /** Every lruvec gets a policy of the kind. No page may be on a list yet. */
  constructor(cache: PageCache, slab: SlabAllocator, memcgs: Memcgs, policies: ReclaimPolicies) {
    this.cache = cache;
    this.slab = slab;
    this.memcgs = memcgs;
    this.policies = policies;
    this.run = { rng: new Rng(0x7ec1a1), swappiness: 60, by: 'direct', target: memcgs.root, tables: null };
    this.workingset = new Workingset(cache, this.lruvecs);
    cache.refaults = this.workingset;
    cache.swap.refaults = this.workingset;
    this.pages = new PageReclaim(cache, this.workingset);
    for (const memcg of memcgs.all) if (memcg !== null) this.memcgAdded(memcg);
    cache.uses = this.wantsReferences ? this : null;
    memcgs.setReclaim(this);
  }

  /** vm.swappiness. */
  get swappiness(): number {
    return this.run.swappiness;
  }
  set swappiness(value: number) {
    this.run.swappiness = value;
  }

  /** Once: how address spaces are found. */
  setTableWalker(tables: TableWalker): void {
    this.run.tables = tables;
  }

  /** Once. */
  setHugePageShrinker(shrinker: HugePageShrinker): void {
    this.hugePages = shrinker;
  }

  get policyName(): string {
    return this.lruvecOf(0).policy.name;
  }

  /** The policies want every access (ReclaimPolicy.referenced). */
  get wantsReferences(): boolean {
    return this.lruvecOf(0).policy.referenced !== undefined;
  }

  referenced(_asid: number, _page: Vpn, frame: Pfn): void {
    this.used(frame);
  }

  /** A page of any of the lists; of a huge page any part. */
  used(frame: Pfn): void {
    const { frames } = this.cache;
    const page = (frames.flags[frame] & PG_tail) === 0 ? frame : frames.headOf(frame);
    if ((frames.flags[page] & PG_lru) !== 0) this.policyOf(page).referenced?.(page);
  }

  /** What can be set of mglru; null on a machine that was booted with another policy (a kernel without CONFIG_LRU_GEN). */
  get lruGen(): LruGen | null {
    return this.policies instanceof LruGenPolicies ? this.policies.settings : null;
  }

  /** LRU_GEN_*; where the main switch changes, all pages change their order (lru_gen_change_state). */
  setLruGenCaps(settings: LruGen, caps: number): void {
    const wasOn = settings.isOn;
    const { frames, allocator } = this.cache;
    settings.caps = caps;
    if (settings.isOn === wasOn) return;
    for (const lruvec of this.lruvecs) {
      if (lruvec === null || lruvec === undefined) continue;
      if (lruvec.policy instanceof MglruPolicy) drainGenerations(lruvec.policy, allocator.lru, frames);
      this.memcgAdded(lruvec.memcg);
      const { policy } = this.lruvecOf(lruvec.memcg.id);
      if (policy instanceof MglruPolicy) fillGenerations(policy, lruvec.lru, frames);
    }
  }

  /**
   * Has any memory cgroup something to give beside what was used in the last min_ttl_ms (lru_gen_age_node, 6.18)? If not, kswapd is to
   * kill somebody rather than to evict that.
   */
  get keepsMinTtl(): boolean {
    const { lruGen } = this;
    if (lruGen === null || !lruGen.isOn || lruGen.minTtlMs === 0) return true;
    return this.collectWalk(this.memcgs.root).some(({ id, memory }) => {
      if (memory.effectiveMin > 0 && memory.usage <= memory.effectiveMin) return false;
      const lruvec = this.lruvecOf(id);
      return lruvec.policy instanceof MglruPolicy && isReclaimable(lruvec.policy, lruvec, lruGen.minTtlMs * 1e6);
    });
  }

  memcgAdded(memcg: Memcg): void {
    const policy = this.policies.create(this.cache.frames);
    if (policy instanceof MglruPolicy) policy.start(this.cache.clock.nowNs, this.cache.allocator.events, memcg.id);
    const lruvec = new LruvecPages(memcg, policy, this.run, this.pages);
    lruvec.lru.listener = policy;
    this.lruvecs[memcg.id] = lruvec;
  }

  memcgGone(memcg: Memcg): void {
    this.lruvecs[memcg.id] = null;
  }

  /** The policy that has the page. */
  policyOf(page: Pfn): ReclaimPolicy {
    return this.lruvecOf(this.cache.frames.memcg[page]).policy;
  }

  private lruvecOf(memcg: number): LruvecPages {
    return this.lruvecs[memcg] as LruvecPages;
  }

  /** try_to_free_pages, balance_pgdat's inner part: ever more of the lists, until there is enough. */
  reclaim(frames: number, by: 'direct' | 'kswapd' = 'direct'): number {
    const { memstall, freeingPages: wasFreeing } = this.cache.io;
    if (by === 'direct') memstall?.enter();
    let freed = this.shrinkTree(this.memcgs.root, frames, by);
    this.workingset.shrinkNodes();
    if (by === 'direct') {
      freed = this.throttle(frames, freed, wasFreeing);
      memstall?.leave();
    }
    if (freed < frames) freed += this.hugePages?.shrink(this.memcgs.root) ?? 0;
    if (freed < frames) freed += this.slab.shrink();
    return freed;
  }

  /** try_to_free_mem_cgroup_pages: of the pages of `target` and all below it. */
  reclaimMemcg(
    target: Memcg,
    frames: number,
    options: { readonly by?: 'direct' | 'proactive'; readonly swappiness?: number | undefined } = {},
  ): number {
    const { memstall, freeingPages: wasFreeing } = this.cache.io;
    const { events } = this.cache.allocator;
    if (events.enabled[EV_MEMCG_RECLAIM_BEGIN] !== 0) events.emit(EV_MEMCG_RECLAIM_BEGIN, target.id, frames);
    memstall?.enter();
    let freed = this.shrinkTree(target, frames, options.by ?? 'direct', options.swappiness);
    if (freed < frames) freed += this.hugePages?.shrink(target) ?? 0;
    // Only what it has started itself: other memory cgroups' frames are no help.
    const now = this.throttle(Math.min(frames, freed), freed, wasFreeing);
    memstall?.leave();
    if (events.enabled[EV_MEMCG_RECLAIM_END] !== 0) events.emit(EV_MEMCG_RECLAIM_END, target.id, now);
    return now;
  }

  /** reclaim_throttle: who needs frames now waits for the writes that will free them; how many frames there are then. */
  private throttle(wanted: number, freed: number, wasFreeing: number): number {
    const { io } = this.cache;
    const started = Math.max(0, io.freeingPages - wasFreeing);
    const now = freed - started;
    if (now >= wanted) return now;
    const { events } = this.cache.allocator;
    if (events.enabled[EV_THROTTLED] !== 0) events.emit(EV_THROTTLED, wanted, now);
    return now + io.endFreeing(wanted - now);
  }

  /** do_try_to_free_pages: what memory.low protects goes only when nothing else is left. */
  private shrinkTree(target: Memcg, frames: number, by: ReclaimRun['by'], swappiness = this.swappiness): number {
    const { run } = this;
    const outer = { by: run.by, target: run.target, swappiness: run.swappiness };
    run.swappiness = swappiness;
    run.by = by;
    run.target = target;
    let freed = 0;
    for (const lows of ['kept', 'taken'] as const) {
      let skipped = false;
      for (let priority = DEF_PRIORITY; priority >= 0 && freed < frames; priority--) {
        const round = this.shrinkMemcgs(frames - freed, priority, lows);
        freed += round.freed;
        skipped ||= round.skipped;
      }
      if (freed > 0 || !skipped) break;
    }
    run.by = outer.by;
    run.target = outer.target;
    run.swappiness = outer.swappiness;
    return freed;
  }

  /** shrink_node_memcgs: each gives what the priority asks of it, as far as memory.min and memory.low let it. */
  private shrinkMemcgs(wanted: number, priority: number, lows: 'kept' | 'taken'): { freed: number; skipped: boolean } {
    const { target, by } = this.run;
    // The ordinary machine.
    if (target.children.length === 0) {
      return { freed: this.shrinkLruvec(this.lruvecOf(target.id), wanted, priority), skipped: false };
    }
    const walk = this.collectWalk(target);
    // kswapd asks all of them, for it runs seldom; who needs memory itself stops when it has it, and the next begins behind.
    const stops = by !== 'kswapd';
    const first = stops ? Math.max(0, walk.indexOf(this.memcgs.memcgOf(this.nextMemcg) ?? target)) : 0;
    let freed = 0;
    let skipped = false;
    for (let step = 0; step < walk.length; step++) {
      const at = (first + step) % walk.length;
      const memcg = walk[at];
      const { usage, effectiveMin, effectiveLow } = memcg.memory;
      if (memcg !== target && !memcg.isRoot) {
        if (effectiveMin > 0 && usage <= effectiveMin) continue;
        if (effectiveLow > 0 && usage <= effectiveLow) {
          if (lows === 'kept') {
            skipped = true;
            continue;
          }
          this.memcgs.noteEvent(memcg, 'low');
        }
      }
      const kept = memcg === target || memcg.isRoot ? 0 : Math.max(effectiveMin, lows === 'kept' ? effectiveLow : 0);
      const asked = kept > 0 ? Math.min(wanted - (stops ? freed : 0), usage - kept) : wanted - (stops ? freed : 0);
      freed += this.shrinkLruvec(this.lruvecOf(memcg.id), asked, priority);
      if (stops && freed >= wanted) {
        this.nextMemcg = walk[(at + 1) % walk.length].id;
        break;
      }
    }
    return { freed, skipped };
  }

  private shrinkLruvec(lruvec: LruvecPages, wanted: number, priority: number): number {
    const { scanned, activated } = lruvec;
    const freed = lruvec.policy.shrink(lruvec, wanted, priority);
    const { events } = this.cache.allocator;
    if (events.enabled[EV_SHRINK_INACTIVE] !== 0) {
      const by = RECLAIM_BY.indexOf(this.run.by);
      const { id } = lruvec.memcg;
      const nrScanned = lruvec.scanned - scanned;
      events.emit(EV_SHRINK_INACTIVE, id, wanted, nrScanned, freed, lruvec.activated - activated, priority, by);
    }
    return freed;
  }

  /** The target and all below it, parents first, with their protection as it is now (mem_cgroup_iter). */
  private collectWalk(target: Memcg): Memcg[] {
    const walk = [target];
    for (let at = 0; at < walk.length; at++) {
      calculateProtection(target, walk[at], this.memcgs.protectionScope);
      walk.push(...walk[at].children);
    }
    return walk;
  }
}
