import * as w from '../../wasm/opcodes.ts';
import type { Emitter, Semantics } from './emit.ts';

/** RV64I and M: chapters 2, 4 and 13. */
type Entry = readonly [string, Semantics];

const push2 = (c: Emitter): void => {
  c.x1();
  c.x2();
};
const push2w = (c: Emitter): void => {
  c.x1w();
  c.x2w();
};
const pushImm = (c: Emitter): void => {
  c.x1();
  c.imm();
};

/** x[rd] = op over 64 bits, over 32 bits, or a comparison. */
const op64 =
  (operands: Semantics, ...opcodes: number[]): Semantics =>
  (c) =>
    c.setX(() => {
      operands(c);
      c.b.op(...opcodes);
    });
const op32 =
  (operands: Semantics, opcode: number): Semantics =>
  (c) =>
    c.setXw(() => {
      operands(c);
      c.b.op(opcode);
    });
const branch =
  (opcode: number): Semantics =>
  (c) =>
    c.branchIf(() => {
      push2(c);
      c.b.op(opcode);
    });
const address = (c: Emitter) => (): void => {
  c.x1();
  c.imm();
  c.b.op(w.I64_ADD);
};
const load =
  (opcode: number, bytes: 1 | 2 | 4 | 8): Semantics =>
  (c) =>
    c.setX(() => c.load(opcode, bytes, address(c)));
const store =
  (bytes: 1 | 2 | 4 | 8): Semantics =>
  (c) =>
    c.store(bytes, address(c), () => c.x2());
const immw = (c: Emitter): void => {
  c.x1w();
  c.immw();
};

export const INTEGER: readonly Entry[] = [
  ['lui', (c) => c.setX(() => c.imm())],
  [
    'auipc',
    (c) =>
      c.setX(() => {
        c.pc();
        c.imm();
        c.b.op(w.I64_ADD);
      }),
  ],
  ['jal', (c) => c.jump()],
  ['jalr', (c) => c.jumpTo(address(c))],
  ['beq', branch(w.I64_EQ)],
  ['bne', branch(w.I64_NE)],
  ['blt', branch(w.I64_LT_S)],
  ['bge', branch(w.I64_GE_S)],
  ['bltu', branch(w.I64_LT_U)],
  ['bgeu', branch(w.I64_GE_U)],
  ['lb', load(w.I64_LOAD8_S, 1)],
  ['lh', load(w.I64_LOAD16_S, 2)],
  ['lw', load(w.I64_LOAD32_S, 4)],
  ['ld', load(w.I64_LOAD, 8)],
  ['lbu', load(w.I64_LOAD8_U, 1)],
  ['lhu', load(w.I64_LOAD16_U, 2)],
  ['lwu', load(w.I64_LOAD32_U, 4)],
  ['sb', store(1)],
  ['sh', store(2)],
  ['sw', store(4)],
  ['sd', store(8)],
  ['addi', op64(pushImm, w.I64_ADD)],
  ['slti', op64(pushImm, w.I64_LT_S, w.I64_EXTEND_I32_U)],
  ['sltiu', op64(pushImm, w.I64_LT_U, w.I64_EXTEND_I32_U)],
  ['xori', op64(pushImm, w.I64_XOR)],
  ['ori', op64(pushImm, w.I64_OR)],
  ['andi', op64(pushImm, w.I64_AND)],
  ['slli', op64(pushImm, w.I64_SHL)],
  ['srli', op64(pushImm, w.I64_SHR_U)],
  ['srai', op64(pushImm, w.I64_SHR_S)],
  ['add', op64(push2, w.I64_ADD)],
  ['sub', op64(push2, w.I64_SUB)],
  ['sll', op64(push2, w.I64_SHL)],
  ['slt', op64(push2, w.I64_LT_S, w.I64_EXTEND_I32_U)],
  ['sltu', op64(push2, w.I64_LT_U, w.I64_EXTEND_I32_U)],
  ['xor', op64(push2, w.I64_XOR)],
  ['srl', op64(push2, w.I64_SHR_U)],
  ['sra', op64(push2, w.I64_SHR_S)],
  ['or', op64(push2, w.I64_OR)],
  ['and', op64(push2, w.I64_AND)],
  ['addiw', op32(immw, w.I32_ADD)],
  ['slliw', op32(immw, w.I32_SHL)],
  ['srliw', op32(immw, w.I32_SHR_U)],
  ['sraiw', op32(immw, w.I32_SHR_S)],
  ['addw', op32(push2w, w.I32_ADD)],
  ['subw', op32(push2w, w.I32_SUB)],
  ['sllw', op32(push2w, w.I32_SHL)],
  ['srlw', op32(push2w, w.I32_SHR_U)],
  ['sraw', op32(push2w, w.I32_SHR_S)],
  // One hart, coherent with its own decoded code: there is nothing to order.
  ['fence', () => {}],
  ['fence.i', () => {}],
  ['ecall', (c) => c.trap('syscall')],
  ['ebreak', (c) => c.trap('breakpoint')],
  ['illegal', (c) => c.trap('illegal')],

  ['mul', op64(push2, w.I64_MUL)],
  ['mulw', op32(push2w, w.I32_MUL)],
  ['mulhu', (c) => highProduct(c, 'unsigned')],
  ['mulh', (c) => highProduct(c, 'signed')],
  ['mulhsu', (c) => highProduct(c, 'mixed')],
  ['div', (c) => divide(c, wide, w.I64_DIV_S, 'signed')],
  ['divu', (c) => divide(c, wide, w.I64_DIV_U, 'unsigned')],
  ['rem', (c) => remainder(c, wide, w.I64_REM_S)],
  ['remu', (c) => remainder(c, wide, w.I64_REM_U)],
  ['divw', (c) => divide(c, narrow, w.I32_DIV_S, 'signed')],
  ['divuw', (c) => divide(c, narrow, w.I32_DIV_U, 'unsigned')],
  ['remw', (c) => remainder(c, narrow, w.I32_REM_S)],
  ['remuw', (c) => remainder(c, narrow, w.I32_REM_U)],
];

