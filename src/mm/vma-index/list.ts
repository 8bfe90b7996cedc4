import { assert } from '../../base/assert.ts';
import type { Vpn } from '../../machine/units.ts';
import type { Vma } from '../vma.ts';
import { findBrokenList, firstGap, lastGap } from './linked-list.ts';
import type { VmaIndex } from './vma-index.ts';

/** vm_next alone: no way back. */
export class ListNode {
  readonly vma: Vma;
  next: ListNode | null = null;

  constructor(vma: Vma) {
    this.vma = vma;
  }
}

/**
 * The VMAs as early Linux kept them: one list by rising address from mm->mmap (1.0), with the last result of find_vma in
 * mm->mmap_cache (2.1). 2.2 and 2.4 still worked so for a space of fewer than AVL_MIN_MAP_COUNT VMAs. Every question but one
 * that the cache answers is a walk from the head: find_vma, insert_vm_struct, and the first fit of get_unmapped_area
 * (2.2, mm/mmap.c). Those kernels searched from the bottom up only; the search from the top down is the same walk, which
 * remembers the last hole that fits.
 *
 * Invariants (findBroken):
 *  X1 The list rises, its VMAs do not overlap, and each one's indexNode is its node.
 *  X2 The cache is null or a node of the list.
 */
export class ListIndex implements VmaIndex {
  count = 0;
  private head: ListNode | null = null;
  private cache: ListNode | null = null;

  find(page: Vpn): Vma | null {
    const { cache } = this;
    if (cache !== null && cache.vma.endVpn > page && cache.vma.startVpn <= page) return cache.vma;
    let node = this.head;
    while (node !== null && node.vma.endVpn <= page) node = node.next;
    if (node === null) return null;
    this.cache = node;
    return node.vma;
  }

  findPrev(page: Vpn): Vma | null {
    let before: ListNode | null = null;
    for (let node = this.head; node !== null && node.vma.endVpn <= page; node = node.next) before = node;
    return before === null ? null : before.vma;
  }

  first(): Vma | null {
    return this.head === null ? null : this.head.vma;
  }

  last(): Vma | null {
    let node = this.head;
    while (node !== null && node.next !== null) node = node.next;
    return node === null ? null : node.vma;
  }

  next(vma: Vma): Vma | null {
    const { next } = nodeOf(vma);
    return next === null ? null : next.vma;
  }

  prev(vma: Vma): Vma | null {
    return this.findPrev(vma.startVpn);
  }

  insert(vma: Vma): void {
    const node = new ListNode(vma);
    const before = this.nodeBefore(vma);
    if (before === null) {
      node.next = this.head;
      this.head = node;
    } else {
      node.next = before.next;
      before.next = node;
    }
    vma.indexNode = node;
    this.count++;
  }

  erase(vma: Vma): void {
    const node = nodeOf(vma);
    const before = this.nodeBefore(vma);
    assert((before === null ? this.head : before.next) === node, 'mm/vma-index/list.ts: an erased VMA is in the list');
    if (before === null) this.head = node.next;
    else before.next = node.next;
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
    return firstGap(this.head, low, high, sizePages);
  }

  gapTopDown(low: Vpn, high: Vpn, sizePages: number): Vpn | -1 {
    return lastGap(this.head, low, high, sizePages);
  }

  findBroken(): string | null {
    return findBrokenList(this.head, this.cache, this.count);
  }

  /** Null: the VMA is or becomes the first. */
  private nodeBefore(vma: Vma): ListNode | null {
    let before: ListNode | null = null;
    for (let node = this.head; node !== null && node.vma.startVpn < vma.startVpn; node = node.next) before = node;
    return before;
  }
}

function nodeOf(vma: Vma): ListNode {
  const node = vma.indexNode;
  assert(node instanceof ListNode, 'mm/vma-index/list.ts: the VMA is in a list');
  return node;
}
