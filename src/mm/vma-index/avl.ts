import { assert } from '../../base/assert.ts';
import type { Vpn } from '../../machine/units.ts';
import type { Vma } from '../vma.ts';
import { findBrokenList, firstGap, lastGap } from './linked-list.ts';
import type { VmaIndex } from './vma-index.ts';

/** vm_next, vm_avl_left, vm_avl_right, vm_avl_height. */
export class AvlNode {
  readonly vma: Vma;
  next: AvlNode | null = null;
  left: AvlNode | null = null;
  right: AvlNode | null = null;
  /** Of the subtree, 1 for a leaf. */
  height = 1;

  constructor(vma: Vma) {
    this.vma = vma;
  }
}

/** VMAs from which on 2.2 and 2.4 keep a tree at all (include/linux/sched.h). */
const AVL_MIN_MAP_COUNT = 32;

/**
 * The VMAs as Linux 2.0 to 2.4.9 kept them (mm/mmap.c, mmap_avl.c): an AVL tree for find_vma, beside the list, which answers
 * vm_next and the first fit of get_unmapped_area; since 2.2 with mmap_cache, and with the tree built only once the space has
 * AVL_MIN_MAP_COUNT VMAs (build_mmap_avl; it then stays). The tree gives the list its neighbours at an insert
 * (avl_insert_neighbours) and find_vma_prev. Holes are in no tree: a search for one walks the list. Those kernels searched from
 * the bottom up only; from the top down is the same walk.
 *
 * Invariants (findBroken):
 *  X1 The list rises, its VMAs do not overlap, and each one's indexNode is its node.
 *  X2 The cache is null or a node of the list.
 *  X3 Tree: in order it is the list; heights are true; those of two siblings differ by one at most. Below AVL_MIN_MAP_COUNT
 *     it may be absent.
 */
export class AvlIndex implements VmaIndex {
  count = 0;
  private head: AvlNode | null = null;
  private cache: AvlNode | null = null;
  /** Null: the space is small (or empty), and the list is all there is. */
  private root: AvlNode | null = null;

  find(page: Vpn): Vma | null {
    const { cache } = this;
    if (cache !== null && cache.vma.endVpn > page && cache.vma.startVpn <= page) return cache.vma;
    const found = this.nodeFrom(page);
    if (found === null) return null;
    this.cache = found;
    return found.vma;
  }

  findPrev(page: Vpn): Vma | null {
    const found = this.nodeFrom(page);
    const before = this.nodeBefore(found === null ? Number.POSITIVE_INFINITY : found.vma.startVpn);
    return before === null ? null : before.vma;
  }

  first(): Vma | null {
    return this.head === null ? null : this.head.vma;
  }

  last(): Vma | null {
    const found = this.nodeBefore(Number.POSITIVE_INFINITY);
    return found === null ? null : found.vma;
  }

  next(vma: Vma): Vma | null {
    const { next } = nodeOf(vma);
    return next === null ? null : next.vma;
  }

  prev(vma: Vma): Vma | null {
    return this.findPrev(vma.startVpn);
  }

  insert(vma: Vma): void {
    const node = new AvlNode(vma);
    const before = this.nodeBefore(vma.startVpn);
    if (before === null) {
      node.next = this.head;
      this.head = node;
    } else {
      node.next = before.next;
      before.next = node;
    }
    vma.indexNode = node;
    this.count++;
    if (this.root !== null) this.root = insertUnder(this.root, node);
    else if (this.count >= AVL_MIN_MAP_COUNT) this.buildTree();
  }

  erase(vma: Vma): void {
    const node = nodeOf(vma);
    const before = this.nodeBefore(vma.startVpn);
    assert((before === null ? this.head : before.next) === node, 'mm/vma-index/avl.ts: an erased VMA is in the list');
    if (before === null) this.head = node.next;
    else before.next = node.next;
    if (this.root !== null) this.root = removeUnder(this.root, node);
    if (this.cache === node) this.cache = null;
    vma.indexNode = null;
    this.count--;
  }

  /** Neither the order nor a link depends on a bound. */
  resize(vma: Vma, startVpn: Vpn, endVpn: Vpn): void {
    nodeOf(vma);
    vma.startVpn = startVpn;
    vma.endVpn = endVpn;
  }

  gapBottomUp(low: Vpn, high: Vpn, sizePages: number): Vpn | -1 {
    return firstGap(this.nodeFrom(low), low, high, sizePages);
  }

  gapTopDown(low: Vpn, high: Vpn, sizePages: number): Vpn | -1 {
    return lastGap(this.nodeFrom(low), low, high, sizePages);
  }

  findBroken(): string | null {
    return findBrokenList(this.head, this.cache, this.count) ?? this.findBrokenTree();
  }

