import { addRow, type HeatRow, noCounts } from './cells.ts';

/** A mapping, or several side by side, as so many rows of a heat map: what nobody touched of it is left out. */
export interface HeatBand<Label> {
  /** Of its mappings, the one with most pages first. */
  readonly labels: readonly Label[];
  /** By address; each may have gaps that nobody touched. */
  readonly rows: readonly HeatRow[];
}

/**
 * Lays rows out in bands, by address, at most `mostRows` rows together: as many bands as there are mappings, but where that leaves less than
 * two rows for each, those side by side become one, the smallest first (landmarks only where there are too few rows). A band has rows by its pages, and at least one.
 */
export function bandsOf<Label>(
  rows: readonly HeatRow[],
  labelOf: (mapping: number) => Label,
  isLandmark: (label: Label) => boolean,
  mostRows: number,
): HeatBand<Label>[] {
  const groups = groupsOf(rows);
  const isKept = ({ rows: [{ mapping }] }: Group): boolean => isLandmark(labelOf(mapping));
  while (groups.length > Math.max(1, mostRows / 2)) {
    let least = -1;
    const pagesAt = (at: number): number => groups[at].pages + groups[at + 1].pages;
    for (let at = 0; at + 1 < groups.length; at++) {
      const isAllowed = groups.length > mostRows || !(isKept(groups[at]) || isKept(groups[at + 1]));
      if (isAllowed && (least < 0 || pagesAt(at) < pagesAt(least))) least = at;
    }
    if (least < 0) break;
    const [first, second] = groups.splice(least, 2);
    groups.splice(least, 0, { rows: [...first.rows, ...second.rows], pages: first.pages + second.pages });
  }
  const heights = sharesOf(groups, mostRows);
  return groups.map(({ rows: each }, at) => ({
    labels: groupsOf(each)
      .sort((a, b) => b.pages - a.pages)
      .map(({ rows: [{ mapping }] }) => labelOf(mapping)),
    rows: joined(each, heights[at]),
  }));
}

interface Group {
  readonly rows: HeatRow[];
  pages: number;
}

/** Rows side by side that are of one mapping. */
function groupsOf(rows: readonly HeatRow[]): Group[] {
  const groups: Group[] = [];
  for (const row of rows) {
    const last = groups.at(-1);
    if (last?.rows[0].mapping === row.mapping) {
      last.rows.push(row);
      last.pages += row.pages;
    } else groups.push({ rows: [row], pages: row.pages });
  }
  return groups;
}

/** Rows for each group: one, and of what is left by pages, but never more than it has. */
function sharesOf(groups: readonly { rows: readonly HeatRow[]; pages: number }[], mostRows: number): number[] {
  const heights = groups.map(() => 1);
  for (let left = mostRows - groups.length; left > 0; left--) {
    let best = -1;
    let most = 0;
    groups.forEach(({ rows, pages }, at) => {
      const perRow = rows.length > heights[at] ? pages / heights[at] : 0;
      if (perRow > most) [best, most] = [at, perRow];
    });
    if (best === -1) break;
    heights[best]++;
  }
  return heights;
}

/** So many rows of the given ones, alike in their number. */
function joined(rows: readonly HeatRow[], count: number): HeatRow[] {
  return Array.from({ length: count }, (_, at) => {
    const each = rows.slice(Math.floor((at * rows.length) / count), Math.floor(((at + 1) * rows.length) / count));
    const { start, mapping } = each[0];
    const row: HeatRow = { start, end: each[each.length - 1].end, mapping, pages: 0, counts: noCounts() };
    for (const part of each) addRow(row, part);
    return row;
  });
}
