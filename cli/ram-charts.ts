import type { Chart } from './chart.ts';
import type { RamAnswer, RamRow } from './ram-answer.ts';
import { formatSize } from './size.ts';

/** What a table of `faultline ram` shows: how much longer the run takes with less memory, and what its page references alone would miss. */
export function ramCharts(program: string, { rows, knees, references }: RamAnswer): Chart[] {
  const linesOf = (pick: (row: RamRow) => number | null, names: readonly string[]): Chart['lines'] =>
    names.map((name) => ({
      name,
      points: pointsOf(
        rows.filter(({ policy }) => policy === name),
        pick,
      ),
    }));
  const policies = knees.map(({ policy }) => policy);
  const shared = { xLabel: 'memory', formatX: formatSize };
  const slower: Chart = {
    ...shared,
    title: `${program}: how much longer it takes with less memory`,
    yLabel: 'times as long',
    xScale: 'logarithm',
    lines: linesOf(({ slowdown }) => slowdown, policies),
    formatY: (y) => y.toFixed(1),
  };
  if (references === null) return [slower];
  const first = rows.filter(({ policy }) => policy === policies[0]);
  const shareOf = (misses: number | null): number | null => (misses === null ? null : misses / references);
  const misses: Chart = {
    ...shared,
    title: `${program}: what its page references miss`,
    yLabel: 'miss ratio',
    xScale: 'logarithm',
    lines: [
      { name: 'LRU', points: pointsOf(first, ({ lruMisses }) => shareOf(lruMisses)) },
      { name: 'optimum', points: pointsOf(first, ({ optimalMisses }) => shareOf(optimalMisses)) },
    ],
    formatY: (y) => `${(y * 100).toPrecision(3)} %`,
  };
  return [slower, misses];
}

/** From least memory to most, where there is a value. */
function pointsOf(rows: readonly RamRow[], pick: (row: RamRow) => number | null): [number, number][] {
  return rows
    .flatMap((row): [number, number][] => {
      const value = pick(row);
      return value === null ? [] : [[row.memoryBytes, value]];
    })
    .sort(([a], [b]) => a - b);
}
