import { ListIndex } from './list.ts';
import { testVmaIndex } from './testing/contract.ts';

testVmaIndex('list', () => new ListIndex());
