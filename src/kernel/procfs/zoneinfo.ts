import { collectZoneinfo } from '../../mm/zoneinfo.ts';
import type { Kernel } from '../kernel.ts';
import { nodeItems, zoneItems } from './vmstat.ts';

/** Zones that the kernel has and the machine has no memory for: marks are 0, SWAP_CLUSTER_MAX in the movable zone. */
const EMPTY_ZONES: readonly (readonly [name: string, mark: number])[] = [
  ['Normal', 0],
  ['Movable', 32],
];

/** /proc/zoneinfo (zoneinfo_show_print, 6.18). There are no per-CPU lists: they are as Linux's before the first use. */
export function showZoneinfo(k: Kernel): string {
  const { mm } = k;
  const item = ([name, value]: [string, number]): string => `\n      ${name.padEnd(12)} ${value}`;
  const { zones } = collectZoneinfo(mm.alloc);
  const present = zones
    .map((row, i) => {
      const zone = mm.alloc.zones[i];
      const nodeStats = i === 0 ? `\n  per-node stats${nodeItems(mm).map(item).join('')}` : '';
      return (
        `Node 0, zone ${row.zone.padStart(8)}${nodeStats}` +
        `\n  pages free     ${row.free}\n        boost    0\n        min      ${row.min}\n        low      ${row.low}` +
        `\n        high     ${row.high}\n        promo    ${row.promo}\n        spanned  ${row.spanned}` +
        `\n        present  ${row.present}\n        managed  ${row.managed}\n        cma      ${row.cma}` +
        `\n        protection: (${row.protection.join(', ')})` +
        zoneItems(mm, zone).map(item).join('') +
        '\n  pagesets\n    cpu: 0\n              count:    0\n              high:     0\n              batch:    1' +
        '\n              high_min: 0\n              high_max: 0' +
        `\n  node_unreclaimable:  0\n  start_pfn:           ${row.startPfn}\n`
      );
    })
    .join('');
  const absent = EMPTY_ZONES.filter(([name]) => zones.every((row) => row.zone !== name)).map(
    ([name, mark]) =>
      `Node 0, zone ${name.padStart(8)}\n  pages free     0\n        boost    0\n        min      ${mark}\n        low      ${mark}` +
      `\n        high     ${mark}\n        promo    ${mark}\n        spanned  0\n        present  0\n        managed  0` +
      `\n        cma      0\n        protection: (${zones[0].protection.map(() => 0).join(', ')})\n`,
  );
  return present + absent.join('');
}
