import type { EventName } from './event-kinds.ts';

/** For people: when an event of a kind is told, and where Linux 6.18 does the same. docs/events.md is made of this. */
export interface EventDoc {
  readonly when: string;
  readonly linux: string;
}

export const EVENT_DOCS: Readonly<Record<EventName, EventDoc>> = {
  'faultline:page_fault': {
    when: "A fault has been handled, of whatever kind, by an instruction or by the kernel on a program's behalf; one that had to wait for a device when it has ended. Not the accesses that populate makes in vain.",
    linux: 'mm/memory.c handle_mm_fault, mm_account_fault',
  },
  'raw_syscalls:sys_enter': {
    when: 'A system call begins; the sixth argument is not told.',
    linux: 'kernel/entry/common.c',
  },
  'raw_syscalls:sys_exit': {
    when: 'A system call has ended.',
    linux: 'kernel/entry/common.c',
  },
  'sched:sched_switch': {
    when: 'Another task gets the CPU; 0: none did.',
    linux: 'kernel/sched/core.c __schedule',
  },
  'sched:sched_process_fork': {
    when: 'A task has been made (fork, vfork, clone).',
    linux: 'kernel/fork.c copy_process',
  },
  'sched:sched_process_exec': {
    when: 'A process runs another program from now on.',
    linux: 'fs/exec.c exec_binprm',
  },
  'sched:sched_process_exit': {
    when: 'A process has ended.',
    linux: 'kernel/exit.c do_exit',
  },
  'kmem:mm_page_alloc': {
    when: 'The page allocator hands a block out.',
    linux: 'mm/page_alloc.c __alloc_frozen_pages',
  },
  'kmem:mm_page_free': {
    when: 'A block comes back to the page allocator.',
    linux: 'mm/page_alloc.c free_pages_prepare',
  },
  'kmem:rss_stat': {
    when: 'A counter of resident pages, or of swap entries, of a space has changed.',
    linux: 'mm/memory.c mm_trace_rss_stat',
  },
  'signal:signal_deliver': {
    when: 'A signal is delivered.',
    linux: 'kernel/signal.c get_signal',
  },
  'mmap:exit_mmap': {
    when: 'A space ends: it is still whole, and is taken apart when the listeners have returned.',
    linux: 'mm/mmap.c exit_mmap',
  },
  'exceptions:page_fault_user': {
    when: 'An instruction cannot reach its page, before anything is done about it; once more for every time that it is tried again.',
    linux: 'arch/riscv/mm/fault.c handle_page_fault',
  },
  'exceptions:page_fault_kernel': {
    when: 'A system call cannot reach a page of its caller; ip is where the caller is.',
    linux: 'arch/riscv/mm/fault.c handle_page_fault',
  },
  'faultline:page_map': {
    when: "Pages become resident: entries of the space map them, and its counter of the kind rises by nr_pages. By a fault, by fork, by fault-around, by ksmd or khugepaged. Huge pages of pools, the zero page and PROT_NONE's pages of no frame are not resident.",
    linux: 'mm/rmap.c folio_add_new_anon_rmap, folio_add_file_rmap_ptes; no tracepoint',
  },
  'faultline:page_unmap': {
    when: 'Pages are no longer resident at the address: the opposite of page_map. Sums of both are the counters of rss_stat.',
    linux: 'mm/rmap.c folio_remove_rmap_ptes; no tracepoint',
  },
  'faultline:page_move': {
    when: 'Entries change their address: mremap, UFFDIO_MOVE. A page that is in swap moves too.',
    linux: 'mm/mremap.c move_ptes, move_huge_pmd; mm/userfaultfd.c move_present_ptes',
  },
  'faultline:cow_copy': {
    when: 'A private page that others use too is copied for who writes, or of the zero page a zeroed one made; ksm: a merged page is taken apart.',
    linux: 'mm/memory.c wp_page_copy, do_cow_fault',
  },
  'faultline:cow_reuse': {
    when: 'A private page whose other users have gone becomes writable again, without a copy.',
    linux: 'mm/memory.c wp_page_reuse',
  },
  'mmap:vm_unmapped_area': {
    when: 'A place for a mapping was looked for; negative: -ERRNO.',
    linux: 'mm/mmap.c vm_unmapped_area',
  },
  'faultline:vma_link': {
    when: 'A VMA enters a space: mmap, a split, fork, mremap.',
    linux: 'mm/vma.c vma_link',
  },
  'faultline:vma_unlink': {
    when: 'A VMA leaves its space: munmap, a merge, exit. Its pages have gone before.',
    linux: 'mm/vma.c remove_vma',
  },
  'faultline:vma_resize': {
    when: 'A VMA has other bounds: a split, a merge, a stack or a heap that grows.',
    linux: 'mm/vma.c vma_adjust; mm/vma.c expand_downwards',
  },
  'faultline:vma_flags': {
    when: 'mprotect, madvise or mlock changes the flags of a VMA.',
    linux: 'mm/vma.c vma_modify_flags',
  },
  'faultline:mm_create': {
    when: 'A space is made, by exec, or for a child.',
    linux: 'kernel/fork.c mm_init',
  },
  'faultline:mm_fork': {
    when: 'A space has been copied for a child (sched_process_fork follows).',
    linux: 'kernel/fork.c dup_mmap',
  },
  'faultline:pt_alloc': {
    when: 'A frame becomes a page table.',
    linux: 'mm/memory.c __pte_alloc, __pmd_alloc; pgd_alloc',
  },
  'faultline:pt_free': {
    when: 'A page table is no longer one.',
    linux: 'mm/memory.c free_pgtables',
  },
  'tlb:tlb_flush': {
    when: 'Translations are flushed: pages 1 at the address, or all of the space (-1).',
    linux: "arch/riscv/mm/tlbflush.c; the tracepoint is x86's",
  },
  'kmem:kmem_cache_alloc': {
    when: 'An object of a slab cache is handed out.',
    linux: 'mm/slub.c kmem_cache_alloc_noprof',
  },
  'kmem:kmem_cache_free': {
    when: 'An object comes back.',
    linux: 'mm/slub.c kmem_cache_free',
  },
  'pagemap:mm_lru_insertion': {
    when: 'A page joins an LRU list.',
    linux: 'mm/swap.c lru_add',
  },
  'pagemap:mm_lru_activate': {
    when: 'A page becomes active; pgactivate rises by nr_pages.',
    linux: 'mm/swap.c lru_activate',
  },
  'faultline:lru_deactivate': {
    when: 'A page is no longer active; pgdeactivate rises by nr_pages.',
    linux: 'mm/vmscan.c shrink_active_list; mm/swap.c lru_deactivate',
  },
  'faultline:lru_move': {
    when: 'A page changes its LRU list.',
    linux: 'mm/swap.c, mm/vmscan.c: lruvec_del_folio and lruvec_add_folio; no tracepoint',
  },
  'faultline:lru_rotate': {
    when: 'A page goes to the young end of its list.',
    linux: 'mm/vmscan.c shrink_active_list; mm/swap.c lru_move_tail',
  },
  'faultline:lru_remove': {
    when: 'A page leaves the LRU lists.',
    linux: 'mm/swap.c __page_cache_release; mm/vmscan.c isolate_lru_folios',
  },
  'faultline:lru_gen_new': {
    when: 'mglru begins a generation: all others are older by one.',
    linux: 'mm/vmscan.c inc_max_seq',
  },
  'faultline:lru_gen_move': {
    when: 'mglru: a page changes its generation; -1: it comes from outside of the lists.',
    linux: 'mm/vmscan.c folio_update_gen, folio_inc_gen; lru_gen_add_folio',
  },
  'faultline:page_referenced': {
    when: 'Reclaim has asked whether a page was used: so many of its entries were accessed, and are not any more.',
    linux: 'mm/rmap.c folio_referenced',
  },
  'faultline:page_young': {
    when: 'A walk of page tables, or a look around, has found an accessed entry, which is not accessed any more.',
    linux: 'mm/vmscan.c walk_pte_range, lru_gen_look_around',
  },
  'faultline:mlock': {
    when: 'A page is locked in memory; unevictable_pgs_mlocked rises by nr_pages.',
    linux: 'mm/mlock.c mlock_folio',
  },
  'faultline:munlock': {
    when: 'The last lock of a page has gone; unevictable_pgs_munlocked rises by nr_pages.',
    linux: 'mm/mlock.c munlock_folio',
  },
  'faultline:lazyfree': {
    when: 'MADV_FREE: reclaim may drop the page while no store comes; pglazyfree rises by nr_pages.',
    linux: 'mm/swap.c lru_lazyfree',
  },
  'faultline:lazyfreed': {
    when: 'Reclaim has dropped a page of MADV_FREE or MAP_DROPPABLE (pglazyfreed).',
    linux: 'mm/vmscan.c shrink_folio_list',
  },
  'vmscan:mm_vmscan_wakeup_kswapd': {
    when: 'An allocation finds its zones below the low mark, and wakes kswapd.',
    linux: 'mm/vmscan.c wakeup_kswapd',
  },
  'vmscan:mm_vmscan_kswapd_wake': {
    when: 'kswapd begins to work: so many frames are missing to the high marks.',
    linux: 'mm/vmscan.c kswapd',
  },
  'vmscan:mm_vmscan_kswapd_sleep': {
    when: 'kswapd goes to sleep; what is still missing is being written, or cannot be freed.',
    linux: 'mm/vmscan.c kswapd_try_to_sleep',
  },
  'vmscan:mm_vmscan_direct_reclaim_begin': {
    when: 'A task that needs a frame reclaims itself.',
    linux: 'mm/vmscan.c try_to_free_pages',
  },
  'vmscan:mm_vmscan_direct_reclaim_end': {
    when: 'It has.',
    linux: 'mm/vmscan.c try_to_free_pages',
  },
  'vmscan:mm_vmscan_memcg_reclaim_begin': {
    when: 'Reclaim for the limit of a memory cgroup, or by memory.reclaim.',
    linux: 'mm/vmscan.c try_to_free_mem_cgroup_pages',
  },
  'vmscan:mm_vmscan_memcg_reclaim_end': {
    when: 'It has ended.',
    linux: 'mm/vmscan.c try_to_free_mem_cgroup_pages',
  },
  'vmscan:mm_vmscan_lru_shrink_inactive': {
    when: 'The policy has been through the pages of one memory cgroup at one priority: so many it looked at, freed and made active. (In Linux once for each batch.)',
    linux: 'mm/vmscan.c shrink_inactive_list, evict_folios',
  },
  'vmscan:mm_vmscan_write_folio': {
    when: 'Reclaim has a page written, to free it.',
    linux: 'mm/vmscan.c writeout',
  },
  'vmscan:mm_vmscan_throttled': {
    when: 'Who reclaims waits for writes that free frames.',
    linux: 'mm/vmscan.c reclaim_throttle',
  },
  'faultline:reclaim_scan': {
    when: 'Reclaim looks at a page: one of pgscan_*, and of pgscan_anon or pgscan_file.',
    linux: 'mm/vmscan.c isolate_lru_folios, scan_folios',
  },
  'faultline:reclaim_choice': {
    when: 'A page is to go: the policy has chosen it, or somebody has asked for it (pageout, drop_caches, fadvise), and why. It is as it was still; reclaim_steal, reclaim_forced or reclaim_keep says what came of it (of pageout that stays, nothing).',
    linux: 'mm/vmscan.c shrink_inactive_list, isolate_folios; mm/madvise.c, mm/truncate.c; no tracepoint',
  },
  'faultline:reclaim_forced': {
    when: 'A page that somebody asked for has gone: MADV_PAGEOUT, drop_caches, POSIX_FADV_DONTNEED. None of pgsteal_*.',
    linux: 'mm/vmscan.c reclaim_folio_list; mm/truncate.c mapping_try_invalidate',
  },
  'faultline:reclaim_steal': {
    when: 'Reclaim frees a page, or has it written and then freed: one of pgsteal_*. page_flags are those from before.',
    linux: 'mm/vmscan.c shrink_folio_list',
  },
  'faultline:reclaim_keep': {
    when: 'Reclaim cannot free a page that the policy has chosen; its flags, references and mappings say why: locked, dirty, held by somebody, no swap.',
    linux: 'mm/vmscan.c shrink_folio_list',
  },
  'faultline:workingset_eviction': {
    when: "A page goes for want of memory, and leaves this behind in its place: a shadow entry, the policy's number.",
    linux: 'mm/workingset.c workingset_eviction',
  },
  'faultline:workingset_refault': {
    when: 'A page comes back where a shadow entry is (workingset_refault_*).',
    linux: 'mm/workingset.c workingset_refault',
  },
  'faultline:workingset_decision': {
    when: 'What the policy makes of a refault: the page is wanted (workingset_activate_*), or was wanted before (workingset_restore_*).',
    linux: 'mm/workingset.c workingset_refault',
  },
  'faultline:swap_out': {
    when: 'A page is written to its slot (pswpout), or, of zeroes, only noted there (swpout_zero).',
    linux: 'mm/page_io.c swap_writeout',
  },
  'faultline:swap_in': {
    when: 'A slot is read into a frame (pswpin; of zeroes swpin_zero).',
    linux: 'mm/page_io.c swap_read_folio',
  },
  'faultline:swap_unmap': {
    when: 'An entry leads to a slot of swap in place of its page.',
    linux: 'mm/rmap.c try_to_unmap_one',
  },
  'faultline:swap_slot_alloc': {
    when: 'A page gets a slot, and is in the swap cache.',
    linux: 'mm/swapfile.c folio_alloc_swap',
  },
  'faultline:swap_slot_free': {
    when: 'A slot is free again.',
    linux: 'mm/swapfile.c swap_entries_free',
  },
  'faultline:swap_readahead': {
    when: 'A slot is read because its neighbour is wanted (swap_ra).',
    linux: 'mm/swap_state.c swap_cluster_readahead',
  },
  'faultline:swap_readahead_hit': {
    when: 'A page that was read ahead is wanted (swap_ra_hit).',
    linux: 'mm/swap_state.c swap_cache_get_folio',
  },
  'faultline:swapon': {
    when: 'A swap area is added.',
    linux: 'mm/swapfile.c enable_swap_info',
  },
  'faultline:swapoff': {
    when: 'A swap area is removed.',
    linux: 'mm/swapfile.c SYSCALL swapoff',
  },
  'filemap:mm_filemap_add_to_page_cache': {
    when: 'A page joins the page cache (or shmem).',
    linux: 'mm/filemap.c __filemap_add_folio',
  },
  'filemap:mm_filemap_delete_from_page_cache': {
    when: 'A page leaves the page cache.',
    linux: 'mm/filemap.c __filemap_remove_folio',
  },
  'filemap:mm_filemap_fault': {
    when: "A fault finds its file's page neither mapped nor among the neighbours that were cached.",
    linux: 'mm/filemap.c filemap_fault',
  },
  'filemap:mm_filemap_map_pages': {
    when: 'A read fault has mapped cached pages around its own: so many of [index, last_index].',
    linux: 'mm/filemap.c filemap_map_pages',
  },
  'faultline:read_pages': {
    when: 'Pages of a file are read from the disk, with one that somebody wants (1), or ahead (0).',
    linux: 'mm/readahead.c read_pages',
  },
  'writeback:writeback_dirty_folio': {
    when: 'A page of a file becomes dirty.',
    linux: 'mm/page-writeback.c folio_account_dirtied',
  },
  'faultline:writeback_pages': {
    when: 'Dirty pages in a row are handed to the disk.',
    linux: 'mm/page-writeback.c do_writepages',
  },
  'writeback:folio_wait_writeback': {
    when: 'Somebody waits for writes of [index, last_index] that are on their way.',
    linux: 'mm/page-writeback.c folio_wait_writeback',
  },
  'writeback:balance_dirty_pages': {
    when: 'A writer finds more dirty than half way between the limits, and is held up.',
    linux: 'mm/page-writeback.c balance_dirty_pages',
  },
  'block:block_rq_issue': {
    when: 'The disk gets a request; it will have ended at done_ns.',
    linux: 'block/blk-mq.c blk_mq_start_request',
  },
  'block:block_rq_complete': {
    when: 'A request has ended.',
    linux: 'block/blk-mq.c blk_update_request',
  },
  'faultline:thp_fault_alloc': {
    when: 'A fault gets a huge page (thp_fault_alloc).',
    linux: 'mm/huge_memory.c __do_huge_pmd_anonymous_page',
  },
  'faultline:thp_fault_fallback': {
    when: 'A fault that could have had a huge page finds no block (thp_fault_fallback).',
    linux: 'mm/huge_memory.c __do_huge_pmd_anonymous_page',
  },
  'huge_memory:mm_khugepaged_scan_pmd': {
    when: 'khugepaged has looked at a range of the size of a huge page; 1: it is worth one.',
    linux: 'mm/khugepaged.c hpage_collapse_scan_pmd',
  },
  'huge_memory:mm_collapse_huge_page': {
    when: 'Small pages have become a huge one; or there was a block for it (thp_collapse_alloc) and it failed (negative: -ERRNO).',
    linux: 'mm/khugepaged.c collapse_huge_page',
  },
  'faultline:thp_collapse_alloc_failed': {
    when: 'No block for a collapse (thp_collapse_alloc_failed).',
    linux: 'mm/khugepaged.c alloc_charge_folio',
  },
  'faultline:thp_split_pmd': {
    when: 'A huge leaf becomes a table of small entries; the page stays huge (thp_split_pmd).',
    linux: 'mm/huge_memory.c __split_huge_pmd_locked',
  },
  'faultline:thp_split_page': {
    when: 'A huge page becomes small ones (thp_split_page).',
    linux: 'mm/huge_memory.c __folio_split',
  },
  'faultline:thp_split_page_failed': {
    when: 'Somebody holds the huge page, so it stays whole (thp_split_page_failed).',
    linux: 'mm/huge_memory.c __folio_split',
  },
  'faultline:thp_deferred_split': {
    when: 'A part of a huge page is mapped by nobody any more: it is split when memory is short (thp_deferred_split_page).',
    linux: 'mm/huge_memory.c deferred_split_folio',
  },
  'faultline:thp_underused_split': {
    when: 'A huge page that holds many zeroes is split (thp_underused_split_page).',
    linux: 'mm/huge_memory.c deferred_split_scan',
  },
  'faultline:thp_swpout_fallback': {
    when: 'A huge page is split to go to swap (thp_swpout_fallback).',
    linux: 'mm/vmscan.c shrink_folio_list',
  },
  'faultline:thp_zero_page_alloc': {
    when: 'The huge zero page is made (thp_zero_page_alloc).',
    linux: 'mm/huge_memory.c get_huge_zero_folio',
  },
  'ksm:ksm_start_scan': {
    when: 'ksmd begins a full scan.',
    linux: 'mm/ksm.c scan_get_next_rmap_item',
  },
  'ksm:ksm_stop_scan': {
    when: 'A full scan has ended.',
    linux: 'mm/ksm.c scan_get_next_rmap_item',
  },
  'ksm:ksm_enter': {
    when: 'ksmd scans the space from now on.',
    linux: 'mm/ksm.c __ksm_enter',
  },
  'ksm:ksm_exit': {
    when: 'A space that ksmd scans ends.',
    linux: 'mm/ksm.c __ksm_exit',
  },
  'ksm:ksm_merge_one_page': {
    when: 'A page was to be merged with the zero page; 0: it was.',
    linux: 'mm/ksm.c try_to_merge_with_zero_page',
  },
  'ksm:ksm_merge_with_ksm_page': {
    when: 'A page was to be merged with a KSM page, or (ksm_pfn -1) to become one; 0: it did.',
    linux: 'mm/ksm.c try_to_merge_with_ksm_page',
  },
  'ksm:ksm_remove_ksm_page': {
    when: 'A KSM page is one no more.',
    linux: 'mm/ksm.c remove_node_from_stable_tree',
  },
  'ksm:ksm_remove_rmap_item': {
    when: 'ksmd no longer counts an entry among those of a KSM page.',
    linux: 'mm/ksm.c remove_rmap_item_from_tree',
  },
  'ksm:ksm_advisor': {
    when: 'The advisor has set pages_to_scan.',
    linux: 'mm/ksm.c scan_time_advisor',
  },
  'faultline:ksm_merge': {
    when: 'An entry maps a merged page (or the zero page) in place of its own.',
    linux: 'mm/ksm.c replace_page',
  },
  'faultline:ksm_break': {
    when: 'A merged page is taken apart without a store: MADV_UNMERGEABLE, run = 2, mremap, a merge that failed. A cow_copy follows, and pgfault rises without a page_fault.',
    linux: 'mm/ksm.c break_ksm',
  },
  'faultline:ksm_swpin_copy': {
    when: 'A merged page that comes from swap is copied for a stranger (ksm_swpin_copy).',
    linux: 'mm/ksm.c ksm_might_need_to_copy',
  },
  'oom:mark_victim': {
    when: 'The OOM killer has chosen a process.',
    linux: 'mm/oom_kill.c mark_oom_victim',
  },
  'oom:oom_score_adj_update': {
    when: '/proc/PID/oom_score_adj was written.',
    linux: 'fs/proc/base.c __set_oom_adj',
  },
  'oom:start_task_reaping': {
    when: 'The memory of a victim is taken at once.',
    linux: 'mm/oom_kill.c oom_reap_task_mm',
  },
  'oom:finish_task_reaping': {
    when: 'It has been taken.',
    linux: 'mm/oom_kill.c oom_reap_task_mm',
  },
  'oom:skip_task_reaping': {
    when: "A process that lives shares the victim's memory, so it stays.",
    linux: 'mm/oom_kill.c oom_reap_task_mm',
  },
  'faultline:memcg_event': {
    when: 'What memory.events counts has happened to a memory cgroup.',
    linux: 'include/linux/memcontrol.h memcg_memory_event',
  },
  'faultline:memcg_charge': {
    when: 'Pages of user memory are charged to a memory cgroup other than the root.',
    linux: 'mm/memcontrol.c charge_memcg',
  },
  'faultline:memcg_uncharge': {
    when: 'Memory is no longer charged.',
    linux: 'mm/memcontrol.c uncharge_folio',
  },
  'faultline:userfault': {
    when: 'A fault is handed to the reader of a userfaultfd, and its task sleeps.',
    linux: 'fs/userfaultfd.c handle_userfault',
  },
  'faultline:uffd_fill': {
    when: 'A userfaultfd puts a page where none was (UFFDIO_COPY, ZEROPAGE, CONTINUE, POISON).',
    linux: 'mm/userfaultfd.c mfill_atomic',
  },
  'faultline:hugetlb_dequeue': {
    when: 'A page of a huge pool is taken into use.',
    linux: 'mm/hugetlb.c dequeue_hugetlb_folio_node_exact',
  },
  'faultline:hugetlb_enqueue': {
    when: 'A page of a huge pool is used by nobody any more.',
    linux: 'mm/hugetlb.c free_huge_folio',
  },
  'faultline:major_fault': {
    when: 'A fault begins to read its page from a device (pgmajfault). page_fault, which tells of it when it has ended, is also major where somebody else had begun to read, as it is in ru_majflt.',
    linux: 'mm/memory.c do_swap_page, mm/filemap.c filemap_fault',
  },
};