  private findBrokenTree(): string | null {
    if (this.root === null) return this.count < AVL_MIN_MAP_COUNT ? null : 'X3: no tree';
    let expected = this.head;
    const check = (node: AvlNode | null): string | null => {
      if (node === null) return null;
      const broken = check(node.left);
      if (broken !== null) return broken;
      if (node !== expected) return 'X3: the tree in order is the list';
      expected = node.next;
      const left = heightOf(node.left);
      const right = heightOf(node.right);
      if (Math.abs(left - right) > 1) return 'X3: balance';
      if (node.height !== Math.max(left, right) + 1) return 'X3: height';
      return check(node.right);
    };
    return check(this.root) ?? (expected === null ? null : 'X3: the tree holds the whole list');
  }

  /** The first that ends above `page`: by the tree where there is one. */
  private nodeFrom(page: Vpn): AvlNode | null {
    let found: AvlNode | null = null;
    if (this.root === null) {
      found = this.head;
      while (found !== null && found.vma.endVpn <= page) found = found.next;
      return found;
    }
    for (let node: AvlNode | null = this.root; node !== null; ) {
      if (node.vma.endVpn > page) {
        found = node;
        if (node.vma.startVpn <= page) break;
        node = node.left;
      } else node = node.right;
    }
    return found;
  }

  /** The last that starts below `page` (avl_neighbours). */
  private nodeBefore(page: number): AvlNode | null {
    let before: AvlNode | null = null;
    if (this.root === null) {
      for (let node = this.head; node !== null && node.vma.startVpn < page; node = node.next) before = node;
      return before;
    }
    for (let node: AvlNode | null = this.root; node !== null; ) {
      if (node.vma.startVpn < page) {
        before = node;
        node = node.right;
      } else node = node.left;
    }
    return before;
  }

  /** build_mmap_avl. */
  private buildTree(): void {
    for (let node = this.head; node !== null; node = node.next)
      this.root = this.root === null ? node : insertUnder(this.root, node);
  }
}

function nodeOf(vma: Vma): AvlNode {
  const node = vma.indexNode;
  assert(node instanceof AvlNode, 'mm/vma-index/avl.ts: the VMA is in a tree or its list');
  return node;
}

function heightOf(node: AvlNode | null): number {
  return node === null ? 0 : node.height;
}

/** The new root of the subtree. */
function insertUnder(tree: AvlNode | null, node: AvlNode): AvlNode {
  if (tree === null) return node;
  if (node.vma.startVpn < tree.vma.startVpn) tree.left = insertUnder(tree.left, node);
  else tree.right = insertUnder(tree.right, node);
  return rebalance(tree);
}

/** avl_remove: the largest node below takes the place. The new root of the subtree. */
function removeUnder(tree: AvlNode | null, node: AvlNode): AvlNode | null {
  assert(tree !== null, 'mm/vma-index/avl.ts: an erased VMA is in the tree');
  if (tree !== node) {
    if (node.vma.startVpn < tree.vma.startVpn) tree.left = removeUnder(tree.left, node);
    else tree.right = removeUnder(tree.right, node);
    return rebalance(tree);
  }
  const { left, right } = node;
  node.left = null;
  node.right = null;
  node.height = 1;
  if (left === null) return right;
  let heir = left;
  while (heir.right !== null) heir = heir.right;
  heir.left = removeUnder(left, heir);
  heir.right = right;
  return rebalance(heir);
}

/** avl_rebalance, one level: subtrees whose heights differ by two are turned. */
function rebalance(node: AvlNode): AvlNode {
  const { left, right } = node;
  const lean = heightOf(left) - heightOf(right);
  if (left !== null && lean > 1) {
    if (heightOf(left.left) < heightOf(left.right)) node.left = turnLeft(left);
    return turnRight(node);
  }
  if (right !== null && lean < -1) {
    if (heightOf(right.right) < heightOf(right.left)) node.right = turnRight(right);
    return turnLeft(node);
  }
  node.height = Math.max(heightOf(left), heightOf(right)) + 1;
  return node;
}

function turnRight(node: AvlNode): AvlNode {
  const top = node.left;
  assert(top !== null, 'mm/vma-index/avl.ts: what turns right has a left child');
  node.left = top.right;
  top.right = node;
  node.height = Math.max(heightOf(node.left), heightOf(node.right)) + 1;
  top.height = Math.max(heightOf(top.left), node.height) + 1;
  return top;
}

function turnLeft(node: AvlNode): AvlNode {
  const top = node.right;
  assert(top !== null, 'mm/vma-index/avl.ts: what turns left has a right child');
  node.right = top.left;
  top.left = node;
  node.height = Math.max(heightOf(node.left), heightOf(node.right)) + 1;
  top.height = Math.max(heightOf(top.right), node.height) + 1;
  return top;
}
