import { AvlIndex } from './avl.ts';
import { ListIndex } from './list.ts';
import { MapleIndex } from './maple.ts';
import { RbTreeIndex } from './rbtree.ts';
import type { VmaIndex } from './vma-index.ts';

/** Every index, oldest first, by the name that selects it. What a program can see is the same under all. */
export const VMA_INDEX_KINDS = ['list', 'avl', 'rbtree', 'maple'] as const;
export type VmaIndexKind = (typeof VMA_INDEX_KINDS)[number];

const CREATE: Readonly<Record<VmaIndexKind, () => VmaIndex>> = {
  list: () => new ListIndex(),
  avl: () => new AvlIndex(),
  rbtree: () => new RbTreeIndex(),
  maple: () => new MapleIndex(),
};

export function createVmaIndex(kind: VmaIndexKind): VmaIndex {
  return CREATE[kind]();
}
