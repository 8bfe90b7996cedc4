import type { HeatRow } from '../../src/index.ts';
import { grouped, ms } from '../numbers.ts';
import type { HeatMap } from './heat.ts';
import { formatCount, LEVELS, levelStart, scaleOf } from './heat-scale.ts';

const PAGE_BYTES = 4096;
const WIDTH = 1000;
const LEFT = 210;
const RIGHT = 130;
const TOP = 44;
const BOTTOM = 64;
const ROW = 6;
/** A band is at least as high as its label. */
const LEAST_BAND = 13;
/** One with its addresses beside it. */
const HIGH_BAND = 48;
const GAP = 3;
/** Light to dark, told apart with fewer colours and in grey too. */
const COLOURS = ['#fdf3b5', '#fbd87a', '#f9b641', '#f68b1f', '#e35933', '#bc3754', '#88226a', '#550f6d', '#210c4a'];
const FAULT = '#0072b2';
const MARKS = { faults: 'fault', majorFaults: 'major fault', evictions: 'eviction' };

/** High addresses at the top. Each cell says its numbers when pointed at. */
export function heatSvg(map: HeatMap): string {
  const { pid, cmdline, bands, columns, startNs, everyNs } = map;
  const scale = scaleOf(map);
  const right = WIDTH - RIGHT;
  const cell = (right - LEFT) / columns;
  const left = (column: number): number => LEFT + column * cell;
  const parts: string[] = [];
  let top = TOP;
  for (const { name, rows } of [...bands].reverse()) {
    const height = Math.max(LEAST_BAND, rows.length * ROW);
    const step = height / rows.length;
    parts.push(
      `<rect x="${LEFT}" y="${top}" width="${right - LEFT}" height="${height}" fill="#f0f0f0"/>`,
      text(`x="${LEFT - 8}" y="${(top + height / 2 + 4).toFixed(1)}" text-anchor="end"`, clipped(name, 34)),
      ...(height < HIGH_BAND
        ? []
        : [addressLabel(rows[rows.length - 1].end, top + 9), addressLabel(rows[0].start, top + height)]),
    );
    [...rows].reverse().forEach((row, at) => {
      const y = top + at * step;
      for (let column = 0; column < columns; column++) {
        const level = scale.levelOf(row.counts.references?.[column] ?? 0, row.pages);
        const marks = marksOf(row, column, left(column) + cell / 2, y + step / 2);
        if (level === 0 && marks === '') continue;
        const fill = level === 0 ? '#f0f0f0' : COLOURS[level - 1];
        const box = `x="${left(column).toFixed(2)}" y="${y.toFixed(2)}" width="${(cell + 0.05).toFixed(2)}" height="${(step + 0.05).toFixed(2)}"`;
        const words = title(row, column, { name, fromNs: startNs + column * everyNs, everyNs });
        parts.push(`<g><title>${escaped(words)}</title><rect ${box} fill="${fill}"/>${marks}</g>`);
      }
    });
    top += height + GAP;
  }
  const bottom = top;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => share * columns);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${Math.max(bottom + BOTTOM, 330)}" font-family="sans-serif" font-size="11">`,
    '<rect width="100%" height="100%" fill="white"/>',
    text(
      `x="${LEFT}" y="24" font-size="15"`,
      `process ${pid} (${clipped(cmdline.replace(/\s+/g, ' '), 70)}): references by address and time`,
    ),
    ...parts,
    `<path d="M${LEFT} ${TOP}V${bottom}H${right}" fill="none" stroke="black"/>`,
    ...ticks.map((column) =>
      text(`x="${left(column).toFixed(1)}" y="${bottom + 16}" text-anchor="middle"`, ms(startNs + column * everyNs)),
    ),
    text(`x="${(LEFT + right) / 2}" y="${bottom + 36}" text-anchor="middle" font-size="12"`, 'virtual time'),
    text(
      `x="${LEFT}" y="${bottom + 54}" fill="#555"`,
      'High addresses at the top. What nobody touched is left out: each mapping has rows by the pages of it that were touched.',
    ),
    ...legend(scale, right + 16, everyNs),
    '</svg>',
    '',
  ].join('\n');
}

