/** "max" of the limit files. */
export const NO_LIMIT = Number.POSITIVE_INFINITY;

/**
 * Pages charged to one memory cgroup and all below it, and what limits and protects them (Linux: struct page_counter,
 * mm/page_counter.c). A charge counts in every counter up to the root's; the root's own is never looked at.
 */
export class PageCounter {
  readonly parent: PageCounter | null;
  /** Pages charged now. */
  usage = 0;
  /** The most there ever was. */
  watermark = 0;
  min = 0;
  low = 0;
  high = NO_LIMIT;
  max = NO_LIMIT;
  /** Charges that met the limit. */
  failCount = 0;
  /** What of min and low holds under the reclaim that is going on (MemcgProtection). */
  effectiveMin = 0;
  effectiveLow = 0;

  constructor(parent: PageCounter | null) {
    this.parent = parent;
  }

  /** Charges whatever the limits are. */
  charge(pages: number): void {
    for (let counter: PageCounter | null = this; counter !== null; counter = counter.parent) {
      counter.usage += pages;
      if (counter.usage > counter.watermark) counter.watermark = counter.usage;
    }
  }

  /** Charges where no limit on the way is passed; else charges nothing and returns the counter whose limit it is. */
  tryCharge(pages: number): PageCounter | null {
    for (let counter: PageCounter | null = this; counter !== null; counter = counter.parent) {
      if (counter.usage + pages <= counter.max) continue;
      counter.failCount++;
      return counter;
    }
    this.charge(pages);
    return null;
  }

  uncharge(pages: number): void {
    for (let counter: PageCounter | null = this; counter !== null; counter = counter.parent) counter.usage -= pages;
  }
}
