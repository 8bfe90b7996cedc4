import { testReclaimPolicy } from './testing/contract.ts';

testReclaimPolicy('clock-pro');
