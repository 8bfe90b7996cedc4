import { EINVAL } from '../../abi/errno.ts';
import type { HugePool } from '../../mm/hugetlb/huge-pool.ts';
import type { Kernel } from '../kernel.ts';
import { parseInteger } from '../procfs/write-text.ts';
import { CGROUP_ROWS } from './cgroup-table.ts';
import { KSM_ROWS } from './ksm-table.ts';
import { LRU_GEN_ROWS } from './lru-gen-table.ts';
import { THP_ROWS } from './thp-table.ts';

/** One file of /sys. `write` null: mode 0444, and open for writing is EACCES, for root too. */
export interface SysfsRow {
  /** Below /sys. */
  readonly path: string;
  /** Without the newline. */
  readonly read: (k: Kernel) => string | number;
  /** 0 or -ERRNO. */
  readonly write: ((k: Kernel, text: string) => number) | null;
}

/** An attribute that is a whole number from 0 on (kstrtoul: -EINVAL for anything else). */
export function count(
  path: string,
  read: (k: Kernel) => number,
  set: ((k: Kernel, value: number) => number) | null,
): SysfsRow {
  if (set === null) return { path, read, write: null };
  return {
    path,
    read,
    write: (k, text) => {
      const value = parseInteger(text);
      return value === null || value < 0 ? -EINVAL : set(k, value);
    },
  };
}

/** hugepages-2048kB and its like (hstate_attrs, mm/hugetlb_sysfs.c, 6.18). */
function poolRows(pool: HugePool): SysfsRow[] {
  const at = (name: string) => `kernel/mm/hugepages/hugepages-${pool.sizeBytes / 1024}kB/${name}`;
  const resize = (value: number): number => {
    pool.resize(value);
    return 0;
  };
  return [
    count(at('free_hugepages'), () => pool.freePages, null),
    count(
      at('nr_hugepages'),
      () => pool.totalPages,
      (_k, value) => resize(value),
    ),
    count(
      at('nr_overcommit_hugepages'),
      () => pool.overcommitPages,
      (_k, value) => {
        if (pool.isGigantic) return -EINVAL;
        pool.overcommitPages = value;
        return 0;
      },
    ),
    count(at('resv_hugepages'), () => pool.reservedPages, null),
    count(at('surplus_hugepages'), () => pool.surplusPages, null),
  ];
}

/** A choice among words, the chosen one in brackets; any other word is -EINVAL. */
export function choice<T extends string>(
  path: string,
  words: readonly T[],
  read: (k: Kernel) => T,
  set: (k: Kernel, word: T) => number,
): SysfsRow {
  return {
    path,
    read: (k) => words.map((word) => (word === read(k) ? `[${word}]` : word)).join(' '),
    write: (k, text) => {
      const wanted = words.find((word) => word === text.trim());
      if (wanted === undefined) return -EINVAL;
      return set(k, wanted);
    },
  };
}

/** Every file of /sys, in the order of a listing within its folder. */
export function sysfsRows(k: Kernel): SysfsRow[] {
  return [
    ...k.mm.hugetlb.pools.flatMap(poolRows),
    ...(k.mm.thp.isPossible ? THP_ROWS : []),
    ...CGROUP_ROWS,
    ...KSM_ROWS,
    ...(k.mm.reclaimer.lruGen === null ? [] : LRU_GEN_ROWS),
  ];
}
