import { Guest } from '../testing/guest.ts';

/** All that holds of the interpreter holds of units: its tests, with every place translated at its first arrival. */
Guest.jit = 'always';
await import('../execution.test.ts');
await import('../extensions.test.ts');
await import('../reference-tracer.test.ts');
await import('../translation.test.ts');
await import('../fp/cpu-fp.test.ts');
