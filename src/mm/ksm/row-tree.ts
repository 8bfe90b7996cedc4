import { assert } from '../../base/assert.ts';

/** "No row": an empty tree, a missing child, the parent of the root. Rows count from 1. */
export const NO_ROW = 0;

/**
 * A red-black tree (lib/rbtree.c) of rows of a table: links and colours are typed arrays, the row index is the node. The order is
 * the caller's, who walks down and links. Balance depends on colours alone, so that a tree whose order is broken (the unstable
 * tree, whose pages are written behind its back) stays as low as any.
 *
 * Invariants (findBroken):
 *  Y1 The root is black, a red row has no red child, and every way down has as many black rows.
 *  Y2 A child's parent is the row whose child it is.
 */
export class RowTree {
  root = NO_ROW;
  left: Int32Array;
  right: Int32Array;
  private parent: Int32Array;
  private red: Uint8Array;

  constructor(rows: number) {
    this.left = new Int32Array(rows);
    this.right = new Int32Array(rows);
    this.parent = new Int32Array(rows);
    this.red = new Uint8Array(rows);
  }

  /** Makes room for rows up to `rows`, exclusive. */
  grow(rows: number): void {
    this.left = widened(this.left, rows);
    this.right = widened(this.right, rows);
    this.parent = widened(this.parent, rows);
    const red = new Uint8Array(rows);
    red.set(this.red);
    this.red = red;
  }

  /** Forgets all rows at once (root = RB_ROOT): their links are stale, and must not be erased any more. */
  clear(): void {
    this.root = NO_ROW;
  }

  /** rb_link_node and rb_insert_color: under `above`, which has no child on that side; NO_ROW: the tree is empty. */
  link(row: number, above: number, side: 'left' | 'right'): void {
    const { left, right, parent, red } = this;
    left[row] = NO_ROW;
    right[row] = NO_ROW;
    parent[row] = above;
    red[row] = 1;
    if (above === NO_ROW) this.root = row;
    else if (side === 'left') left[above] = row;
    else right[above] = row;
    let at = row;
    while (red[parent[at]] !== 0) {
      const up = parent[at];
      const grand = parent[up];
      const isLeft = left[grand] === up;
      const uncle = isLeft ? right[grand] : left[grand];
      if (red[uncle] !== 0) {
        red[up] = 0;
        red[uncle] = 0;
        red[grand] = 1;
        at = grand;
        continue;
      }
      if (at === (isLeft ? right[up] : left[up])) {
        at = up;
        this.rotate(at, isLeft ? 'left' : 'right');
      }
      red[parent[at]] = 0;
      red[grand] = 1;
      this.rotate(grand, isLeft ? 'right' : 'left');
    }
    red[this.root] = 0;
  }

  /** rb_erase. */
  erase(row: number): void {
    const { left, right, parent, red } = this;
    let removedRed = red[row];
    let child: number;
    if (left[row] === NO_ROW) {
      child = right[row];
      this.transplant(row, child);
    } else if (right[row] === NO_ROW) {
      child = left[row];
      this.transplant(row, child);
    } else {
      let heir = right[row];
      while (left[heir] !== NO_ROW) heir = left[heir];
      removedRed = red[heir];
      child = right[heir];
      if (parent[heir] === row) parent[child] = heir;
      else {
        this.transplant(heir, child);
        right[heir] = right[row];
        parent[right[heir]] = heir;
      }
      this.transplant(row, heir);
      left[heir] = left[row];
      parent[left[heir]] = heir;
      red[heir] = red[row];
    }
    if (removedRed === 0) this.balanceErase(child);
    // Row 0 stands for every missing child; its parent is set only while a row is erased.
    parent[NO_ROW] = NO_ROW;
    red[NO_ROW] = 0;
  }

  /** rb_replace_node: `fresh` takes the place of `row`, and its colour. */
  replace(row: number, fresh: number): void {
    const { left, right, parent, red } = this;
    left[fresh] = left[row];
    right[fresh] = right[row];
    red[fresh] = red[row];
    if (left[row] !== NO_ROW) parent[left[row]] = fresh;
    if (right[row] !== NO_ROW) parent[right[row]] = fresh;
    this.transplant(row, fresh);
  }

