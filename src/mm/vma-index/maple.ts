import { assert } from '../../base/assert.ts';
import type { Vpn } from '../../machine/units.ts';
import type { Vma } from '../vma.ts';
import type { VmaIndex } from './vma-index.ts';

/** Entries a node: the size of Linux's maple_leaf_64 and maple_range_64 nodes. */
const NODE_SLOTS = 16;
const MIN_FILL = NODE_SLOTS / 2;

/**
 * A B-tree of VMAs in the manner of Linux's maple tree: all VMAs in the leaves, each node augmented with the largest hole
 * between its entries, so that a free range is found without a walk over the VMAs.
 *
 * Invariants (findBroken):
 *  X1 VMAs rise and do not overlap; all leaves have the same depth.
 *  X2 A node other than the root has MIN_FILL to NODE_SLOTS entries; an inner root at least two.
 *  X3 min, max and maxGap of a node are those of its entries; maxGap counts holes between entries only, not at the edges.
 *  X4 The VMA that was found last (the mmap_cache of earlier Linux) is in the tree, and none lies between the page that it was found
 *     for and its start; or there is none.
 */
export class MapleIndex implements VmaIndex {
  count = 0;
  private root: Node = newLeaf();
  /** Most searches are for the one again: of a fault beside the last, or of the steps of one munmap. */
  private lastFound: Vma | null = null;
  /** From here on it is the one; Infinity: from its start on. */
  private lastFrom = Number.POSITIVE_INFINITY;

  find(page: Vpn): Vma | null {
    const last = this.lastFound;
    if (last !== null && page < last.endVpn && (last.startVpn <= page || this.lastFrom <= page)) return last;
    let node = this.root;
    if (node.max <= page) return null;
    while (node.children !== null) {
      const { children } = node;
      let i = 0;
      while (children[i].max <= page) i++;
      node = children[i];
    }
    const { vmas } = node;
    for (let i = 0; i < vmas.length; i++)
      if (vmas[i].endVpn > page) {
        this.lastFrom = page;
        return (this.lastFound = vmas[i]);
      }
    return null;
  }

  findPrev(page: Vpn): Vma | null {
    // The last VMA that ends at or before `page`.
    let node = this.root;
    let before: Node | null = null;
    while (node.children !== null) {
      const { children } = node;
      let i = 0;
      while (i < children.length - 1 && children[i].max <= page) i++;
      if (i > 0) before = children[i - 1];
      node = children[i];
    }
    const { vmas } = node;
    for (let i = vmas.length - 1; i >= 0; i--) if (vmas[i].endVpn <= page) return vmas[i];
    if (before === null) return null;
    while (before.children !== null) before = before.children[before.children.length - 1];
    return before.vmas[before.vmas.length - 1];
  }

  first(): Vma | null {
    let node = this.root;
    while (node.children !== null) node = node.children[0];
    return node.vmas.length > 0 ? node.vmas[0] : null;
  }

  last(): Vma | null {
    let node = this.root;
    while (node.children !== null) node = node.children[node.children.length - 1];
    return node.vmas.length > 0 ? node.vmas[node.vmas.length - 1] : null;
  }

  next(vma: Vma): Vma | null {
    return this.find(vma.endVpn);
  }

  prev(vma: Vma): Vma | null {
    return this.findPrev(vma.startVpn);
  }

  insert(vma: Vma): void {
    this.lastFrom = Number.POSITIVE_INFINITY;
    const sibling = insertUnder(this.root, vma);
    if (sibling !== null) {
      const top: Node = { vmas: [], children: [this.root, sibling], min: 0, max: 0, maxGap: 0 };
      refresh(top);
      this.root = top;
    }
    this.count++;
  }

  erase(vma: Vma): void {
    if (this.lastFound === vma) this.lastFound = null;
    eraseUnder(this.root, vma);
    if (this.root.children !== null && this.root.children.length === 1) this.root = this.root.children[0];
    this.count--;
  }

  resize(vma: Vma, startVpn: Vpn, endVpn: Vpn): void {
    this.lastFrom = Number.POSITIVE_INFINITY;
    resizeUnder(this.root, vma, vma.startVpn, startVpn, endVpn);
  }

