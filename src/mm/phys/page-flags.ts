/**
 * Bits of FrameTable.flags, under Linux's names (include/linux/page-flags.h). Some are a page type or a bit of
 * page->mapping there (PG_buddy, PG_table, PG_slab, PG_anon); here every fact about a frame is one bit of one word.
 *
 * One owner a bit:
 *  page cache  PG_uptodate PG_dirty PG_referenced PG_readahead
 *  block       PG_locked PG_writeback
 *  lruvec      PG_lru PG_active PG_unevictable PG_workingset
 *  rmap        PG_anon PG_anon_exclusive PG_ksm
 *  swap        PG_swapcache, PG_dirty of anonymous pages, PG_reclaim (read ahead)
 *  allocator   PG_buddy PG_reserved PG_head PG_tail
 *  deferred splits  PG_deferred PG_partially_mapped
 *  slab        PG_slab            page tables  PG_table           mlock  PG_mlocked          huge pools  PG_hugetlb
 *  zram        PG_zsmalloc
 */
export const PG_locked = 1 << 0;
export const PG_writeback = 1 << 1;
export const PG_referenced = 1 << 2;
export const PG_uptodate = 1 << 3;
export const PG_dirty = 1 << 4;
export const PG_lru = 1 << 5;
export const PG_head = 1 << 6;
export const PG_tail = 1 << 7;
export const PG_active = 1 << 8;
export const PG_workingset = 1 << 9;
export const PG_slab = 1 << 10;
export const PG_anon = 1 << 11;
export const PG_anon_exclusive = 1 << 12;
export const PG_private = 1 << 13;
export const PG_reserved = 1 << 14;
export const PG_reclaim = 1 << 15;
/** Read ahead: who comes to it starts the next window. The same bit, as in Linux. */
export const PG_readahead = PG_reclaim;
export const PG_swapbacked = 1 << 16;
export const PG_unevictable = 1 << 17;
export const PG_mlocked = 1 << 18;
export const PG_swapcache = 1 << 19;
export const PG_buddy = 1 << 20;
export const PG_table = 1 << 21;
/** The frame has its contents in a FilePages (page->mapping is an address_space); owner and index say where. */
export const PG_pagecache = 1 << 22;
/** The head of a huge page of a pool (hugetlb/). */
export const PG_hugetlb = 1 << 23;
/** A frame that compressed pages lie in (swap/zram/zs-pool.ts). */
export const PG_zsmalloc = 1 << 24;
/** The head of a huge page on the list of deferred splits; part of it is mapped by nobody any more (phys/deferred-splits.ts). */
export const PG_deferred = 1 << 25;
export const PG_partially_mapped = 1 << 26;
/** A page that ksmd has merged (PAGE_MAPPING_KSM); PG_anon is set too. */
export const PG_ksm = 1 << 28;

const NAMES: readonly (readonly [number, string])[] = [
  [PG_locked, 'locked'],
  [PG_writeback, 'writeback'],
  [PG_referenced, 'referenced'],
  [PG_uptodate, 'uptodate'],
  [PG_dirty, 'dirty'],
  [PG_lru, 'lru'],
  [PG_head, 'head'],
  [PG_tail, 'tail'],
  [PG_active, 'active'],
  [PG_workingset, 'workingset'],
  [PG_slab, 'slab'],
  [PG_anon, 'anon'],
  [PG_anon_exclusive, 'anon_exclusive'],
  [PG_private, 'private'],
  [PG_reserved, 'reserved'],
  [PG_reclaim, 'reclaim'],
  [PG_swapbacked, 'swapbacked'],
  [PG_unevictable, 'unevictable'],
  [PG_mlocked, 'mlocked'],
  [PG_swapcache, 'swapcache'],
  [PG_buddy, 'buddy'],
  [PG_table, 'table'],
  [PG_pagecache, 'pagecache'],
  [PG_hugetlb, 'hugetlb'],
  [PG_zsmalloc, 'zsmalloc'],
  [PG_deferred, 'deferred'],
  [PG_partially_mapped, 'partially_mapped'],
  [PG_ksm, 'ksm'],
];

/** Names of the bits that are set, in the manner of Linux's dump_page: `uptodate|lru|anon`. */
export function pageFlagNames(flags: number): string {
  return NAMES.filter(([bit]) => (flags & bit) !== 0)
    .map(([, name]) => name)
    .join('|');
}
