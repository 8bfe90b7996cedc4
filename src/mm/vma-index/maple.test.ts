import { MapleIndex } from './maple.ts';
import { testVmaIndex } from './testing/contract.ts';

testVmaIndex('maple', () => new MapleIndex());
