import { testReclaimPolicy } from './testing/contract.ts';

testReclaimPolicy('aging-2.4');
