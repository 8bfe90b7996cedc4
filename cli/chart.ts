/** A line of a chart: points in the order of x. */
export interface ChartLine {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xScale: 'logarithm' | 'linear';
  /** y goes from 0. */
  readonly lines: readonly ChartLine[];
  readonly formatX: (x: number) => string;
  readonly formatY: (y: number) => string;
}

const COLUMNS = 64;
const ROWS = 16;
/** One for each line, in the order of the lines; on a place that several share stands the last one's. */
const MARKS = 'abcdefghijklmnopqrstuvwxyz';

/** A plot of letters, with a legend below. Ends with a newline. */
export function formatChart(chart: Chart): string {
  const { x, y } = scalesOf(chart);
  const grid = Array.from({ length: ROWS + 1 }, () => new Array<string>(COLUMNS + 1).fill(' '));
  chart.lines.forEach(({ points }, at) => {
    for (const [left, top] of everyColumn(points.map((point) => [x.of(point[0]) * COLUMNS, y.of(point[1]) * ROWS])))
      grid[ROWS - Math.round(top)][Math.round(left)] = MARKS[at % MARKS.length];
  });
  const width = Math.max(chart.formatY(y.most).length, chart.formatY(0).length);
  const rows = grid.map((row, at) => {
    const label = at === 0 ? chart.formatY(y.most) : at === ROWS ? chart.formatY(0) : '';
    return `${label.padStart(width)} |${row.join('')}`.trimEnd();
  });
  const [first, last] = [chart.formatX(x.least), chart.formatX(x.most)];
  return [
    `${' '.repeat(width + 2)}${chart.yLabel}`,
    ...rows,
    `${' '.repeat(width)} +${'-'.repeat(COLUMNS + 1)}`,
    `${' '.repeat(width + 2)}${first}${last.padStart(COLUMNS + 1 - first.length)}  ${chart.xLabel}`,
    ...chart.lines.map(({ name }, at) => `${' '.repeat(width + 2)}${MARKS[at % MARKS.length]}  ${name}`),
    '',
  ].join('\n');
}

/** Points and what lies between them, one for each column. */
function everyColumn(points: readonly (readonly [number, number])[]): [number, number][] {
  const all: [number, number][] = points.map(([left, top]) => [left, top]);
  for (let at = 1; at < points.length; at++) {
    const [fromLeft, fromTop] = points[at - 1];
    const [toLeft, toTop] = points[at];
    for (let left = Math.ceil(fromLeft); left < toLeft; left++)
      all.push([left, fromTop + ((toTop - fromTop) * (left - fromLeft)) / (toLeft - fromLeft)]);
  }
  return all;
}

/** Okabe and Ito's colours, which people who see fewer colours can tell apart; lines differ in their dashes, too. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#000000', '#999999'];
const DASHES = ['none', '7 3', '2 2', '9 3 2 3', '4 4', '12 3', '1 3', '6 2 1 2'];
const SVG = { width: 760, height: 460, left: 80, right: 150, top: 40, bottom: 56 };

/** The same as an SVG file, one below the other. */
export function chartsSvg(charts: readonly Chart[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SVG.width} ${SVG.height * charts.length}">`,
    ...charts.map((chart, at) => `<svg y="${SVG.height * at}" height="${SVG.height}">\n${chartSvg(chart)}</svg>`),
    '</svg>',
    '',
  ].join('\n');
}

export function chartSvg(chart: Chart): string {
  const { x, y } = scalesOf(chart);
  const right = SVG.width - SVG.right;
  const bottom = SVG.height - SVG.bottom;
  const left = (value: number): string => (SVG.left + x.of(value) * (right - SVG.left)).toFixed(1);
  const top = (value: number): string => (bottom - y.of(value) * (bottom - SVG.top)).toFixed(1);
  const text = (at: string, words: string): string => `<text ${at}>${escaped(words)}</text>`;
  const yTicks = [0, 0.25, 0.5, 0.75, 1].map((share) => share * y.most);
  const lines = chart.lines.flatMap(({ name, points }, at) => {
    const stroke = `stroke="${COLOURS[at % COLOURS.length]}" stroke-dasharray="${DASHES[at % DASHES.length]}"`;
    const path = points.map(([px, py]) => `${left(px)},${top(py)}`).join(' ');
    const level = SVG.top + 18 * at + 6;
    return [
      `<polyline fill="none" stroke-width="2" ${stroke} points="${path}"><title>${escaped(name)}</title></polyline>`,
      `<line x1="${right + 12}" x2="${right + 40}" y1="${level}" y2="${level}" stroke-width="2" ${stroke}/>`,
      text(`x="${right + 46}" y="${level + 4}"`, name),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SVG.width} ${SVG.height}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    text(`x="${SVG.left}" y="22" font-size="15"`, chart.title),
    ...yTicks.flatMap((tick) => [
      `<line x1="${SVG.left}" x2="${right}" y1="${top(tick)}" y2="${top(tick)}" stroke="#ddd"/>`,
      text(`x="${SVG.left - 8}" y="${Number(top(tick)) + 4}" text-anchor="end"`, chart.formatY(tick)),
    ]),
    ...x.ticks.map((tick) => text(`x="${left(tick)}" y="${bottom + 18}" text-anchor="middle"`, chart.formatX(tick))),
    `<path d="M${SVG.left} ${SVG.top}V${bottom}H${right}" fill="none" stroke="black"/>`,
    text(`x="${(SVG.left + right) / 2}" y="${SVG.height - 14}" text-anchor="middle"`, chart.xLabel),
    text(`transform="translate(18 ${(SVG.top + bottom) / 2}) rotate(-90)" text-anchor="middle"`, chart.yLabel),
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

interface Scale {
  readonly least: number;
  readonly most: number;
  /** 0 to 1. */
  readonly of: (value: number) => number;
}

/** At most so many numbers stand below the chart. */
const MAX_TICKS = 8;

function scalesOf(chart: Chart): { x: Scale & { ticks: readonly number[] }; y: Scale } {
  const xs = [...new Set(chart.lines.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b);
  const least = xs[0] ?? 1;
  const most = xs.at(-1) ?? 1;
  const [along, across] =
    chart.xScale === 'linear'
      ? [(x: number) => x - least, most - least]
      : [(x: number) => Math.log(x / least), Math.log(most / least)];
  const highest = Math.max(...chart.lines.flatMap(({ points }) => points.map(([, y]) => y)), 1e-9);
  const step = Math.ceil(xs.length / MAX_TICKS);
  return {
    x: { least, most, of: (value) => along(value) / (across || 1), ticks: xs.filter((_, at) => at % step === 0) },
    y: { least: 0, most: highest, of: (value) => value / highest },
  };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
