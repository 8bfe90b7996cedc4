import { testReclaimPolicy } from './testing/contract.ts';

testReclaimPolicy('arc');
