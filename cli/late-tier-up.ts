import { setFlagsFromString } from 'node:v8';
import { isFlagGiven } from './given-flag.ts';

/** `--wasm-tiering-budget`, some bytes of code executed: V8's default in Node 20 and 22, and the most that it takes. */
const DEFAULTS: Readonly<Record<string, number>> = { 11: 1_800_000, 12: 13_000_000 };
const LONGEST = 2 ** 31 - 1;

/**
 * What `make` compiles for WebAssembly is compiled again by V8's optimizing compiler only after some 50,000 of a program's instructions. V8
 * counts the interpreter's loop as long as all of its code and would begin after a few hundred; that takes a core 60 ms, and a program that ends
 * before would wait for it, for Node does not exit while a thread of V8 is at work.
 */
export function withLateTierUp<T>(make: () => T): T {
  const before = DEFAULTS[process.versions.v8.split('.')[0]];
  if (before === undefined || isFlagGiven('wasm-tiering-budget')) return make();
  setFlagsFromString(`--wasm-tiering-budget=${LONGEST}`);
  try {
    return make();
  } finally {
    setFlagsFromString(`--wasm-tiering-budget=${before}`);
  }
}
