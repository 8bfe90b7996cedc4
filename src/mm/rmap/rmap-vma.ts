import type { Pfn, Vpn } from '../../machine/units.ts';
import type { Mempolicy } from '../mempolicy.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import type { AnonVma, AnonVmaChain } from './anon-vma.ts';
import type { IntervalNode } from './interval-tree.ts';

/**
 * What reverse mapping needs of a VMA; mm/vma.ts implements it. Fields marked "rmap's" are written by src/mm/rmap alone;
 * start with null or empty.
 *
 * Before `startVpn`, `endVpn` or `pgoff` of a linked VMA change, call beforeVmaResize(vma), after it
 * afterVmaResize(vma) (vma-trees.ts): they are keys of the interval trees.
 */
export interface RmapVma {
  readonly space: { readonly asid: number; readonly isOverRssLimit?: boolean };
  readonly startVpn: Vpn;
  readonly endVpn: Vpn;
  /** VM_* bits; compared in AnonVmas.findMergeable. */
  readonly flags: number;
  /** Page of the file at startVpn; for an anonymous VMA the linear index (its first vpn when it was made). */
  readonly pgoff: number;
  readonly file: { readonly pages: FilePages | null } | null;
  readonly policy: Mempolicy | null;
  /** rmap's: the AnonVma that new anonymous pages of this VMA belong to. */
  anonVma: AnonVma | null;
  /** rmap's: links to every AnonVma that may own a page of this VMA, oldest ancestor first. */
  anonVmaChain: AnonVmaChain[];
  /** rmap's: place in the file's i_mmap tree (Linux: vma->shared.rb), null when not linked. */
  sharedNode: IntervalNode<RmapVma> | null;
}

/** Page index of the VMA's last page (vma_last_pgoff). */
export function lastIndexOf(vma: RmapVma): number {
  return vma.pgoff + (vma.endVpn - vma.startVpn) - 1;
}

/** The page of the VMA at a page index (vma_address). */
export function pageAt(vma: RmapVma, index: number): Vpn {
  return (vma.startVpn + (index - vma.pgoff)) as Vpn;
}

/** Who knows the entries of KSM pages (ksm/reverse.ts); injected with rmap.setKsmReverse. */
export interface KsmReverse {
  /** As forEachCandidate of rmap-walk.ts, for the page of the stable node. */
  forEachCandidate(node: number, visit: (vma: RmapVma, page: Vpn) => boolean): boolean;
}

/**
 * The verbs on page-table entries that reverse mapping, writeback and truncation need. page-table.ts, the only writer of
 * PTEs, implements it; injected with rmap.setEditor and used nowhere else.
 */
export interface PageTableEditor {
  /** The frame that the entry of `page` maps, by a huge leaf too, or NO_FRAME. */
  frameAt(vma: RmapVma, page: Vpn): Pfn | -1;
  /** A store went through the entry since DIRTY was last cleared. */
  isDirty(vma: RmapVma, page: Vpn): boolean;
  /** Clears ACCESSED of the entry, a huge leaf too, and flushes the TLB (ptep_clear_flush_young); true if it was set. */
  clearAccessed(vma: RmapVma, page: Vpn): boolean;
  /**
   * Clears WRITE and DIRTY of the present entry and flushes the TLB (Linux: page_vma_mkclean_one); true if the entry was
   * dirty. The next store faults again.
   */
  cleanPage(vma: RmapVma, page: Vpn): boolean;
  /**
   * Removes the present entry: TLB, rss, DIRTY moved to the page (pageCache.markDirty), rmap.removeRmap, putFrame. An anonymous
   * page in the swap cache leaves an entry of its slot behind. Where nothing is mapped it does nothing.
   */
  unmapPage(vma: RmapVma, page: Vpn): void;
  /** A huge leaf maps the page. */
  isHugeAt(vma: RmapVma, page: Vpn): boolean;
  /** Locks the page in memory again, which a mapping has lost its lock of (mlock_vma_folio in folio_referenced_one). */
  lockAgain(page: Pfn): void;
  /** The huge page becomes small ones, those that nobody maps free (split_folio); false if somebody else holds it. */
  splitPage(head: Pfn): boolean;
  /**
   * Removes all entries of [start, end) of the VMA (Linux: zap_page_range). 'even_cows' also drops private copies, as
   * truncate wants; 'pagecache' keeps them, as dropping a cached page wants.
   */
  zapRange(vma: RmapVma, start: Vpn, end: Vpn, what: 'even_cows' | 'pagecache'): void;
}
