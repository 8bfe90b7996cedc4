import { assert } from '../../base/assert.ts';
import type { Vpn } from '../../machine/units.ts';
import type { Vma } from '../vma.ts';
import { gapBefore, RbNode, RbTree } from './rb-node.ts';
import type { VmaIndex } from './vma-index.ts';

/**
 * The VMAs as Linux 2.4.10 to 6.0 kept them, in the shape of 3.8 to 3.14 (mm/mmap.c): mm_rb for find_vma, the list with
 * vm_next and (since 2.6.37) vm_prev beside it, the last result of find_vma in mmap_cache (from 3.15 four of them a thread,
 * vmacache), and since 3.8 rb_subtree_gap, so that unmapped_area and unmapped_area_topdown pass over every subtree that has no
 * hole large enough. The hole above the last VMA is in no node; those functions look at it apart (highest_vm_end).
 *
 * Invariants (findBroken): RB1 to RB3 of rb-node.ts, and
 *  X1 The list rises, its VMAs do not overlap, prev is the way back, and each one's indexNode is its node.
 *  X2 The tree in order is the list.
 *  X3 The cache is null or a node of the list.
 */
export class RbTreeIndex implements VmaIndex {
  count = 0;
  private head: RbNode | null = null;
  private cache: RbNode | null = null;
  private readonly tree = new RbTree();

  find(page: Vpn): Vma | null {
    const { cache } = this;
    if (cache !== null && cache.vma.endVpn > page && cache.vma.startVpn <= page) return cache.vma;
    let found: RbNode | null = null;
    for (let node = this.tree.root; node !== null; ) {
      if (node.vma.endVpn > page) {
        found = node;
        if (node.vma.startVpn <= page) break;
        node = node.left;
      } else node = node.right;
    }
    if (found === null) return null;
    this.cache = found;
    return found.vma;
  }

  findPrev(page: Vpn): Vma | null {
    let found: RbNode | null = null;
    for (let node = this.tree.root; node !== null; ) {
      if (node.vma.endVpn <= page) {
        found = node;
        node = node.right;
      } else node = node.left;
    }
    return found === null ? null : found.vma;
  }

  first(): Vma | null {
    return this.head === null ? null : this.head.vma;
  }

  last(): Vma | null {
    const node = this.lastNode();
    return node === null ? null : node.vma;
  }

  next(vma: Vma): Vma | null {
    const { next } = nodeOf(vma);
    return next === null ? null : next.vma;
  }

  prev(vma: Vma): Vma | null {
    const { prev } = nodeOf(vma);
    return prev === null ? null : prev.vma;
  }

  /** find_vma_links, __vma_link_list, __vma_link_rb. */
  insert(vma: Vma): void {
    const node = new RbNode(vma);
    let parent: RbNode | null = null;
    let prev: RbNode | null = null;
    for (let at = this.tree.root; at !== null; ) {
      parent = at;
      if (at.vma.startVpn > vma.startVpn) at = at.left;
      else {
        prev = at;
        at = at.right;
      }
    }
    const next = prev === null ? this.head : prev.next;
    node.prev = prev;
    node.next = next;
    if (prev === null) this.head = node;
    else prev.next = node;
    if (next !== null) next.prev = node;
    // Before the node itself goes in: the hole in front of the next is now smaller.
    if (next !== null) this.tree.updateGap(next);
    this.tree.link(node, parent, parent !== null && parent === prev ? 'right' : 'left');
    vma.indexNode = node;
    this.count++;
  }

  /** __vma_unlink. */
  erase(vma: Vma): void {
    const node = nodeOf(vma);
    const { prev, next } = node;
    if (prev === null) this.head = next;
    else prev.next = next;
    if (next !== null) next.prev = prev;
    this.tree.unlink(node);
    if (next !== null) this.tree.updateGap(next);
    if (this.cache === node) this.cache = null;
    vma.indexNode = null;
    this.count--;
  }

