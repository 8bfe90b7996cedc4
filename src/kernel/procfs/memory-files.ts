import { collectBuddyinfo } from '../../mm/buddyinfo.ts';
import { collectMeminfo, hugetlbMeminfo, type MeminfoRow } from '../../mm/meminfo.ts';
import type { Kernel } from '../kernel.ts';

/** /proc/meminfo (meminfo_proc_show): show_val_kb, and hugetlb_report_meminfo at the end. */
export function showMeminfo(k: Kernel): string {
  const { mm } = k;
  const kibLine = ([name, kib]: MeminfoRow) => `${`${name}:`.padEnd(15)} ${String(kib).padStart(8)} kB\n`;
  const huge = hugetlbMeminfo(mm.hugetlb);
  const counts = huge.counts.map(([name, count]) => `${`${name}:`.padEnd(19)}${String(count).padStart(5)}\n`);
  return [...collectMeminfo(mm.alloc, mm).map(kibLine), ...counts, ...huge.kib.map(kibLine)].join('');
}

/** /proc/buddyinfo (frag_show_print): one record a node, here one. */
export function showBuddyinfo(k: Kernel): string {
  return collectBuddyinfo(k.mm.alloc)
    .map(({ zone, freeBlocks }) => {
      const counts = freeBlocks.map((count) => `${String(count).padStart(6)} `).join('');
      return `Node 0, zone ${zone.padStart(8)} ${counts}\n`;
    })
    .join('');
}

/** /proc/slabinfo 2.1 (print_slabinfo_header, cache_show): SLUB has no tunables. */
export function showSlabinfo(k: Kernel): readonly string[] {
  const head =
    'slabinfo - version: 2.1\n' +
    '# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n';
  const number = (value: number, width: number): string => String(value).padStart(width);
  const lines = k.mm.slab
    .info()
    .map(
      (row) =>
        `${row.name.padEnd(17)} ${number(row.activeObjs, 6)} ${number(row.numObjs, 6)} ${number(row.objSize, 6)} ` +
        `${number(row.objPerSlab, 4)} ${number(row.pagesPerSlab, 4)} : tunables ${number(0, 4)} ${number(0, 4)} ${number(0, 4)}` +
        ` : slabdata ${number(row.activeSlabs, 6)} ${number(row.numSlabs, 6)} ${number(0, 6)}\n`,
    );
  return [head + (lines[0] ?? ''), ...lines.slice(1)];
}
