import type { Pfn } from '../../machine/units.ts';
import type { ReclaimablePages, ReclaimPolicy } from './policy.ts';

/** Any page, by the machine's seed: what the others have to beat. */
export class RandomPolicy implements ReclaimPolicy {
  readonly name = 'random';
  /** The listed pages in no order, and where each stands. */
  private readonly pages: Int32Array;
  private readonly places: Int32Array;
  private count = 0;

  constructor(frameCount: number) {
    this.pages = new Int32Array(frameCount);
    this.places = new Int32Array(frameCount).fill(-1);
  }

  added(page: Pfn): void {
    if (this.places[page] >= 0) return;
    this.places[page] = this.count;
    this.pages[this.count++] = page;
  }

  removed(page: Pfn): void {
    const place = this.places[page];
    if (place < 0) return;
    const last = this.pages[--this.count];
    this.pages[place] = last;
    this.places[last] = place;
    this.places[page] = -1;
  }

  shrink(pages: ReclaimablePages, wanted: number, priority: number): number {
    let freed = 0;
    for (let tries = Math.ceil(this.count / 2 ** priority); tries > 0 && freed < wanted && this.count > 0; tries--) {
      const page = this.pages[Math.floor((pages.rng.u32() / 2 ** 32) * this.count)] as Pfn;
      if (this.tryPage(pages, page)) freed++;
    }
    // Chance may miss the one page that can go: the last round looks at all.
    for (let at = this.count - 1; priority === 0 && at >= 0 && freed < wanted; at--)
      if (at < this.count && this.tryPage(pages, this.pages[at] as Pfn)) freed++;
    return freed;
  }

  private tryPage(pages: ReclaimablePages, page: Pfn): boolean {
    if (!pages.isCandidate(page)) return false;
    pages.noteScanned(page);
    return pages.free(page, 'write', 'random');
  }
}
