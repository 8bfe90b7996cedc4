import { type IntervalNode, IntervalTree } from './interval-tree.ts';
import type { RmapVma } from './rmap-vma.ts';

/**
 * Linux's struct anon_vma (include/linux/rmap.h): what anonymous pages point to, so that their page-table entries are found
 * through all splits, merges and forks. A fork gives the child an AnonVma of its own below the parent's, all of one root.
 *
 * Invariants (checked by AnonVmas.findBroken):
 *  A1 tree holds exactly the AnonVmaChains whose anonVma is this, each under its VMA's [pgoff, pgoff + pages - 1].
 *  A2 numChildren = AnonVmas whose parent is this and whose tree is not empty; a root counts itself.
 *  A3 numActiveVmas = VMAs whose `anonVma` is this.
 *  A4 A root lives as long as one of its descendants; anyone else until its tree is empty; all of them while they are held.
 */
export class AnonVma {
  readonly id: number;
  /** Address of its object in the anon_vma slab. */
  readonly slot: number;
  root: AnonVma;
  parent: AnonVma;
  readonly tree = new IntervalTree<AnonVmaChain>();
  /** Own reference, one for each AnonVma below a root, and `held`. */
  refcount = 1;
  /** References of ksmd's items (get_anon_vma). */
  held = 0;
  numChildren = 0;
  numActiveVmas = 0;

  constructor(id: number, slot: number) {
    this.id = id;
    this.slot = slot;
    this.root = this;
    this.parent = this;
  }
}

/** Linux's struct anon_vma_chain: one VMA in one AnonVma's tree, and one AnonVma in the VMA's list. */
export class AnonVmaChain {
  readonly vma: RmapVma;
  readonly anonVma: AnonVma;
  readonly slot: number;
  /** Its place in anonVma.tree; null only between beforeVmaResize and afterVmaResize. */
  node: IntervalNode<AnonVmaChain> | null = null;

  constructor(vma: RmapVma, anonVma: AnonVma, slot: number) {
    this.vma = vma;
    this.anonVma = anonVma;
    this.slot = slot;
  }
}
