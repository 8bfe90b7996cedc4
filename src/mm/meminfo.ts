import type { Hugetlb } from './hugetlb/hugetlb.ts';
import type { FrameAllocator } from './phys/alloc.ts';
import {
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  LRU_UNEVICTABLE,
} from './phys/lruvec.ts';
import { totalReservePages } from './phys/watermarks.ts';
import { WMARK_LOW } from './phys/zone.ts';

const KIB_PER_PAGE = 4;

/** One line of /proc/meminfo: the name without its colon, and KiB. */
export type MeminfoRow = readonly [name: string, kib: number];

/** What the allocator cannot know. Pages. */
export interface MeminfoFacts {
  readonly commitLimitPages: number;
  readonly committedPages: number;
  readonly thp: { readonly livePages: number; readonly pages: number };
  readonly swap: { readonly totalPages: number; readonly freePages: number };
}

/**
 * The lines of /proc/meminfo, in the order of Linux 6.18 (meminfo_proc_show, fs/proc/meminfo.c). Lines of what this kernel
 * does not have (highmem, CMA) are there where Linux always prints them and are truly 0.
 */
export function collectMeminfo(alloc: FrameAllocator, facts: MeminfoFacts): MeminfoRow[] {
  const { stat, lru } = alloc;
  const list = (index: number): number => lru.sizes[index];
  const pages: MeminfoRow[] = [
    ['MemTotal', alloc.totalCount],
    ['MemFree', alloc.freeCount],
    ['MemAvailable', availablePages(alloc)],
    ['Buffers', 0],
    ['Cached', stat.nr_file_pages],
    ['SwapCached', stat.nr_swapcached],
    ['Active', list(LRU_ACTIVE_ANON) + list(LRU_ACTIVE_FILE)],
    ['Inactive', list(LRU_INACTIVE_ANON) + list(LRU_INACTIVE_FILE)],
    ['Active(anon)', list(LRU_ACTIVE_ANON)],
    ['Inactive(anon)', list(LRU_INACTIVE_ANON)],
    ['Active(file)', list(LRU_ACTIVE_FILE)],
    ['Inactive(file)', list(LRU_INACTIVE_FILE)],
    ['Unevictable', list(LRU_UNEVICTABLE)],
    ['Mlocked', stat.nr_mlock],
    ['SwapTotal', facts.swap.totalPages],
    ['SwapFree', facts.swap.freePages],
    ['Dirty', stat.nr_dirty],
    ['Writeback', stat.nr_writeback],
    ['AnonPages', stat.nr_anon_pages],
    ['Mapped', stat.nr_mapped],
    ['Shmem', stat.nr_shmem],
    ['KReclaimable', stat.nr_slab_reclaimable],
    ['Slab', stat.nr_slab_reclaimable + stat.nr_slab_unreclaimable],
    ['SReclaimable', stat.nr_slab_reclaimable],
    ['SUnreclaim', stat.nr_slab_unreclaimable],
    ['KernelStack', stat.nr_kernel_stack / KIB_PER_PAGE],
    ['PageTables', stat.nr_page_table_pages],
    ['SecPageTables', 0],
    ['NFS_Unstable', 0],
    ['Bounce', 0],
    ['WritebackTmp', 0],
    ['CommitLimit', facts.commitLimitPages],
    ['Committed_AS', facts.committedPages],
    ['VmallocTotal', 0],
    ['VmallocUsed', 0],
    ['VmallocChunk', 0],
    ['Percpu', 0],
    ['AnonHugePages', facts.thp.livePages * facts.thp.pages],
    ['ShmemHugePages', stat.nr_shmem_thps],
    ['ShmemPmdMapped', stat.nr_shmem_pmdmapped],
    ['FileHugePages', 0],
    ['FilePmdMapped', 0],
  ];
  return pages.map(([name, count]) => [name, count * KIB_PER_PAGE]);
}

/**
 * The lines about the pools of huge pages (hugetlb_report_meminfo): counts of pages of the default size without a unit, then two
 * sizes in KiB.
 */
export function hugetlbMeminfo({ defaultPool, totalSmallPages }: Hugetlb): { counts: MeminfoRow[]; kib: MeminfoRow[] } {
  return {
    counts: [
      ['HugePages_Total', defaultPool.totalPages],
      ['HugePages_Free', defaultPool.freePages],
      ['HugePages_Rsvd', defaultPool.reservedPages],
      ['HugePages_Surp', defaultPool.surplusPages],
    ],
    kib: [
      ['Hugepagesize', defaultPool.sizeBytes / 1024],
      ['Hugetlb', totalSmallPages * KIB_PER_PAGE],
    ],
  };
}

/** Pages that a program could get without swapping (si_mem_available, mm/show_mem.c). */
function availablePages(alloc: FrameAllocator): number {
  const { stat, lru, zones } = alloc;
  const low = zones.reduce((sum, zone) => sum + zone.watermarks[WMARK_LOW], 0);
  const fileLru = lru.sizes[LRU_ACTIVE_FILE] + lru.sizes[LRU_INACTIVE_FILE];
  const keepHalf = (pages: number): number => pages - Math.min(Math.floor(pages / 2), low);
  const available = alloc.freeCount - totalReservePages(zones) + keepHalf(fileLru) + keepHalf(stat.nr_slab_reclaimable);
  return Math.max(0, available);
}
