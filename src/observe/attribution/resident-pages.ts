/** What a page is resident for: a row of the attribution. */
export interface Resident {
  /** Pages now. */
  resident: number;
  /** Change since the peak. */
  sincePeak: number;
}

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
  /** space -> page -> number of its row. */
  private readonly spaces = new Map<number, Map<number, number>>();
  private readonly changed = new Set<Row>();

  /** Pages of the space become resident. */
  map(space: number, page: number, count: number, row: Row): void {
    const value = this.numberOf(row);
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
      this.add(this.rows[value], -1);
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

  /** Who made the page resident; null: it is not. */
  rowAt(space: number, page: number): Row | null {
    const value = this.spaces.get(space)?.get(page);
    return value === undefined ? null : this.rows[value];
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