function marksOf({ counts }: HeatRow, column: number, x: number, y: number): string {
  const at = `cx="${x.toFixed(2)}" cy="${y.toFixed(2)}"`;
  const isMajor = (counts.majorFaults?.[column] ?? 0) > 0;
  return [
    isMajor ? majorMark(at) : (counts.faults?.[column] ?? 0) > 0 ? faultMark(at) : '',
    (counts.evictions?.[column] ?? 0) > 0 ? evictionMark(x, y) : '',
  ].join('');
}

function faultMark(at: string): string {
  return `<circle ${at} r="1.3" fill="${FAULT}" stroke="white" stroke-width="0.5"/>`;
}

function majorMark(at: string): string {
  return `<circle ${at} r="2.4" fill="white" stroke="${FAULT}" stroke-width="1.3"/>`;
}

function evictionMark(x: number, y: number): string {
  const path = `M${(x - 2).toFixed(2)} ${(y - 2).toFixed(2)}l4 4m0 -4l-4 4`;
  return `<path d="${path}" stroke="white" stroke-width="2.2"/><path d="${path}" stroke="black" stroke-width="1"/>`;
}

function title(row: HeatRow, column: number, at: { name: string; fromNs: number; everyNs: number }): string {
  const { start, end, pages, counts } = row;
  const references = counts.references?.[column] ?? 0;
  const range = `${(start * PAGE_BYTES).toString(16)}-${(end * PAGE_BYTES).toString(16)}`;
  const lines = [
    `${at.name} ${range}, ${grouped(pages)} ${pages === 1 ? 'page' : 'pages'}`,
    `${ms(at.fromNs)} to ${ms(at.fromNs + at.everyNs)}`,
    `${grouped(references)} references, ${formatCount(references / pages)} a page`,
  ];
  for (const count of ['faults', 'majorFaults', 'evictions'] as const) {
    const found = counts[count]?.[column] ?? 0;
    if (found > 0) lines.push(`${grouped(found)} ${MARKS[count]}${found === 1 ? '' : 's'}`);
  }
  return lines.join('\n');
}

function legend(scale: ReturnType<typeof scaleOf>, x: number, everyNs: number): string[] {
  const lines = [
    text(`x="${x}" y="${TOP + 8}"`, 'references of a page'),
    text(`x="${x}" y="${TOP + 22}"`, `in ${ms(everyNs)}`),
  ];
  for (let level = LEVELS; level >= 1; level--) {
    const y = TOP + 32 + (LEVELS - level) * 16;
    lines.push(
      `<rect x="${x}" y="${y}" width="18" height="16" fill="${COLOURS[level - 1]}"/>`,
      text(`x="${x + 24}" y="${y + 12}"`, `from ${formatCount(levelStart(scale, level))}`),
    );
  }
  const below = TOP + 32 + LEVELS * 16 + 22;
  return [
    ...lines,
    `<rect x="${x}" y="${below - 12}" width="18" height="16" fill="#f0f0f0"/>`,
    text(`x="${x + 24}" y="${below}"`, 'none'),
    faultMark(`cx="${x + 9}" cy="${below + 18}"`),
    text(`x="${x + 24}" y="${below + 22}"`, 'faults'),
    majorMark(`cx="${x + 9}" cy="${below + 38}"`),
    text(`x="${x + 24}" y="${below + 42}"`, 'major faults'),
    evictionMark(x + 9, below + 58),
    text(`x="${x + 24}" y="${below + 62}"`, 'evictions'),
  ];
}

function addressLabel(page: number, y: number): string {
  return text(`x="${LEFT - 8}" y="${y}" text-anchor="end" fill="#777" font-size="9"`, (page * PAGE_BYTES).toString(16));
}

function text(at: string, words: string): string {
  return `<text ${at}>${escaped(words)}</text>`;
}

function clipped(words: string, most: number): string {
  return words.length <= most ? words : `${words.slice(0, most - 3)}...`;
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
