import type { Pfn } from '../../machine/units.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { LRU_ACTIVE_ANON, LRU_ACTIVE_FILE, LRU_INACTIVE_ANON, LRU_INACTIVE_FILE } from '../phys/lruvec.ts';
import { PG_active, PG_swapbacked } from '../phys/page-flags.ts';
import { VM_EXEC } from '../vm-flags.ts';
import { DEF_PRIORITY, type ReclaimablePages, type ReclaimPolicy } from './policy.ts';

/** Pages looked at in one go (SWAP_CLUSTER_MAX). */
const BATCH = 32;
/**
 * From this round on reclaim writes dirty pages of files itself, as the flusher has not (Linux's direct reclaim wakes it and waits).
 * A guess: when a quarter of the list was looked at.
 */
const WRITE_PRIORITY = 2;
const MAX_SWAPPINESS = 200;
/** Bits of the age that a shadow entry holds, beside the one for PG_workingset (EVICTION_MASK). */
const AGE_MASK = 2 ** 31 - 1;
/** 2^18 pages are a GiB. */
const PAGES_OF_GIB = 2 ** 18;

const LISTS = [LRU_INACTIVE_ANON, LRU_ACTIVE_ANON, LRU_INACTIVE_FILE, LRU_ACTIVE_FILE] as const;
type List = (typeof LISTS)[number];

/**
 * Linux's active and inactive lists for anonymous memory and files (2.6 to 6.0, as 6.18 has them: mm/vmscan.c, shrink_lruvec).
 *
 *   new --> inactive --used twice, or by two entries--> active --not used, and the inactive list is short--> inactive --> free
 *              ^------used once: another round-----+
 *
 * How much is taken of either kind follows vm.swappiness and what reclaim of each has cost of late (get_scan_count). A page that
 * comes back sooner than the active list is long, counted in evictions and activations, starts as active (mm/workingset.c).
 */
export class TwoListPolicy implements ReclaimPolicy {
  readonly name = 'two-list';
  /** What reclaim of each kind has cost: pages written and pages looked at in vain (lru_note_cost). */
  private anonCost = 0;
  private fileCost = 0;
  /** Evictions and activations so far (nonresident_age). */
  private age = 0;
  /** Pages that came back and started as active, and how many there were when reclaim began last (snapshot_refaults). */
  private anonActivated = 0;
  private fileActivated = 0;
  private anonBefore = 0;
  private fileBefore = 0;
  /** may_deactivate: the active lists are not what they should be, as pages come back that want to be there. */
  private mayAgeAnon = false;
  private mayAgeFile = false;

  /** workingset_eviction. */
  evicted(pages: ReclaimablePages, page: Pfn): number {
    const age = this.age & AGE_MASK;
    this.noteAge();
    return age * 2 + (pages.isWorkingset(page) ? 1 : 0);
  }

  /** workingset_refault: had the inactive list been longer by what was active, the page would have stayed. */
  refaulted(pages: ReclaimablePages, page: Pfn, shadow: number): void {
    const isFile = (pages.frames.flags[page] & PG_swapbacked) === 0;
    const distance = (this.age - Math.floor(shadow / 2)) & AGE_MASK;
    const { sizes } = pages.lru;
    let workingset = sizes[LRU_ACTIVE_FILE];
    if (!isFile) workingset += sizes[LRU_INACTIVE_FILE];
    if (pages.hasSwap) workingset += sizes[LRU_ACTIVE_ANON] + (isFile ? sizes[LRU_INACTIVE_ANON] : 0);
    if (distance > workingset) return;
    pages.startActive(page);
    pages.noteRefault(page, 'activated');
    this.noteAge();
    if (isFile) this.fileActivated++;
    else this.anonActivated++;
    if (shadow % 2 === 0) return;
    pages.markWorkingset(page);
    pages.noteRefault(page, 'restored');
    this.noteCost(pages, isFile, 1);
  }

  accessed(_page: Pfn, result: 'marked' | 'activated'): void {
    if (result === 'activated') this.noteAge();
  }

  private noteAge(): void {
    this.age = (this.age + 1) & AGE_MASK;
  }

  shrink(pages: ReclaimablePages, wanted: number, priority: number): number {
    if (priority === DEF_PRIORITY) this.lookAtRefaults();
    this.mayAgeAnon ||= isInactiveLow(pages, LRU_INACTIVE_ANON);
    this.mayAgeFile ||= isInactiveLow(pages, LRU_INACTIVE_FILE);
    const left = this.scanCounts(pages, priority);
    let freed = 0;
    while (left[LRU_INACTIVE_ANON] > 0 || left[LRU_ACTIVE_FILE] > 0 || left[LRU_INACTIVE_FILE] > 0) {
      for (const list of LISTS) {
        const count = Math.min(left[list], BATCH);
        if (count === 0) continue;
        left[list] -= count;
        freed += this.shrinkList(pages, list, count, priority);
      }
      if (freed >= wanted) break;
    }
    if (pages.hasSwap && isInactiveLow(pages, LRU_INACTIVE_ANON)) shrinkActive(pages, LRU_ACTIVE_ANON, BATCH);
    return freed;
  }

  /** prepare_scan_control. */
  private lookAtRefaults(): void {
    this.mayAgeAnon = this.anonActivated !== this.anonBefore;
    this.mayAgeFile = this.fileActivated !== this.fileBefore;
    this.anonBefore = this.anonActivated;
    this.fileBefore = this.fileActivated;
  }

