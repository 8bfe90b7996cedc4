import type { Pfn } from '../../machine/units.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { GhostList } from './ghost-list.ts';
import { PageQueue } from './page-queue.ts';
import type { ReclaimablePages, ReclaimPolicy } from './policy.ts';

/**
 * Adaptive replacement cache (N. Megiddo, D. Modha: "ARC: a self-tuning, low overhead replacement cache", FAST 2003, figure 4): pages
 * used once lately, T1, and pages used more often, T2, each in order of use, with the ghosts of what went from either, B1 and B2. A
 * ghost that is wanted again shifts the room between the two.
 *
 *   new --> T1 --used again--> T2 --used--> its young end
 *           |                  ^ |
 *           evicted            | evicted
 *           v                  | v
 *           B1 --wanted again--+-B2
 *
 * It sees every access (reference stream), as the paper demands. The access that brought a page in is not a use of its own.
 * The cache's size c is here what is on the lists when memory is short.
 */
export class ArcPolicy implements ReclaimPolicy {
  readonly name = 'arc';
  private readonly recent: PageQueue;
  private readonly frequent: PageQueue;
  private readonly recentGhosts = new GhostList();
  private readonly frequentGhosts = new GhostList();
  /** p: pages that T1 is to have. */
  private target = 0;
  /** c. */
  private capacity = 0;
  private nextGhost = 0;
  /** The ghost that a page is on its way in for, -1 none. */
  private wantedGhost = -1;
  /** By frame: a page that comes from a ghost; one whose first access is still to come. */
  private readonly returning: Uint8Array;
  private readonly fresh: Uint8Array;

  constructor(frameCount: number) {
    this.recent = new PageQueue(frameCount);
    this.frequent = new PageQueue(frameCount);
    this.returning = new Uint8Array(frameCount);
    this.fresh = new Uint8Array(frameCount);
  }

  added(page: Pfn): void {
    if (this.recent.has(page) || this.frequent.has(page)) return;
    this.fresh[page] = 1;
    if (this.returning[page] !== 0) {
      this.returning[page] = 0;
      this.frequent.push(page);
      return;
    }
    this.recent.push(page);
    this.trimGhosts();
  }

  removed(page: Pfn): void {
    this.recent.remove(page);
    this.frequent.remove(page);
  }

  referenced(page: Pfn): void {
    if (this.fresh[page] !== 0) {
      this.fresh[page] = 0;
      return;
    }
    if (!this.recent.has(page) && !this.frequent.has(page)) return;
    this.recent.remove(page);
    this.frequent.remove(page);
    this.frequent.push(page);
  }

  /** Cases II and III of the figure: adapts p. The frame for the page comes next. */
  wanted(ghost: number): void {
    if (this.wantedGhost === ghost) return;
    const ofRecent = this.recentGhosts.length;
    const ofFrequent = this.frequentGhosts.length;
    this.capacity = Math.max(this.capacity, this.recent.length + this.frequent.length);
    if (this.recentGhosts.has(ghost))
      this.target = Math.min(this.capacity, this.target + Math.max(1, ofFrequent / ofRecent));
    else if (this.frequentGhosts.has(ghost))
      this.target = Math.max(0, this.target - Math.max(1, ofRecent / ofFrequent));
    else return;
    this.wantedGhost = ghost;
  }

  refaulted(_pages: ReclaimablePages, page: Pfn, ghost: number): void {
    // Read ahead, nobody has asked before.
    this.wanted(ghost);
    this.wantedGhost = -1;
    if (this.recentGhosts.remove(ghost) || this.frequentGhosts.remove(ghost)) this.returning[page] = 1;
  }

  evicted(_pages: ReclaimablePages, page: Pfn): number {
    const ghost = this.nextGhost;
    this.nextGhost = (this.nextGhost + 1) % 2 ** 32;
    (this.frequent.has(page) ? this.frequentGhosts : this.recentGhosts).push(ghost);
    return ghost;
  }

  shrink(pages: ReclaimablePages, wanted: number, priority: number): number {
    const { recent, frequent } = this;
    this.capacity = recent.length + frequent.length;
    const looks = Math.ceil(this.capacity / 2 ** priority);
    let freed = 0;
    // What cannot go stands at the young end afterwards, so the last round tries each list whole.
    for (let look = 0; look < looks && freed < wanted; look++) if (this.replace(pages, this.chooseList())) freed++;
    for (const list of [recent, frequent])
      for (let look = list.length; priority === 0 && look > 0 && freed < wanted; look--)
        if (this.replace(pages, list)) freed++;
    return freed;
  }

  /** REPLACE: T1 where it has more than its share. */
  private chooseList(): PageQueue {
    const { recent, frequent, target } = this;
    if (recent.length === 0) return frequent;
    if (frequent.length === 0 || recent.length > target) return recent;
    return this.frequentGhosts.has(this.wantedGhost) && recent.length === target ? recent : frequent;
  }

  private replace(pages: ReclaimablePages, list: PageQueue): boolean {
    const oldest = list.oldest;
    if (oldest === NO_FRAME) return false;
    const page = oldest as Pfn;
    if (pages.isCandidate(page)) {
      pages.noteScanned(page);
      if (pages.free(page, 'write', list === this.recent ? 'recent_list' : 'frequent_list')) return true;
    }
    if (list.has(page)) {
      list.remove(page);
      list.push(page);
    }
    return false;
  }

  /** Case IV: T1 with its ghosts is at most c, all together at most 2c. */
  private trimGhosts(): void {
    const { recent, frequent, recentGhosts, frequentGhosts, capacity } = this;
    while (recentGhosts.length > 0 && recent.length + recentGhosts.length > capacity) recentGhosts.dropOldest();
    while (
      frequentGhosts.length > 0 &&
      recent.length + recentGhosts.length + frequent.length + frequentGhosts.length > 2 * capacity
    )
      frequentGhosts.dropOldest();
  }
}
