import { assert } from '../../base/assert.ts';
import { lastIndexOf, type RmapVma } from './rmap-vma.ts';

/**
 * A VMA's places in the trees that are ordered by page index: the i_mmap of its file, and while it is resized the trees of its
 * AnonVmas too (Linux: vma_prepare, vma_complete, vma_link_file; mm/vma.c).
 */

/** Enters a VMA of a file into i_mmap (vma_link_file). */
export function linkFileVma(vma: RmapVma): void {
  const pages = vma.file?.pages ?? null;
  if (pages === null) return;
  assert(vma.sharedNode === null, 'mm/rmap/vma-trees.ts: a VMA is linked once');
  vma.sharedNode = pages.i_mmap.insert(vma.pgoff, lastIndexOf(vma), vma);
}

export function unlinkFileVma(vma: RmapVma): void {
  const pages = vma.file?.pages ?? null;
  if (vma.sharedNode === null || pages === null) return;
  pages.i_mmap.remove(vma.sharedNode);
  vma.sharedNode = null;
}

/** Takes the VMA out of all trees that are ordered by its bounds; nothing may look for pages until afterVmaResize. */
export function beforeVmaResize(vma: RmapVma): void {
  for (const chain of vma.anonVmaChain) {
    if (chain.node !== null) chain.anonVma.tree.remove(chain.node);
    chain.node = null;
  }
  unlinkFileVma(vma);
}

export function afterVmaResize(vma: RmapVma): void {
  for (const chain of vma.anonVmaChain) chain.node = chain.anonVma.tree.insert(vma.pgoff, lastIndexOf(vma), chain);
  if (vma.sharedNode === null) linkFileVma(vma);
}
