import type { Pfn } from '../../machine/units.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { PageQueue } from './page-queue.ts';
import type { ReclaimablePages, ReclaimPolicy } from './policy.ts';
import type { PolicyWhy } from './why.ts';

/** First in, first out: what has been in memory longest goes, used or not. */
export class FifoPolicy implements ReclaimPolicy {
  readonly name: string = 'fifo';
  protected readonly queue: PageQueue;

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
    let freed = 0;
    // A second chance needs a second look, so the last round goes twice around.
    const looks = priority === 0 ? 2 * this.queue.length : Math.ceil(this.queue.length / 2 ** priority);
    for (let look = 0; look < looks && freed < wanted; look++) {
      const page = this.queue.oldest;
      if (page === NO_FRAME) break;
      // What stays is the youngest again: it comes round after all others.
      this.queue.remove(page as Pfn);
      this.queue.push(page as Pfn);
      if (!pages.isCandidate(page as Pfn)) continue;
      pages.noteScanned(page as Pfn);
      if (this.isSpared(pages, page as Pfn)) continue;
      if (pages.free(page as Pfn, 'write', this.why)) freed++;
    }
    return freed;
  }

  /** Why the oldest goes. */
  protected get why(): PolicyWhy {
    return 'first_in';
  }

  /** Does the page get another round? */
  protected isSpared(_pages: ReclaimablePages, _page: Pfn): boolean {
    return false;
  }
}
