/** "max" of the limit files. */
export const NO_LIMIT = Number.POSITIVE_INFINITY;

/** The peak since a reset, of one open memory.peak (struct cgroup_of_peak); null: never reset, so the peak of all time. */
export interface PeakWatch {
  valuePages: number | null;
}

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
  /** The most since somebody last reset his own peak, and those who did (PeakWatch). */
  localWatermark = 0;
  readonly peakWatches: PeakWatch[] = [];
  min = 0;
  low = 0;
  high = NO_LIMIT;
  max = NO_LIMIT;
  /** Charges that met the limit. */
  failCount = 0;
  /** What of min and low holds under the reclaim that is going on (protection.ts). */
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
      if (counter.usage > counter.localWatermark) counter.localWatermark = counter.usage;
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

  /** peak_show (6.18, mm/memcontrol.c). */
  peakOf({ valuePages }: PeakWatch): number {
    return valuePages === null ? this.watermark : Math.max(valuePages, this.localWatermark);
  }

  /** peak_write: from now on the peak is counted anew for `watch`; the others see what there is now at least. */
  resetPeak(watch: PeakWatch): void {
    this.localWatermark = this.usage;
    if (watch.valuePages === null) this.peakWatches.push(watch);
    for (const each of this.peakWatches) each.valuePages = Math.max(each.valuePages ?? 0, this.usage);
    watch.valuePages = this.usage;
  }

  endPeak(watch: PeakWatch): void {
    const at = this.peakWatches.indexOf(watch);
    if (at >= 0) this.peakWatches.splice(at, 1);
  }

  uncharge(pages: number): void {
    for (let counter: PageCounter | null = this; counter !== null; counter = counter.parent) counter.usage -= pages;
  }
}
