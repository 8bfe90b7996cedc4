import { describe, expect, test } from 'vitest';
import { SYSCALL_NUMBERS } from '../../src/arch/riscv64/syscall-numbers.ts';
import { BufferSource } from '../../src/base/io.ts';
import { FsContext } from '../../src/fs/fs-context.ts';
import type { ArgKind } from '../../src/kernel/syscalls/row.ts';
import { ALL_CALLS } from '../../src/kernel/syscalls/table.ts';
import { MemoryEnvironment } from '../../src/machine/memory-environment.ts';
import { System } from '../../src/system.ts';
import { fc } from '../property.ts';
import { type Call, DATA_AT, DATA_BYTES, TABLE_AT, tableProgram } from './table-machine.ts';

/**
 * System calls with arguments that are wrong, hostile or nearly right. Whatever a program asks for, the host sees no exception
 * (decision D8), the machine goes on, every invariant holds at each trap, and all memory is free at the end.
 */
const O_CREAT_WRONLY = 0o101;

function run(calls: readonly Call[], data: Uint8Array, invariants: 'never' | 'every-trap'): number {
  const system = new System({ environment: new MemoryEnvironment({}), memoryBytes: 16 * 2 ** 20, invariants });
  const { vfs } = system.kernel;
  const context = new FsContext(vfs.rootPath, vfs.rootPath);
  const file = vfs.open(context, null, '/fuzz', O_CREAT_WRONLY, 0o755);
  if (typeof file === 'number') throw new Error(`open: ${file}`);
  const image = tableProgram(calls, data);
  expect(file.write(new BufferSource(image), 0)).toBe(image.length);
  file.release();
  context.release();
  const pid = system.spawn('/fuzz', ['/fuzz'], {});
  expect(pid).toBeGreaterThan(0);
  for (let i = 0; i < 20; i++) if (system.run({ instructions: 50_000 }) !== 'budget') break;
  system.checkInvariants();
  const { leakedFrames } = system.shutdown();
  expect(leakedFrames).toBe(0);
  return pid;
}

/** Data with something of everything: paths, vectors, times, sets. Offsets are what the arguments point at. */
function makeData(): Uint8Array {
  const bytes = new Uint8Array(DATA_BYTES);
  const view = new DataView(bytes.buffer);
  const text = (at: number, value: string): void => bytes.set(new TextEncoder().encode(`${value}\0`), at);
  const paths = [
    '/tmp/a',
    '/dev/null',
    '/dev/zero',
    '/proc/self/maps',
    '.',
    '',
    '/tmp',
    '/tmp/a/b',
    '/fuzz',
    '/dev/full',
  ];
  for (const [i, path] of paths.entries()) text(i * 32, path);
  const words = (at: number, ...values: bigint[]): void => {
    for (const [i, value] of values.entries()) view.setBigUint64(at + i * 8, BigInt.asUintN(64, value), true);
  };
  words(512, BigInt(DATA_AT + 2048), 100n, BigInt(DATA_AT + DATA_BYTES - 8), 64n, 0n, 10n, BigInt(DATA_AT), -1n);
  words(640, 0n, 1000n, 0n, 1n);
  words(704, -1n, 0n, -1n, -1n);
  words(768, 1n << 32n, (4n << 32n) | 1n, (1n << 32n) | 0xffff_ffffn);
  words(832, BigInt(DATA_AT), BigInt(DATA_AT + 32), 0n);
  bytes.fill(0x41, 2048, 4096);
  return bytes;
}

const DATA = makeData();
/** These end the program or multiply it without bound; each has its own tests. */
const LEFT_OUT = new Set(['exit', 'exit_group', 'clone', 'clone3', 'execve', 'execveat', 'reboot']);
const NUMBERS = [...SYSCALL_NUMBERS].filter(([name]) => !LEFT_OUT.has(name)).map(([, nr]) => nr);

const INTERESTING = [
  0n,
  1n,
  2n,
  3n,
  4n,
  5n,
  8n,
  16n,
  100n,
  4096n,
  8192n,
  -1n,
  -2n,
  -100n,
  0x7fff_ffffn,
  0xffff_ffffn,
  0x1_0000_0000n,
  1n << 40n,
  1n << 53n,
  (1n << 63n) - 1n,
  1n << 63n,
  -4096n,
  -4095n,
  BigInt(TABLE_AT),
  BigInt(DATA_AT + DATA_BYTES),
  BigInt(DATA_AT + DATA_BYTES - 4),
  0x22n,
  0x32n,
  0o2102n,
];