  /** get_scan_count: pages to look at, by list. */
  private scanCounts(pages: ReclaimablePages, priority: number): number[] {
    const { sizes } = pages.lru;
    const anon = sizes[LRU_INACTIVE_ANON] + sizes[LRU_ACTIVE_ANON];
    const file = sizes[LRU_INACTIVE_FILE] + sizes[LRU_ACTIVE_FILE];
    const [anonPart, filePart] = this.balance(pages, priority, anon, file);
    const part = (list: List): number => (list < LRU_INACTIVE_FILE ? anonPart : filePart);
    return LISTS.map((list) => Math.ceil(Math.floor(sizes[list] / 2 ** priority) * part(list)));
  }

  /** Which fraction of its list each kind has to stand. */
  private balance(pages: ReclaimablePages, priority: number, anon: number, file: number): [anon: number, file: number] {
    if (!pages.hasSwap) return [0, 1];
    const { swappiness } = pages;
    if (swappiness > MAX_SWAPPINESS) return [1, 0];
    if (priority === 0 && swappiness > 0) return [1, 1];
    const { sizes } = pages.lru;
    const mayAgeAnon = isInactiveLow(pages, LRU_INACTIVE_ANON);
    const isFileTiny =
      file + pages.freePages <= pages.highMarkPages &&
      !mayAgeAnon &&
      Math.floor(sizes[LRU_INACTIVE_ANON] / 2 ** priority) > 0;
    if (isFileTiny) return [1, 0];
    const hasColdFile = Math.floor(sizes[LRU_INACTIVE_FILE] / 2 ** priority) > 0;
    if (hasColdFile && !this.mayAgeFile) return [0, 1];
    // calculate_pressure_balance
    const total = this.anonCost + this.fileCost;
    const anonWeight = (swappiness * (2 * total + 1)) / (total + this.anonCost + 1);
    const fileWeight = ((MAX_SWAPPINESS - swappiness) * (2 * total + 1)) / (total + this.fileCost + 1);
    const all = anonWeight + fileWeight;
    return anon + file === 0 ? [0, 0] : [anonWeight / all, fileWeight / all];
  }

  private shrinkList(pages: ReclaimablePages, list: List, count: number, priority: number): number {
    if (list === LRU_ACTIVE_ANON || list === LRU_ACTIVE_FILE) {
      if ((list === LRU_ACTIVE_ANON ? this.mayAgeAnon : this.mayAgeFile) || priority === 0)
        shrinkActive(pages, list, count);
      return 0;
    }
    return this.shrinkInactive(pages, list, count, priority);
  }

  /** shrink_inactive_list. */
  private shrinkInactive(pages: ReclaimablePages, list: List, count: number, priority: number): number {
    const isFile = list === LRU_INACTIVE_FILE;
    const dirty = priority > WRITE_PRIORITY ? 'skip' : 'write';
    let freed = 0;
    let scanned = 0;
    for (const page of oldestOf(pages, list, count)) {
      if (!pages.isCandidate(page)) {
        pages.rotate(page);
        continue;
      }
      scanned++;
      pages.noteScanned(page);
      if (checkReferences(pages, page, isFile) && pages.free(page, dirty, 'inactive')) freed++;
      else if (pages.isCandidate(page)) {
        if ((pages.frames.flags[page] & PG_active) !== 0) this.noteAge();
        pages.rotate(page);
      }
    }
    this.noteCost(pages, isFile, scanned - freed);
    return freed;
  }

  private noteCost(pages: ReclaimablePages, isFile: boolean, vain: number): void {
    if (isFile) this.fileCost += vain;
    else this.anonCost += vain;
    const { sizes } = pages.lru;
    const all = LISTS.reduce<number>((sum, list) => sum + sizes[list], 0);
    // Decays, so that it follows what happens now.
    if (this.anonCost + this.fileCost <= all / 4) return;
    this.anonCost /= 2;
    this.fileCost /= 2;
  }
}

/** folio_check_references: may the page go? One that was used twice, or is mapped code, is active from now on. */
function checkReferences(pages: ReclaimablePages, page: Pfn, isFile: boolean): boolean {
  const { count, vmFlags } = pages.takeReferences(page);
  const wasMarked = pages.takeReferenced(page);
  if (count === 0) return true;
  pages.setReferenced(page);
  if (wasMarked || count > 1 || (isFile && (vmFlags & VM_EXEC) !== 0)) pages.activate(page);
  return false;
}

/** shrink_active_list: all but code that is in use comes to the inactive list, where one use keeps it. */
function shrinkActive(pages: ReclaimablePages, list: List, count: number): void {
  for (const page of oldestOf(pages, list, count)) {
    const { count: used, vmFlags } = pages.takeReferences(page);
    if (used > 0 && list === LRU_ACTIVE_FILE && (vmFlags & VM_EXEC) !== 0) pages.rotate(page);
    else {
      pages.deactivate(page);
      pages.markWorkingset(page);
    }
  }
}

/** inactive_is_low: the active list is longer than the inactive one, by what the size allows. */
function isInactiveLow(
  pages: ReclaimablePages,
  inactive: typeof LRU_INACTIVE_ANON | typeof LRU_INACTIVE_FILE,
): boolean {
  const { sizes } = pages.lru;
  const gib = Math.floor((sizes[inactive] + sizes[inactive + 1]) / PAGES_OF_GIB);
  const ratio = gib > 0 ? Math.floor(Math.sqrt(10 * gib)) : 1;
  return sizes[inactive] * ratio < sizes[inactive + 1];
}

/** From the old end, as they stand now: what is done with one may move it. */
function oldestOf(pages: ReclaimablePages, list: List, count: number): Pfn[] {
  const from = pages.lru.lists[list];
  const found: Pfn[] = [];
  for (let page = from.tail; page !== NO_FRAME && found.length < count; page = from.before(page as Pfn))
    found.push(page as Pfn);
  return found;
}
