import type { MemoryManager } from '../../mm/memory-manager.ts';
import { PG_anon, PG_head, PG_hugetlb } from '../../mm/phys/page-flags.ts';
import { SHMEM_ENABLED_OF_SIZE } from '../../mm/shmem/shmem-huge.ts';
import { choice, count, type SysfsRow } from './sysfs-table.ts';

/** The one size of transparent huge pages: 2 MiB, as every 64-bit format has it. */
const SIZE = 'kernel/mm/transparent_hugepage/hugepages-2048kB';
const WORDS = ['always', 'inherit', 'madvise', 'never'] as const;

/** Anonymous huge pages that live (MTHP_STAT_NR_ANON). */
function anonymousPages({ frames }: MemoryManager): number {
  let count = 0;
  for (let frame = 0; frame < frames.frameCount; frame++)
    if ((frames.flags[frame] & (PG_head | PG_anon | PG_hugetlb)) === (PG_head | PG_anon)) count++;
  return count;
}

/** enum mthp_stat_item; what this kernel never does is 0. */
const STATS: Readonly<Record<string, (mm: MemoryManager) => number>> = {
  anon_fault_alloc: ({ vmstat }) => vmstat.thp_fault_alloc,
  anon_fault_fallback: ({ vmstat }) => vmstat.thp_fault_fallback,
  anon_fault_fallback_charge: () => 0,
  nr_anon: anonymousPages,
  nr_anon_partially_mapped: ({ alloc }) => alloc.deferredSplits.partiallyMapped,
  shmem_alloc: ({ vmstat }) => vmstat.thp_file_alloc,
  shmem_fallback: ({ vmstat }) => vmstat.thp_file_fallback,
  shmem_fallback_charge: ({ vmstat }) => vmstat.thp_file_fallback_charge,
  split: ({ vmstat }) => vmstat.thp_split_page,
  split_deferred: ({ vmstat }) => vmstat.thp_deferred_split_page,
  split_failed: ({ vmstat }) => vmstat.thp_split_page_failed,
  swpin: () => 0,
  swpin_fallback: () => 0,
  swpin_fallback_charge: () => 0,
  swpout: () => 0,
  swpout_fallback: ({ vmstat }) => vmstat.thp_swpout_fallback,
  zswpout: () => 0,
};

/** hugepages-2048kB (thpsize_create, mm/huge_memory.c, 6.18). */
export const SIZE_ROWS: readonly SysfsRow[] = [
  choice(
    `${SIZE}/enabled`,
    WORDS,
    (k) => k.mm.thp.enabledOfSize,
    (k, word) => {
      k.mm.thp.enabledOfSize = word;
      return 0;
    },
  ),
  choice(
    `${SIZE}/shmem_enabled`,
    SHMEM_ENABLED_OF_SIZE,
    (k) => k.mm.pageCache.shmemHuge.enabledOfSize,
    (k, word) => {
      k.mm.pageCache.shmemHuge.enabledOfSize = word;
      return 0;
    },
  ),
  ...Object.entries(STATS).map(([name, read]) => count(`${SIZE}/stats/${name}`, (k) => read(k.mm), null)),
];