  /** The row that comes first in order, or NO_ROW. */
  first(): number {
    let at = this.root;
    while (at !== NO_ROW && this.left[at] !== NO_ROW) at = this.left[at];
    return at;
  }

  /** The row behind `row` in order, or NO_ROW. */
  next(row: number): number {
    const { left, right, parent } = this;
    if (right[row] !== NO_ROW) {
      let at = right[row];
      while (left[at] !== NO_ROW) at = left[at];
      return at;
    }
    let at = row;
    while (parent[at] !== NO_ROW && right[parent[at]] === at) at = parent[at];
    return parent[at];
  }

  /** What is broken of Y1 and Y2, or null. */
  findBroken(): string | null {
    const { left, right, parent, red, root } = this;
    if (red[root] !== 0 || red[NO_ROW] !== 0) return 'Y1: the root is red';
    if (parent[root] !== NO_ROW) return 'Y2: the root has a parent';
    let broken: string | null = null;
    /** Black rows on every way down, the missing child included. */
    const blacks = (row: number): number => {
      if (row === NO_ROW) return 1;
      const below = blacks(left[row]);
      if (below !== blacks(right[row])) broken ??= 'Y1: black height';
      for (const child of [left[row], right[row]]) {
        if (child === NO_ROW) continue;
        if (parent[child] !== row) broken ??= 'Y2: parent';
        if (red[row] !== 0 && red[child] !== 0) broken ??= 'Y1: red below red';
      }
      return below + (red[row] === 0 ? 1 : 0);
    };
    blacks(root);
    return broken;
  }

  /** The subtree of `fresh` (perhaps none) goes where that of `row` is. */
  private transplant(row: number, fresh: number): void {
    const { left, right, parent } = this;
    const above = parent[row];
    if (above === NO_ROW) this.root = fresh;
    else if (left[above] === row) left[above] = fresh;
    else right[above] = fresh;
    parent[fresh] = above;
  }

  /** The row goes down to `side`; its child on the other side comes up. */
  private rotate(row: number, side: 'left' | 'right'): void {
    const down = side === 'left' ? this.left : this.right;
    const up = side === 'left' ? this.right : this.left;
    const { parent } = this;
    const top = up[row];
    assert(top !== NO_ROW, 'mm/ksm/row-tree.ts: Y1 what comes up is there');
    up[row] = down[top];
    if (down[top] !== NO_ROW) parent[down[top]] = row;
    this.transplant(row, top);
    down[top] = row;
    parent[row] = top;
  }

  /** The way through `start` has one black row less than its sibling's. */
  private balanceErase(start: number): void {
    const { left, right, parent, red } = this;
    let at = start;
    while (at !== this.root && red[at] === 0) {
      const up = parent[at];
      const isLeft = left[up] === at;
      const near = isLeft ? left : right;
      const far = isLeft ? right : left;
      const side = isLeft ? 'left' : 'right';
      let sibling = far[up];
      if (red[sibling] !== 0) {
        red[sibling] = 0;
        red[up] = 1;
        this.rotate(up, side);
        sibling = far[up];
      }
      if (red[near[sibling]] === 0 && red[far[sibling]] === 0) {
        red[sibling] = 1;
        at = up;
        continue;
      }
      if (red[far[sibling]] === 0) {
        red[near[sibling]] = 0;
        red[sibling] = 1;
        this.rotate(sibling, isLeft ? 'right' : 'left');
        sibling = far[up];
      }
      red[sibling] = red[up];
      red[up] = 0;
      red[far[sibling]] = 0;
      this.rotate(up, side);
      at = this.root;
    }
    red[at] = 0;
  }
}

/** A longer copy. */
export function widened(array: Int32Array, rows: number): Int32Array {
  const wider = new Int32Array(rows);
  wider.set(array);
  return wider;
}
