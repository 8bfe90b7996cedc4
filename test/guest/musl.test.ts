import { ZIG } from './compilers.ts';
import { testGuestPrograms } from './suite.ts';

testGuestPrograms(ZIG);
