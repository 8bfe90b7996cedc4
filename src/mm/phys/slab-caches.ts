import type { SlabCacheOptions } from './slab.ts';

/** SLAB_HWCACHE_ALIGN: a cache line. */
const LINE = 64;

/**
 * The kernel's own caches with Linux's names and object sizes: read from /sys/kernel/slab of a 6.18 x86-64 kernel (a riscv64
 * one differs by a few bytes in task_struct). 'behind' where Linux's cache has a constructor or is SLAB_TYPESAFE_BY_RCU
 * without a place for the link inside the object.
 */
export const SLAB_CACHES: readonly SlabCacheOptions[] = [
  { name: 'mqueue_inode_cache', objectBytes: 920, alignBytes: LINE, link: 'behind' },
  { name: 'posix_timers_cache', objectBytes: 384, alignBytes: LINE },
  { name: 'UNIX-STREAM', objectBytes: 1152, alignBytes: LINE },
  { name: 'UNIX', objectBytes: 1152, alignBytes: LINE },
  { name: 'eventpoll_pwq', objectBytes: 64 },
  { name: 'eventpoll_epi', objectBytes: 128, alignBytes: LINE },
  { name: 'sock_inode_cache', objectBytes: 768, alignBytes: LINE, link: 'behind', reclaimable: true },
  { name: 'skbuff_head_cache', objectBytes: 224, alignBytes: LINE },
  { name: 'file_lock_cache', objectBytes: 192 },
  { name: 'file_lock_ctx', objectBytes: 56 },
  { name: 'pde_opener', objectBytes: 40 },
  { name: 'proc_inode_cache', objectBytes: 688, link: 'behind', reclaimable: true },
  { name: 'seq_file', objectBytes: 120 },
  { name: 'sigqueue', objectBytes: 80 },
  { name: 'shmem_inode_cache', objectBytes: 744, link: 'behind' },
  { name: 'mnt_cache', objectBytes: 384, alignBytes: LINE },
  { name: 'filp', objectBytes: 184, alignBytes: LINE },
  { name: 'inode_cache', objectBytes: 616, link: 'behind', reclaimable: true },
  { name: 'dentry', objectBytes: 192, reclaimable: true },
  { name: 'names_cache', objectBytes: 4096, alignBytes: LINE },
  { name: 'nsproxy', objectBytes: 72 },
  { name: 'vm_area_struct', objectBytes: 192, alignBytes: LINE },
  { name: 'files_cache', objectBytes: 704, alignBytes: LINE },
  { name: 'fs_cache', objectBytes: 64 },
  { name: 'signal_cache', objectBytes: 1152, alignBytes: LINE },
  { name: 'sighand_cache', objectBytes: 2080, alignBytes: LINE, link: 'behind' },
  { name: 'task_struct', objectBytes: 4240, alignBytes: LINE },
  { name: 'cred_jar', objectBytes: 184, alignBytes: LINE },
  { name: 'anon_vma_chain', objectBytes: 64 },
  { name: 'anon_vma', objectBytes: 96, link: 'behind' },
  { name: 'pid', objectBytes: 184, alignBytes: LINE },
  { name: 'ksm_rmap_item', objectBytes: 64 },
  { name: 'ksm_stable_node', objectBytes: 64 },
  { name: 'ksm_mm_slot', objectBytes: 48 },
  { name: 'radix_tree_node', objectBytes: 576, link: 'behind', reclaimable: true },
  { name: 'maple_node', objectBytes: 256, alignBytes: 256 },
  { name: 'mm_struct', objectBytes: 1568, alignBytes: LINE },
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
