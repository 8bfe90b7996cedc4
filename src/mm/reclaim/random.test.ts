import { testReclaimPolicy } from './testing/contract.ts';

testReclaimPolicy('random');
