import { FP_SEMANTICS } from '../fp/semantics.ts';
import { ATOMIC } from './atomic.ts';
import { BIT_MANIPULATION } from './bits.ts';
import { CSR } from './csr.ts';
import type { Semantics } from './emit.ts';
import { HALF_PRECISION } from './half.ts';
import { INTEGER } from './integer.ts';

/** Every operation of decode.ts, by name. What is not here is illegal. */
export const SEMANTICS: ReadonlyMap<string, Semantics> = new Map([
  ...INTEGER,
  ...ATOMIC,
  ...CSR,
  ...FP_SEMANTICS,
  ...BIT_MANIPULATION,
  ...HALF_PRECISION,
]);
