/**
 * What a policy remembers of pages that have left memory, in order of leaving: the numbers that it gave them (ReclaimPolicy.evicted).
 * The number stays where the page's contents are found again, so a ghost is keyed by these and not by a frame.
 */
export class GhostList {
  /** A Set iterates in order of insertion. */
  private readonly ghosts = new Set<number>();

  get length(): number {
    return this.ghosts.size;
  }

  has(ghost: number): boolean {
    return this.ghosts.has(ghost);
  }

  push(ghost: number): void {
    this.ghosts.add(ghost);
  }

  /** Whether it was there. */
  remove(ghost: number): boolean {
    return this.ghosts.delete(ghost);
  }

  dropOldest(): void {
    for (const ghost of this.ghosts) {
      this.ghosts.delete(ghost);
      return;
    }
  }
}
