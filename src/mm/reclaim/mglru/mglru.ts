import { unreachable } from '../../../base/assert.ts';
import type { EventSink } from '../../../base/events.ts';
import type { Pfn } from '../../../machine/units.ts';
import { type FrameTable, NO_FRAME } from '../../phys/frame-table.ts';
import { PG_dirty, PG_swapbacked, PG_swapcache } from '../../phys/page-flags.ts';
import { DEF_PRIORITY, type ReclaimablePages, type ReclaimPolicy, type TableVisitor } from '../policy.ts';
import { BloomFilter } from './bloom-filter.ts';
import { beginGeneration, dropEmptyGenerations, type GenerationLists } from './generation-steps.ts';
import { GEN_ANON, GEN_FILE, Generations, type GenType, MAX_NR_GENS, MIN_NR_GENS } from './generations.ts';
import { LruGen } from './lru-gen.ts';
import { PageUse } from './page-use.ts';
import { evictableTypes, MIN_LRU_BATCH, Tiers } from './tiers.ts';

/** Pages looked at in one go at most (MAX_LRU_BATCH). */
const MAX_LRU_BATCH = MIN_LRU_BATCH * 64;
/** From this round on dirty pages of files are written here, as the flusher has not: a guess, as in two-list.ts. */
const WRITE_PRIORITY = 2;
/** Of a table's entries one in so many must be young for it to be worth a walk (suitable_to_scan: entries of a cache line). */
const YOUNG_SHARE = 8;
/** Bits of a token that hold the uses of the page (LRU_REFS_WIDTH). */
const REFS_WIDTH = 2;
/** Room for a generation's number in a token, beside its bit for PG_workingset (EVICTION_MASK). */
const SEQ_MASK = 2 ** 24 - 1;

/**
 * The multi-generational LRU (Linux 6.1 on, as in 6.18: lru_gen of mm/vmscan.c and mm/workingset.c).
 *
 *   aging     walks page tables for accessed entries; who is found twice goes to the youngest generation; then a new one begins
 *   eviction  takes the oldest generation of the kind that comes back less often; who is used through file descriptors more often
 *             than others of its kind come back is protected: goes on to the next generation
 *   refaults  tell the controller (tiers.ts) what it has evicted wrongly
 *
 * Accessed entries that eviction meets by the reverse map it takes for a sign of more around them (look-around), and remembers their
 * table for the next walk. Differs from Linux where it cannot be told from outside or nothing else is here: one zone, one node,
 * walks are not shared out over time; the last slots of swap are used up (Linux leaves 64).
 */
export class MglruPolicy implements ReclaimPolicy, TableVisitor, GenerationLists {
  readonly name = 'mglru';
  readonly generations: Generations;
  readonly tiers = new Tiers();
  private readonly frames: FrameTable;
  private readonly settings: LruGen;
  readonly use: PageUse;
  /** By the parity of the walk's generation: tables that were worth it. */
  private readonly filters = [new BloomFilter(), new BloomFilter()];
  /** Whose tables have been walked up to which generation (mm_state.seq). */
  private walkedSeq = MIN_NR_GENS;
  /** Not all tables: the first walk has no filter to go by. */
  private isFiltered = false;
  private canSwap = true;
  /** Whose pages they are, for events. */
  memcg = 0;
  /** Where the priority begins when much is wanted (set_initial_priority). */
  private firstPriority = DEF_PRIORITY;

  constructor(frames: FrameTable, settings: LruGen = new LruGen()) {
    this.frames = frames;
    this.settings = settings;
    this.generations = new Generations(frames.frameCount);
    this.use = new PageUse(frames.frameCount);
  }

  // What happens to pages.

  /** lru_gen_add_folio. */
  added(page: Pfn, how: 'fault' | 'other'): void {
    if (this.generations.has(page)) return;
    if (how === 'fault') this.use.setActive(page);
    this.insert(page);
  }

  removed(page: Pfn): void {
    this.generations.remove(page);
    this.use.forget(page);
  }

  /** lru_gen_inc_refs. */
  accessed(page: Pfn): void {
    if (this.generations.has(page)) this.use.note(page);
  }

