import { assert } from '../../base/assert.ts';

const FIRST_SLOTS = 1 << 16;

/**
 * How often a memory of any size would miss under LRU, all sizes in one pass over the references: a reference hits in a memory that is
 * larger than its stack distance, the number of other pages since the last reference to the same page (Mattson et al., Evaluation
 * techniques for storage hierarchies, 1970).
 *
 * Each page stands in the slot of its last reference; a Fenwick tree counts slots in use behind it: O(log n) a reference. A page that is
 * freed leaves a hole in the stack: in memories that held it a frame is free, so that the next page to come pushes nobody out. The hole
 * is a slot in use without a page; what comes in fills the topmost hole above where it came from.
 *
 * Invariants: the tree's sum over all slots is pages + holes; slots rise with time; every page's and hole's slot is below `next`.
 */
export class LruCurve {
  /** hits[d]: references at stack distance d, which memories of more than d pages hold. */
  private hits: Float64Array<ArrayBuffer> = new Float64Array(1024);
  private references = 0;
  private cold = 0;
  private slotCount = FIRST_SLOTS;
  /** Fenwick tree over slots, from 1. */
  private tree = new Int32Array(FIRST_SLOTS + 1);
  /** Page of a slot; HOLE; EMPTY. */
  private pages = new Int32Array(FIRST_SLOTS + 1).fill(EMPTY);
  /** Slot of a page; 0: none. */
  private slots = new Int32Array(1024);
  private pageCount = 0;
  /** Slots of holes, the latest on top: a binary heap. */
  private readonly holes: number[] = [];
  private next = 1;

  /** `page`: a number from 0 that stands for a page; the greatest of them decides how much memory this takes. */
  reference(page: number): void {
    this.references++;
    if (this.next > this.slotCount) this.compact();
    if (page >= this.slots.length) this.makeRoomFor(page);
    const slot = this.slots[page];
    if (slot === 0) {
      this.cold++;
      this.pageCount++;
      this.fillHoleAbove(0);
    } else if (slot === this.next - 1) {
      this.hits[0]++;
      return;
    } else {
      this.hit(this.pageCount + this.holes.length - this.sumTo(slot));
      const isFilled = this.fillHoleAbove(slot);
      if (isFilled) this.makeHole(slot);
      else this.clear(slot);
    }
    this.slots[page] = this.next;
    this.pages[this.next] = page;
    this.add(this.next, 1);
    this.next++;
  }

  /** The page is no more (its memory was freed): a frame is free for whoever comes next. */
  free(page: number): void {
    const slot = page < this.slots.length ? this.slots[page] : 0;
    if (slot === 0) return;
    this.slots[page] = 0;
    this.pageCount--;
    this.makeHole(slot);
  }

  get referenceCount(): number {
    return this.references;
  }

  /** Misses of a memory of so many pages (from 1), first references included. */
  misses(sizePages: number): number {
    let hits = 0;
    for (let distance = 0; distance < Math.min(sizePages, this.hits.length); distance++) hits += this.hits[distance];
    return this.references - hits;
  }

  /** Misses for 0, 1, 2 ... pages, up to the size from which on only first references miss. */
  curve(): number[] {
    const misses = [this.references];
    for (let distance = 0; misses[misses.length - 1] > this.cold; distance++)
      misses.push(misses[misses.length - 1] - this.hits[distance]);
    return misses;
  }

  /** The size from which on only first references miss. */
  get sizePages(): number {
    return this.curve().length - 1;
  }

  private makeRoomFor(page: number): void {
    const larger = new Int32Array(2 ** Math.ceil(Math.log2(page + 1)) * 2);
    larger.set(this.slots);
    this.slots = larger;
  }

  private hit(distance: number): void {
    if (distance >= this.hits.length) {
      const larger = new Float64Array(2 ** Math.ceil(Math.log2(distance + 1)));
      larger.set(this.hits);
      this.hits = larger;
    }
    this.hits[distance]++;
  }

  /** The topmost hole goes, if it is above the slot. */
  private fillHoleAbove(slot: number): boolean {
    const [top] = this.holes;
    if (top === undefined || top < slot) return false;
    popTop(this.holes);
    this.clear(top);
    return true;
  }

  private makeHole(slot: number): void {
    this.pages[slot] = HOLE;
    pushHole(this.holes, slot);
  }

  private clear(slot: number): void {
    this.pages[slot] = EMPTY;
    this.add(slot, -1);
  }

  private add(slot: number, by: 1 | -1): void {
    const { tree, slotCount } = this;
    for (let at = slot; at <= slotCount; at += at & -at) tree[at] += by;
  }

  /** Slots in use up to and with `slot`. */
  private sumTo(slot: number): number {
    const { tree } = this;
    let sum = 0;
    for (let at = slot; at > 0; at &= at - 1) sum += tree[at];
    return sum;
  }

  /** All slots have been given out: those in use move together, in their order, in a table with as much room again. */
  private compact(): void {
    const { pages } = this;
    const inUse = this.pageCount + this.holes.length;
    this.slotCount = Math.max(FIRST_SLOTS, 2 ** Math.ceil(Math.log2(inUse * 2)));
    const moved = new Int32Array(this.slotCount + 1).fill(EMPTY);
    this.holes.length = 0;
    let to = 1;
    for (let from = 1; from < this.next; from++) {
      const page = pages[from];
      if (page === EMPTY) continue;
      moved[to] = page;
      if (page === HOLE) pushHole(this.holes, to);
      else this.slots[page] = to;
      to++;
    }
    assert(to === inUse + 1, 'observe/references/lru-curve.ts: each page and hole has one slot');
    this.pages = moved;
    this.next = to;
    this.tree = new Int32Array(this.slotCount + 1);
    for (let slot = 1; slot < to; slot++) this.tree[slot] = 1;
    for (let slot = 1; slot <= this.slotCount; slot++) {
      const above = slot + (slot & -slot);
      if (above <= this.slotCount) this.tree[above] += this.tree[slot];
    }
  }
}

const EMPTY = -1;
const HOLE = -2;

/** A binary heap of slots, the greatest first. */
function pushHole(heap: number[], slot: number): void {
  let at = heap.length;
  heap.push(slot);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent] >= slot) break;
    heap[at] = heap[parent];
    at = parent;
  }
  heap[at] = slot;
}

function popTop(heap: number[]): void {
  const last = heap.pop() as number;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1] > heap[child]) child++;
    if (heap[child] <= last) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = last;
}
