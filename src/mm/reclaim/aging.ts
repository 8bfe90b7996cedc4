import type { Pfn } from '../../machine/units.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { PageQueue } from './page-queue.ts';
import type { ReclaimablePages, ReclaimPolicy } from './policy.ts';
import { takeUse } from './take-use.ts';

const PAGE_AGE_START = 2;
const PAGE_AGE_ADV = 3;
const PAGE_AGE_DECL = 1;
const PAGE_AGE_MAX = 64;

/**
 * Page aging as in Linux 2.4 (mm/vmscan.c, refill_inactive_scan and page_launder): each page has an age. A look at it that finds it
 * used makes it older, one that does not younger; at age 0 it leaves the active list.
 *
 *   new (age 2) --> active --age 0--> inactive --not used since--> free (clean ones first, then dirty ones)
 *                      ^-----------used-----------+
 *
 * A page of processes that have more resident than their RLIMIT_RSS becomes inactive whatever its age is.
 */
export class AgingPolicy implements ReclaimPolicy {
  readonly name = 'aging-2.4';
  private readonly active: PageQueue;
  private readonly inactive: PageQueue;
  private readonly ages: Uint8Array;

  constructor(frameCount: number) {
    this.active = new PageQueue(frameCount);
    this.inactive = new PageQueue(frameCount);
    this.ages = new Uint8Array(frameCount);
  }

  added(page: Pfn): void {
    this.ages[page] = PAGE_AGE_START;
    this.active.push(page);
  }

  removed(page: Pfn): void {
    this.active.remove(page);
    this.inactive.remove(page);
  }

  shrink(pages: ReclaimablePages, wanted: number, priority: number): number {
    const part = (length: number): number => Math.ceil(length / 2 ** priority);
    let freed = this.launder(pages, wanted, part(this.inactive.length), 'clean');
    if (freed < wanted) freed += this.launder(pages, wanted - freed, part(this.inactive.length), 'dirty');
    // The last round looks until everybody had the chance to grow young.
    for (let round = 0; freed < wanted && round < (priority === 0 ? PAGE_AGE_MAX + PAGE_AGE_ADV : 1); round++) {
      this.refillInactive(pages, part(this.active.length));
      freed += this.launder(pages, wanted - freed, this.inactive.length, priority > 6 ? 'clean' : 'dirty');
    }
    return freed;
  }

  /** refill_inactive_scan. */
  private refillInactive(pages: ReclaimablePages, looks: number): void {
    const { active, ages } = this;
    for (let look = 0; look < looks && active.oldest !== NO_FRAME; look++) {
      const page = active.oldest as Pfn;
      active.remove(page);
      const wasMarked = pages.takeReferenced(page);
      const { count, isOverRssLimit } = pages.takeReferences(page);
      const isUsed = count > 0 || wasMarked;
      ages[page] = isUsed ? Math.min(PAGE_AGE_MAX, ages[page] + PAGE_AGE_ADV) : Math.max(0, ages[page] - PAGE_AGE_DECL);
      if (ages[page] === 0 || isOverRssLimit === true) this.inactive.push(page);
      else active.push(page);
    }
  }

  /** page_launder: what is used again is active again. */
  private launder(pages: ReclaimablePages, wanted: number, looks: number, what: 'clean' | 'dirty'): number {
    const { inactive, active, ages } = this;
    let freed = 0;
    for (let look = 0; look < looks && freed < wanted && inactive.oldest !== NO_FRAME; look++) {
      const page = inactive.oldest as Pfn;
      inactive.remove(page);
      if (!pages.isCandidate(page)) {
        active.push(page);
        continue;
      }
      pages.noteScanned(page);
      if (takeUse(pages, page)) {
        ages[page] = PAGE_AGE_START;
        active.push(page);
        continue;
      }
      inactive.push(page);
      if (what === 'clean' && pages.isDirty(page)) continue;
      if (pages.free(page, 'write', 'aged')) freed++;
    }
    return freed;
  }
}
