import type { SlabCacheOptions } from './slab.ts';

/** SLAB_HWCACHE_ALIGN: a cache line. */
const LINE = 64;

/**
 * The kernel's own caches with Linux's names and object sizes: read from /sys/kernel/slab of a 6.18 x86-64 kernel (a riscv64
 * one differs by a few bytes in task_struct). 'behind' where Linux's cache has a constructor or is SLAB_TYPESAFE_BY_RCU
 * without a place for the link inside the object. 'accounted' where it is SLAB_ACCOUNT, or all that make its objects pass __GFP_ACCOUNT.
 */
export const SLAB_CACHES: readonly SlabCacheOptions[] = [
  { name: 'mqueue_inode_cache', objectBytes: 920, alignBytes: LINE, link: 'behind', accounted: true },
  { name: 'posix_timers_cache', objectBytes: 384, alignBytes: LINE, accounted: true },
  { name: 'UNIX-STREAM', objectBytes: 1152, alignBytes: LINE, accounted: true },
  { name: 'UNIX', objectBytes: 1152, alignBytes: LINE, accounted: true },
  { name: 'eventpoll_pwq', objectBytes: 64, accounted: true },
  { name: 'eventpoll_epi', objectBytes: 128, alignBytes: LINE, accounted: true },
  { name: 'sock_inode_cache', objectBytes: 768, alignBytes: LINE, link: 'behind', reclaimable: true, accounted: true },
  { name: 'skbuff_head_cache', objectBytes: 224, alignBytes: LINE },
  { name: 'file_lock_cache', objectBytes: 192, accounted: true },
  { name: 'file_lock_ctx', objectBytes: 56, accounted: true },
  { name: 'pde_opener', objectBytes: 40 },
  { name: 'proc_inode_cache', objectBytes: 688, link: 'behind', reclaimable: true, accounted: true },
  { name: 'seq_file', objectBytes: 120, accounted: true },
  { name: 'sigqueue', objectBytes: 80, accounted: true },
  { name: 'shmem_inode_cache', objectBytes: 744, link: 'behind', accounted: true },
  { name: 'mnt_cache', objectBytes: 384, alignBytes: LINE },
  { name: 'filp', objectBytes: 184, alignBytes: LINE, accounted: true },
  { name: 'inode_cache', objectBytes: 616, link: 'behind', reclaimable: true, accounted: true },
  { name: 'dentry', objectBytes: 192, reclaimable: true, accounted: true },
  { name: 'names_cache', objectBytes: 4096, alignBytes: LINE },
  { name: 'nsproxy', objectBytes: 72, accounted: true },
  { name: 'vm_area_struct', objectBytes: 192, alignBytes: LINE, accounted: true },
  { name: 'files_cache', objectBytes: 704, alignBytes: LINE, accounted: true },
  { name: 'fs_cache', objectBytes: 64, accounted: true },
  { name: 'signal_cache', objectBytes: 1152, alignBytes: LINE, accounted: true },
  { name: 'sighand_cache', objectBytes: 2080, alignBytes: LINE, link: 'behind', accounted: true },
  { name: 'task_struct', objectBytes: 4240, alignBytes: LINE, accounted: true },
  { name: 'cred_jar', objectBytes: 184, alignBytes: LINE, accounted: true },
  { name: 'anon_vma_chain', objectBytes: 64, accounted: true },
  { name: 'anon_vma', objectBytes: 96, link: 'behind', accounted: true },
  { name: 'pid', objectBytes: 184, alignBytes: LINE, accounted: true },
  { name: 'ksm_rmap_item', objectBytes: 64 },
  { name: 'ksm_stable_node', objectBytes: 64 },
  { name: 'ksm_mm_slot', objectBytes: 48 },
  { name: 'radix_tree_node', objectBytes: 576, link: 'behind', reclaimable: true, accounted: true },
  { name: 'maple_node', objectBytes: 256, alignBytes: 256 },
  { name: 'mm_struct', objectBytes: 1568, alignBytes: LINE, accounted: true },
  { name: 'kmalloc-8k', objectBytes: 8192, alignBytes: 8192 },
  { name: 'kmalloc-4k', objectBytes: 4096, alignBytes: 4096 },
  { name: 'kmalloc-2k', objectBytes: 2048, alignBytes: 2048 },
  { name: 'kmalloc-1k', objectBytes: 1024, alignBytes: 1024 },
  { name: 'kmalloc-512', objectBytes: 512, alignBytes: 512 },
  { name: 'kmalloc-256', objectBytes: 256, alignBytes: 256 },
  { name: 'kmalloc-128', objectBytes: 128, alignBytes: 128 },
  { name: 'kmalloc-64', objectBytes: 64, alignBytes: 64 },
  { name: 'kmalloc-32', objectBytes: 32, alignBytes: 32 },
  { name: 'kmalloc-16', objectBytes: 16, alignBytes: 16 },
  { name: 'kmalloc-8', objectBytes: 8, alignBytes: 8 },
  { name: 'kmalloc-192', objectBytes: 192, alignBytes: 64 },
  { name: 'kmalloc-96', objectBytes: 96, alignBytes: 32 },
];
