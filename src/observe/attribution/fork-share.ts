/** Points of an erosion curve: at most about so many. */
const POINTS = 256;

/** Why a fork's two sides share no more. */
export type ShareEnd = 'child' | 'parent';

/**
 * What one fork made shared, and what has become of it so far.
 *
 * Invariant: stillShared is the number of pages that `has` says yes to, while the fork is open; afterwards that of the end.
 */
export class ForkShare {
  /** Its number, from 0. */
  readonly fork: number;
  /** mm_id. */
  readonly parent: number;
  readonly child: number;
  readonly timeNs: number;
  /** Private pages that both had from then on. */
  readonly pages: number;
  /** Of them, in swap at the time. */
  swapped = 0;
  /** Entries of the zero page and of pages of files that were copied, too. */
  otherEntries = 0;
  /** Page tables of the child, all levels. */
  tables = 0;
  copiedByParent = 0;
  copiedByChild = 0;
  /** Written to when nobody else had the page any more: a fault, but no copy. */
  reusedByParent = 0;
  reusedByChild = 0;
  stillShared: number;
  /** Something of it went to swap. */
  wasSwapped = false;
  /** Whose space ended first, by exec or exit; null: both are there. */
  end: { readonly side: ShareEnd; readonly timeNs: number } | null = null;
  /** How many were still shared, at times at which it had changed by a little. */
  readonly erosion: [timeNs: number, pages: number][];
  private readonly gone: Uint8Array;

  constructor(fork: number, parent: number, child: number, timeNs: number, pages: number) {
    this.fork = fork;
    this.parent = parent;
    this.child = child;
    this.timeNs = timeNs;
    this.pages = pages;
    this.stillShared = pages;
    this.erosion = [[timeNs, pages]];
    this.gone = new Uint8Array(pages);
  }

  get copies(): number {
    return this.copiedByParent + this.copiedByChild;
  }

  /** Both sides have the page still. */
  has(index: number): boolean {
    return this.end === null && this.gone[index] === 0;
  }

  /** One side does not have the page any more. */
  leave(index: number, timeNs: number): void {
    if (!this.has(index)) return;
    this.gone[index] = 1;
    this.stillShared--;
    const last = this.erosion[this.erosion.length - 1];
    if (last[0] === timeNs) last[1] = this.stillShared;
    else if (last[1] - this.stillShared >= this.pages / POINTS) this.erosion.push([timeNs, this.stillShared]);
  }

  endsWith(side: ShareEnd, timeNs: number): void {
    this.end = { side, timeNs };
    const last = this.erosion[this.erosion.length - 1];
    if (last[0] !== timeNs) this.erosion.push([timeNs, this.stillShared]);
  }
}
