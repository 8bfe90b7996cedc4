/**
 * Event kinds: Linux's tracepoint names where one exists, `faultline:*` where none does (decision D7). One row a kind: its
 * index is the kind, its fields name the numeric arguments of `emit` in order (event-fields.ts). Append only; what each says, and
 * when, is in event-docs.ts and from there in docs/events.md.
 */
export const EVENT_KINDS = [
  { name: 'faultline:page_fault', fields: ['pid', 'address', 'access', 'kind', 'pfn', 'major', 'user'] },
  { name: 'raw_syscalls:sys_enter', fields: ['pid', 'id', 'a0', 'a1', 'a2', 'a3', 'a4'] },
  { name: 'raw_syscalls:sys_exit', fields: ['pid', 'id', 'ret'] },
  { name: 'sched:sched_switch', fields: ['prev_pid', 'next_pid'] },
  { name: 'sched:sched_process_fork', fields: ['parent_pid', 'child_pid'] },
  { name: 'sched:sched_process_exec', fields: ['pid'] },
  { name: 'sched:sched_process_exit', fields: ['pid', 'status'] },
  { name: 'kmem:mm_page_alloc', fields: ['pfn', 'order', 'gfp_flags'] },
  { name: 'kmem:mm_page_free', fields: ['pfn', 'order'] },
  { name: 'kmem:rss_stat', fields: ['mm_id', 'member', 'size'] },
  { name: 'signal:signal_deliver', fields: ['pid', 'sig', 'code'] },
  { name: 'mmap:exit_mmap', fields: ['mm_id'] },
  { name: 'exceptions:page_fault_user', fields: ['address', 'ip', 'error_code'] },
  { name: 'exceptions:page_fault_kernel', fields: ['address', 'ip', 'error_code'] },
  { name: 'faultline:page_map', fields: ['mm_id', 'address', 'pfn', 'nr_pages', 'member'] },
  { name: 'faultline:page_unmap', fields: ['mm_id', 'address', 'pfn', 'nr_pages', 'member'] },
  { name: 'faultline:page_move', fields: ['mm_id', 'address', 'new_address', 'nr_pages'] },
  { name: 'faultline:cow_copy', fields: ['mm_id', 'address', 'old_pfn', 'pfn', 'ksm'] },
  { name: 'faultline:cow_reuse', fields: ['mm_id', 'address', 'pfn'] },
  {
    name: 'mmap:vm_unmapped_area',
    fields: ['address', 'total_vm', 'flags', 'length', 'low_limit', 'high_limit', 'align_mask'],
  },
  { name: 'faultline:vma_link', fields: ['mm_id', 'start', 'end', 'vm_flags', 'pgoff', 'vma_kind'] },
  { name: 'faultline:vma_unlink', fields: ['mm_id', 'start', 'end'] },
  { name: 'faultline:vma_resize', fields: ['mm_id', 'start', 'end', 'new_start', 'new_end'] },
  { name: 'faultline:vma_flags', fields: ['mm_id', 'start', 'end', 'vm_flags'] },
  { name: 'faultline:mm_create', fields: ['mm_id'] },
  { name: 'faultline:mm_fork', fields: ['mm_id', 'child_mm_id'] },
  { name: 'faultline:pt_alloc', fields: ['pfn'] },
  { name: 'faultline:pt_free', fields: ['pfn'] },
  { name: 'tlb:tlb_flush', fields: ['mm_id', 'address', 'reason', 'pages'] },
  { name: 'kmem:kmem_cache_alloc', fields: ['ptr', 'bytes_alloc', 'gfp_flags'] },
  { name: 'kmem:kmem_cache_free', fields: ['ptr', 'bytes_alloc'] },
  { name: 'pagemap:mm_lru_insertion', fields: ['pfn', 'lru', 'page_flags'] },
  { name: 'pagemap:mm_lru_activate', fields: ['pfn', 'nr_pages'] },
  { name: 'faultline:lru_deactivate', fields: ['pfn', 'nr_pages'] },
  { name: 'faultline:lru_move', fields: ['pfn', 'from_lru', 'to_lru'] },
  { name: 'faultline:lru_rotate', fields: ['pfn', 'lru'] },
  { name: 'faultline:lru_remove', fields: ['pfn', 'lru'] },
  { name: 'faultline:lru_gen_new', fields: ['memcg_id', 'max_seq', 'min_seq_anon', 'min_seq_file'] },
  { name: 'faultline:lru_gen_move', fields: ['pfn', 'from_seq', 'to_seq'] },
  { name: 'faultline:page_referenced', fields: ['pfn', 'referenced'] },
  { name: 'faultline:page_young', fields: ['mm_id', 'address', 'pfn'] },
  { name: 'faultline:mlock', fields: ['pfn', 'nr_pages'] },
  { name: 'faultline:munlock', fields: ['pfn', 'nr_pages'] },
  { name: 'faultline:lazyfree', fields: ['pfn', 'nr_pages'] },
  { name: 'faultline:lazyfreed', fields: ['pfn'] },
  { name: 'vmscan:mm_vmscan_wakeup_kswapd', fields: ['order', 'gfp_flags'] },
  { name: 'vmscan:mm_vmscan_kswapd_wake', fields: ['nr_missing'] },
  { name: 'vmscan:mm_vmscan_kswapd_sleep', fields: ['nr_missing'] },
  { name: 'vmscan:mm_vmscan_direct_reclaim_begin', fields: ['order', 'gfp_flags'] },
  { name: 'vmscan:mm_vmscan_direct_reclaim_end', fields: ['nr_reclaimed'] },
  { name: 'vmscan:mm_vmscan_memcg_reclaim_begin', fields: ['memcg_id', 'nr_to_reclaim'] },
  { name: 'vmscan:mm_vmscan_memcg_reclaim_end', fields: ['memcg_id', 'nr_reclaimed'] },
  {
    name: 'vmscan:mm_vmscan_lru_shrink_inactive',
    fields: ['memcg_id', 'nr_to_reclaim', 'nr_scanned', 'nr_reclaimed', 'nr_activate', 'priority', 'by'],
  },
  { name: 'vmscan:mm_vmscan_write_folio', fields: ['pfn', 'reclaim_flags'] },
  { name: 'vmscan:mm_vmscan_throttled', fields: ['nr_wanted', 'nr_reclaimed'] },
  { name: 'faultline:reclaim_scan', fields: ['pfn', 'by', 'memcg_id', 'swapbacked'] },
  { name: 'faultline:reclaim_steal', fields: ['pfn', 'by', 'memcg_id', 'swapbacked', 'page_flags'] },
  { name: 'faultline:reclaim_keep', fields: ['pfn', 'by', 'memcg_id', 'page_flags', 'refcount', 'mapcount'] },
  { name: 'faultline:workingset_eviction', fields: ['pfn', 'memcg_id', 'shadow'] },
  { name: 'faultline:workingset_refault', fields: ['pfn', 'memcg_id', 'shadow', 'swapbacked'] },
  { name: 'faultline:workingset_decision', fields: ['pfn', 'decision', 'swapbacked'] },
  { name: 'faultline:swap_out', fields: ['pfn', 'swap_type', 'swap_offset', 'stored'] },
  { name: 'faultline:swap_in', fields: ['pfn', 'swap_type', 'swap_offset', 'stored'] },
  { name: 'faultline:swap_unmap', fields: ['mm_id', 'address', 'pfn', 'swap_type', 'swap_offset'] },
  { name: 'faultline:swap_slot_alloc', fields: ['pfn', 'swap_type', 'swap_offset'] },
  { name: 'faultline:swap_slot_free', fields: ['swap_type', 'swap_offset'] },
  { name: 'faultline:swap_readahead', fields: ['pfn', 'swap_type', 'swap_offset'] },
  { name: 'faultline:swap_readahead_hit', fields: ['pfn', 'swap_type', 'swap_offset'] },
  { name: 'faultline:swapon', fields: ['swap_type', 'nr_pages'] },
  { name: 'faultline:swapoff', fields: ['swap_type', 'nr_pages'] },
  { name: 'filemap:mm_filemap_add_to_page_cache', fields: ['pfn', 'file_id', 'index'] },
  { name: 'filemap:mm_filemap_delete_from_page_cache', fields: ['pfn', 'file_id', 'index'] },
  { name: 'filemap:mm_filemap_fault', fields: ['file_id', 'index'] },
  { name: 'filemap:mm_filemap_map_pages', fields: ['file_id', 'index', 'last_index', 'nr_pages'] },
  { name: 'faultline:read_pages', fields: ['file_id', 'index', 'nr_pages', 'wanted'] },
  { name: 'writeback:writeback_dirty_folio', fields: ['pfn', 'file_id', 'index'] },
  { name: 'faultline:writeback_pages', fields: ['file_id', 'index', 'nr_pages', 'by_reclaim'] },
  { name: 'writeback:folio_wait_writeback', fields: ['file_id', 'index', 'last_index'] },
  { name: 'writeback:balance_dirty_pages', fields: ['nr_dirty', 'nr_writeback', 'background', 'threshold'] },
  { name: 'block:block_rq_issue', fields: ['request', 'rwbs', 'nr_pages', 'done_ns'] },
  { name: 'block:block_rq_complete', fields: ['request', 'rwbs', 'nr_pages'] },
  { name: 'faultline:thp_fault_alloc', fields: ['mm_id', 'address', 'pfn'] },
  { name: 'faultline:thp_fault_fallback', fields: ['mm_id', 'address'] },
  { name: 'huge_memory:mm_khugepaged_scan_pmd', fields: ['mm_id', 'address', 'status'] },
  { name: 'huge_memory:mm_collapse_huge_page', fields: ['mm_id', 'address', 'pfn', 'status'] },
  { name: 'faultline:thp_collapse_alloc_failed', fields: ['mm_id', 'address'] },
  { name: 'faultline:thp_split_pmd', fields: ['mm_id', 'address', 'pfn'] },
  { name: 'faultline:thp_split_page', fields: ['pfn', 'nr_pages'] },
  { name: 'faultline:thp_split_page_failed', fields: ['pfn'] },
  { name: 'faultline:thp_deferred_split', fields: ['pfn'] },
  { name: 'faultline:thp_underused_split', fields: ['pfn'] },
  { name: 'faultline:thp_swpout_fallback', fields: ['pfn'] },
  { name: 'faultline:thp_zero_page_alloc', fields: ['pfn'] },
  { name: 'ksm:ksm_start_scan', fields: ['seq', 'rmap_entries'] },
  { name: 'ksm:ksm_stop_scan', fields: ['seq', 'rmap_entries'] },
  { name: 'ksm:ksm_enter', fields: ['mm_id'] },
  { name: 'ksm:ksm_exit', fields: ['mm_id'] },
  { name: 'ksm:ksm_merge_one_page', fields: ['pfn', 'rmap_item', 'mm_id', 'err'] },
  { name: 'ksm:ksm_merge_with_ksm_page', fields: ['ksm_pfn', 'pfn', 'rmap_item', 'mm_id', 'err'] },
  { name: 'ksm:ksm_remove_ksm_page', fields: ['pfn'] },
  { name: 'ksm:ksm_remove_rmap_item', fields: ['pfn', 'rmap_item', 'mm_id'] },
  { name: 'ksm:ksm_advisor', fields: ['scan_time', 'pages_to_scan', 'cpu_percent'] },
  { name: 'faultline:ksm_merge', fields: ['mm_id', 'address', 'old_pfn', 'pfn'] },
  { name: 'faultline:ksm_break', fields: ['mm_id', 'address', 'old_pfn'] },
  { name: 'faultline:ksm_swpin_copy', fields: ['mm_id', 'address', 'old_pfn', 'pfn'] },
  {
    name: 'oom:mark_victim',
    fields: ['pid', 'total_vm', 'anon_rss', 'file_rss', 'shmem_rss', 'uid', 'pgtables', 'oom_score_adj'],
  },
  { name: 'oom:oom_score_adj_update', fields: ['pid', 'oom_score_adj'] },
  { name: 'oom:start_task_reaping', fields: ['pid'] },
  { name: 'oom:finish_task_reaping', fields: ['pid'] },
  { name: 'oom:skip_task_reaping', fields: ['pid'] },
  { name: 'faultline:memcg_event', fields: ['memcg_id', 'memory_event'] },
  { name: 'faultline:memcg_charge', fields: ['memcg_id', 'nr_pages'] },
  { name: 'faultline:memcg_uncharge', fields: ['memcg_id', 'nr_pages'] },
  { name: 'faultline:userfault', fields: ['mm_id', 'address', 'uffd_flags'] },
  { name: 'faultline:uffd_fill', fields: ['mm_id', 'address', 'uffd_fill'] },
  { name: 'faultline:hugetlb_dequeue', fields: ['pfn', 'order'] },
  { name: 'faultline:hugetlb_enqueue', fields: ['pfn', 'order'] },
  { name: 'faultline:major_fault', fields: ['mm_id', 'address'] },
  { name: 'faultline:reclaim_choice', fields: ['pfn', 'by', 'memcg_id', 'why', 'rank'] },
  { name: 'faultline:reclaim_forced', fields: ['pfn', 'why', 'swapbacked', 'page_flags'] },
] as const;

