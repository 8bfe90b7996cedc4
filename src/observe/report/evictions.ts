import { EVENT_VALUE_NAMES } from '../../base/event-fields.ts';
import {
  EV_DIRECT_RECLAIM_BEGIN,
  EV_DIRECT_RECLAIM_END,
  EV_FILEMAP_ADD,
  EV_MEMCG_RECLAIM_BEGIN,
  EV_MEMCG_RECLAIM_END,
  EV_RECLAIM_CHOICE,
  EV_RECLAIM_FORCED,
  EV_RECLAIM_KEEP,
  EV_RECLAIM_STEAL,
  EV_SWAP_IN,
  EV_SWAP_OUT,
  EV_SWAP_READAHEAD,
  EV_SWAP_READAHEAD_HIT,
  EV_SWAP_SLOT_ALLOC,
  EV_SWAP_UNMAP,
  EV_WORKINGSET_REFAULT,
  EV_WRITE_FOLIO,
} from '../../base/event-kinds.ts';
import type { EventRecord } from '../../base/events.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { PAGE_SIZE, type Pfn } from '../../machine/units.ts';
import { PG_anon, PG_pagecache, PG_swapbacked, PG_swapcache } from '../../mm/phys/page-flags.ts';
import type { ReclaimWhy } from '../../mm/reclaim/why.ts';
import { forEachMapping } from '../../mm/rmap/rmap-walk.ts';
import { type SwapEntry, swapOffsetOf, swapTypeOf } from '../../mm/swap/entry.ts';
import type { Vma } from '../../mm/vma.ts';
import type { AttributedRun } from '../attribution/attributed-run.ts';
import { NO_MAPPING } from '../attribution/mapping-names.ts';
import { NO_STACK } from '../code/call-stacks.ts';
import { LastUse } from './last-use.ts';

export type EvictedKind = 'anon' | 'shmem' | 'file' | 'lazyfree';
/** 'swap copy': it was in a slot of swap already, unchanged. 'zeroes' need no room there. */
export type EvictedHow = 'dropped' | 'written' | 'swapped' | 'zeroes' | 'swap copy';

/** Who made pages go. */
export interface ReclaimCause {
  /** 'limit': of a memory cgroup; 'asked': madvise, drop_caches, memory.reclaim and the like. */
  readonly by: 'kswapd' | 'direct' | 'limit' | 'asked';
  /** Of whose limit; 0: none. */
  readonly memcg: number;
  /** 'comm/pid'; '' of kswapd. */
  readonly process: string;
  /** Number of CallStacks. */
  readonly stack: number;
}

/** A page that has gone for want of memory, or because somebody asked for it. */
export interface Eviction {
  readonly timeNs: number;
  readonly pfn: number;
  readonly why: ReclaimWhy;
  readonly rank: number;
  /** Number in Evictions.causes. */
  readonly cause: number;
  /** Counted in pgsteal_*: it was reclaim's own choice. */
  readonly isStolen: boolean;
  readonly kind: EvictedKind;
  readonly how: EvictedHow;
  /** mm_id, address and number of MappingNames of one of those that mapped it; 0: nobody did. */
  readonly space: number;
  readonly address: number;
  readonly mapping: number;
  readonly mappers: number;
  /** Who made it resident there; of a page that nobody mapped: who had it read. Number of CallStacks. */
  readonly stack: number;
  /** Since it was last used; null: never, since it was read or made. */
  readonly unusedNs: number | null;
  back: Comeback | null;
}

/** It was wanted again (a refault). */
export interface Comeback {
  /** Between eviction and refault. */
  readonly afterNs: number;
  /** Pages that went in between: with so much more memory it would have stayed. */
  readonly distance: number;
  /** Read with a neighbour that was wanted, and not wanted itself so far. */
  isAhead: boolean;
}

/** A page that is to go: what is known of it before it does. */
interface Candidate extends Omit<Eviction, 'isStolen' | 'how' | 'back' | 'cause'> {
  how: EvictedHow;
  /** Where its contents will be found again. */
  key: string;
}

/**
 * The pages that a run's memory management has taken away, with why, whose they were and whether they came back. Listens while an
 * AttributedRun does, which must have been made before, from the start of the run.
 */
