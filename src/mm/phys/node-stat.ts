/**
 * Gauges of /proc/vmstat and /proc/meminfo under Linux's names (enum node_stat_item), in frames unless said. Each is changed
 * where the state that it counts changes, and nowhere else; phys/check.ts recomputes those that it can see.
 */
export class NodeStat {
  /** Page-cache pages, shmem included [page cache]. */
  nr_file_pages = 0;
  /** Shmem pages, also in nr_file_pages [page cache]. */
  nr_shmem = 0;
  /** Frames of huge pages of shmem, also in nr_shmem [page cache]; of those that some huge leaf maps [rmap]. */
  nr_shmem_thps = 0;
  nr_shmem_pmdmapped = 0;
  nr_dirty = 0;
  nr_writeback = 0;
  /** Dirtied and written since boot (counters) [page cache]. */
  nr_dirtied = 0;
  nr_written = 0;
  /** File and shmem pages with mapcount > 0 [rmap]. */
  nr_mapped = 0;
  /** Anonymous pages with mapcount > 0 [rmap]. */
  nr_anon_pages = 0;
  /** Anonymous huge pages that some huge leaf maps (nr_anon_transparent_hugepages) [rmap]. */
  nr_anon_thps = 0;
  nr_slab_reclaimable = 0;
  nr_slab_unreclaimable = 0;
  /** Frames of page tables of all levels [page-table.ts]. */
  nr_page_table_pages = 0;
  /** KiB, as in Linux [kernel, one stack a task]. */
  nr_kernel_stack = 0;
  /** Mlocked pages [mlock]. */
  nr_mlock = 0;
  /** Pages that came back after reclaim took them, those that were taken for active then, and those that had been before [reclaim]. */
  workingset_refault_anon = 0;
  workingset_refault_file = 0;
  workingset_activate_anon = 0;
  workingset_activate_file = 0;
  workingset_restore_anon = 0;
  workingset_restore_file = 0;
  /** Leaves of page indexes with shadow entries alone, and how many of them were given back [page cache]. */
  workingset_nodes = 0;
  workingset_nodereclaim = 0;
  /** Pages in the swap cache, in nr_file_pages too where Linux shows that one [swap]. */
  nr_swapcached = 0;
}
