import { RbTreeIndex } from './rbtree.ts';
import { testVmaIndex } from './testing/contract.ts';

testVmaIndex('rbtree', () => new RbTreeIndex());
