import * as w from '../../wasm/opcodes.ts';
import { callSlowPathByNumber } from '../fp/slow-path.ts';
import { selector } from './bits.ts';
import type { Semantics } from './emit.ts';

/** Zfh: every result comes from the reference arithmetic (fp/reference.ts), which the selector names. */

const BOX_ABOVE_HALF = -0x10000;

/** Registers of both files have one numbering (decode.ts), so that one operation serves whatever goes in and comes out. */
const compute: Semantics = (c) => {
  const { b } = c;
  const value = b.local(w.I64);
  const flags = b.local(w.I32);
  c.roundingMode();
  b.i32(8);
  b.op(w.I32_SHL);
  selector(c);
  b.op(w.I32_ADD);
  c.f1();
  c.f2();
  c.f3();
  callSlowPathByNumber((helper) => c.call(helper));
  b.set(flags);
  b.set(value);
  c.setF(() => b.get(value));
  c.raiseFlags(() => b.get(flags));
  b.release(value, flags);
};

/** The offset is the low 16 bits of the immediate, the selector is 0 for a load and 1 for a store. */
const memory: Semantics = (c) => {
  const address = (): void => {
    c.x1();
    c.imm();
    c.b.op(w.I64_EXTEND16_S, w.I64_ADD);
  };
  selector(c);
  c.b.if();
  c.store(2, address, () => c.f2());
  c.b.else();
  c.setF(() => {
    c.load(w.I64_LOAD16_U, 2, address);
    c.b.i64(BOX_ABOVE_HALF);
    c.b.op(w.I64_OR);
  });
  c.b.end();
};

export const HALF_PRECISION: readonly (readonly [string, Semantics])[] = [
  ['half', compute],
  ['half.memory', memory],
];
