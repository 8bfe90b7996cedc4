import { HEAT_COUNTS, type HeatCount, type HeatRow } from '../../src/index.ts';
import { align } from '../align-columns.ts';
import { grouped, ms } from '../numbers.ts';
import type { HeatMap, NamedBand } from './heat.ts';
import { formatCount, LEVELS, levelStart, scaleOf } from './heat-scale.ts';

const LABEL = 26;
const PAGE_BYTES = 4096;
/** Of the terminal's 256 colours, from the level 1 on, light to dark, as those of the SVG. */
const BACKGROUNDS = [230, 229, 222, 215, 208, 202, 161, 90, 53];
const FIRST_DARK = 6;

/** A digit a cell, high addresses at the top, and the marks of each column below; then each mapping with its sums. */
export function heatText(map: HeatMap, ink: 'colour' | 'plain'): string {
  const { pid, cmdline, bands, columns, startNs, everyNs } = map;
  const scale = scaleOf(map);
  const lines: string[] = [];
  for (const { name, rows } of [...bands].reverse()) {
    [...rows].reverse().forEach((row, at) => {
      const cells = Array.from({ length: columns }, (_, column) =>
        cellOf(scale.levelOf(row.counts.references?.[column] ?? 0, row.pages), ink),
      );
      lines.push(`${(at === 0 ? short(name, LABEL) : '').padEnd(LABEL)} |${cells.join('')}`.trimEnd());
    });
  }
  const [first, last] = [ms(startNs), ms(startNs + columns * everyNs)];
  return [
    `# process ${pid} (${short(cmdline.replace(/\s+/g, ' '), 60)}): address against virtual time, high addresses at the top`,
    '',
    ...lines,
    `${' '.repeat(LABEL)} +${'-'.repeat(columns)}`,
    `${' '.repeat(LABEL + 2)}${first}${last.padStart(Math.max(last.length + 1, columns - first.length))}`,
    ...(['faults', 'majorFaults', 'evictions'] as const).flatMap((count) => marksLine(map, count)),
    '',
    `References of a page in ${ms(everyNs)}: ${legend(scale, ink)}`,
    'Faults and evictions in it: 1 one, 2 two or more, 3 four, 4 eight ...',
    '',
    ...align(
      [
        ['References', 'Faults', 'Maj', 'Evicted', 'Pages', 'From', 'Mapping'],
        ...[...bands].reverse().map((band) => bandLine(band)),
      ],
      6,
    ),
    '',
  ].join('\n');
}

function cellOf(level: number, ink: 'colour' | 'plain'): string {
  if (level === 0) return ' ';
  if (ink === 'plain') return String(level);
  return `\x1b[48;5;${BACKGROUNDS[level - 1]};38;5;${level >= FIRST_DARK ? 231 : 16}m${level}\x1b[0m`;
}

function legend(scale: ReturnType<typeof scaleOf>, ink: 'colour' | 'plain'): string {
  const steps = [1, 3, 5, 7, 9].map((level) => `${cellOf(level, ink)} from ${formatCount(levelStart(scale, level))}`);
  return `${steps.join(', ')}; at most ${formatCount(scale.most)} (${LEVELS} steps of a logarithmic scale)`;
}

/** None where there is nothing of it. */
function marksLine({ bands, columns }: HeatMap, count: Exclude<HeatCount, 'references'>): string[] {
  const sums = Array.from({ length: columns }, (_, column) =>
    bands.reduce((sum, { rows }) => sum + rows.reduce((of, { counts }) => of + (counts[count]?.[column] ?? 0), 0), 0),
  );
  if (sums.every((sum) => sum === 0)) return [];
  const digits = sums.map((sum) => (sum === 0 ? ' ' : String(Math.min(9, 1 + Math.floor(Math.log2(sum))))));
  return [
    `${{ faults: 'faults', majorFaults: 'major faults', evictions: 'evictions' }[count].padStart(LABEL)} |${digits.join('')}`.trimEnd(),
  ];
}

function bandLine({ name, rows }: NamedBand): string[] {
  const sum = (value: (row: HeatRow) => number): number => rows.reduce((total, row) => total + value(row), 0);
  const counts = HEAT_COUNTS.map((count) =>
    grouped(sum((row) => row.counts[count]?.reduce((total, each) => total + each, 0) ?? 0)),
  );
  return [...counts, grouped(sum(({ pages }) => pages)), (rows[0].start * PAGE_BYTES).toString(16), name];
}

function short(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 3)}...`;
}
