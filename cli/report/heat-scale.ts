import type { HeatMap } from './heat.ts';

/** Steps of a logarithmic scale, from the least that a page got in a column to the most. */
export const LEVELS = 9;

export interface HeatScale {
  /** References of a page in a column. */
  readonly least: number;
  readonly most: number;
  /** 1 to LEVELS; 0: none. */
  levelOf(references: number, pages: number): number;
}

export function scaleOf({ bands }: HeatMap): HeatScale {
  let [least, most] = [Number.POSITIVE_INFINITY, 0];
  for (const { rows } of bands)
    for (const { counts, pages } of rows)
      for (const references of counts.references ?? []) {
        if (references === 0) continue;
        least = Math.min(least, references / pages);
        most = Math.max(most, references / pages);
      }
  const span = Math.log(most / least) || 1;
  return {
    least,
    most,
    levelOf: (references, pages) =>
      references === 0 ? 0 : 1 + Math.floor(0.999 * LEVELS * (Math.log(references / pages / least) / span)),
  };
}

/** Where a level begins. */
export function levelStart({ least, most }: HeatScale, level: number): number {
  return least * (most / least) ** ((level - 1) / LEVELS);
}

export function formatCount(count: number): string {
  if (count >= 100) return Math.round(count).toLocaleString('en-US');
  return String(Number(count.toPrecision(2)));
}
