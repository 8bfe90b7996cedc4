/** What a cell counts. References are page runs, as the reference stream tells them. */
export const HEAT_COUNTS = ['references', 'faults', 'majorFaults', 'evictions'] as const;
export type HeatCount = (typeof HEAT_COUNTS)[number];

/** Pages one after the other, all of one mapping, through all columns of time. */
export interface HeatRow {
  /** Number of the first page. */
  readonly start: number;
  readonly end: number;
  /** MappingNames' number: of the page of it that was touched first. */
  readonly mapping: number;
  /** That were touched. */
  pages: number;
  /** By column; null: nowhere. */
  readonly counts: Record<HeatCount, Uint32Array<ArrayBuffer> | null>;
}

const RECENT = 256;

/**
 * Counts by page and column of time, in bounded room: when there are more rows than it may have, two that lie side by side become one, of
 * twice as many pages (each row then begins at a multiple of them). Rows are of pages that were touched.
 */
export class HeatCells {
  /** Of a row; a power of two. */
  rowPages = 1;
  private rows = new Map<number, HeatRow>();
  /** References to pages that were the last of those with the same lowest bits: where they are counted. */
  private readonly recentPages = new Float64Array(RECENT).fill(-1);
  private readonly recentCounts: Uint32Array<ArrayBuffer>[] = [];
  private readonly touched = new Set<number>();
  private readonly columns: number;
  private readonly mostRows: number;

  constructor(columns: number, mostRows: number) {
    this.columns = columns;
    this.mostRows = mostRows;
  }

  /** As `add`, for what comes most. */
  addReference(page: number, column: number, mappingOf: (page: number) => number): void {
    const recent = page & (RECENT - 1);
    if (this.recentPages[recent] === page) {
      this.recentCounts[recent][column]++;
      return;
    }
    this.add(page, column, 'references', mappingOf);
    this.recentPages[recent] = page;
    this.recentCounts[recent] = this.rowOf(page, mappingOf).counts.references ?? new Uint32Array(this.columns);
  }

  /** `mappingOf` is asked for the mapping of a page that is not touched yet. */
  add(page: number, column: number, count: HeatCount, mappingOf: (page: number) => number): void {
    const row = this.rowOf(page, mappingOf);
    const counts = (row.counts[count] ??= new Uint32Array(this.columns));
    counts[column]++;
  }

  /** By address. */
  list(): HeatRow[] {
    return [...this.rows.values()].sort((a, b) => a.start - b.start);
  }

  private rowOf(page: number, mappingOf: (page: number) => number): HeatRow {
    const at = Math.floor(page / this.rowPages);
    const known = this.rows.get(at);
    if (known !== undefined) {
      if (this.rowPages > 1 && !this.touched.has(page)) {
        this.touched.add(page);
        known.pages++;
      }
      return known;
    }
    if (this.rows.size >= this.mostRows) {
      this.fold();
      return this.rowOf(page, mappingOf);
    }
    this.touched.add(page);
    const start = at * this.rowPages;
    const row = { start, end: start + this.rowPages, mapping: mappingOf(page), pages: 1, counts: noCounts() };
    this.rows.set(at, row);
    return row;
  }

  private fold(): void {
    this.rowPages *= 2;
    this.recentPages.fill(-1);
    const before = this.list();
    this.rows = new Map();
    for (const row of before) {
      const at = Math.floor(row.start / this.rowPages);
      const start = at * this.rowPages;
      const other = this.rows.get(at);
      if (other === undefined) this.rows.set(at, { ...row, start, end: start + this.rowPages });
      else addRow(other, row);
    }
  }
}

export function noCounts(): HeatRow['counts'] {
  return { references: null, faults: null, majorFaults: null, evictions: null };
}

/** Adds the pages and counts of `row`. */
export function addRow(to: HeatRow, row: HeatRow): void {
  to.pages += row.pages;
  for (const count of HEAT_COUNTS) {
    const from = row.counts[count];
    if (from === null) continue;
    const sums = (to.counts[count] ??= new Uint32Array(from.length));
    for (let column = 0; column < from.length; column++) sums[column] += from[column];
  }
}
