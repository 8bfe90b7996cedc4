/**
 * Event counters of /proc/vmstat under Linux's names (include/linux/vm_event_item.h). Plain numeric fields, all since boot.
 * Gauges (nr_free_pages ...) are not here: they are computed from the state that they describe.
 */
export class Vmstat {
  pgpgin = 0;
  pgpgout = 0;
  pswpin = 0;
  pswpout = 0;
  pgalloc_dma = 0;
  pgalloc_dma32 = 0;
  pgalloc_normal = 0;
  pgalloc_movable = 0;
  pgfree = 0;
  pgactivate = 0;
  pgdeactivate = 0;
  pglazyfree = 0;
  pgfault = 0;
  pgmajfault = 0;
  pglazyfreed = 0;
  pgsteal_kswapd = 0;
  pgsteal_direct = 0;
  pgsteal_proactive = 0;
  pgscan_kswapd = 0;
  pgscan_direct = 0;
  pgscan_proactive = 0;
  pgscan_anon = 0;
  pgscan_file = 0;
  pgsteal_anon = 0;
  pgsteal_file = 0;
  unevictable_pgs_culled = 0;
  unevictable_pgs_rescued = 0;
  unevictable_pgs_mlocked = 0;
  unevictable_pgs_munlocked = 0;
  unevictable_pgs_cleared = 0;
  allocstall_normal = 0;
  pageoutrun = 0;
  oom_kill = 0;
  cow_ksm = 0;
  ksm_swpin_copy = 0;
  drop_pagecache = 0;
  drop_slab = 0;
  thp_fault_alloc = 0;
  thp_fault_fallback = 0;
  thp_collapse_alloc = 0;
  thp_collapse_alloc_failed = 0;
  thp_split_page = 0;
  thp_split_page_failed = 0;
  thp_deferred_split_page = 0;
  thp_underused_split_page = 0;
  thp_split_pmd = 0;
  thp_scan_exceed_none_pte = 0;
  thp_scan_exceed_swap_pte = 0;
  thp_scan_exceed_share_pte = 0;
  thp_zero_page_alloc = 0;
  thp_zero_page_alloc_failed = 0;
  thp_swpout_fallback = 0;
  nr_vmscan_write = 0;
  swap_ra = 0;
  swap_ra_hit = 0;
  swpin_zero = 0;
  swpout_zero = 0;
  nr_tlb_remote_flush = 0;
  nr_tlb_local_flush_all = 0;
  nr_tlb_local_flush_one = 0;
}