  /** lru_gen_eviction. */
  evicted(_pages: ReclaimablePages, page: Pfn): number {
    const { generations, use } = this;
    const type = this.typeOf(page);
    const refs = use.refsOf(page);
    this.tiers.noteEviction(type, use.tierOf(page), this.frames.pagesOf(page));
    const token = (generations.minSeq[type] & SEQ_MASK) * 2 ** REFS_WIDTH + Math.max(refs - 1, 0);
    return token * 2 + (use.isWorkingset(page) ? 1 : 0);
  }

  /** lru_gen_refault. */
  refaulted(pages: ReclaimablePages, page: Pfn, shadow: number): void {
    const { generations, use } = this;
    const token = Math.floor(shadow / 2);
    const seq = Math.floor(token / 2 ** REFS_WIDTH);
    if (Math.abs((generations.maxSeq & SEQ_MASK) - seq) >= MAX_NR_GENS) return;
    const wasWorkingset = shadow % 2 === 1;
    const refs = (token % 2 ** REFS_WIDTH) + 1;
    this.tiers.noteRefault(
      this.typeOf(page),
      use.tierFor(refs, wasWorkingset ? 'workingset' : 'other'),
      this.frames.pagesOf(page),
    );
    if (pages.isFault) pages.noteRefault(page, 'activated');
    if (wasWorkingset) {
      use.setWorkingset(page);
      pages.noteRefault(page, 'restored');
    } else use.setRefs(page, refs - 1);
  }

  private typeOf(page: Pfn): GenType {
    return (this.frames.flags[page] & PG_swapbacked) !== 0 ? GEN_ANON : GEN_FILE;
  }

  /** MADV_FREE, or a store after it. */
  kindChanged(page: Pfn): void {
    this.generations.remove(page);
    this.use.forget(page);
    this.insert(page);
  }

  /** lru_gen_folio_seq: where a page comes in. */
  private entryOf(page: Pfn, type: GenType): number {
    const { generations, use, frames } = this;
    const isWorkingset = use.isWorkingset(page);
    let back: number;
    if (use.isActive(page)) back = MIN_NR_GENS - (isWorkingset ? 1 : 0);
    else if (type === GEN_ANON && (frames.flags[page] & PG_swapcache) === 0) back = MIN_NR_GENS;
    else back = MAX_NR_GENS - (isWorkingset ? 1 : 0);
    return Math.max(generations.maxSeq - back + 1, generations.minSeq[type]);
  }

  private insert(page: Pfn): void {
    const type = this.typeOf(page);
    this.generations.add(page, this.entryOf(page, type), type, this.frames.pagesOf(page));
    this.use.clearActive(page);
  }

  // Eviction.

  /** try_to_shrink_lruvec; the last round goes on as long as something comes of it. */
  shrink(pages: ReclaimablePages, wanted: number, givenPriority: number): number {
    const swappiness = pages.hasSwap ? pages.swappiness : 0;
    const priority = this.adjustPriority(wanted, givenPriority, swappiness);
    if (priority === 0) return this.shrinkAll(pages, wanted, swappiness);
    let freed = 0;
    for (let scanned = 0; freed < wanted; ) {
      const toScan = this.countToScan(pages, swappiness, priority);
      if (toScan <= 0) break;
      const round = this.evict(pages, wanted - freed, swappiness, priority);
      freed += round.freed;
      scanned += round.scanned;
      if (round.scanned === 0 || scanned >= toScan) break;
    }
    return freed;
  }

  /** What Linux's allocator gets by trying again and again: every page has been through all generations before it is given up. */
  private shrinkAll(pages: ReclaimablePages, wanted: number, swappiness: number): number {
    const { sizes } = this.generations;
    const looks = MAX_NR_GENS * (MIN_LRU_BATCH + sizes.reduce((sum, size) => sum + size, 0));
    let freed = 0;
    let left = looks;
    for (let idle = 0; freed < wanted && left > 0 && idle <= 2 * MAX_NR_GENS; ) {
      if (this.countToScan(pages, swappiness, 0) <= 0) {
        idle++;
        continue;
      }
      const round = this.evict(pages, wanted - freed, swappiness, 0);
      freed += round.freed;
      left = round.freed > 0 ? looks : left - round.scanned;
      idle = round.scanned > 0 ? 0 : idle + 1;
    }
    return freed;
  }

