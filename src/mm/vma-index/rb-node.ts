import { assert } from '../../base/assert.ts';
import type { Vma } from '../vma.ts';

/** vm_rb, vm_next, vm_prev and rb_subtree_gap of vm_area_struct. */
export class RbNode {
  readonly vma: Vma;
  next: RbNode | null = null;
  prev: RbNode | null = null;
  parent: RbNode | null = null;
  left: RbNode | null = null;
  right: RbNode | null = null;
  isRed = true;
  /** The largest gapBefore of the nodes of this subtree. */
  subtreeGap = 0;

  constructor(vma: Vma) {
    this.vma = vma;
  }
}

/** Free pages between this VMA and the one before it (or page 0). */
export function gapBefore(node: RbNode): number {
  return node.vma.startVpn - (node.prev === null ? 0 : node.prev.vma.endVpn);
}

/** vma_compute_gap: what subtreeGap must be, given those of the children. */
function computeGap(node: RbNode): number {
  let gap = gapBefore(node);
  if (node.left !== null && node.left.subtreeGap > gap) gap = node.left.subtreeGap;
  if (node.right !== null && node.right.subtreeGap > gap) gap = node.right.subtreeGap;
  return gap;
}

/**
 * A red-black tree with the largest hole of each subtree in its root (lib/rbtree.c and rbtree_augmented.h of 3.8 to 6.0).
 * Order is the caller's; this keeps colours, links between parents and children, and subtreeGap along every path that changes.
 *
 * Invariants (findBroken):
 *  RB1 The root is black; a red node has no red child; every path from the root down to a missing child has as many blacks.
 *  RB2 A child's parent is the node whose child it is.
 *  RB3 subtreeGap is true in every node.
 */
export class RbTree {
  root: RbNode | null = null;

  /** vma_gap_update: the node's own hole has changed. */
  updateGap(from: RbNode): void {
    for (let node: RbNode | null = from; node !== null; node = node.parent) {
      const gap = computeGap(node);
      if (gap === node.subtreeGap) return;
      node.subtreeGap = gap;
    }
  }

  /** Hangs a new node, whose prev is set, under `parent` (null: the tree is empty). */
  link(node: RbNode, parent: RbNode | null, side: 'left' | 'right'): void {
    node.parent = parent;
    node.left = null;
    node.right = null;
    node.isRed = true;
    node.subtreeGap = gapBefore(node);
    if (parent === null) this.root = node;
    else {
      parent[side] = node;
      this.updateGap(parent);
    }
    this.balanceInsert(node);
  }

  private balanceInsert(added: RbNode): void {
    let node = added;
    for (;;) {
      const { parent } = node;
      if (parent === null) break;
      if (!parent.isRed) return;
      const grand = parent.parent;
      assert(grand !== null, 'mm/vma-index/rb-node.ts: RB1 the root is black');
      const uncle = grand.left === parent ? grand.right : grand.left;
      if (uncle?.isRed === true) {
        parent.isRed = false;
        uncle.isRed = false;
        grand.isRed = true;
        node = grand;
        continue;
      }
      // A grandchild on the inside turns to the outside first; then the grandparent goes down on the other side.
      const side = grand.left === parent ? 'left' : 'right';
      if (parent[side] !== node) this.rotateUp(node);
      const top = parent[side] === node ? parent : node;
      this.rotateUp(top);
      top.isRed = false;
      grand.isRed = true;
      return;
    }
    node.isRed = false;
  }

  /** rb_erase_augmented. The node after it, if any, must then get updateGap: its hole has grown. */
  unlink(node: RbNode): void {
    let hole = node.parent;
    let child: RbNode | null;
    let removedRed = node.isRed;
    let lowest = node.parent;
    if (node.left !== null && node.right !== null) {
      let heir = node.right;
      while (heir.left !== null) heir = heir.left;
      removedRed = heir.isRed;
      child = heir.right;
      hole = heir.parent;
      if (hole === node) hole = heir;
      else {
        this.replaceChild(heir, child);
        heir.right = node.right;
        node.right.parent = heir;
      }
      lowest = hole;
      this.replaceChild(node, heir);
      heir.left = node.left;
      node.left.parent = heir;
      heir.isRed = node.isRed;
      this.recompute(lowest);
      this.recompute(heir);
    } else {
      child = node.left ?? node.right;
      this.replaceChild(node, child);
      this.recompute(lowest);
    }
    node.parent = null;
    node.left = null;
    node.right = null;
    if (!removedRed) this.balanceErase(child, hole);
  }

