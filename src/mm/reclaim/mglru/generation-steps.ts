import { EV_LRU_GEN_NEW } from '../../../base/event-kinds.ts';
import type { Pfn } from '../../../machine/units.ts';
import { NO_FRAME } from '../../phys/frame-table.ts';
import {
  GEN_ANON,
  GEN_FILE,
  GEN_TYPES,
  type Generations,
  type GenType,
  MAX_NR_GENS,
  MIN_NR_GENS,
} from './generations.ts';
import type { PageUse } from './page-use.ts';
import { evictableTypes, MAX_SWAPPINESS, type Tiers } from './tiers.ts';

/**
 * How a generation begins and how the oldest one ends (mm/vmscan.c, 6.18). Of each kind there are MIN_NR_GENS to MAX_NR_GENS; whenever
 * the oldest one of a kind ends, the controller carries its counts over.
 */

/** What a policy has of it. */
export interface GenerationLists {
  readonly generations: Generations;
  readonly tiers: Tiers;
  readonly use: PageUse;
  /** Whose pages they are, for events. */
  readonly memcg: number;
}

/** inc_max_seq. */
export function beginGeneration(lists: GenerationLists, swappiness: number): void {
  const { generations } = lists;
  for (const type of GEN_TYPES)
    if (generations.generationCount(type) === MAX_NR_GENS)
      dropOldestGeneration(lists, type, evictableTypes(swappiness));
  generations.maxSeq++;
  const { events, maxSeq, minSeq } = generations;
  if (events !== null && events.enabled[EV_LRU_GEN_NEW] !== 0)
    events.emit(EV_LRU_GEN_NEW, lists.memcg, maxSeq, minSeq[GEN_ANON], minSeq[GEN_FILE]);
}

/** inc_min_seq: what is still in it goes to the next one's old end. */
function dropOldestGeneration(lists: GenerationLists, type: GenType, evictable: readonly GenType[]): void {
  const { generations, use } = lists;
  const seq = generations.minSeq[type];
  for (let page = generations.oldestOf(seq, type); page !== NO_FRAME; page = generations.oldestOf(seq, type)) {
    const each = page as Pfn;
    if (evictable.includes(type) && !use.isTop(each))
      lists.tiers.noteProtection(type, use.tierOf(each), generations.weightOf(each));
    generations.move(each, seq + 1, type);
    use.clear(each);
  }
  lists.tiers.carryOver(type);
  generations.minSeq[type]++;
}

/** try_to_inc_min_seq: whether a generation was empty. */
export function dropEmptyGenerations(lists: GenerationLists, swappiness: number): boolean {
  const { generations } = lists;
  const least = [...generations.minSeq];
  for (const type of evictableTypes(swappiness))
    while (least[type] + MIN_NR_GENS <= generations.maxSeq && generations.oldestOf(least[type], type) === NO_FRAME)
      least[type]++;
  if (swappiness > 0 && swappiness <= MAX_SWAPPINESS) {
    // Neither kind is to be without a generation that can be evicted from while the other has some.
    const last = generations.maxSeq - MIN_NR_GENS;
    if (least[GEN_ANON] > last && least[GEN_FILE] < last) least[GEN_ANON] = last;
    else if (least[GEN_FILE] > last && least[GEN_ANON] < last) least[GEN_FILE] = last;
  }
  let changed = false;
  for (const type of evictableTypes(swappiness)) {
    if (least[type] === generations.minSeq[type]) continue;
    lists.tiers.carryOver(type);
    generations.minSeq[type] = least[type];
    changed = true;
  }
  return changed;
}
