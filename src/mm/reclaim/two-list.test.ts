import { testReclaimPolicy } from './testing/contract.ts';

testReclaimPolicy('two-list');
