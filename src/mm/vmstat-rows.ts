import type { FrameAllocator } from './phys/alloc.ts';
import {
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  LRU_UNEVICTABLE,
} from './phys/lruvec.ts';

export type VmstatRow = readonly [name: string, value: number];

/** The node's gauges under Linux's names and in its order (vmstat_text, mm/vmstat.c); nr_kernel_stack in KiB. */
export function collectNodeStats(alloc: FrameAllocator): VmstatRow[] {
  const { stat, lru } = alloc;
  const list = (index: number): number => lru.sizes[index];
  return [
    ['nr_inactive_anon', list(LRU_INACTIVE_ANON)],
    ['nr_active_anon', list(LRU_ACTIVE_ANON)],
    ['nr_inactive_file', list(LRU_INACTIVE_FILE)],
    ['nr_active_file', list(LRU_ACTIVE_FILE)],
    ['nr_unevictable', list(LRU_UNEVICTABLE)],
    ['nr_slab_reclaimable', stat.nr_slab_reclaimable],
    ['nr_slab_unreclaimable', stat.nr_slab_unreclaimable],
    ['workingset_nodes', stat.workingset_nodes],
    ['workingset_refault_anon', stat.workingset_refault_anon],
    ['workingset_refault_file', stat.workingset_refault_file],
    ['workingset_activate_anon', stat.workingset_activate_anon],
    ['workingset_activate_file', stat.workingset_activate_file],
    ['workingset_restore_anon', stat.workingset_restore_anon],
    ['workingset_restore_file', stat.workingset_restore_file],
    ['workingset_nodereclaim', stat.workingset_nodereclaim],
    ['nr_anon_pages', stat.nr_anon_pages],
    ['nr_mapped', stat.nr_mapped],
    ['nr_file_pages', stat.nr_file_pages + stat.nr_swapcached],
    ['nr_dirty', stat.nr_dirty],
    ['nr_writeback', stat.nr_writeback],
    ['nr_shmem', stat.nr_shmem],
    ['nr_dirtied', stat.nr_dirtied],
    ['nr_written', stat.nr_written],
    ['nr_kernel_stack', stat.nr_kernel_stack],
    ['nr_page_table_pages', stat.nr_page_table_pages],
    ['nr_swapcached', stat.nr_swapcached],
  ];
}
