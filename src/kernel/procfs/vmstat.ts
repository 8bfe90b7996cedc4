import type { MemoryManager } from '../../mm/memory-manager.ts';
import { dirtyLimits } from '../../mm/page-cache/dirty-limits.ts';
import { PG_active, PG_lru, PG_swapbacked, PG_unevictable } from '../../mm/phys/page-flags.ts';
import type { Zone } from '../../mm/phys/zone.ts';
import { collectNodeStats } from '../../mm/vmstat-rows.ts';
import type { Kernel } from '../kernel.ts';

/**
 * Names and order of /proc/vmstat (vmstat_text, mm/vmstat.c, 6.18) for a kernel without NUMA, memory cgroups and the balloon.
 * An item of a mechanism that this kernel does not have is truly 0: it has never happened.
 */
const ZONE_ITEMS = [
  'nr_free_pages',
  'nr_free_pages_blocks',
  'nr_zone_inactive_anon',
  'nr_zone_active_anon',
  'nr_zone_inactive_file',
  'nr_zone_active_file',
  'nr_zone_unevictable',
  'nr_zone_write_pending',
  'nr_mlock',
  'nr_zspages',
  'nr_free_cma',
] as const;

const NODE_ITEMS = (
  'nr_inactive_anon nr_active_anon nr_inactive_file nr_active_file nr_unevictable nr_slab_reclaimable ' +
  'nr_slab_unreclaimable nr_isolated_anon nr_isolated_file workingset_nodes workingset_refault_anon ' +
  'workingset_refault_file workingset_activate_anon workingset_activate_file workingset_restore_anon ' +
  'workingset_restore_file workingset_nodereclaim nr_anon_pages nr_mapped nr_file_pages nr_dirty nr_writeback nr_shmem ' +
  'nr_shmem_hugepages nr_shmem_pmdmapped nr_file_hugepages nr_file_pmdmapped nr_anon_transparent_hugepages ' +
  'nr_vmscan_write nr_vmscan_immediate_reclaim nr_dirtied nr_written nr_throttled_written nr_kernel_misc_reclaimable ' +
  'nr_foll_pin_acquired nr_foll_pin_released nr_kernel_stack nr_page_table_pages nr_sec_page_table_pages nr_swapcached'
).split(' ');

/** Counters since boot; {zone} stands for each zone. */
const EVENT_ITEMS = (
  'pgpgin pgpgout pswpin pswpout pgalloc_{zone} allocstall_{zone} pgskip_{zone} pgfree pgactivate pgdeactivate ' +
  'pglazyfree pgfault pgmajfault pglazyfreed pgrefill pgreuse pgsteal_kswapd pgsteal_direct pgsteal_khugepaged ' +
  'pgsteal_proactive pgscan_kswapd pgscan_direct pgscan_khugepaged pgscan_proactive pgscan_direct_throttle pgscan_anon ' +
  'pgscan_file pgsteal_anon pgsteal_file pginodesteal slabs_scanned kswapd_inodesteal kswapd_low_wmark_hit_quickly ' +
  'kswapd_high_wmark_hit_quickly pageoutrun pgrotated drop_pagecache drop_slab oom_kill unevictable_pgs_culled ' +
  'unevictable_pgs_scanned unevictable_pgs_rescued unevictable_pgs_mlocked unevictable_pgs_munlocked ' +
  'unevictable_pgs_cleared unevictable_pgs_stranded thp_fault_alloc thp_fault_fallback thp_collapse_alloc ' +
  'thp_collapse_alloc_failed thp_file_alloc thp_file_fallback thp_file_fallback_charge thp_file_mapped thp_split_page thp_split_page_failed thp_deferred_split_page ' +
  'thp_underused_split_page thp_split_pmd thp_scan_exceed_none_pte thp_scan_exceed_swap_pte ' +
  'thp_scan_exceed_share_pte thp_zero_page_alloc thp_zero_page_alloc_failed thp_swpout thp_swpout_fallback nr_tlb_remote_flush nr_tlb_remote_flush_received ' +
  'nr_tlb_local_flush_all nr_tlb_local_flush_one swap_ra swap_ra_hit swpin_zero swpout_zero ksm_swpin_copy cow_ksm'
).split(' ');

