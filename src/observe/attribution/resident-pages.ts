/** What a page is resident for: a row of the attribution. */
export interface Resident {
  /** Pages now. */
  resident: number;
  /** Change since the peak. */
  sincePeak: number;
}

/** Forks that can be told apart in a page's note. */
const FORKS = 2 ** 20;
const NOTHING_KNOWN = -1;

/**
 * For each resident page of each space, why it is: the row that made it so. Told of what comes, goes and moves, it has at any time the sums
 * by row, and those of the moment at which most was resident.
 *
 *   peak of a row = resident - sincePeak
 *
 * Invariant: the sum of all rows' `resident` is `pages`.
 */
export class ResidentPages<Row extends Resident> {
  /** All spaces together: a page that two spaces map counts twice, as in RSS. */
  pages = 0;
  peakPages = 0;
  peakNs = 0;
  private readonly rows: Row[] = [];
  private readonly numbers = new Map<Row, number>();
  /** space -> page -> row * FORKS + forks that there had been. */
  private readonly spaces = new Map<number, Map<number, number>>();
  private readonly changed = new Set<Row>();

  /** Pages of the space become resident. */
  map(space: number, page: number, count: number, why: { readonly row: Row; readonly forks: number }): void {
    const { row } = why;
    const value = this.numberOf(row) * FORKS + Math.min(why.forks, FORKS - 1);
    const pages = this.pagesOf(space);
    for (let at = page; at < page + count; at++) pages.set(at, value);
    this.add(row, count);
    this.pages += count;
  }

  /** The moment is over: was it the one with most? */
  settle(nowNs: number): void {
    if (this.pages <= this.peakPages) return;
    this.peakPages = this.pages;
    this.peakNs = nowNs;
    for (const row of this.changed) row.sincePeak = 0;
    this.changed.clear();
  }

  unmap(space: number, page: number, count: number): void {
    const pages = this.pagesOf(space);
    for (let at = page; at < page + count; at++) {
      const value = pages.get(at);
      if (value === undefined) continue;
      pages.delete(at);
      this.add(this.rows[Math.floor(value / FORKS)], -1);
      this.pages--;
    }
  }

  move(space: number, from: number, to: number, count: number): void {
    const pages = this.pagesOf(space);
    for (let at = 0; at < count; at++) {
      const value = pages.get(from + at);
      if (value === undefined) continue;
      pages.delete(from + at);
      pages.set(to + at, value);
    }
  }

  /** The forks that there had been when the page became resident; -1: it is not. */
  forksAt(space: number, page: number): number {
    const value = this.spaces.get(space)?.get(page);
    return value === undefined ? NOTHING_KNOWN : value % FORKS;
  }

  /** Who made the page resident; null: it is not. */
  rowAt(space: number, page: number): Row | null {
    const value = this.spaces.get(space)?.get(page);
    return value === undefined ? null : this.rows[Math.floor(value / FORKS)];
  }

  /** The space has ended; all of it was unmapped before. */
  forget(space: number): void {
    this.spaces.delete(space);
  }

  private add(row: Row, count: number): void {
    row.resident += count;
    row.sincePeak += count;
    this.changed.add(row);
  }

  private pagesOf(space: number): Map<number, number> {
    let pages = this.spaces.get(space);
    if (pages === undefined) {
      pages = new Map();
      this.spaces.set(space, pages);
    }
    return pages;
  }

  private numberOf(row: Row): number {
    let number = this.numbers.get(row);
    if (number === undefined) {
      number = this.rows.push(row) - 1;
      this.numbers.set(row, number);
    }
    return number;
  }
}