const argument = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...INTERESTING) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 40 }).map((i) => BigInt(DATA_AT + i * 32)) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 64 }).map((i) => BigInt(DATA_AT - 4096 * 8 + i * 4096)) },
  { weight: 2, arbitrary: fc.integer({ min: -2, max: 40 }).map(BigInt) },
  { weight: 1, arbitrary: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }) },
);

/** Arguments of the right kind, so that calls get past their first check. */
function argumentOf(kind: ArgKind): fc.Arbitrary<bigint> {
  const likely = (() => {
    switch (kind) {
      case 'fd':
        return fc.oneof(fc.integer({ min: -1, max: 9 }), fc.constant(-100)).map(BigInt);
      case 'path':
        return fc.integer({ min: 0, max: 9 }).map((i) => BigInt(DATA_AT + i * 32));
      case 'ptr':
        return fc.constantFrom(0, 512, 640, 704, 768, 832, 1024, 2048, 4096, 8184).map((at) => BigInt(DATA_AT + at));
      case 'size':
      case 'off':
        return fc.constantFrom(0n, 1n, 8n, 24n, 100n, 4096n, 5000n, 65536n, 1n << 32n, 1n << 53n);
      case 'sig':
        return fc.integer({ min: 0, max: 65 }).map(BigInt);
      case 'flags:open':
        return fc.constantFrom(0n, 1n, 2n, 0o102n, 0o1102n, 0o2102n, 0o200000n, 0o4000n, 0o20200002n, 0o10000000n);
      default:
        return fc.integer({ min: 0, max: 20 }).map(BigInt);
    }
  })();
  return fc.oneof({ weight: 6, arbitrary: likely }, { weight: 1, arbitrary: argument });
}

const CALLABLE = ALL_CALLS.filter((row) => row.run !== null && !LEFT_OUT.has(row.name));
const typedCall: fc.Arbitrary<Call> = fc
  .constantFrom(...CALLABLE)
  .chain((row) =>
    fc
      .tuple(...[0, 1, 2, 3, 4, 5].map((i) => argumentOf(row.args[i] ?? 'int')))
      .map((args) => ({ nr: SYSCALL_NUMBERS.get(row.name) as number, args })),
  );

const randomCall: fc.Arbitrary<Call> = fc.record({
  nr: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...NUMBERS) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 600 }).filter((nr) => nr !== 93 && nr !== 94) },
  ),
  args: fc.array(argument, { minLength: 6, maxLength: 6 }),
});

const call = fc.oneof({ weight: 3, arbitrary: typedCall }, { weight: 1, arbitrary: randomCall });

describe('random system calls', () => {
  test('no host exception, no leak, every invariant at the end', () => {
    fc.assert(
      fc.property(fc.array(call, { minLength: 1, maxLength: 60, size: 'max' }), (calls) => {
        run(calls, DATA, 'never');
      }),
      { numRuns: 60, seed: 20261121, endOnFailure: false },
    );
  });

  test('every invariant at every trap', () => {
    fc.assert(
      fc.property(fc.array(call, { minLength: 1, maxLength: 25, size: 'max' }), (calls) => {
        run(calls, DATA, 'every-trap');
      }),
      { numRuns: 10, seed: 7 },
    );
  });

  test('memory calls near each other', () => {
    const names = ['mmap', 'munmap', 'mprotect', 'mremap', 'madvise', 'brk', 'msync', 'mincore', 'mlock', 'munlock'];
    const memoryCall = fc.record({
      nr: fc.constantFrom(...names.map((name) => SYSCALL_NUMBERS.get(name) as number)),
      args: fc.tuple(
        fc.oneof(
          fc.constant(0n),
          fc.integer({ min: 0, max: 40 }).map((i) => BigInt(0x4000_0000 + i * 4096)),
          argument,
        ),
        fc.oneof(
          fc.integer({ min: 0, max: 20 }).map((i) => BigInt(i * 4096)),
          argument,
        ),
        fc.oneof(
          fc.integer({ min: 0, max: 25 }).map(BigInt),
          fc.integer({ min: 0, max: 20 }).map((i) => BigInt(i * 4096)),
        ),
        fc.oneof(fc.constantFrom(0x22n, 0x32n, 0x21n, 0x122n, 0x8022n, 1n, 3n), argument),
        fc.constantFrom(-1n, 0n, 3n),
        fc.constantFrom(0n, 4096n, 1n),
      ),
    });
    fc.assert(
      fc.property(fc.array(memoryCall, { minLength: 1, maxLength: 60, size: 'max' }), (calls) => {
        run(calls, DATA, 'every-trap');
      }),
      { numRuns: 25, seed: 1 },
    );
  });
});
