import { AvlIndex } from './avl.ts';
import { testVmaIndex } from './testing/contract.ts';

testVmaIndex('avl', () => new AvlIndex());
