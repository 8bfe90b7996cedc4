const FIRST_SLOTS = 1 << 12;

/**
 * Numbers 64-bit ids as they come: 0, 1, 2 ... A hash table with open addressing, in typed arrays: some 20 bytes an id.
 *
 * Invariant: `slots` has at least twice as many places as there are numbers.
 */
export class PageNumbers {
  count = 0;
  private highs: Uint32Array<ArrayBuffer> = new Uint32Array(FIRST_SLOTS);
  private lows: Uint32Array<ArrayBuffer> = new Uint32Array(FIRST_SLOTS);
  /** The number whose id hashes here, plus 1; 0: none. */
  private slots: Int32Array<ArrayBuffer> = new Int32Array(2 * FIRST_SLOTS);
  private last = -1;

  numberOf(high: number, low: number): number {
    const { last } = this;
    if (last >= 0 && this.lows[last] === low && this.highs[last] === high) return last;
    const slot = this.slotOf(high, low);
    this.last = this.slots[slot] > 0 ? this.slots[slot] - 1 : this.add(high, low, slot);
    return this.last;
  }

  /** The id's upper and lower 32 bits. */
  highOf(number: number): number {
    return this.highs[number];
  }

  lowOf(number: number): number {
    return this.lows[number];
  }

  /** Where the id stands, or could. */
  private slotOf(high: number, low: number): number {
    const { slots, highs, lows } = this;
    const mask = slots.length - 1;
    for (let slot = hashOf(high, low) & mask; ; slot = (slot + 1) & mask) {
      const number = slots[slot] - 1;
      if (number < 0 || (lows[number] === low && highs[number] === high)) return slot;
    }
  }

  private add(high: number, low: number, slot: number): number {
    const number = this.count++;
    this.highs[number] = high;
    this.lows[number] = low;
    this.slots[slot] = number + 1;
    if (this.count === this.highs.length) this.grow();
    return number;
  }

  private grow(): void {
    this.highs = doubled(this.highs);
    this.lows = doubled(this.lows);
    this.slots = new Int32Array(2 * this.highs.length);
    for (let number = 0; number < this.count; number++)
      this.slots[this.slotOf(this.highs[number], this.lows[number])] = number + 1;
  }
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * array.length);
  larger.set(array);
  return larger;
}

function hashOf(high: number, low: number): number {
  let hash = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
  return hash ^ (hash >>> 13);
}
