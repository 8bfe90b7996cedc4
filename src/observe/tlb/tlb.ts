const NONE = -1;

/** How large a TLB is. `ways`: entries of a set; as many as there are entries: fully associative. */
export interface TlbShape {
  readonly entries: number;
  readonly ways: number;
}

/**
 * A set-associative TLB of which only the hits and misses are seen: pages go in a set by the lower part of their number, and of a full set
 * the page goes that was used least lately. Any number of entries and ways, at the same cost.
 *
 * Invariant: slotOf[page] is the slot that holds the page, and pages[slot] the page; the slots of a set are its list, the last used first.
 */
export class Tlb {
  hits = 0;
  misses = 0;
  private readonly sets: number;
  private readonly ways: number;
  /** By set: slots in use; the slot used last, and the one used longest ago. */
  private readonly used: Int32Array;
  private readonly newest: Int32Array;
  private readonly oldest: Int32Array;
  /** By slot. */
  private readonly pages: Int32Array;
  private readonly newer: Int32Array;
  private readonly older: Int32Array;
  /** By page. */
  private slotOf: Int32Array<ArrayBuffer> = new Int32Array(1024).fill(NONE);

  /** Throws RangeError where the ways do not divide the entries. */
  constructor({ entries, ways }: TlbShape) {
    if (entries < 1 || ways < 1 || entries % ways !== 0)
      throw new RangeError(`a TLB of ${entries} entries cannot have ${ways} ways`);
    this.sets = entries / ways;
    this.ways = ways;
    this.used = new Int32Array(this.sets);
    this.newest = new Int32Array(this.sets).fill(NONE);
    this.oldest = new Int32Array(this.sets).fill(NONE);
    this.pages = new Int32Array(entries).fill(NONE);
    this.newer = new Int32Array(entries).fill(NONE);
    this.older = new Int32Array(entries).fill(NONE);
  }

  /** `page`: a number from 0 that stands for it; `index`: the lower part of its real number, which chooses the set. */
  lookup(page: number, index: number): 'hit' | 'miss' {
    if (page >= this.slotOf.length) this.makeRoomFor(page);
    const set = this.sets === 1 ? 0 : index % this.sets;
    const slot = this.slotOf[page];
    if (slot !== NONE) {
      this.hits++;
      if (this.newest[set] !== slot) {
        this.unlink(set, slot);
        this.linkNewest(set, slot);
      }
      return 'hit';
    }
    this.misses++;
    const into = this.takeSlot(set);
    this.pages[into] = page;
    this.slotOf[page] = into;
    this.linkNewest(set, into);
    return 'miss';
  }

  private takeSlot(set: number): number {
    if (this.used[set] < this.ways) return set * this.ways + this.used[set]++;
    const slot = this.oldest[set];
    this.slotOf[this.pages[slot]] = NONE;
    this.unlink(set, slot);
    return slot;
  }

  private unlink(set: number, slot: number): void {
    const newer = this.newer[slot];
    const older = this.older[slot];
    if (newer === NONE) this.newest[set] = older;
    else this.older[newer] = older;
    if (older === NONE) this.oldest[set] = newer;
    else this.newer[older] = newer;
  }

  private linkNewest(set: number, slot: number): void {
    const before = this.newest[set];
    this.newer[slot] = NONE;
    this.older[slot] = before;
    if (before === NONE) this.oldest[set] = slot;
    else this.newer[before] = slot;
    this.newest[set] = slot;
  }

  private makeRoomFor(page: number): void {
    const larger = new Int32Array(2 ** Math.ceil(Math.log2(page + 1)) * 2).fill(NONE);
    larger.set(this.slotOf);
    this.slotOf = larger;
  }
}
