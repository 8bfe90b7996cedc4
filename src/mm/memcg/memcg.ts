import { PageCounter } from './page-counter.ts';

/** The id of the root: frames that are charged to nobody have it. */
export const ROOT_MEMCG = 0;

/** What memory.events counts, in its order (memory_events_show, 6.18). */
export const MEMORY_EVENTS = ['low', 'high', 'max', 'oom', 'oom_kill', 'oom_group_kill'] as const;
export type MemoryEvent = (typeof MEMORY_EVENTS)[number];
export type MemoryEvents = Record<MemoryEvent, number>;

const noEvents = (): MemoryEvents => ({ low: 0, high: 0, max: 0, oom: 0, oom_kill: 0, oom_group_kill: 0 });

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
