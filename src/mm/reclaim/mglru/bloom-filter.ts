/** BLOOM_FILTER_SHIFT: 2^15 bits, two of them for an item. */
const SHIFT = 15;
const BITS = 2 ** SHIFT;
/** The golden ratio of hash_32 (include/linux/hash.h). */
const GOLDEN_RATIO = 0x61c88647;

/** A set that may hold more than was put in: which page tables were worth a walk (Linux: mm/vmscan.c, 6.18). */
export class BloomFilter {
  private readonly words = new Uint32Array(BITS / 32);

  add(item: number): void {
    const hash = hashOf(item);
    this.set(hash % BITS);
    this.set(hash >>> SHIFT);
  }

  mayHave(item: number): boolean {
    const hash = hashOf(item);
    return this.test(hash % BITS) && this.test(hash >>> SHIFT);
  }

  clear(): void {
    this.words.fill(0);
  }

  private set(bit: number): void {
    this.words[bit >>> 5] |= 1 << (bit & 31);
  }

  private test(bit: number): boolean {
    return (this.words[bit >>> 5] & (1 << (bit & 31))) !== 0;
  }
}

/** 30 bits, two keys. */
function hashOf(item: number): number {
  return Math.imul(item, GOLDEN_RATIO) >>> (32 - 2 * SHIFT);
}
