import type { Chart, ChartLine } from './chart.ts';
import { grouped } from './numbers.ts';
import type { PolicyRow } from './sim-policies.ts';
import type { TlbRow } from './sim-tlb.ts';
import { formatSize } from './size.ts';

/** A column for each field, as cachesim has them. Ends with a newline. */
export function formatPolicyRows(rows: readonly PolicyRow[]): string {
  const hasError = rows.some(({ error }) => error !== undefined);
  const head = ['policy', 'size', 'refs', 'misses', 'miss_ratio', ...(hasError ? ['error'] : [])];
  const cells = rows.map(({ policy, sizePages, refs, misses, missRatio, error }) => [
    policy,
    grouped(sizePages),
    grouped(refs),
    grouped(misses),
    missRatio.toFixed(4),
    ...(hasError ? [error === undefined ? '' : `+-${error.toFixed(4)}`] : []),
  ]);
  return table([head, ...cells], 1);
}

export function formatTlbRows(rows: readonly TlbRow[]): string {
  const head = ['page', 'level', 'entries', 'ways', 'reach', 'refs', 'misses', 'miss_ratio'];
  const cells = rows.map(({ pageBytes, level, entries, ways, reachBytes, refs, misses, missRatio }) => [
    formatSize(pageBytes),
    level,
    entries === null ? '' : grouped(entries),
    ways === null ? '' : ways === entries ? 'full' : grouped(ways),
    reachBytes === null ? '' : formatSize(reachBytes),
    grouped(refs),
    grouped(misses),
    missRatio.toFixed(6),
  ]);
  return table([head, ...cells], 2);
}

/** The first columns stand left, numbers right. */
function table(rows: readonly (readonly string[])[], leftColumns: number): string {
  const widths = rows[0].map((_, at) => Math.max(...rows.map((row) => row[at].length)));
  const lines = rows.map((row) =>
    row
      .map((cell, at) => (at < leftColumns ? cell.padEnd(widths[at]) : cell.padStart(widths[at])))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

export function policyChart(file: string, rows: readonly PolicyRow[], pageBytes: number): Chart {
  const lines = [...new Set(rows.map(({ policy }) => policy))].map(
    (name): ChartLine => ({
      name,
      points: rows.filter(({ policy }) => policy === name).map(({ sizePages, missRatio }) => [sizePages, missRatio]),
    }),
  );
  return {
    title: `Miss ratio by size of memory: ${file}`,
    xLabel: `pages of ${formatSize(pageBytes)}`,
    yLabel: 'miss ratio',
    xScale: 'logarithm',
    lines,
    formatX: grouped,
    formatY: (y) => y.toFixed(3),
  };
}

/** By what the TLB reaches; where there are levels, of the first that differs and of the walks. */
export function tlbChart(file: string, rows: readonly TlbRow[]): Chart {
  const names = [...new Set(rows.map(lineName))];
  const reach = (row: TlbRow): number => {
    if (row.reachBytes !== null) return row.reachBytes;
    const at = rows.indexOf(row);
    // A walk stands behind the levels that it belongs to.
    return rows[at - 1].reachBytes as number;
  };
  return {
    title: `TLB miss ratio by reach: ${file}`,
    xLabel: 'reach',
    yLabel: 'miss ratio',
    xScale: 'logarithm',
    lines: names.map((name) => ({
      name,
      points: rows.filter((row) => lineName(row) === name).map((row) => [reach(row), row.missRatio] as const),
    })),
    formatX: formatSize,
    formatY: (y) => y.toFixed(4),
  };
}

function lineName({ level, pageBytes }: TlbRow): string {
  return `${level} ${formatSize(pageBytes)}`;
}