  gapBottomUp(low: Vpn, high: Vpn, sizePages: number): Vpn | -1 {
    if (high - low < sizePages) return -1;
    const { root } = this;
    if (this.count === 0 || root.min - low >= sizePages) return low;
    const inside = lowestGap(root, low, high, sizePages);
    if (inside !== -1) return inside as Vpn;
    const start = Math.max(low, root.max);
    return high - start >= sizePages ? (start as Vpn) : -1;
  }

  gapTopDown(low: Vpn, high: Vpn, sizePages: number): Vpn | -1 {
    if (high - low < sizePages) return -1;
    const { root } = this;
    if (this.count === 0 || high - root.max >= sizePages) return Math.max(low, high - sizePages) as Vpn;
    const inside = highestGap(root, low, high, sizePages);
    if (inside !== -1) return inside as Vpn;
    const end = Math.min(high, root.min);
    return end - low >= sizePages ? ((end - sizePages) as Vpn) : -1;
  }

  findBroken(): string | null {
    let counted = 0;
    let before = -1;
    let leafDepth = -1;
    let hasLast = this.lastFound === null;
    const check = (node: Node, depth: number): string | null => {
      const { children, vmas } = node;
      const size = children === null ? vmas.length : children.length;
      if (size > NODE_SLOTS || (node !== this.root && size < MIN_FILL)) return 'X2: fill';
      if (node === this.root && children !== null && size < 2) return 'X2: root';
      const { min, max, maxGap } = node;
      refresh(node);
      if (min !== node.min || max !== node.max || maxGap !== node.maxGap) return 'X3: min, max, maxGap';
      if (children !== null) {
        for (const child of children) {
          const broken = check(child, depth + 1);
          if (broken !== null) return broken;
        }
        return null;
      }
      if (leafDepth === -1) leafDepth = depth;
      if (leafDepth !== depth) return 'X1: depth';
      for (const vma of vmas) {
        if (this.lastFound !== null && vma.endVpn > this.lastFrom && vma.startVpn < this.lastFound.startVpn)
          return 'X4: one before the last found';
        if (vma.startVpn < before || vma.startVpn >= vma.endVpn) return 'X1: order';
        before = vma.endVpn;
        counted++;
        if (vma === this.lastFound) hasLast = true;
      }
      return null;
    };
    return check(this.root, 0) ?? (counted === this.count ? null : 'count') ?? (hasLast ? null : 'X4: the last found');
  }
}

/** A leaf has VMAs and children null; an inner node has children and no VMAs. */
interface Node {
  vmas: Vma[];
  children: Node[] | null;
  min: number;
  max: number;
  maxGap: number;
}

function newLeaf(): Node {
  return { vmas: [], children: null, min: 0, max: 0, maxGap: 0 };
}

function refresh(node: Node): void {
  let maxGap = 0;
  const { children, vmas } = node;
  if (children === null) {
    for (let i = 1; i < vmas.length; i++) maxGap = Math.max(maxGap, vmas[i].startVpn - vmas[i - 1].endVpn);
    node.min = vmas.length > 0 ? vmas[0].startVpn : 0;
    node.max = vmas.length > 0 ? vmas[vmas.length - 1].endVpn : 0;
  } else {
    for (let i = 0; i < children.length; i++) {
      maxGap = Math.max(maxGap, children[i].maxGap);
      if (i > 0) maxGap = Math.max(maxGap, children[i].min - children[i - 1].max);
    }
    node.min = children[0].min;
    node.max = children[children.length - 1].max;
  }
  node.maxGap = maxGap;
}

/** The child whose VMAs surround `start`: the last that begins at or before it. */
function childFor(children: Node[], start: number): number {
  let i = children.length - 1;
  while (i > 0 && children[i].min > start) i--;
  return i;
}

/** Returns the new right sibling if the node had to be cut in two. */
function insertUnder(node: Node, vma: Vma): Node | null {
  const { children, vmas } = node;
  if (children === null) {
    let i = vmas.length;
    while (i > 0 && vmas[i - 1].startVpn > vma.startVpn) i--;
    insertAt(vmas, i, vma);
  } else {
    const i = childFor(children, vma.startVpn);
    const sibling = insertUnder(children[i], vma);
    if (sibling !== null) insertAt(children, i + 1, sibling);
  }
  const size = children === null ? vmas.length : children.length;
  let right: Node | null = null;
  if (size > NODE_SLOTS) {
    right = newLeaf();
    if (children === null) right.vmas = vmas.splice(MIN_FILL);
    else right.children = children.splice(MIN_FILL);
    refresh(right);
  }
  refresh(node);
  return right;
}

