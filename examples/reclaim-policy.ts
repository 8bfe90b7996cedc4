/**
 * A reclaim policy of one's own: which pages go when memory is short. This one is the second chance with a memory: a page that comes
 * back soon after it went is spared twice. Try it:
 *
 *   faultline policy check examples/reclaim-policy.ts
 *   faultline run --memory 16M --swap 64M --reclaim examples/reclaim-policy.ts --stats ./program
 *
 * Node before 22.18 reads no TypeScript: compile the file first (npx esbuild examples/reclaim-policy.ts --format=esm
 * --outfile=my-policy.mjs). docs/reclaim-policy.md says what each method is told and may do.
 */
import type { FrameTable, ReclaimablePages, ReclaimPolicy } from 'faultline';

type Page = Parameters<ReclaimablePages['free']>[0];

export function createPolicy(frames: FrameTable): ReclaimPolicy {
  return new SecondChanceWithMemory(frames);
}

class SecondChanceWithMemory implements ReclaimPolicy {
  readonly name = 'second-chance-with-memory';
  /** Pages in the order in which they are looked at; a Set keeps the order of insertion. */
  private readonly queue = new Set<Page>();
  /** By page: looks that it survives unused. */
  private readonly chances: Uint8Array;
  private evictions = 0;

  constructor(frames: FrameTable) {
    this.chances = new Uint8Array(frames.frameCount);
  }

  added(page: Page): void {
    this.queue.add(page);
  }

  removed(page: Page): void {
    this.queue.delete(page);
    this.chances[page] = 0;
  }

  /** What is returned is given back to `refaulted` if the page's contents are wanted again. */
  evicted(): number {
    this.evictions = (this.evictions + 1) % 2 ** 32;
    return this.evictions;
  }

  refaulted(_pages: ReclaimablePages, page: Page, shadow: number): void {
    if (this.evictions - shadow < this.queue.size) this.chances[page] = 2;
  }

  /** Frees about `wanted` pages and says how many it freed; looks at a 2^priority-th of all, and at 0 at as many as it takes. */
  shrink(pages: ReclaimablePages, wanted: number, priority: number): number {
    const looks = priority === 0 ? 4 * this.queue.size : Math.ceil(this.queue.size / 2 ** priority);
    let freed = 0;
    for (let look = 0; look < looks && freed < wanted; look++) {
      const page = this.queue.values().next().value;
      if (page === undefined) break;
      // Whatever stays is looked at last.
      this.queue.delete(page);
      this.queue.add(page);
      if (!pages.isCandidate(page)) continue;
      pages.noteScanned(page);
      const wasUsed = pages.takeReferences(page).count > 0 || pages.takeReferenced(page);
      if (wasUsed) continue;
      if (this.chances[page] > 0) this.chances[page]--;
      else if (pages.free(page, 'write')) freed++;
    }
    return freed;
  }
}
