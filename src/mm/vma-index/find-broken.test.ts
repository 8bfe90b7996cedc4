import { describe, expect, it } from 'vitest';
import { type Pfn, vpn } from '../../machine/units.ts';
import { AddressSpace } from '../address-space.ts';
import { Vma } from '../vma.ts';
import { AvlIndex, AvlNode } from './avl.ts';
import { ListIndex, ListNode } from './list.ts';
import { MapleIndex } from './maple.ts';
import { RbNode } from './rb-node.ts';
import { RbTreeIndex } from './rbtree.ts';
import type { VmaIndex } from './vma-index.ts';

/** 60 VMAs of two pages with holes of two; the one in the middle. */
function filled(index: VmaIndex): Vma {
  const space = new AddressSpace(0, 0, 0 as Pfn, vpn(2 ** 26), index, { assignAsid: () => 1 });
  const vmas = Array.from({ length: 60 }, (_, i) => new Vma(1, space, vpn(i * 4), vpn(i * 4 + 2), 0, 0));
  for (const vma of vmas) index.insert(vma);
  expect(index.findBroken()).toBe(null);
  return vmas[30];
}

function nodeOf<T>(vma: Vma, kind: new (vma: Vma) => T): T {
  if (!(vma.indexNode instanceof kind)) throw new Error('no node');
  return vma.indexNode;
}

describe('an index names what is broken in it', () => {
  for (const create of [() => new ListIndex(), () => new AvlIndex(), () => new RbTreeIndex(), () => new MapleIndex()]) {
    const { name } = create().constructor;
    it(`${name}: VMAs that overlap, a wrong count`, () => {
      const index = create();
      const vma = filled(index);
      vma.endVpn = vpn(vma.startVpn + 7);
      expect(index.findBroken()).toMatch(/order|X3|RB3/);
      const other = create();
      filled(other);
      other.count--;
      expect(other.findBroken()).toBe('count');
    });
  }

  it('ListIndex: a node that is not its VMA’s', () => {
    const index = new ListIndex();
    const vma = filled(index);
    vma.indexNode = new ListNode(vma);
    expect(index.findBroken()).toBe('X1: indexNode');
  });

  it('AvlIndex: heights, balance, a subtree that is lost', () => {
    for (const [spoil, message] of [
      [(node: AvlNode) => node.height++, /X3/],
      [(node: AvlNode) => void (node.left = null), /X3/],
      [(node: AvlNode) => void ([node.left, node.right] = [node.right, node.left]), /X3/],
    ] as const) {
      const index = new AvlIndex();
      // The 16th of 60 in rising order is high in the tree: it has children on both sides.
      filled(index);
      const first = index.find(vpn(31 * 4));
      if (first === null) throw new Error('not there');
      const node = nodeOf(first, AvlNode);
      expect(node.left).not.toBe(null);
      spoil(node);
      expect(index.findBroken()).toMatch(message);
    }
  });

  it('RbTreeIndex: colours, parents, the way back, subtree gaps', () => {
    for (const [spoil, message] of [
      [(node: RbNode) => void (node.isRed = !node.isRed), /RB1/],
      [(node: RbNode) => void (node.parent = node), /RB2/],
      [(node: RbNode) => void (node.prev = null), /X1/],
      [(node: RbNode) => node.subtreeGap++, /RB3/],
    ] as const) {
      const index = new RbTreeIndex();
      const vma = filled(index);
      spoil(nodeOf(vma, RbNode));
      expect(index.findBroken()).toMatch(message);
    }
  });
});
