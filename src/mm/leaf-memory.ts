import type { Pfn } from '../machine/units.ts';

/** Leaf tables that are remembered; a power of two. A guess: source and target of a copy, and what the program touches. */
const KNOWN_LEAVES = 16;

/**
 * The leaf tables that walks of page tables came to lately, so that the next walk to the same one is none. Of a walk, not of an entry:
 * only a leaf table that goes, or gives way to a huge leaf, makes it wrong; then PageTables calls `forget`.
 */
export class LeafMemory {
  private readonly knownRoot = new Int32Array(KNOWN_LEAVES).fill(-1);
  private readonly knownLeaf = new Float64Array(KNOWN_LEAVES);
  /** Index in Ram.u32 of the table's first entry. */
  private readonly knownBase = new Int32Array(KNOWN_LEAVES);
  private readonly bits: number;
  private readonly entries: number;
  private readonly words: number;

  constructor(bitsPerLevel: number, wordsPerEntry: number) {
    this.bits = bitsPerLevel;
    this.entries = 2 ** bitsPerLevel;
    this.words = wordsPerEntry;
  }

  /** Which leaf table a page is in, counted from the first that there could be. */
  private leafOf(page: number): number {
    return page < 0x8000_0000 ? page >>> this.bits : Math.floor(page / this.entries);
  }

  /** The slot of the page's entry, or -1. */
  recall(root: Pfn, page: number): number {
    const leaf = this.leafOf(page);
    const at = (leaf ^ root) & (KNOWN_LEAVES - 1);
    if (this.knownRoot[at] !== root || this.knownLeaf[at] !== leaf) return -1;
    return this.knownBase[at] + (page & (this.entries - 1)) * this.words;
  }

  /** A walk from `root` to `page` came to the table whose first entry is at `base`. */
  remember(root: Pfn, page: number, base: number): void {
    const leaf = this.leafOf(page);
    const at = (leaf ^ root) & (KNOWN_LEAVES - 1);
    this.knownRoot[at] = root;
    this.knownLeaf[at] = leaf;
    this.knownBase[at] = base;
  }

  forget(): void {
    this.knownRoot.fill(-1);
  }

  /** Calls `visit` for each table that is remembered, with a page in it. */
  forEach(visit: (root: Pfn, page: number, base: number) => void): void {
    for (let at = 0; at < KNOWN_LEAVES; at++)
      if (this.knownRoot[at] !== -1)
        visit(this.knownRoot[at] as Pfn, this.knownLeaf[at] * this.entries, this.knownBase[at]);
  }
}
