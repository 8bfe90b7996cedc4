import { panic } from '../../base/assert.ts';
import { COMPRESSED_OPERATIONS, OPERATIONS } from './decode.ts';
import { FUSED_PAIRS } from './fusion.ts';
import type { Reach } from './interpreter-flow.ts';
import * as at from './layout.ts';
import { SEMANTICS } from './semantics/table.ts';

/**
 * The first byte of a predecoded entry says what is to be done: an op. It is an operation of decode.ts with a length and, for
 * branches, a reach; two such in one dispatch (fusion.ts); or one of the three below, which are no instructions.
 */
export const OP_UNDECODED = at.OP_UNDECODED;
export const OP_PAGE_END = 1;
export const OP_STRADDLE = 2;

export interface Op {
  readonly operation: string;
  readonly length: 2 | 4;
  readonly reach: Reach;
  /** Executed behind it, in the same dispatch. */
  readonly second: Op | null;
}

/** The branches and jumps by offset; their immediate in an entry is in bytes of entries (offset * 4). */
const RELATIVE: ReadonlySet<string> = new Set(['jal', 'beq', 'bne', 'blt', 'bge', 'bltu', 'bgeu']);
const IS_RELATIVE = Uint8Array.from(OPERATIONS, (operation) => (RELATIVE.has(operation) ? 1 : 0));

/** Ops from 3 on. */
const ops: Op[] = [];
export const OPS: readonly Op[] = ops;
/** The op of each operation by reach and length. */
const opOf = new Map<string, number>();

function addOp(op: Op): void {
  opOf.set(`${op.operation} ${op.length} ${op.reach}`, ops.push(op) + 2);
}
/** Operations whose code is another's: an op is a byte, and there are no more of them. */
const SAME_CODE: ReadonlyMap<string, string> = new Map([
  ['fence.i', 'fence'],
  ['fmv.d.x', 'fmv.x.d'],
]);
for (const operation of OPERATIONS) {
  if (!SEMANTICS.has(operation) || SAME_CODE.has(operation)) continue;
  const lengths = COMPRESSED_OPERATIONS.has(operation) ? ([2, 4] as const) : ([4] as const);
  const reaches = RELATIVE.has(operation) ? (['any', 'forward', 'back'] as const) : (['any'] as const);
  for (const length of lengths) for (const reach of reaches) addOp({ operation, length, reach, second: null });
}

/** Op of a pair by its members' ops (first * 256 + second), 0 where there is none. */
const PAIRS = new Uint8Array(65536);
/** First member of a pair's op; other ops themselves. */
const FIRSTS = Uint8Array.from({ length: 256 }, (_, op) => op);
for (const pair of FUSED_PAIRS) {
  const [first, second] = pair.split(', ').map((name) => opOf.get(`${name} any`));
  if (first === undefined || second === undefined) panic(`riscv64/fusion.ts: no ops for ${pair}`);
  const member = ops[second - 3];
  const op = ops.push({ ...ops[first - 3], second: member }) + 2;
  FIRSTS[op] = first;
  for (const reach of ['any', 'forward', 'back']) {
    const variant = opOf.get(`${member.operation} ${member.length} ${reach}`);
    if (variant !== undefined) PAIRS[first * 256 + variant] = op;
  }
}

/** The op of an entry, given that of the next instruction's entry in the same page. */
export function fuse(op: number, nextOp: number): number {
  return PAIRS[op * 256 + FIRSTS[nextOp]] || op;
}
const ILLEGAL = opOf.get('illegal 4 any')!;
/** For numbers: ops by operation * 2 + (0 for 2 bytes, 1 for 4). */
const tableOf = (reach: Reach): Uint8Array =>
  Uint8Array.from({ length: OPERATIONS.length * 2 }, (_, i) => {
    const name = OPERATIONS[i >> 1];
    const operation = SAME_CODE.get(name) ?? name;
    return opOf.get(`${operation} ${(i & 1) * 2 + 2} ${RELATIVE.has(operation) ? reach : 'any'}`) ?? ILLEGAL;
  });
const TABLES: Readonly<Record<Reach, Uint8Array>> = {
  any: tableOf('any'),
  forward: tableOf('forward'),
  back: tableOf('back'),
};

/** The op byte of an operation's number. `reach` says where a branch goes, and means nothing to others. */
export function opFor(operation: number, length: 2 | 4, reach: Reach): number {
  return TABLES[reach][operation * 2 + length / 2 - 1];
}

export function isRelative(operation: number): boolean {
  return IS_RELATIVE[operation] !== 0;
}
