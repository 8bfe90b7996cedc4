import { PAGE_SIZE, type Pfn } from '../../machine/units.ts';
import {
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  LRU_UNEVICTABLE,
} from '../phys/lruvec.ts';
import {
  PG_anon,
  PG_dirty,
  PG_hugetlb,
  PG_lru,
  PG_pagecache,
  PG_swapbacked,
  PG_swapcache,
  PG_table,
  PG_writeback,
} from '../phys/page-flags.ts';
import { type Memcg, MemcgCounters } from './memcg.ts';
import type { Memcgs } from './memcgs.ts';
import { isUserMemory } from './memory-kind.ts';

export type MemoryStatRow = readonly [name: string, value: number];

/** Frames by what they are, in pages: counted anew for each reading, so that there is nothing to keep true. */
interface Gauges {
  anon: number;
  file: number;
  kernel: number;
  pagetables: number;
  shmem: number;
  fileMapped: number;
  fileDirty: number;
  fileWriteback: number;
  swapcached: number;
  anonThp: number;
  shmemThp: number;
  lists: Float64Array;
  slabReclaimableBytes: number;
  slabUnreclaimableBytes: number;
}

/** Counts that the last lines of memory.stat show as they are (memcg_vm_event_stat). */
const EVENTS = [
  'pswpin',
  'pswpout',
  'pgscan_kswapd',
  'pgscan_direct',
  'pgscan_khugepaged',
  'pgscan_proactive',
  'pgsteal_kswapd',
  'pgsteal_direct',
  'pgsteal_khugepaged',
  'pgsteal_proactive',
  'pgfault',
  'pgmajfault',
  'pgrefill',
  'pgactivate',
  'pgdeactivate',
  'pglazyfree',
  'pglazyfreed',
  'swpin_zero',
  'swpout_zero',
  'thp_fault_alloc',
  'thp_collapse_alloc',
] as const;
const WORKINGSET = [
  'workingset_refault_anon',
  'workingset_refault_file',
  'workingset_activate_anon',
  'workingset_activate_file',
  'workingset_restore_anon',
  'workingset_restore_file',
  'workingset_nodereclaim',
] as const;

/** The lines of memory.stat, in bytes and counts, of the cgroup and all below it (6.18: memory_stats, memory_stat_format). */
export function collectMemoryStat(memcgs: Memcgs, memcg: Memcg): MemoryStatRow[] {
  const gauges = collectGauges(memcgs, memcg);
  const counters = collectCounters(memcg);
  const scanned = counters.pgscan_kswapd + counters.pgscan_direct + counters.pgscan_khugepaged;
  const stolen = counters.pgsteal_kswapd + counters.pgsteal_direct + counters.pgsteal_khugepaged;
  return [
    ...pageRows(gauges),
    ...WORKINGSET.map((name) => [name, counters[name]] as const),
    // Nothing is ever demoted to a slower node.
    ['pgdemote_kswapd', 0],
    ['pgdemote_direct', 0],
    ['pgdemote_khugepaged', 0],
    ['pgdemote_proactive', 0],
    ['pgscan', scanned + counters.pgscan_proactive],
    ['pgsteal', stolen + counters.pgsteal_proactive],
    ...EVENTS.map((name) => [name, counters[name]] as const),
    // Huge pages are split before they go to swap.
    ['thp_swpout', 0],
    ['thp_swpout_fallback', counters.thp_swpout_fallback],
  ];
}

/** The lines of memory.numa_stat: what lies on a node; there is one (memory_numa_stat_show). */
export function collectNumaStat(memcgs: Memcgs, memcg: Memcg): MemoryStatRow[] {
  const notOfNodes = ['kernel', 'percpu', 'sock', 'vmalloc', 'slab'];
  const counters = collectCounters(memcg);
  return [
    ...pageRows(collectGauges(memcgs, memcg)).filter(([name]) => !notOfNodes.includes(name)),
    ...WORKINGSET.map((name) => [name, counters[name]] as const),
  ];
}

