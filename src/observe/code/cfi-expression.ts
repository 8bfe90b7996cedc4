import { ByteReader } from './byte-reader.ts';

/** What an expression may look at. null: not there. */
export interface ExpressionContext {
  register(number: number): number | null;
  /** A word of the guest's memory. */
  memory(address: number, sizeBytes: number): number | null;
}

/** More steps than any real expression takes: damaged ones jump in circles. */
const MAX_STEPS = 1000;

/** Computes a DWARF expression of call frame information (DWARF 5, 2.5; 6.4.2 says which operations it may have). null: it cannot be computed. */
export function evaluate(expression: Uint8Array, context: ExpressionContext, first: number | null): number | null {
  const reader = new ByteReader(expression);
  const stack: number[] = first === null ? [] : [first];
  for (let steps = 0; !reader.isAtEnd; steps++) {
    if (steps > MAX_STEPS || !step(reader, stack, context)) return null;
  }
  return stack.at(-1) ?? null;
}

function step(reader: ByteReader, stack: number[], context: ExpressionContext): boolean {
  const opcode = reader.u8();
  const push = (value: number | null): boolean => {
    if (value !== null) stack.push(value);
    return value !== null;
  };
  const pop = (): number => stack.pop() ?? Number.NaN;
  if (opcode >= 0x30 && opcode <= 0x4f) return push(opcode - 0x30); // DW_OP_lit0 ...
  if (opcode >= 0x50 && opcode <= 0x6f) return push(context.register(opcode - 0x50)); // DW_OP_reg0 ...
  if (opcode >= 0x70 && opcode <= 0x8f) return push(plus(context.register(opcode - 0x70), reader.sleb())); // DW_OP_breg0 ...
  switch (opcode) {
    case 0x03: // DW_OP_addr
    case 0x0e: // DW_OP_const8u
      return push(reader.u64());
    case 0x06: // DW_OP_deref
      return push(context.memory(pop(), 8));
    case 0x08: // DW_OP_const1u
      return push(reader.u8());
    case 0x09: // DW_OP_const1s
      return push(reader.i8());
    case 0x0a: // DW_OP_const2u
      return push(reader.u16());
    case 0x0b: // DW_OP_const2s
      return push((reader.u16() << 16) >> 16);
    case 0x0c: // DW_OP_const4u
      return push(reader.u32());
    case 0x0d: // DW_OP_const4s
      return push(reader.i32());
    case 0x0f: // DW_OP_const8s
      return push(reader.i64());
    case 0x10: // DW_OP_constu
      return push(reader.uleb());
    case 0x11: // DW_OP_consts
      return push(reader.sleb());
    case 0x12: // DW_OP_dup
      return push(stack.at(-1) ?? null);
    case 0x13: // DW_OP_drop
      return stack.pop() !== undefined;
    case 0x14: // DW_OP_over
      return push(stack.at(-2) ?? null);
    case 0x15: // DW_OP_pick
      return push(stack.at(-1 - reader.u8()) ?? null);
    case 0x16: {
      // DW_OP_swap
      const top = pop();
      const below = pop();
      stack.push(top, below);
      return true;
    }
    case 0x19: // DW_OP_abs
      return push(Math.abs(pop()));
    case 0x1c: {
      // DW_OP_minus
      const top = pop();
      return push(pop() - top);
    }
    case 0x1e: // DW_OP_mul
      return push(pop() * pop());
    case 0x1f: // DW_OP_neg
      return push(-pop());
    case 0x1a: // DW_OP_and: of addresses with masks, beyond 32 bits
      return push(Number(BigInt.asUintN(64, BigInt(pop())) & BigInt.asUintN(64, BigInt(pop()))));
    case 0x22: // DW_OP_plus
      return push(pop() + pop());
    case 0x23: // DW_OP_plus_uconst
      return push(pop() + reader.uleb());
    case 0x24: {
      // DW_OP_shl
      const by = pop();
      return push(pop() * 2 ** by);
    }
    case 0x28: {
      // DW_OP_bra
      const offset = (reader.u16() << 16) >> 16;
      if (pop() !== 0) reader.at += offset;
      return reader.at >= 0;
    }
    case 0x29: // DW_OP_eq
      return compare(stack, (below, top) => below === top);
    case 0x2a: // DW_OP_ge
      return compare(stack, (below, top) => below >= top);
    case 0x2b: // DW_OP_gt
      return compare(stack, (below, top) => below > top);
    case 0x2c: // DW_OP_le
      return compare(stack, (below, top) => below <= top);
    case 0x2d: // DW_OP_lt
      return compare(stack, (below, top) => below < top);
    case 0x2e: // DW_OP_ne
      return compare(stack, (below, top) => below !== top);
    case 0x2f: {
      // DW_OP_skip
      const offset = (reader.u16() << 16) >> 16;
      reader.at += offset;
      return reader.at >= 0;
    }
    case 0x90: // DW_OP_regx
      return push(context.register(reader.uleb()));
    case 0x92: // DW_OP_bregx
      return push(plus(context.register(reader.uleb()), reader.sleb()));
    case 0x94: // DW_OP_deref_size
      return push(context.memory(pop(), reader.u8()));
    case 0x96: // DW_OP_nop
      return true;
    default:
      return false;
  }
}

function compare(stack: number[], holds: (below: number, top: number) => boolean): boolean {
  const top = stack.pop() ?? Number.NaN;
  const below = stack.pop() ?? Number.NaN;
  stack.push(holds(below, top) ? 1 : 0);
  return true;
}

function plus(value: number | null, offset: number): number | null {
  return value === null ? null : value + offset;
}
