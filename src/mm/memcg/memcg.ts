import { PAGE_SIZE } from '../../machine/units.ts';
import { PageCounter } from './page-counter.ts';

/** The id of the root: frames that are charged to nobody have it. */
export const ROOT_MEMCG = 0;

/** What memory.events counts, in its order (memory_events_show, 6.18). */
export const MEMORY_EVENTS = ['low', 'high', 'max', 'oom', 'oom_kill', 'oom_group_kill'] as const;
export type MemoryEvent = (typeof MEMORY_EVENTS)[number];
export type MemoryEvents = Record<MemoryEvent, number>;

const noEvents = (): MemoryEvents => ({ low: 0, high: 0, max: 0, oom: 0, oom_kill: 0, oom_group_kill: 0 });

/** What memory.swap.events counts, in its order (swap_events_show). */
export const SWAP_EVENTS = ['high', 'max', 'fail'] as const;
export type SwapEvent = (typeof SWAP_EVENTS)[number];

/** Counted for memory.stat where it happens, by the names there; the rest of memory.stat is looked up (memory-stat.ts). */
export class MemcgCounters {
  pswpin = 0;
  pswpout = 0;
  pgscan_kswapd = 0;
  pgscan_direct = 0;
  pgscan_khugepaged = 0;
  pgscan_proactive = 0;
  pgsteal_kswapd = 0;
  pgsteal_direct = 0;
  pgsteal_khugepaged = 0;
  pgsteal_proactive = 0;
  pgfault = 0;
  pgmajfault = 0;
  pgrefill = 0;
  pgactivate = 0;
  pgdeactivate = 0;
  pglazyfree = 0;
  pglazyfreed = 0;
  swpin_zero = 0;
  swpout_zero = 0;
  thp_fault_alloc = 0;
  thp_collapse_alloc = 0;
  thp_swpout_fallback = 0;
  workingset_refault_anon = 0;
  workingset_refault_file = 0;
  workingset_activate_anon = 0;
  workingset_activate_file = 0;
  workingset_restore_anon = 0;
  workingset_restore_file = 0;
  workingset_nodereclaim = 0;

  add(other: MemcgCounters): void {
    for (const name of COUNTER_NAMES) this[name] += other[name];
  }
}
const COUNTER_NAMES = Object.keys(new MemcgCounters()) as Exclude<keyof MemcgCounters, 'add'>[];

/**
 * One memory cgroup (Linux: struct mem_cgroup). Plain data; Memcgs makes, charges and ends them.
 *
 *   online --offline (rmdir)--> dying --the last charge goes--> gone, its id free
 */
export class Memcg {
  /** frames.memcg of its pages. */
  readonly id: number;
  readonly parent: Memcg | null;
  readonly children: Memcg[] = [];
  /** Memory, the kernel's for it included. */
  readonly memory: PageCounter;
  /** Slots of swap. */
  readonly swap: PageCounter;
  /** memory.events.local, and memory.events, which counts those of all below too. */
  readonly localEvents = noEvents();
  readonly events = noEvents();
  readonly localSwapEvents: Record<SwapEvent, number> = { high: 0, max: 0, fail: 0 };
  readonly swapEvents: Record<SwapEvent, number> = { high: 0, max: 0, fail: 0 };
  /** Of its own and of those below that are gone. */
  readonly counters = new MemcgCounters();
  /** Bytes of slab objects that it pays for, with what the bookkeeping of each costs; they count as whole pages. */
  readonly slabBytes = { reclaimable: 0, unreclaimable: 0 };
  /** memory.oom.group: the OOM killer takes all of it. */
  oomGroup: 0 | 1 = 0;
  isOnline = true;

  constructor(id: number, parent: Memcg | null) {
    this.id = id;
    this.parent = parent;
    this.memory = new PageCounter(parent?.memory ?? null);
    this.swap = new PageCounter(parent?.swap ?? null);
  }

  get isRoot(): boolean {
    return this.parent === null;
  }

  get slabPages(): number {
    return Math.ceil((this.slabBytes.reclaimable + this.slabBytes.unreclaimable) / PAGE_SIZE);
  }

  /** Pages that may be charged before a limit is met (mem_cgroup_margin). */
  get marginPages(): number {
    return Math.max(0, this.memory.max - this.memory.usage);
  }

  /** This one, or the nearest above it whose directory is there (mem_cgroup_private_id_get_online). */
  get nearestOnline(): Memcg {
    let memcg: Memcg = this;
    while (!memcg.isOnline && memcg.parent !== null) memcg = memcg.parent;
    return memcg;
  }

  noteSwapEvent(event: SwapEvent): void {
    this.localSwapEvents[event]++;
    for (let memcg: Memcg | null = this; memcg !== null; memcg = memcg.parent) memcg.swapEvents[event]++;
  }

  /** memcg_memory_event. */
  noteEvent(event: MemoryEvent): void {
    this.localEvents[event]++;
    for (let memcg: Memcg | null = this; memcg !== null; memcg = memcg.parent) memcg.events[event]++;
  }

  /** Is it this one, or below this one? */
  isWithin(ancestor: Memcg): boolean {
    for (let memcg: Memcg | null = this; memcg !== null; memcg = memcg.parent) if (memcg === ancestor) return true;
    return false;
  }
}