/** The high 64 bits of the product, from four 32-bit products; signed operands are corrected afterwards. */
function highProduct(c: Emitter, kind: 'signed' | 'unsigned' | 'mixed'): void {
  const b = c.b;
  const x = b.local(w.I64);
  const y = b.local(w.I64);
  const middle = b.local(w.I64);
  const low32 = 0xffffffff;
  const part = (local: number, half: 'low' | 'high'): void => {
    b.get(local);
    if (half === 'low') {
      b.i64(low32);
      b.op(w.I64_AND);
    } else {
      b.i64(32);
      b.op(w.I64_SHR_U);
    }
  };
  const high = (local: number): void => {
    b.get(local);
    b.i64(32);
    b.op(w.I64_SHR_U);
  };
  c.x1();
  b.set(x);
  c.x2();
  b.set(y);
  c.setX(() => {
    // middle = xh*yl + (xl*yl >> 32); no overflow
    part(x, 'high');
    part(y, 'low');
    b.op(w.I64_MUL);
    part(x, 'low');
    part(y, 'low');
    b.op(w.I64_MUL);
    b.i64(32);
    b.op(w.I64_SHR_U, w.I64_ADD);
    b.set(middle);
    // xh*yh + (middle >> 32) + ((xl*yh + (middle & low32)) >> 32)
    part(x, 'high');
    part(y, 'high');
    b.op(w.I64_MUL);
    high(middle);
    b.op(w.I64_ADD);
    part(x, 'low');
    part(y, 'high');
    b.op(w.I64_MUL);
    part(middle, 'low');
    b.op(w.I64_ADD);
    b.i64(32);
    b.op(w.I64_SHR_U, w.I64_ADD);
    const subtractIfNegative = (sign: number, other: number): void => {
      b.get(sign);
      b.i64(63);
      b.op(w.I64_SHR_S);
      b.get(other);
      b.op(w.I64_AND, w.I64_SUB);
    };
    if (kind !== 'unsigned') subtractIfNegative(x, y);
    if (kind === 'signed') subtractIfNegative(y, x);
  });
  b.release(x, y, middle);
}

interface Width {
  readonly type: typeof w.I64 | typeof w.I32;
  readonly eqz: number;
  readonly eq: number;
  readonly sub: number;
  first(c: Emitter): void;
  second(c: Emitter): void;
  constant(c: Emitter, value: bigint): void;
  set(c: Emitter, value: () => void): void;
}

const wide: Width = {
  type: w.I64,
  eqz: w.I64_EQZ,
  eq: w.I64_EQ,
  sub: w.I64_SUB,
  first: (c) => c.x1(),
  second: (c) => c.x2(),
  constant: (c, value) => c.b.i64big(value),
  set: (c, value) => c.setX(value),
};

const narrow: Width = {
  type: w.I32,
  eqz: w.I32_EQZ,
  eq: w.I32_EQ,
  sub: w.I32_SUB,
  first: (c) => c.x1w(),
  second: (c) => c.x2w(),
  constant: (c, value) => c.b.i32(Number(value)),
  set: (c, value) => c.setXw(value),
};

/** By zero all ones; lowest / -1 is lowest, where WebAssembly would trap. */
function divide(c: Emitter, width: Width, opcode: number, kind: 'signed' | 'unsigned'): void {
  const b = c.b;
  const x = b.local(width.type);
  const y = b.local(width.type);
  width.first(c);
  b.set(x);
  width.second(c);
  b.set(y);
  width.set(c, () => {
    b.get(y);
    b.op(width.eqz);
    b.if(width.type);
    width.constant(c, -1n);
    b.else();
    if (kind === 'signed') {
      b.get(y);
      width.constant(c, -1n);
      b.op(width.eq);
      b.if(width.type);
      width.constant(c, 0n);
      b.get(x);
      b.op(width.sub);
      b.else();
    }
    b.get(x);
    b.get(y);
    b.op(opcode);
    if (kind === 'signed') b.end();
    b.end();
  });
  b.release(x, y);
}

/** By zero the dividend; lowest % -1 is 0 in WebAssembly too. */
function remainder(c: Emitter, width: Width, opcode: number): void {
  const b = c.b;
  const x = b.local(width.type);
  const y = b.local(width.type);
  width.first(c);
  b.set(x);
  width.second(c);
  b.set(y);
  width.set(c, () => {
    b.get(y);
    b.op(width.eqz);
    b.if(width.type);
    b.get(x);
    b.else();
    b.get(x);
    b.get(y);
    b.op(opcode);
    b.end();
  });
  b.release(x, y);
}