function eraseUnder(node: Node, vma: Vma): void {
  const { children, vmas } = node;
  if (children === null) {
    const i = vmas.indexOf(vma);
    assert(i >= 0, 'mm/vma-index/maple.ts: an erased VMA is in the tree');
    removeAt(vmas, i);
  } else {
    const i = childFor(children, vma.startVpn);
    const child = children[i];
    eraseUnder(child, vma);
    if (sizeOf(child) < MIN_FILL) refill(children, i);
  }
  refresh(node);
}

/** As splice, which makes an array of what it took out. */
function insertAt<T>(slots: T[], at: number, value: T): void {
  for (let i = slots.length; i > at; i--) slots[i] = slots[i - 1];
  slots[at] = value;
}

function removeAt<T>(slots: T[], at: number): void {
  for (let i = at + 1; i < slots.length; i++) slots[i - 1] = slots[i];
  slots.pop();
}

function sizeOf(node: Node): number {
  return node.children === null ? node.vmas.length : node.children.length;
}

/** Child `i` is below MIN_FILL: joins it with a neighbour, or shares the neighbour's entries evenly. */
function refill(children: Node[], i: number): void {
  const at = i > 0 ? i - 1 : i;
  const left = children[at];
  const right = children[at + 1];
  const total = sizeOf(left) + sizeOf(right);
  const keep = total <= NODE_SLOTS ? total : Math.floor(total / 2);
  if (left.children === null || right.children === null) {
    const all = left.vmas.concat(right.vmas);
    left.vmas = all.slice(0, keep);
    right.vmas = all.slice(keep);
  } else {
    const all = left.children.concat(right.children);
    left.children = all.slice(0, keep);
    right.children = all.slice(keep);
  }
  refresh(left);
  if (keep === total) removeAt(children, at + 1);
  else refresh(right);
}

function resizeUnder(node: Node, vma: Vma, oldStart: number, startVpn: Vpn, endVpn: Vpn): void {
  if (node.children === null) {
    assert(node.vmas.includes(vma), 'mm/vma-index/maple.ts: a resized VMA is in the tree');
    vma.startVpn = startVpn;
    vma.endVpn = endVpn;
  } else {
    resizeUnder(node.children[childFor(node.children, oldStart)], vma, oldStart, startVpn, endVpn);
  }
  refresh(node);
}

/** Lowest start of a hole between entries of the node, cut to [low, high). */
function lowestGap(node: Node, low: number, high: number, size: number): number {
  if (node.maxGap < size || node.max <= low || node.min >= high) return -1;
  const { children, vmas } = node;
  if (children === null) {
    for (let i = 1; i < vmas.length; i++) {
      const start = Math.max(low, vmas[i - 1].endVpn);
      if (Math.min(high, vmas[i].startVpn) - start >= size) return start;
    }
    return -1;
  }
  for (let i = 0; i < children.length; i++) {
    if (i > 0) {
      const start = Math.max(low, children[i - 1].max);
      if (Math.min(high, children[i].min) - start >= size) return start;
    }
    const inside = lowestGap(children[i], low, high, size);
    if (inside !== -1) return inside;
  }
  return -1;
}

function highestGap(node: Node, low: number, high: number, size: number): number {
  if (node.maxGap < size || node.max <= low || node.min >= high) return -1;
  const { children, vmas } = node;
  if (children === null) {
    for (let i = vmas.length - 1; i > 0; i--) {
      const end = Math.min(high, vmas[i].startVpn);
      if (end - Math.max(low, vmas[i - 1].endVpn) >= size) return end - size;
    }
    return -1;
  }
  for (let i = children.length - 1; i >= 0; i--) {
    const inside = highestGap(children[i], low, high, size);
    if (inside !== -1) return inside;
    if (i > 0) {
      const end = Math.min(high, children[i].min);
      if (end - Math.max(low, children[i - 1].max) >= size) return end - size;
    }
  }
  return -1;
}