  /** The part of vma_adjust that concerns the tree: order stays, this hole and the next one change. */
  resize(vma: Vma, startVpn: Vpn, endVpn: Vpn): void {
    const node = nodeOf(vma);
    vma.startVpn = startVpn;
    vma.endVpn = endVpn;
    this.tree.updateGap(node);
    if (node.next !== null) this.tree.updateGap(node.next);
  }

  gapBottomUp(low: Vpn, high: Vpn, sizePages: number): Vpn | -1 {
    if (high - low < sizePages) return -1;
    const inside = lowestGap(this.tree.root, low, high, sizePages);
    if (inside !== -1) return inside as Vpn;
    const start = Math.max(low, this.highestEnd());
    return high - start >= sizePages ? (start as Vpn) : -1;
  }

  gapTopDown(low: Vpn, high: Vpn, sizePages: number): Vpn | -1 {
    if (high - Math.max(low, this.highestEnd()) >= sizePages) return (high - sizePages) as Vpn;
    return highestGap(this.tree.root, low, high, sizePages) as Vpn | -1;
  }

  findBroken(): string | null {
    let counted = 0;
    let isCacheThere = this.cache === null;
    for (let node = this.head, prev: RbNode | null = null; node !== null; prev = node, node = node.next) {
      const { vma } = node;
      if (vma.startVpn >= vma.endVpn || (prev !== null && prev.vma.endVpn > vma.startVpn)) return 'X1: order';
      if (node.prev !== prev) return 'X1: prev';
      if (vma.indexNode !== node) return 'X1: indexNode';
      if (node === this.cache) isCacheThere = true;
      counted++;
    }
    if (counted !== this.count) return 'count';
    if (!isCacheThere) return 'X3: cache';
    let expected = this.head;
    const isInOrder = (node: RbNode | null): boolean => {
      if (node === null) return true;
      if (!isInOrder(node.left) || node !== expected) return false;
      expected = node.next;
      return isInOrder(node.right);
    };
    if (!isInOrder(this.tree.root) || expected !== null) return 'X2: the tree in order is the list';
    return this.tree.findBroken();
  }

  private lastNode(): RbNode | null {
    let node = this.tree.root;
    while (node !== null && node.right !== null) node = node.right;
    return node;
  }

  /** highest_vm_end. */
  private highestEnd(): number {
    const node = this.lastNode();
    return node === null ? 0 : node.vma.endVpn;
  }
}

function nodeOf(vma: Vma): RbNode {
  const node = vma.indexNode;
  assert(node instanceof RbNode, 'mm/vma-index/rbtree.ts: the VMA is in a tree');
  return node;
}

/** Lowest start of a hole in front of a VMA of the subtree, cut to [low, high); -1 none (unmapped_area). */
function lowestGap(node: RbNode | null, low: number, high: number, size: number): number {
  if (node === null || node.subtreeGap < size) return -1;
  // Every hole on the left ends at or below this VMA's start; every one on the right begins at or above its end.
  const { startVpn, endVpn } = node.vma;
  if (startVpn - low >= size) {
    const inside = lowestGap(node.left, low, high, size);
    if (inside !== -1) return inside;
    const from = Math.max(low, startVpn - gapBefore(node));
    if (Math.min(high, startVpn) - from >= size) return from;
  }
  return high - endVpn >= size ? lowestGap(node.right, low, high, size) : -1;
}

/** Highest start of `size` free pages in such a hole; -1 none (unmapped_area_topdown). */
function highestGap(node: RbNode | null, low: number, high: number, size: number): number {
  if (node === null || node.subtreeGap < size) return -1;
  const { startVpn, endVpn } = node.vma;
  if (high - endVpn >= size) {
    const inside = highestGap(node.right, low, high, size);
    if (inside !== -1) return inside;
  }
  if (startVpn - low < size) return -1;
  const end = Math.min(high, startVpn);
  if (end - Math.max(low, startVpn - gapBefore(node)) >= size) return end - size;
  return highestGap(node.left, low, high, size);
}