export const EV_PAGE_FAULT = 0;
export const EV_SYS_ENTER = 1;
export const EV_SYS_EXIT = 2;
export const EV_SCHED_SWITCH = 3;
export const EV_PROCESS_FORK = 4;
export const EV_PROCESS_EXEC = 5;
export const EV_PROCESS_EXIT = 6;
export const EV_PAGE_ALLOC = 7;
export const EV_PAGE_FREE = 8;
export const EV_RSS_STAT = 9;
export const EV_SIGNAL_DELIVER = 10;
/** The space is still whole; it ends when the listeners have returned. */
export const EV_EXIT_MMAP = 11;
export const EV_EXC_FAULT_USER = 12;
export const EV_EXC_FAULT_KERNEL = 13;
export const EV_PAGE_MAP = 14;
export const EV_PAGE_UNMAP = 15;
export const EV_PAGE_MOVE = 16;
export const EV_COW_COPY = 17;
export const EV_COW_REUSE = 18;
export const EV_VM_UNMAPPED_AREA = 19;
export const EV_VMA_LINK = 20;
export const EV_VMA_UNLINK = 21;
export const EV_VMA_RESIZE = 22;
export const EV_VMA_FLAGS = 23;
export const EV_MM_CREATE = 24;
export const EV_MM_FORK = 25;
export const EV_PT_ALLOC = 26;
export const EV_PT_FREE = 27;
export const EV_TLB_FLUSH = 28;
export const EV_KMEM_CACHE_ALLOC = 29;
export const EV_KMEM_CACHE_FREE = 30;
export const EV_LRU_INSERTION = 31;
export const EV_LRU_ACTIVATE = 32;
export const EV_LRU_DEACTIVATE = 33;
export const EV_LRU_MOVE = 34;
export const EV_LRU_ROTATE = 35;
export const EV_LRU_REMOVE = 36;
export const EV_LRU_GEN_NEW = 37;
export const EV_LRU_GEN_MOVE = 38;
export const EV_PAGE_REFERENCED = 39;
export const EV_PAGE_YOUNG = 40;
export const EV_MLOCK = 41;
export const EV_MUNLOCK = 42;
export const EV_LAZYFREE = 43;
export const EV_LAZYFREED = 44;
export const EV_WAKEUP_KSWAPD = 45;
export const EV_KSWAPD_WAKE = 46;
export const EV_KSWAPD_SLEEP = 47;
export const EV_DIRECT_RECLAIM_BEGIN = 48;
export const EV_DIRECT_RECLAIM_END = 49;
export const EV_MEMCG_RECLAIM_BEGIN = 50;
export const EV_MEMCG_RECLAIM_END = 51;
export const EV_SHRINK_INACTIVE = 52;
export const EV_WRITE_FOLIO = 53;
export const EV_THROTTLED = 54;
export const EV_RECLAIM_SCAN = 55;
export const EV_RECLAIM_STEAL = 56;
export const EV_RECLAIM_KEEP = 57;
export const EV_WORKINGSET_EVICTION = 58;
export const EV_WORKINGSET_REFAULT = 59;
export const EV_WORKINGSET_DECISION = 60;
export const EV_SWAP_OUT = 61;
export const EV_SWAP_IN = 62;
export const EV_SWAP_UNMAP = 63;
export const EV_SWAP_SLOT_ALLOC = 64;
export const EV_SWAP_SLOT_FREE = 65;
export const EV_SWAP_READAHEAD = 66;
export const EV_SWAP_READAHEAD_HIT = 67;
export const EV_SWAPON = 68;
export const EV_SWAPOFF = 69;
export const EV_FILEMAP_ADD = 70;
export const EV_FILEMAP_DELETE = 71;
export const EV_FILEMAP_FAULT = 72;
export const EV_FILEMAP_MAP_PAGES = 73;
export const EV_READ_PAGES = 74;
export const EV_DIRTY_FOLIO = 75;
export const EV_WRITEBACK_PAGES = 76;
export const EV_WAIT_WRITEBACK = 77;
export const EV_BALANCE_DIRTY = 78;
export const EV_RQ_ISSUE = 79;
export const EV_RQ_COMPLETE = 80;
export const EV_THP_FAULT_ALLOC = 81;
export const EV_THP_FAULT_FALLBACK = 82;
export const EV_KHUGEPAGED_SCAN_PMD = 83;
export const EV_COLLAPSE_HUGE_PAGE = 84;
export const EV_COLLAPSE_ALLOC_FAILED = 85;
export const EV_THP_SPLIT_PMD = 86;
export const EV_THP_SPLIT_PAGE = 87;
export const EV_THP_SPLIT_PAGE_FAILED = 88;
export const EV_THP_DEFERRED_SPLIT = 89;
export const EV_THP_UNDERUSED_SPLIT = 90;
export const EV_THP_SWPOUT_FALLBACK = 91;
export const EV_THP_ZERO_PAGE_ALLOC = 92;
export const EV_KSM_START_SCAN = 93;
export const EV_KSM_STOP_SCAN = 94;
export const EV_KSM_ENTER = 95;
export const EV_KSM_EXIT = 96;
export const EV_KSM_MERGE_ONE_PAGE = 97;
export const EV_KSM_MERGE_WITH_KSM_PAGE = 98;
export const EV_KSM_REMOVE_KSM_PAGE = 99;
export const EV_KSM_REMOVE_RMAP_ITEM = 100;
export const EV_KSM_ADVISOR = 101;
export const EV_KSM_MERGE = 102;
export const EV_KSM_BREAK = 103;
export const EV_KSM_SWPIN_COPY = 104;
export const EV_MARK_VICTIM = 105;
export const EV_SCORE_ADJ_UPDATE = 106;
export const EV_START_TASK_REAPING = 107;
export const EV_FINISH_TASK_REAPING = 108;
export const EV_SKIP_TASK_REAPING = 109;
export const EV_MEMCG_EVENT = 110;
export const EV_MEMCG_CHARGE = 111;
export const EV_MEMCG_UNCHARGE = 112;
export const EV_USERFAULT = 113;
export const EV_UFFD_FILL = 114;
export const EV_HUGETLB_DEQUEUE = 115;
export const EV_HUGETLB_ENQUEUE = 116;
export const EV_MAJOR_FAULT = 117;
export const EV_RECLAIM_CHOICE = 118;
export const EV_RECLAIM_FORCED = 119;

export type EventName = (typeof EVENT_KINDS)[number]['name'];
export type EventField = (typeof EVENT_KINDS)[number]['fields'][number];
