/** A reference to a page, or the end of a page, as ReferenceTrace keeps them: `page`, or -1 - page where it is freed. */
export type ReferenceString = ArrayLike<number>;

/**
 * Misses under Belady's optimum: of the pages in memory the one goes that is needed last (L. A. Belady, A study of replacement algorithms,
 * 1966). No policy misses less. O(log n) a reference.
 */
export function optimalMisses(references: ReferenceString, sizePages: number): number {
  const nextUse = nextUses(references);
  /** Page in memory -> when it is needed next. */
  const resident = new Map<number, number>();
  const heap = new LatestFirst();
  let misses = 0;
  for (let at = 0; at < references.length; at++) {
    const page = references[at];
    if (page < 0) {
      resident.delete(-1 - page);
      continue;
    }
    if (!resident.has(page)) {
      misses++;
      if (resident.size === sizePages) resident.delete(heap.takeLatest(resident));
    }
    resident.set(page, nextUse[at]);
    heap.push(nextUse[at], page);
  }
  return misses;
}

/** For each reference, the position of the next one to the same page; one that is freed before, or never used again: none, +Infinity. */
function nextUses(references: ReferenceString): Float64Array {
  const next = new Float64Array(references.length);
  const later = new Map<number, number>();
  for (let at = references.length - 1; at >= 0; at--) {
    const page = references[at];
    if (page < 0) {
      later.delete(-1 - page);
      continue;
    }
    next[at] = later.get(page) ?? Number.POSITIVE_INFINITY;
    later.set(page, at);
  }
  return next;
}

/** A binary heap of (when, page), the latest first. What is no longer so is passed over when it comes up. */
class LatestFirst {
  private readonly times: number[] = [];
  private readonly pages: number[] = [];

  push(time: number, page: number): void {
    const { times, pages } = this;
    let at = times.length;
    times.push(time);
    pages.push(page);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (times[parent] >= time) break;
      times[at] = times[parent];
      pages[at] = pages[parent];
      at = parent;
    }
    times[at] = time;
    pages[at] = page;
  }

  /** The page in memory that is needed last. */
  takeLatest(resident: ReadonlyMap<number, number>): number {
    for (;;) {
      const time = this.times[0];
      const page = this.pages[0];
      this.pop();
      if (resident.get(page) === time) return page;
    }
  }

  private pop(): void {
    const { times, pages } = this;
    const time = times.pop() as number;
    const page = pages.pop() as number;
    const { length } = times;
    if (length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && times[child + 1] > times[child]) child++;
      if (times[child] <= time) break;
      times[at] = times[child];
      pages[at] = pages[child];
      at = child;
    }
    times[at] = time;
    pages[at] = page;
  }
}
