/**
 * Event kinds: Linux's tracepoint names where one exists, `faultline:*` where none does (decision D7). One row a kind: its
 * index is the kind, its fields name the numeric arguments of `emit` in order. Append only.
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

export type EventName = (typeof EVENT_KINDS)[number]['name'];
