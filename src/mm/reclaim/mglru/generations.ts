import { EV_LRU_GEN_MOVE } from '../../../base/event-kinds.ts';
import type { EventSink } from '../../../base/events.ts';
import type { Pfn } from '../../../machine/units.ts';
import { NO_FRAME } from '../../phys/frame-table.ts';

export const MIN_NR_GENS = 2;
export const MAX_NR_GENS = 4;

export const GEN_ANON = 0;
export const GEN_FILE = 1;
export type GenType = typeof GEN_ANON | typeof GEN_FILE;
export const GEN_TYPES: readonly GenType[] = [GEN_ANON, GEN_FILE];

/**
 * The pages of a lruvec by generation and kind (Linux: struct lru_gen_folio, include/linux/mmzone.h, 6.18). Generations have running
 * numbers; maxSeq is the youngest of both kinds, minSeq the oldest of each.
 *
 *   oldest                                 youngest
 *   minSeq[type] ... (evicted from)  ...    maxSeq       at most MAX_NR_GENS, at least MIN_NR_GENS
 *
 * Invariant: placeOf(page) is the list that the page is on; sizes counts small pages, a huge page by what it has.
 */
export class Generations {
  maxSeq = MIN_NR_GENS + 1;
  /** The machine's; null: nobody can listen. */
  events: EventSink | null = null;
  readonly minSeq = [0, 0];
  /** Small pages, by generation * 2 + type. */
  readonly sizes = new Float64Array(MAX_NR_GENS * 2);
  /** When each generation was begun. */
  readonly birthsNs = new Float64Array(MAX_NR_GENS);
  /** By list: the page that came last, and the one that is looked at next. */
  private readonly youngest = new Int32Array(MAX_NR_GENS * 2).fill(NO_FRAME);
  private readonly oldest = new Int32Array(MAX_NR_GENS * 2).fill(NO_FRAME);
  /** By frame: its list + 1, 0 on none; its neighbours; its size. */
  private readonly places: Uint8Array;
  private readonly older: Int32Array;
  private readonly younger: Int32Array;
  private readonly weights: Uint16Array;

  constructor(frameCount: number) {
    this.places = new Uint8Array(frameCount);
    this.older = new Int32Array(frameCount).fill(NO_FRAME);
    this.younger = new Int32Array(frameCount).fill(NO_FRAME);
    this.weights = new Uint16Array(frameCount);
  }

  has(page: Pfn): boolean {
    return this.places[page] !== 0;
  }

  /** Of a page that is listed. */
  typeOf(page: Pfn): GenType {
    return ((this.places[page] - 1) & 1) as GenType;
  }

  /** The running number of a listed page's generation: of the kind's, the one that stands for its slot. */
  seqOf(page: Pfn): number {
    const gen = (this.places[page] - 1) >> 1;
    return this.maxSeq - ((this.maxSeq - gen + MAX_NR_GENS) % MAX_NR_GENS);
  }

  weightOf(page: Pfn): number {
    return this.weights[page];
  }

  generationCount(type: GenType): number {
    return this.maxSeq - this.minSeq[type] + 1;
  }

  sizeOf(seq: number, type: GenType): number {
    return this.sizes[listOf(seq, type)];
  }

  /** The page that has been in its generation longest. */
  oldestOf(seq: number, type: GenType): Pfn | -1 {
    return this.oldest[listOf(seq, type)] as Pfn | -1;
  }

  /** A page that is on no list, as the youngest of a generation. */
  add(page: Pfn, seq: number, type: GenType, weight: number): void {
    this.weights[page] = weight;
    const { events } = this;
    if (events !== null && events.enabled[EV_LRU_GEN_MOVE] !== 0) events.emit(EV_LRU_GEN_MOVE, page, -1, seq);
    this.link(page, listOf(seq, type), 'young');
  }

  remove(page: Pfn): void {
    if (this.places[page] !== 0) this.unlink(page);
  }

  /** To a generation's young or old end. */
  move(page: Pfn, seq: number, type: GenType, end: 'young' | 'old' = 'young'): void {
    const { events } = this;
    if (events !== null && events.enabled[EV_LRU_GEN_MOVE] !== 0)
      events.emit(EV_LRU_GEN_MOVE, page, this.seqOf(page), seq);
    this.unlink(page);
    this.link(page, listOf(seq, type), end);
  }

  private link(page: Pfn, list: number, end: 'young' | 'old'): void {
    const { youngest, oldest, older, younger } = this;
    this.places[page] = list + 1;
    this.sizes[list] += this.weights[page];
    if (end === 'young') {
      older[page] = youngest[list];
      younger[page] = NO_FRAME;
      if (youngest[list] === NO_FRAME) oldest[list] = page;
      else younger[youngest[list]] = page;
      youngest[list] = page;
    } else {
      younger[page] = oldest[list];
      older[page] = NO_FRAME;
      if (oldest[list] === NO_FRAME) youngest[list] = page;
      else older[oldest[list]] = page;
      oldest[list] = page;
    }
  }

  private unlink(page: Pfn): void {
    const { youngest, oldest, older, younger } = this;
    const list = this.places[page] - 1;
    this.places[page] = 0;
    this.sizes[list] -= this.weights[page];
    if (older[page] === NO_FRAME) oldest[list] = younger[page];
    else younger[older[page]] = younger[page];
    if (younger[page] === NO_FRAME) youngest[list] = older[page];
    else older[younger[page]] = older[page];
  }
}

function listOf(seq: number, type: GenType): number {
  return (seq % MAX_NR_GENS) * 2 + type;
}
