import { testReclaimPolicy } from './testing/contract.ts';

testReclaimPolicy('lru');