/** Linux's zones of a 64-bit machine without DMA; a machine that has others shows those too. */
const ALWAYS = ['dma32', 'normal', 'movable'];

export function showVmstat(k: Kernel): string {
  const { mm } = k;
  const { alloc } = mm;
  const counters = mm.vmstat as unknown as Readonly<Record<string, number>>;
  const zoneNames = ['dma', 'dma32', 'normal', 'highmem', 'movable'].filter(
    (name) => ALWAYS.includes(name) || alloc.zones.some((zone) => zone.name.toLowerCase() === name),
  );
  const rows: [string, number][] = [];
  const perZone = alloc.zones.map((zone) => new Map(zoneItems(mm, zone)));
  for (const name of ZONE_ITEMS) rows.push([name, perZone.reduce((sum, items) => sum + (items.get(name) ?? 0), 0)]);
  rows.push(...nodeItems(mm));
  const { threshold, background } = dirtyLimits(alloc, mm.pageCache.dirty);
  rows.push(['nr_dirty_threshold', threshold], ['nr_dirty_background_threshold', background]);
  rows.push(['nr_memmap_pages', 0], ['nr_memmap_boot_pages', 0]);
  for (const item of EVENT_ITEMS) {
    const names = item.includes('{zone}') ? zoneNames.map((zone) => item.replace('{zone}', zone)) : [item];
    for (const name of names) rows.push([name, counters[name] ?? 0]);
  }
  rows.push(['nr_unstable', 0]);
  return rows.map(([name, value]) => `${name} ${value}\n`).join('');
}

/** enum node_stat_item in its order. */
export function nodeItems(mm: MemoryManager): [name: string, value: number][] {
  const known = new Map(collectNodeStats(mm.alloc));
  known.set('nr_anon_transparent_hugepages', mm.thp.livePages);
  // In huge pages, where meminfo has KiB (vmstat_item_print_in_thp).
  known.set('nr_shmem_hugepages', mm.alloc.stat.nr_shmem_thps / mm.thp.pages);
  known.set('nr_shmem_pmdmapped', mm.alloc.stat.nr_shmem_pmdmapped / mm.thp.pages);
  return NODE_ITEMS.map((name) => [name, known.get(name) ?? 0]);
}

/** enum zone_stat_item in its order. */
export function zoneItems(mm: MemoryManager, zone: Zone): [name: string, value: number][] {
  const lru = countLru(mm, zone);
  const only = mm.alloc.zones.length === 1;
  const blockOrder = 9;
  const inBlocks = zone.buddy.freeLists.reduce(
    (sum, list, order) => (order >= blockOrder ? sum + list.length * 2 ** order : sum),
    0,
  );
  const { stat } = mm.alloc;
  const values: Record<(typeof ZONE_ITEMS)[number], number> = {
    nr_free_pages: zone.freePages,
    nr_free_pages_blocks: inBlocks,
    nr_zone_inactive_anon: lru[0],
    nr_zone_active_anon: lru[1],
    nr_zone_inactive_file: lru[2],
    nr_zone_active_file: lru[3],
    nr_zone_unevictable: lru[4],
    nr_zone_write_pending: only || zone === mm.alloc.zones.at(-1) ? stat.nr_dirty + stat.nr_writeback : 0,
    nr_mlock: only || zone === mm.alloc.zones.at(-1) ? stat.nr_mlock : 0,
    nr_zspages: zone.nr_zspages,
    nr_free_cma: 0,
  };
  return ZONE_ITEMS.map((name) => [name, values[name]]);
}

/** Pages of the zone on each LRU list: with one zone the lists' own lengths, else counted from the frames. */
function countLru(mm: MemoryManager, zone: Zone): number[] {
  const { lru, zones } = mm.alloc;
  if (zones.length === 1) return [...lru.sizes];
  const counts = [0, 0, 0, 0, 0];
  for (let frame = zone.startPfn; frame < zone.endPfn; frame++) {
    const flags = mm.frames.flags[frame];
    if ((flags & PG_lru) === 0) continue;
    if ((flags & PG_unevictable) !== 0) counts[4]++;
    else counts[((flags & PG_swapbacked) !== 0 ? 0 : 2) + ((flags & PG_active) !== 0 ? 1 : 0)]++;
  }
  return counts;
}
