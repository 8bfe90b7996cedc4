/**
 * Ordered set of closed intervals [start, last] that finds all that overlap a range in O(log n + answers): an AVL tree by
 * (start, age), each node augmented with the largest `last` of its subtree (Linux: mm/interval_tree.c over
 * rbtree_augmented). File VMAs by page offset hang in FilePages.i_mmap, AnonVmaChains in AnonVma.tree.
 *
 * Invariants:
 *  T1 In order, (start, age) rises strictly; equal starts stand in the order of insertion, so walks are deterministic.
 *  T2 maxLast = max(own last, maxLast of both children).
 *  T3 Heights of two siblings differ by at most one.
 */
export interface IntervalNode<T> {
  readonly start: number;
  readonly last: number;
  readonly value: T;
  readonly age: number;
  maxLast: number;
  height: number;
  left: IntervalNode<T> | null;
  right: IntervalNode<T> | null;
}

export class IntervalTree<T> {
  private root: IntervalNode<T> | null = null;
  private nextAge = 0;
  /** Nodes in the tree. */
  count = 0;

  get isEmpty(): boolean {
    return this.root === null;
  }

  /** Returns the node, the handle for `remove`. The bounds of a node never change: remove and insert again. */
  insert(start: number, last: number, value: T): IntervalNode<T> {
    const node: IntervalNode<T> = {
      start,
      last,
      value,
      age: this.nextAge++,
      maxLast: last,
      height: 1,
      left: null,
      right: null,
    };
    this.root = insertUnder(this.root, node);
    this.count++;
    return node;
  }

  /** The node must be in this tree. */
  remove(node: IntervalNode<T>): void {
    this.root = removeUnder(this.root, node);
    this.count--;
  }

  /**
   * Calls `visit` for each interval that overlaps [start, last], by rising start; stops and returns false when `visit`
   * returns false. `visit` must not change the tree.
   */
  forEachOverlap(start: number, last: number, visit: (value: T) => boolean): boolean {
    return visitUnder(this.root, start, last, visit);
  }

  /** The values that overlap [start, last], by rising start: for callers that change the tree as they go. */
  collectOverlaps(start: number, last: number): T[] {
    const found: T[] = [];
    visitUnder(this.root, start, last, (value) => {
      found.push(value);
      return true;
    });
    return found;
  }

  /** What is broken (T1 to T3, count), or null. Walks the whole tree. */
  findBroken(): string | null {
    let counted = 0;
    let before: IntervalNode<T> | null = null;
    const check = (node: IntervalNode<T> | null): string | null => {
      if (node === null) return null;
      const left = check(node.left);
      if (left !== null) return left;
      if (before !== null && !isBefore(before, node)) return 'T1: order';
      before = node;
      counted++;
      const right = check(node.right);
      if (right !== null) return right;
      const maxLast = Math.max(node.last, node.left?.maxLast ?? node.last, node.right?.maxLast ?? node.last);
      if (maxLast !== node.maxLast) return 'T2: maxLast';
      if (Math.abs(heightOf(node.left) - heightOf(node.right)) > 1) return 'T3: balance';
      if (node.height !== 1 + Math.max(heightOf(node.left), heightOf(node.right))) return 'T3: height';
      return null;
    };
    return check(this.root) ?? (counted === this.count ? null : 'count');
  }
}

function visitUnder<T>(
  node: IntervalNode<T> | null,
  start: number,
  last: number,
  visit: (value: T) => boolean,
): boolean {
  let at = node;
  while (at !== null && at.maxLast >= start) {
    if (at.left !== null && !visitUnder(at.left, start, last, visit)) return false;
    if (at.start > last) return true; // all to the right begin later still
    if (at.last >= start && !visit(at.value)) return false;
    at = at.right;
  }
  return true;
}

function isBefore<T>(a: IntervalNode<T>, b: IntervalNode<T>): boolean {
  return a.start !== b.start ? a.start < b.start : a.age < b.age;
}

function heightOf<T>(node: IntervalNode<T> | null): number {
  return node === null ? 0 : node.height;
}

function update<T>(node: IntervalNode<T>): void {
  const { left, right } = node;
  node.height = 1 + Math.max(heightOf(left), heightOf(right));
  let maxLast = node.last;
  if (left !== null && left.maxLast > maxLast) maxLast = left.maxLast;
  if (right !== null && right.maxLast > maxLast) maxLast = right.maxLast;
  node.maxLast = maxLast;
}

function rotateRight<T>(node: IntervalNode<T>): IntervalNode<T> {
  const top = node.left as IntervalNode<T>;
  node.left = top.right;
  top.right = node;
  update(node);
  update(top);
  return top;
}

function rotateLeft<T>(node: IntervalNode<T>): IntervalNode<T> {
  const top = node.right as IntervalNode<T>;
  node.right = top.left;
  top.left = node;
  update(node);
  update(top);
  return top;
}

function rebalance<T>(node: IntervalNode<T>): IntervalNode<T> {
  const { left, right } = node;
  const lean = heightOf(left) - heightOf(right);
  if (lean > 1) {
    const child = left as IntervalNode<T>;
    if (heightOf(child.left) < heightOf(child.right)) node.left = rotateLeft(child);
    return rotateRight(node);
  }
  if (lean < -1) {
    const child = right as IntervalNode<T>;
    if (heightOf(child.right) < heightOf(child.left)) node.right = rotateRight(child);
    return rotateLeft(node);
  }
  update(node);
  return node;
}

function insertUnder<T>(top: IntervalNode<T> | null, node: IntervalNode<T>): IntervalNode<T> {
  if (top === null) return node;
  if (isBefore(node, top)) top.left = insertUnder(top.left, node);
  else top.right = insertUnder(top.right, node);
  return rebalance(top);
}

function removeUnder<T>(top: IntervalNode<T> | null, node: IntervalNode<T>): IntervalNode<T> | null {
  if (top === null) return null;
  if (top === node) {
    const { left, right } = node;
    node.left = null;
    node.right = null;
    if (left === null) return right;
    if (right === null) return left;
    let successor = right;
    while (successor.left !== null) successor = successor.left;
    const rest = removeUnder(right, successor);
    successor.right = rest;
    successor.left = left;
    return rebalance(successor);
  }
  if (isBefore(node, top)) top.left = removeUnder(top.left, node);
  else top.right = removeUnder(top.right, node);
  return rebalance(top);
}
