import { HEAT_COUNTS } from '../../src/index.ts';
import type { HeatMap } from './heat.ts';

const PAGE_BYTES = 4096;

/** A line a cell that has something. */
export function heatCsv({ bands, startNs, everyNs, columns }: HeatMap): string {
  const lines = ['start_ns,end_ns,start,end,pages,mapping,references,faults,major_faults,evictions'];
  for (let column = 0; column < columns; column++)
    for (const { name, rows } of bands)
      for (const { start, end, pages, counts } of rows) {
        const cell = HEAT_COUNTS.map((count) => counts[count]?.[column] ?? 0);
        if (cell.every((count) => count === 0)) continue;
        const fromNs = startNs + column * everyNs;
        const place = [fromNs, fromNs + everyNs, hex(start), hex(end), pages, `"${name.replaceAll('"', '""')}"`];
        lines.push([...place, ...cell].join(','));
      }
  return `${lines.join('\n')}\n`;
}

/** Counts by column; null where there are none at all. */
export function heatJson({ bands, ...map }: HeatMap): string {
  const plain = bands.map(({ name, rows }) => ({
    mapping: name,
    rows: rows.map(({ start, end, pages, counts }) => ({
      start: hex(start),
      end: hex(end),
      pages,
      ...Object.fromEntries(HEAT_COUNTS.map((count) => [count, counts[count] === null ? null : [...counts[count]]])),
    })),
  }));
  return `${JSON.stringify({ ...map, bands: plain })}\n`;
}

function hex(page: number): string {
  return `0x${(page * PAGE_BYTES).toString(16)}`;
}
