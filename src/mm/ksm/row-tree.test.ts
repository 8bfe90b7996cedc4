import { describe, expect, it } from 'vitest';
import { fc } from '../../../test/property.ts';
import { NO_ROW, RowTree } from './row-tree.ts';

/** Rows ordered by their number. */
function insert(tree: RowTree, row: number): void {
  let above = NO_ROW;
  let side: 'left' | 'right' = 'left';
  for (let at = tree.root; at !== NO_ROW; ) {
    above = at;
    side = row < at ? 'left' : 'right';
    at = side === 'left' ? tree.left[at] : tree.right[at];
  }
  tree.link(row, above, side);
}

function inOrder(tree: RowTree): number[] {
  const rows: number[] = [];
  for (let row = tree.first(); row !== NO_ROW; row = tree.next(row)) rows.push(row);
  return rows;
}

describe('RowTree', () => {
  it('holds what a sorted list holds, balanced (Y1, Y2), through links and erasures', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 200 }), (steps) => {
        const tree = new RowTree(61);
        const model = new Set<number>();
        for (const row of steps) {
          if (model.delete(row)) tree.erase(row);
          else {
            insert(tree, row);
            model.add(row);
          }
          expect(tree.findBroken()).toBeNull();
        }
        expect(inOrder(tree)).toEqual([...model].sort((a, b) => a - b));
      }),
    );
  });

  it('puts one row in the place of another', () => {
    const tree = new RowTree(20);
    for (const row of [2, 4, 6, 8, 10, 12]) insert(tree, row);
    for (const row of [4, 8, 2, 12]) tree.replace(row, row + 1);
    expect(inOrder(tree)).toEqual([3, 5, 6, 9, 10, 13]);
    expect(tree.findBroken()).toBeNull();
  });

  it('forgets all rows at once, and takes them again after it has grown', () => {
    const tree = new RowTree(4);
    for (const row of [1, 2, 3]) insert(tree, row);
    tree.clear();
    tree.grow(8);
    for (const row of [7, 3, 1, 5]) insert(tree, row);
    expect(inOrder(tree)).toEqual([1, 3, 5, 7]);
    expect(tree.findBroken()).toBeNull();
  });
});
