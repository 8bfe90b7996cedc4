import { GNU } from './compilers.ts';
import { testGuestPrograms } from './suite.ts';

testGuestPrograms(GNU);