export class Evictions {
  readonly list: Eviction[] = [];
  readonly causes: ReclaimCause[] = [];
  readonly lastUse: LastUse;
  /** workingset_refault_*, those of pages that went before this listened too. */
  refaults = 0;
  private readonly kernel: Kernel;
  private readonly run: AttributedRun;
  private readonly causeNumbers = new Map<string, number>();
  private readonly reclaims: ReclaimCause[] = [];
  private candidate: Candidate | null = null;
  /** Place of contents -> number in `list`. */
  private readonly gone = new Map<string, number>();
  /** Frame of the page cache -> who had it read. */
  private readonly readers = new Map<number, number>();
  private swapIn = { pfn: -1, key: '' };
  private lastBack: { readonly pfn: number; readonly back: Comeback } | null = null;
  /** Slot -> what came back with a neighbour. */
  private readonly ahead = new Map<string, Comeback>();
  private readonly end: () => void;

  constructor(kernel: Kernel, run: AttributedRun) {
    this.kernel = kernel;
    this.run = run;
    this.lastUse = new LastUse(kernel);
    const { events } = kernel;
    const inSwap = ([pfn, type, offset]: ArrayLike<number> & Iterable<number>): void => {
      if (this.candidate?.pfn === pfn) this.candidate.key = slotKey(type, offset);
    };
    const handlers: [number, (event: EventRecord) => void][] = [
      [EV_DIRECT_RECLAIM_BEGIN, () => this.begin('direct', 0)],
      [EV_DIRECT_RECLAIM_END, () => void this.reclaims.pop()],
      [EV_MEMCG_RECLAIM_BEGIN, ({ values: [memcg] }) => this.begin('limit', memcg)],
      [EV_MEMCG_RECLAIM_END, () => void this.reclaims.pop()],
      [EV_RECLAIM_CHOICE, (event) => this.chosen(event)],
      [EV_SWAP_SLOT_ALLOC, ({ values }) => inSwap(values)],
      [EV_SWAP_UNMAP, ({ values: [, , pfn, type, offset] }) => inSwap([pfn, type, offset])],
      [EV_SWAP_OUT, ({ values: [pfn, type, offset, stored] }) => this.swapped(pfn, slotKey(type, offset), stored)],
      [EV_WRITE_FOLIO, ({ values: [pfn, kind] }) => this.written(pfn, kind)],
      [EV_RECLAIM_KEEP, () => this.settle(null)],
      [EV_RECLAIM_STEAL, ({ values: [pfn, by] }) => this.settle({ pfn, by: EVENT_VALUE_NAMES.by[by] })],
      [EV_RECLAIM_FORCED, ({ values: [pfn] }) => this.settle({ pfn, by: 'asked' })],
      [EV_FILEMAP_ADD, ({ values: [pfn] }) => void this.readers.set(pfn, run.attribution.currentStack())],
      [EV_SWAP_IN, ({ values: [pfn, type, offset] }) => void (this.swapIn = { pfn, key: slotKey(type, offset) })],
      [EV_WORKINGSET_REFAULT, (event) => this.refaulted(event)],
      [EV_SWAP_READAHEAD, ({ values: [pfn, type, offset] }) => this.readAhead(pfn, slotKey(type, offset))],
      [EV_SWAP_READAHEAD_HIT, ({ values: [, type, offset] }) => this.hit(slotKey(type, offset))],
    ];
    const endings = handlers.map(([kind, handle]) => events.subscribe([kind], handle));
    this.end = () => {
      for (const each of endings) each();
      this.lastUse.close();
    };
  }

  close(): void {
    this.end();
  }

  private begin(by: 'direct' | 'limit', memcg: number): void {
    this.reclaims.push({ by, memcg, process: this.currentProcess(), stack: this.run.attribution.currentStack() });
  }

  private currentProcess(): string {
    const task = this.kernel.tasks.get(this.kernel.events.currentPid);
    return task === undefined ? '' : `${task.comm}/${task.tgid}`;
  }