  /** set_initial_priority. */
  private adjustPriority(wanted: number, priority: number, swappiness: number): number {
    if (priority === DEF_PRIORITY) {
      this.firstPriority = DEF_PRIORITY;
      if (wanted >= MIN_LRU_BATCH) {
        const reclaimable = evictableTypes(swappiness).reduce<number>((sum, type) => sum + this.coldPages(type), 0);
        const first = 31 - Math.clz32(reclaimable) - (32 - Math.clz32(wanted - 1));
        this.firstPriority = Math.max(0, Math.min(DEF_PRIORITY, first));
      }
    }
    return Math.min(priority, this.firstPriority);
  }

  private coldPages(type: GenType): number {
    const { generations } = this;
    let sum = 0;
    for (let seq = generations.minSeq[type]; seq <= generations.maxSeq - MIN_NR_GENS; seq++)
      sum += generations.sizeOf(seq, type);
    return sum;
  }

  /** get_nr_to_scan, should_run_aging: 0 or less, once a new generation was begun instead. */
  private countToScan(pages: ReclaimablePages, swappiness: number, priority: number): number {
    const { generations } = this;
    const types = evictableTypes(swappiness);
    const oldest = Math.min(...types.map((type) => generations.minSeq[type]));
    const isStuck = oldest + MIN_NR_GENS > generations.maxSeq;
    let total = 0;
    for (const type of types)
      for (let seq = generations.minSeq[type]; seq <= generations.maxSeq; seq++) total += generations.sizeOf(seq, type);
    const toScan = isStuck ? 0 : Math.floor(total / 2 ** priority);
    if (!isStuck && oldest + MIN_NR_GENS !== generations.maxSeq) return toScan;
    if (priority === DEF_PRIORITY) return toScan;
    this.age(pages, swappiness);
    return -1;
  }

  /** evict_folios, isolate_folios. */
  private evict(
    pages: ReclaimablePages,
    wanted: number,
    swappiness: number,
    priority: number,
  ): { freed: number; scanned: number } {
    const types = evictableTypes(swappiness);
    const first = types.length === 1 ? types[0] : this.tiers.typeToScan(swappiness);
    let done = { freed: 0, scanned: 0 };
    for (const type of [first, ...types.filter((each) => each !== first)]) {
      done = this.scan(pages, type, wanted, priority);
      if (done.scanned > 0) break;
    }
    if (dropEmptyGenerations(this, swappiness)) done.scanned++;
    return done;
  }

  /** scan_folios. */
  private scan(
    pages: ReclaimablePages,
    type: GenType,
    wanted: number,
    priority: number,
  ): { freed: number; scanned: number } {
    const { generations } = this;
    const done = { freed: 0, scanned: 0 };
    if (generations.generationCount(type) <= MIN_NR_GENS) return done;
    const lastTier = this.tiers.lastUnprotected(type);
    const seq = generations.minSeq[type];
    let isolated = 0;
    for (let looks = 0; looks < MAX_LRU_BATCH && isolated < MIN_LRU_BATCH && done.freed < wanted; looks++) {
      const oldest = generations.oldestOf(seq, type);
      if (oldest === NO_FRAME) break;
      const page = oldest as Pfn;
      const weight = generations.weightOf(page);
      done.scanned += weight;
      if (this.sort(pages, page, type, lastTier, priority)) continue;
      isolated += weight;
      done.freed += this.tryToFree(pages, page, type, priority);
    }
    return done;
  }

