import { testReclaimPolicy } from './testing/contract.ts';

testReclaimPolicy('mglru');
