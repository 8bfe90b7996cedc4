import type { Rng } from '../../base/rng.ts';
import type { Pfn } from '../../machine/units.ts';
import type { FrameTable } from '../phys/frame-table.ts';
import type { Lruvec } from '../phys/lruvec.ts';
import type { PolicyWhy } from './why.ts';

/** Reclaim looks at a 2^priority-th of the lists first and at all of them, priority 0, last (DEF_PRIORITY). */
export const DEF_PRIORITY = 12;

/** What was found of a page's use since it was last asked (folio_referenced). */
export interface References {
  /** Entries whose ACCESSED was set; it is clear now. */
  count: number;
  /** VM_* of the VMAs of those entries. */
  vmFlags: number;
  /** All who map the page, and somebody does, have more resident than RLIMIT_RSS says (page_over_rsslimit of 2.4). */
  isOverRssLimit?: boolean;
}

/** Who is told of accessed entries of page tables. */
export interface TableVisitor {
  /** Is the table of entries, by its frame, worth a look? Not asked in a look-around. */
  wantsTable(table: Pfn): boolean;
  /** May the ACCESSED bit of the page's entry be taken? */
  wantsPage(page: Pfn): boolean;
  pageIsYoung(page: Pfn): void;
  /** Of `total` entries of the table that were looked at, `young` were accessed. */
  tableDone(table: Pfn, total: number, young: number, by: 'walk' | 'look-around'): void;
}

/** What a policy can see and do. It never touches frames, flags or page tables itself. */
export interface ReclaimablePages {
  readonly frames: FrameTable;
  readonly lru: Lruvec;
  readonly rng: Rng;
  /** Anonymous memory and shmem can go: a slot of swap is free. */
  readonly hasSwap: boolean;
  /** vm.swappiness, 0 to 200: how readily those go, against pages of files; 201: those alone (memory.reclaim's swappiness=max). */
  readonly swappiness: number;
  /** Frames free now, and the high watermarks of all zones. */
  readonly freePages: number;
  readonly highMarkPages: number;
  /** The page may go at all: it is on a list, evictable, and swap is there where it needs it. */
  isCandidate(page: Pfn): boolean;
  /** Reads and clears the ACCESSED bits of all entries of the page. The result is valid until the next call. */
  takeReferences(page: Pfn): References;
  /** Reads and clears PG_referenced. */
  takeReferenced(page: Pfn): boolean;
  /** The page has contents that are written nowhere. */
  isDirty(page: Pfn): boolean;
  /**
   * Frees the page; false if it stays (held, locked, no slot, the store failed). 'skip' leaves dirty pages of files. `why`, and a number of
   * the policy's beside it, are for those who ask later (faultline:reclaim_choice); they change nothing.
   */
  free(page: Pfn, dirty: 'write' | 'skip', why?: PolicyWhy, rank?: number): boolean;
  activate(page: Pfn): void;
  deactivate(page: Pfn): void;
  /** To the young end of its list. */
  rotate(page: Pfn): void;
  setReferenced(page: Pfn): void;
  /** Virtual time since boot. */
  readonly nowNs: number;
  /** A fault is being handled: what joins the lists now was asked for by the program itself. */
  readonly isFault: boolean;
  /**
   * As takeReferences, and tells the visitor of the accessed entries beside those of the page, `window` pages at most and in the same
   * table, clearing them (lru_gen_look_around). How many entries of the page itself were accessed.
   */
  lookAround(page: Pfn, window: number, visitor: TableVisitor): number;
  /** Goes through the page tables of all address spaces, clearing the ACCESSED bits of what it tells (walk_mm). */
  walkTables(visitor: TableVisitor): void;
  /** Counts in pgscan_*. */
  noteScanned(page: Pfn): void;
  /** In `refaulted`: the page, on no list yet, starts on the active one. */
  startActive(page: Pfn): void;
  /** In `refaulted`: counts in workingset_activate_*; in workingset_restore_*, for a page that was active before it went. */
  noteRefault(page: Pfn, what: 'activated' | 'restored'): void;
  /** The page was active once (PG_workingset). */
  markWorkingset(page: Pfn): void;
  isWorkingset(page: Pfn): boolean;
}

/**
 * Which pages go when memory is short (`--reclaim NAME`). A policy is one small file; testing/contract.ts is what every one of
 * them must do. Plain data (D4): its state is numbers and arrays.
 */
export interface ReclaimPolicy {
  readonly name: string;
  /** Frees about `wanted` pages of those that a 2^priority-th of all allows; how many. Called with falling priority. */
  shrink(pages: ReclaimablePages, wanted: number, priority: number): number;
  /** A page joined the lists, in a fault of a program or not, or left them. For those that keep an order of their own. */
  added?(page: Pfn, how: 'fault' | 'other'): void;
  removed?(page: Pfn): void;
  /** A listed page is of the other kind now, PG_swapbacked or not (MADV_FREE, or a store behind it). */
  kindChanged?(page: Pfn): void;
  /**
   * The page goes for want of memory, and its contents can come back: any whole number below 2^32. It is kept where these are found
   * again (a shadow entry: in the index of the file, with the slot of swap) and vanishes with them. Called before `removed`.
   */
  evicted?(pages: ReclaimablePages, page: Pfn): number;
  /** Contents that left this number behind are about to be read: a frame for them will be asked for next. */
  wanted?(shadow: number): void;
  /** They are in `page` now. Called before `added`. */
  refaulted?(pages: ReclaimablePages, page: Pfn, shadow: number): void;
  /** A use that the kernel knows of: read(2), write(2), an accessed entry of a mapping that ends (folio_mark_accessed); the second makes active. */
  accessed?(page: Pfn, result: 'marked' | 'activated'): void;
  /**
   * Every access by instructions and by the kernel in their order, the same page not twice in a row (machine/reference-stream.ts). A
   * policy that has it makes the machine slow: each change of page is a miss of the TLB.
   */
  referenced?(page: Pfn): void;
}