  /** sort_folio: true if the page is none to be evicted, and has gone elsewhere. */
  private sort(pages: ReclaimablePages, page: Pfn, type: GenType, lastTier: number, priority: number): boolean {
    const { generations, use } = this;
    const next = generations.minSeq[type] + 1;
    // Mlocked, or without swap: nothing can be done about it in this generation.
    if (!pages.isCandidate(page)) {
      generations.move(page, next, type);
      return true;
    }
    const isTop = use.isTop(page);
    if (isTop || use.tierOf(page) > lastTier) {
      // One that is promoted lazily says nothing of its tier.
      if (!isTop) this.tiers.noteProtection(type, use.tierOf(page), generations.weightOf(page));
      generations.move(page, next, type);
      use.clear(page);
      return true;
    }
    if (type === GEN_FILE && priority > WRITE_PRIORITY && (this.frames.flags[page] & PG_dirty) !== 0) {
      generations.move(page, next, type);
      return true;
    }
    return false;
  }

  /** shrink_folio_list and what evict_folios does with what it gives back; pages freed. */
  private tryToFree(pages: ReclaimablePages, page: Pfn, type: GenType, priority: number): number {
    const { generations, use } = this;
    const weight = generations.weightOf(page);
    use.dropStaleRefs(page);
    pages.noteScanned(page);
    if (this.lookAround(pages, page) === 0) {
      const dirty = priority > WRITE_PRIORITY ? 'skip' : 'write';
      if (pages.free(page, dirty, 'generation', generations.seqOf(page))) return weight;
      if (!generations.has(page)) return 0;
      use.setActive(page);
    } else if (use.setRefsByTable(page)) use.setActive(page);
    generations.remove(page);
    // What was refused once is not offered again at once.
    if (this.entryOf(page, type) === generations.minSeq[type]) {
      use.clear(page);
      use.setActive(page);
    }
    this.insert(page);
    return 0;
  }

  /** lru_gen_look_around: how many entries of the page are accessed; those beside them get young too. */
  private lookAround(pages: ReclaimablePages, page: Pfn): number {
    this.canSwap = (this.frames.flags[page] & PG_swapbacked) !== 0;
    return pages.lookAround(page, MIN_LRU_BATCH, this);
  }

  // Aging.

  /** All generations begin now (lru_gen_init_lruvec). */
  start(nowNs: number, events: EventSink, memcg: number): void {
    this.memcg = memcg;
    this.generations.events = events;
    this.generations.birthsNs.fill(nowNs);
  }

  /** try_to_inc_max_seq: walks the page tables that were worth it last time, then begins a generation. */
  private age(pages: ReclaimablePages, swappiness: number): void {
    const { generations } = this;
    this.canSwap = swappiness > 0;
    if (generations.maxSeq > this.walkedSeq) {
      // Else look-around alone finds what is accessed (iterate_mm_list_nowalk).
      if (this.settings.walksTables) {
        this.filters[(generations.maxSeq + 1) % 2].clear();
        pages.walkTables(this);
        this.isFiltered = true;
      }
      this.walkedSeq = generations.maxSeq;
    }
    beginGeneration(this, swappiness);
    generations.birthsNs[generations.maxSeq % MAX_NR_GENS] = pages.nowNs;
  }

  /** TableVisitor: is a table of page-table entries worth a look (test_bloom_filter)? */
  wantsTable(table: Pfn): boolean {
    return !this.isFiltered || this.filters[this.generations.maxSeq % 2].mayHave(table);
  }

  wantsPage(page: Pfn): boolean {
    return this.generations.has(page) && (this.canSwap || this.typeOf(page) === GEN_FILE);
  }

  /** folio_update_gen: an accessed entry led to the page. The first makes it referenced, the second young. */
  pageIsYoung(page: Pfn): void {
    const { generations, use } = this;
    if (!generations.has(page) || !use.setRefsByTable(page)) return;
    if (generations.seqOf(page) !== generations.maxSeq)
      generations.move(page, generations.maxSeq, generations.typeOf(page));
  }

  /** suitable_to_scan, update_bloom_filter: the next walk comes here again, or not. */
  tableDone(table: Pfn, total: number, young: number, by: 'walk' | 'look-around'): void {
    if (young * YOUNG_SHARE < total) return;
    const { maxSeq } = this.generations;
    switch (by) {
      case 'walk':
        this.filters[(maxSeq + 1) % 2].add(table);
        break;
      case 'look-around':
        this.filters[maxSeq % 2].add(table);
        break;
      default:
        unreachable(by);
    }
  }
}
