import { EINVAL } from '../../abi/errno.ts';
import type { Kernel } from '../kernel.ts';
import type { SysctlRow } from './sysctl-table.ts';
import { parseInteger } from './write-text.ts';

const integer = (
  name: string,
  [min, max]: readonly [number, number],
  read: (k: Kernel) => number,
  set: (k: Kernel, value: number) => void,
  readers?: 'root',
): SysctlRow => ({
  path: `vm/${name}`,
  kind: 'number',
  read,
  write: (k, text) => {
    const value = parseInteger(text);
    if (value === null || value < min || value > max) return -EINVAL;
    set(k, value);
    return 0;
  },
  ...(readers === undefined ? {} : { readers }),
});

/** The zones that a riscv64 kernel has: DMA32, Normal, Movable (zone types of phys/zone.ts). */
const ZONES = [1, 2, 4];

/** lowmem_reserve_ratio_sysctl_handler: a number a zone; less than 1 keeps nothing. */
function writeReserveRatio(k: Kernel, text: string): number {
  const words = text.trim().split(/\s+/).slice(0, ZONES.length).map(parseInteger);
  if (words.some((value) => value === null)) return -EINVAL;
  const { alloc } = k.mm;
  (words as number[]).forEach((value, i) => {
    alloc.watermarks.lowmemReserveRatio[ZONES[i]] = Math.max(0, value);
  });
  alloc.setupWatermarks();
  return 0;
}

/** vm_table and its like (6.18: mm/page_alloc.c, mm/oom_kill.c, mm/util.c, mm/hugetlb.c, kernel/pid_sysctl.h). */
export const VM_SYSCTLS: readonly SysctlRow[] = [
  // No machine of ours has a disk that sleeps.
  { path: 'vm/laptop_mode', kind: 'number', read: () => 0, write: null },
  {
    path: 'vm/lowmem_reserve_ratio',
    kind: 'number',
    read: (k) => ZONES.map((zone) => k.mm.alloc.watermarks.lowmemReserveRatio[zone]).join('\t'),
    write: writeReserveRatio,
  },
  integer(
    'memfd_noexec',
    [0, 2],
    (k) => k.vfs.core.memfdNoexec,
    (k, value) => {
      k.vfs.core.memfdNoexec = value as 0 | 1 | 2;
    },
  ),
  integer(
    'min_free_kbytes',
    [0, 0x7fff_ffff],
    (k) => k.mm.alloc.watermarks.minFreeKbytes,
    (k, value) => {
      k.mm.alloc.watermarks.minFreeKbytes = value;
      k.mm.alloc.setupWatermarks();
    },
  ),
  // ARCH_MMAP_RND_BITS_MIN and MAX of riscv64.
  integer(
    'mmap_rnd_bits',
    [18, 24],
    (k) => k.mm.config.layout.mmapRndBits,
    (k, value) => {
      k.mm.config.layout = { ...k.mm.config.layout, mmapRndBits: value };
    },
    'root',
  ),
  // By a task's memory policy: there is one node.
  integer(
    'nr_hugepages_mempolicy',
    [0, Number.MAX_SAFE_INTEGER],
    (k) => k.mm.hugetlb.defaultPool.persistentPages,
    (k, value) => k.mm.hugetlb.defaultPool.resize(value),
  ),
  {
    path: 'vm/numa_zonelist_order',
    kind: 'text',
    read: () => 'Node',
    // __parse_numa_zonelist_order: the one order that is left, by any word that begins as it does.
    write: (_k, text) => (/^[dDnN]/.test(text) ? 0 : -EINVAL),
  },
  integer(
    'oom_dump_tasks',
    [-0x8000_0000, 0x7fff_ffff],
    (k) => k.oomDumpTasks,
    (k, value) => {
      k.oomDumpTasks = value;
    },
  ),
  integer(
    'oom_kill_allocating_task',
    [-0x8000_0000, 0x7fff_ffff],
    (k) => k.oomKillAllocatingTask,
    (k, value) => {
      k.oomKillAllocatingTask = value;
    },
  ),
  integer(
    'watermark_scale_factor',
    [1, 3000],
    (k) => k.mm.alloc.watermarks.scaleFactor,
    (k, value) => {
      k.mm.alloc.watermarks.scaleFactor = value;
      k.mm.alloc.setupWatermarks();
    },
  ),
  // No node is far away.
  { path: 'vm/zone_reclaim_mode', kind: 'number', read: () => 0, write: null },
];
