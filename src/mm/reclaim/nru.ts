import type { Pfn } from '../../machine/units.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { PageQueue } from './page-queue.ts';
import type { ReclaimablePages, ReclaimPolicy } from './policy.ts';
import { takeUse } from './take-use.ts';

/**
 * Not recently used: four classes by use and dirt (unused clean, unused dirty, used clean, used dirty), the lowest first, in order
 * of arrival. Reading the use bits clears them, so that "recently" is since the last reclaim.
 */
export class NruPolicy implements ReclaimPolicy {
  readonly name = 'nru';
  private readonly queue: PageQueue;

  constructor(frameCount: number) {
    this.queue = new PageQueue(frameCount);
  }

  added(page: Pfn): void {
    this.queue.push(page);
  }

  removed(page: Pfn): void {
    this.queue.remove(page);
  }

  shrink(pages: ReclaimablePages, wanted: number, priority: number): number {
    const looks = Math.min(this.queue.length, Math.max(2 * wanted, Math.ceil(this.queue.length / 2 ** priority)));
    const classes: Pfn[][] = [[], [], [], []];
    for (let look = 0; look < looks; look++) {
      const page = this.queue.oldest;
      if (page === NO_FRAME) break;
      this.queue.remove(page as Pfn);
      this.queue.push(page as Pfn);
      if (!pages.isCandidate(page as Pfn)) continue;
      pages.noteScanned(page as Pfn);
      const isUsed = takeUse(pages, page as Pfn);
      classes[(isUsed ? 2 : 0) + (pages.isDirty(page as Pfn) ? 1 : 0)].push(page as Pfn);
    }
    let freed = 0;
    classes.forEach((each, at) => {
      const why = at < 2 ? 'unreferenced' : 'referenced';
      for (const page of each) {
        if (freed >= wanted) break;
        if (this.queue.has(page) && pages.free(page, 'write', why, at)) freed++;
      }
    });
    return freed;
  }
}
