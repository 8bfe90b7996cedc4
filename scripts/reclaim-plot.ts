import type { Row } from './reclaim-report.ts';

const ROW_HEIGHT = 20;
const LABEL_WIDTH = 84;
const PANEL_WIDTH = 230;
const BAR_WIDTH = 150;
const TOP = 56;
/** Okabe and Ito's colours, which all eyes tell apart. */
const BLUE = '#0072b2';
const ORANGE = '#e69f00';
const GREEN = '#009e73';

interface Panel {
  readonly title: string;
  /** Parts of a bar, from the left. */
  readonly parts: readonly { readonly colour: string; readonly of: (row: Row) => number }[];
}

const PANELS: readonly Panel[] = [
  {
    title: 'refaults: anonymous, file',
    parts: [
      { colour: ORANGE, of: (row) => row.refaultsAnon },
      { colour: BLUE, of: (row) => row.refaultsFile },
    ],
  },
  {
    title: 'pages swapped: in, out',
    parts: [
      { colour: ORANGE, of: (row) => row.swapIn },
      { colour: BLUE, of: (row) => row.swapOut },
    ],
  },
  { title: 'virtual milliseconds', parts: [{ colour: GREEN, of: (row) => row.virtualMs }] },
];

/** An SVG of three panels, a bar for each policy in each. */
export function barChart(title: string, rows: readonly Row[]): string {
  const width = LABEL_WIDTH + PANELS.length * PANEL_WIDTH;
  const height = TOP + rows.length * ROW_HEIGHT + 10;
  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="8" y="20" font-size="14" font-weight="bold">${title}</text>`,
  ];
  rows.forEach((row, i) => {
    out.push(`<text x="${LABEL_WIDTH - 6}" y="${TOP + i * ROW_HEIGHT + 14}" text-anchor="end">${row.policy}</text>`);
  });
  PANELS.forEach((panel, p) => {
    const left = LABEL_WIDTH + p * PANEL_WIDTH;
    const sums = rows.map((row) => panel.parts.reduce((sum, part) => sum + part.of(row), 0));
    const scale = BAR_WIDTH / Math.max(1, ...sums);
    out.push(`<text x="${left}" y="${TOP - 10}" fill="#444">${panel.title}</text>`);
    rows.forEach((row, i) => {
      let x = left;
      for (const { colour, of } of panel.parts) {
        const length = of(row) * scale;
        out.push(
          `<rect x="${x.toFixed(1)}" y="${TOP + i * ROW_HEIGHT + 3}" width="${length.toFixed(1)}" height="${ROW_HEIGHT - 6}" fill="${colour}"/>`,
        );
        x += length;
      }
      out.push(`<text x="${(x + 4).toFixed(1)}" y="${TOP + i * ROW_HEIGHT + 14}" fill="#444">${sums[i]}</text>`);
    });
  });
  return `${[...out, '</svg>'].join('\n')}\n`;
}