  /** Makes subtreeGap true from a node up to the root; above the first that does not change another path may still. */
  private recompute(from: RbNode | null): void {
    for (let node = from; node !== null; node = node.parent) node.subtreeGap = computeGap(node);
  }

  /** The subtree at `start` (perhaps empty), child of `above`, has one black less than its sibling. */
  private balanceErase(start: RbNode | null, above: RbNode | null): void {
    let node = start;
    let parent = above;
    while (parent !== null && node?.isRed !== true) {
      const side = parent.left === node ? 'left' : 'right';
      const other = side === 'left' ? 'right' : 'left';
      let sibling: RbNode | null = parent[other];
      assert(sibling !== null, 'mm/vma-index/rb-node.ts: RB1 a black node has a sibling');
      if (sibling.isRed) {
        this.rotateUp(sibling);
        sibling.isRed = false;
        parent.isRed = true;
        sibling = parent[other];
        assert(sibling !== null, 'mm/vma-index/rb-node.ts: RB1 a red sibling has children');
      }
      if (sibling[side]?.isRed !== true && sibling[other]?.isRed !== true) {
        sibling.isRed = true;
        node = parent;
        parent = node.parent;
        continue;
      }
      const near = sibling[side];
      if (near !== null && sibling[other]?.isRed !== true) {
        this.rotateUp(near);
        near.isRed = false;
        sibling.isRed = true;
        sibling = near;
      }
      this.rotateUp(sibling);
      sibling.isRed = parent.isRed;
      parent.isRed = false;
      const far = sibling[other];
      if (far !== null) far.isRed = false;
      return;
    }
    if (node !== null) node.isRed = false;
  }

  /** The node takes its parent's place, and the parent becomes its child. */
  private rotateUp(node: RbNode): void {
    const { parent } = node;
    assert(parent !== null, 'mm/vma-index/rb-node.ts: RB2 what goes up has a parent');
    const side = parent.left === node ? 'left' : 'right';
    const other = side === 'left' ? 'right' : 'left';
    const inner = node[other];
    parent[side] = inner;
    if (inner !== null) inner.parent = parent;
    this.replaceChild(parent, node);
    node[other] = parent;
    parent.parent = node;
    node.subtreeGap = parent.subtreeGap;
    parent.subtreeGap = computeGap(parent);
  }

  private replaceChild(node: RbNode, child: RbNode | null): void {
    const { parent } = node;
    if (parent === null) this.root = child;
    else if (parent.left === node) parent.left = child;
    else parent.right = child;
    if (child !== null) child.parent = parent;
  }

  findBroken(): string | null {
    if (this.root?.isRed === true) return 'RB1: the root is red';
    if (this.root !== null && this.root.parent !== null) return 'RB2: parent';
    let broken: string | null = null;
    /** Blacks below and with the node. */
    const check = (node: RbNode | null): number => {
      if (node === null) return 1;
      const left = check(node.left);
      const right = check(node.right);
      if (left !== right) broken = 'RB1: black height';
      if (node.isRed && (node.left?.isRed === true || node.right?.isRed === true)) broken = 'RB1: red below red';
      if (node.left !== null && node.left.parent !== node) broken = 'RB2: parent';
      if (node.right !== null && node.right.parent !== node) broken = 'RB2: parent';
      if (node.subtreeGap !== computeGap(node)) broken = 'RB3: subtreeGap';
      return left + (node.isRed ? 0 : 1);
    };
    check(this.root);
    return broken;
  }
}