function pageRows(gauges: Gauges): MemoryStatRow[] {
  const bytes = (pages: number): number => pages * PAGE_SIZE;
  const { lists, slabReclaimableBytes, slabUnreclaimableBytes } = gauges;
  return [
    ['anon', bytes(gauges.anon)],
    ['file', bytes(gauges.file)],
    ['kernel', bytes(gauges.kernel)],
    ['kernel_stack', 0],
    ['pagetables', bytes(gauges.pagetables)],
    ['sec_pagetables', 0],
    ['percpu', 0],
    ['sock', 0],
    ['vmalloc', 0],
    ['shmem', bytes(gauges.shmem)],
    ['file_mapped', bytes(gauges.fileMapped)],
    ['file_dirty', bytes(gauges.fileDirty)],
    ['file_writeback', bytes(gauges.fileWriteback)],
    ['swapcached', bytes(gauges.swapcached)],
    ['anon_thp', bytes(gauges.anonThp)],
    ['file_thp', 0],
    ['shmem_thp', bytes(gauges.shmemThp)],
    ['inactive_anon', bytes(lists[LRU_INACTIVE_ANON])],
    ['active_anon', bytes(lists[LRU_ACTIVE_ANON])],
    ['inactive_file', bytes(lists[LRU_INACTIVE_FILE])],
    ['active_file', bytes(lists[LRU_ACTIVE_FILE])],
    ['unevictable', bytes(lists[LRU_UNEVICTABLE])],
    ['slab_reclaimable', slabReclaimableBytes],
    ['slab_unreclaimable', slabUnreclaimableBytes],
    ['slab', slabReclaimableBytes + slabUnreclaimableBytes],
  ];
}

function collectCounters(memcg: Memcg): MemcgCounters {
  const sum = new MemcgCounters();
  const visit = (each: Memcg): void => {
    sum.add(each.counters);
    for (const child of each.children) visit(child);
  };
  visit(memcg);
  return sum;
}

function collectGauges(memcgs: Memcgs, memcg: Memcg): Gauges {
  const { frames, lru } = memcgs.allocator;
  const gauges: Gauges = {
    anon: 0,
    file: 0,
    kernel: 0,
    pagetables: 0,
    shmem: 0,
    fileMapped: 0,
    fileDirty: 0,
    fileWriteback: 0,
    swapcached: 0,
    anonThp: 0,
    shmemThp: 0,
    lists: new Float64Array(lru.sizes.length),
    slabReclaimableBytes: 0,
    slabUnreclaimableBytes: 0,
  };
  const isOurs = new Uint8Array(memcgs.all.length);
  for (const each of memcgs.all) {
    if (each === null || !each.isWithin(memcg)) continue;
    isOurs[each.id] = 1;
    gauges.slabReclaimableBytes += each.slabBytes.reclaimable;
    gauges.slabUnreclaimableBytes += each.slabBytes.unreclaimable;
    gauges.kernel += each.slabPages;
    lru.lruvecOf(each.id).sizes.forEach((size, list) => {
      gauges.lists[list] += size;
    });
  }
  for (let frame = 0; frame < frames.frameCount; frame++) {
    const id = frames.memcg[frame];
    if (isOurs[id] === 0 || frames.refcount[frame] === 0) continue;
    countFrame(
      gauges,
      frames.flags[frame],
      frames.mappedFramesOf(frame as Pfn),
      frames.pagesOf(frame as Pfn),
      id !== 0,
    );
    if (frames.entireMapcount[frame] > 0 && (frames.flags[frame] & PG_anon) !== 0)
      gauges.anonThp += frames.pagesOf(frame as Pfn);
    const isShmem = (frames.flags[frame] & (PG_pagecache | PG_swapbacked)) === (PG_pagecache | PG_swapbacked);
    if (isShmem && frames.order[frame] === frames.pmdOrder) gauges.shmemThp += frames.pagesOf(frame as Pfn);
  }
  return gauges;
}

/** Nobody pays for the kernel's memory of the root. */
function countFrame(gauges: Gauges, flags: number, mapped: number, pages: number, isPaid: boolean): void {
  if ((flags & PG_hugetlb) !== 0) return;
  if (!isUserMemory(flags)) {
    if (!isPaid) return;
    gauges.kernel += pages;
    if ((flags & PG_table) !== 0) gauges.pagetables += pages;
    return;
  }
  if ((flags & PG_anon) !== 0) gauges.anon += mapped;
  if ((flags & PG_swapcache) !== 0) gauges.swapcached += pages;
  if ((flags & PG_pagecache) !== 0) {
    gauges.file += pages;
    if ((flags & PG_swapbacked) !== 0) gauges.shmem += pages;
    else {
      if ((flags & PG_dirty) !== 0) gauges.fileDirty += pages;
      if ((flags & PG_writeback) !== 0) gauges.fileWriteback += pages;
    }
    if ((flags & PG_lru) !== 0) gauges.fileMapped += mapped;
  }
}
