import * as w from '../../wasm/opcodes.ts';
import type { Emitter, Semantics } from './emit.ts';

/**
 * Zicsr for what user mode has: fflags, frm and fcsr, as a field of fcsr that the immediate describes (decode.ts), and the
 * counters. F and D loads and stores are here as well, being the only moves of f registers without arithmetic.
 */
type Entry = readonly [string, Semantics];

const immField = (c: Emitter, shift: number, mask: number): void => {
  c.immw();
  c.b.i32(shift);
  c.b.op(w.I32_SHR_U);
  c.b.i32(mask);
  c.b.op(w.I32_AND);
};

function access(c: Emitter, source: 'register' | 'immediate', combine: 'write' | 'set' | 'clear'): void {
  const b = c.b;
  const old = b.local(w.I32);
  const operand = b.local(w.I32);
  if (source === 'register') c.x1w();
  else immField(c, 16, 31);
  b.set(operand);
  c.fcsr();
  immField(c, 0, 0xff);
  b.op(w.I32_SHR_U);
  immField(c, 8, 0xff);
  b.op(w.I32_AND);
  b.set(old);
  c.setFcsr(() => {
    c.fcsr();
    immField(c, 8, 0xff);
    immField(c, 0, 0xff);
    b.op(w.I32_SHL);
    b.i32(-1);
    b.op(w.I32_XOR, w.I32_AND);
    if (combine === 'write') b.get(operand);
    else {
      b.get(old);
      b.get(operand);
      if (combine === 'set') b.op(w.I32_OR);
      else {
        b.i32(-1);
        b.op(w.I32_XOR, w.I32_AND);
      }
    }
    immField(c, 8, 0xff);
    b.op(w.I32_AND);
    immField(c, 0, 0xff);
    b.op(w.I32_SHL, w.I32_OR);
  });
  c.setX(() => {
    b.get(old);
    b.op(w.I64_EXTEND_I32_U);
  });
  b.release(old, operand);
}

const address = (c: Emitter) => (): void => {
  c.x1();
  c.imm();
  c.b.op(w.I64_ADD);
};

export const CSR: readonly Entry[] = [
  ['csrrw', (c) => access(c, 'register', 'write')],
  ['csrrs', (c) => access(c, 'register', 'set')],
  ['csrrc', (c) => access(c, 'register', 'clear')],
  ['csrrwi', (c) => access(c, 'immediate', 'write')],
  ['csrrsi', (c) => access(c, 'immediate', 'set')],
  ['csrrci', (c) => access(c, 'immediate', 'clear')],
  ['rdinstret', (c) => c.setX(() => c.instret())],
  ['rdtime', (c) => c.setX(() => c.time())],
  ['flw', (c) => c.setFs(() => c.load(w.I32_LOAD, 4, address(c)))],
  ['fld', (c) => c.setF(() => c.load(w.I64_LOAD, 8, address(c)))],
  ['fsw', (c) => c.store(4, address(c), () => c.f2())],
  ['fsd', (c) => c.store(8, address(c), () => c.f2())],
];
