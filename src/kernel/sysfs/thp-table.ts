import { EINVAL } from '../../abi/errno.ts';
import { SHMEM_ENABLED } from '../../mm/shmem/shmem-huge.ts';
import type { Khugepaged } from '../../mm/thp/khugepaged.ts';
import { THP_DEFRAG, THP_ENABLED } from '../../mm/thp/thp.ts';
import type { Kernel } from '../kernel.ts';
import { wakeKhugepaged } from '../khugepaged.ts';
import { choice, count, type SysfsRow } from './sysfs-table.ts';
import { SIZE_ROWS } from './thp-size-table.ts';

const THP = 'kernel/mm/transparent_hugepage';

function flag(path: string, read: (k: Kernel) => boolean, set: (k: Kernel, value: boolean) => void): SysfsRow {
  return count(
    path,
    (k) => (read(k) ? 1 : 0),
    (k, value) => {
      if (value > 1) return -EINVAL;
      set(k, value === 1);
      return 0;
    },
  );
}

/** A limit of khugepaged in small pages of a huge one. */
function limit(name: 'max_ptes_none' | 'max_ptes_shared' | 'max_ptes_swap'): SysfsRow {
  const field = (
    { max_ptes_none: 'maxPtesNone', max_ptes_shared: 'maxPtesShared', max_ptes_swap: 'maxPtesSwap' } as const
  )[name];
  return count(
    `${THP}/khugepaged/${name}`,
    (k) => k.mm.thp.khugepaged[field],
    (k, value) => {
      if (value > k.mm.thp.pages - 1) return -EINVAL;
      k.mm.thp.khugepaged[field] = value;
      return 0;
    },
  );
}

function setting(
  name: string,
  field: 'allocSleepMillisecs' | 'scanSleepMillisecs' | 'pagesToScan',
  least: number,
): SysfsRow {
  const set = (daemon: Khugepaged, value: number) => {
    daemon[field] = value;
  };
  return count(
    `${THP}/khugepaged/${name}`,
    (k) => k.mm.thp.khugepaged[field],
    (k, value) => {
      if (value < least || value >= 2 ** 32) return -EINVAL;
      set(k.mm.thp.khugepaged, value);
      if (field !== 'pagesToScan') wakeKhugepaged(k);
      return 0;
    },
  );
}

/**
 * What acts of transparent_hugepage (mm/huge_memory.c, mm/khugepaged.c, mm/shmem.c, 6.18).
 */
export const THP_ROWS: readonly SysfsRow[] = [
  choice(
    `${THP}/defrag`,
    THP_DEFRAG,
    (k) => k.mm.thp.defrag,
    (k, word) => {
      k.mm.thp.defrag = word;
      return 0;
    },
  ),
  choice(
    `${THP}/enabled`,
    THP_ENABLED,
    (k) => k.mm.thp.enabled,
    (k, word) => {
      k.mm.thp.enabled = word;
      return 0;
    },
  ),
  ...SIZE_ROWS,
  count(`${THP}/hpage_pmd_size`, (k) => k.mm.thp.pages * 4096, null),
  setting('alloc_sleep_millisecs', 'allocSleepMillisecs', 0),
  flag(
    `${THP}/khugepaged/defrag`,
    (k) => k.mm.thp.khugepaged.defrag,
    (k, value) => {
      k.mm.thp.khugepaged.defrag = value;
    },
  ),
  count(`${THP}/khugepaged/full_scans`, (k) => k.mm.thp.khugepaged.fullScans, null),
  limit('max_ptes_none'),
  limit('max_ptes_shared'),
  limit('max_ptes_swap'),
  count(`${THP}/khugepaged/pages_collapsed`, (k) => k.mm.thp.khugepaged.pagesCollapsed, null),
  setting('pages_to_scan', 'pagesToScan', 1),
  setting('scan_sleep_millisecs', 'scanSleepMillisecs', 0),
  choice(
    `${THP}/shmem_enabled`,
    SHMEM_ENABLED,
    (k) => k.mm.pageCache.shmemHuge.enabled,
    (k, word) => {
      if (!k.mm.thp.isPossible && word !== 'never' && word !== 'deny') return -EINVAL;
      k.mm.pageCache.shmemHuge.set(word);
      return 0;
    },
  ),
  flag(
    `${THP}/shrink_underused`,
    (k) => k.mm.thp.shrinkUnderused,
    (k, value) => {
      k.mm.thp.shrinkUnderused = value;
    },
  ),
  flag(
    `${THP}/use_zero_page`,
    (k) => k.mm.thp.useZeroPage,
    (k, value) => {
      k.mm.thp.useZeroPage = value;
    },
  ),
];