  /** It is as it was still: mapped, and in its place. */
  private chosen({ timeNs, values: [pfn, , , why, rank] }: EventRecord): void {
    const { frames, rmap } = this.kernel.mm;
    const { attribution } = this.run;
    const flags = frames.flags[pfn];
    let [space, address, mappers] = [0, 0, 0];
    let mapping = NO_MAPPING;
    let stack = this.readers.get(pfn) ?? NO_STACK;
    forEachMapping(rmap, pfn as Pfn, (vma, at) => {
      mappers++;
      if (mappers > 1) return;
      const owner = (vma as Vma).space;
      space = owner.id;
      address = at * PAGE_SIZE;
      mapping = attribution.mappings.at(owner, address);
      stack = attribution.pages.rowAt(space, at)?.stack ?? stack;
    });
    const usedNs = this.lastUse.of(pfn);
    const isSwapped = (flags & PG_swapcache) !== 0;
    const entry = frames.private[pfn] as SwapEntry;
    this.candidate = {
      timeNs,
      pfn,
      why: EVENT_VALUE_NAMES.why[why],
      rank,
      kind: kindOf(flags),
      how: isSwapped ? 'swap copy' : 'dropped',
      space,
      address,
      mapping,
      mappers,
      stack,
      unusedNs: usedNs === null ? null : timeNs - usedNs,
      key: isSwapped ? slotKey(swapTypeOf(entry), swapOffsetOf(entry)) : `${frames.owner[pfn]}:${frames.index[pfn]}`,
    };
  }

  private swapped(pfn: number, key: string, stored: number): void {
    if (this.candidate?.pfn !== pfn) return;
    this.candidate.key = key;
    this.candidate.how = stored === 0 ? 'zeroes' : 'swapped';
  }

  private written(pfn: number, kind: number): void {
    if (this.candidate?.pfn === pfn && EVENT_VALUE_NAMES.reclaimFlags[kind] === 'file') this.candidate.how = 'written';
  }

  /** What has come of the page that was chosen. */
  private settle(outcome: { pfn: number; by: 'kswapd' | 'direct' | 'proactive' | 'asked' } | null): void {
    const { candidate } = this;
    this.candidate = null;
    if (candidate === null || outcome === null || candidate.pfn !== outcome.pfn) return;
    const { key, ...facts } = candidate;
    const isStolen = outcome.by !== 'asked';
    const eviction: Eviction = { ...facts, isStolen, cause: this.causeOf(outcome.by), back: null };
    this.gone.set(key, this.list.push(eviction) - 1);
    this.readers.delete(candidate.pfn);
  }

  private causeOf(by: 'kswapd' | 'direct' | 'proactive' | 'asked'): number {
    if (by === 'kswapd') return this.causeNumber({ by, memcg: 0, process: '', stack: NO_STACK });
    const known = this.reclaims.at(-1);
    if (by === 'direct' && known !== undefined) return this.causeNumber(known);
    const stack = this.run.attribution.currentStack();
    const memcg = known?.memcg ?? 0;
    return this.causeNumber({ by: by === 'direct' ? by : 'asked', memcg, process: this.currentProcess(), stack });
  }

  private causeNumber(cause: ReclaimCause): number {
    const key = `${cause.by} ${cause.memcg} ${cause.process} ${cause.stack}`;
    let number = this.causeNumbers.get(key);
    if (number === undefined) {
      number = this.causes.push(cause) - 1;
      this.causeNumbers.set(key, number);
    }
    return number;
  }

  private refaulted({ timeNs, values: [pfn] }: EventRecord): void {
    this.refaults++;
    this.lastBack = null;
    const { owner, index } = this.kernel.mm.frames;
    const key = this.swapIn.pfn === pfn ? this.swapIn.key : `${owner[pfn]}:${index[pfn]}`;
    const number = this.gone.get(key);
    if (number === undefined) return;
    this.gone.delete(key);
    const eviction = this.list[number];
    eviction.back = { afterNs: timeNs - eviction.timeNs, distance: this.list.length - number, isAhead: false };
    this.lastBack = { pfn, back: eviction.back };
  }

  private readAhead(pfn: number, key: string): void {
    if (this.lastBack?.pfn !== pfn) return;
    this.lastBack.back.isAhead = true;
    this.ahead.set(key, this.lastBack.back);
  }

  private hit(key: string): void {
    const back = this.ahead.get(key);
    if (back !== undefined) back.isAhead = false;
    this.ahead.delete(key);
  }
}

function slotKey(type: number, offset: number): string {
  return `swap ${type}:${offset}`;
}

function kindOf(flags: number): EvictedKind {
  if ((flags & PG_swapbacked) === 0) return (flags & PG_anon) !== 0 ? 'lazyfree' : 'file';
  return (flags & PG_pagecache) !== 0 ? 'shmem' : 'anon';
}
