import { DATA_AT, DATA_BYTES, HANDLERS_AT, TABLE_AT } from './table-machine.ts';

/** What system calls of a generated sequence are given pointers to: slots, with paths first, then structs of the kinds that the kernel reads. */

/** Bytes of a slot. */
export const SLOT = 128;

export const PATHS = [
  '/tmp/a',
  '/tmp/b',
  '/tmp/d',
  '/tmp/d/e',
  '/tmp/../tmp/./a',
  '/tmp/link',
  '/dev/null',
  '/dev/zero',
  '/dev/full',
  '/dev/tty',
  '/dev/random',
  '/dev/stdin',
  '/dev/fd/3',
  '/dev/shm/x',
  '/proc/self/maps',
  '/proc/self/mem',
  '/proc/self/pagemap',
  '/proc/self/smaps',
  '/proc/self/fd',
  '/proc/self/exe',
  '/proc/self/fd/4',
  '/proc/self/status',
  '/proc/meminfo',
  '/proc/slabinfo',
  '/proc/self/clear_refs',
  '/proc/sys/vm/overcommit_memory',
  '/proc',
  '/fuzz',
  '.',
  '..',
  '',
  '/',
  '/tmp/script',
  'a',
  '/proc/1/stat',
  '/proc/thread-self/comm',
  '/proc/self/oom_score_adj',
  '/tmp/a/',
  '/proc/kpageflags',
] as const;

/** 128 slots of 128 bytes: paths first, then structs. */
export function fuzzData(): Uint8Array {
  const bytes = new Uint8Array(DATA_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [i, path] of PATHS.entries()) bytes.set(new TextEncoder().encode(`${path}\0`), i * SLOT);
  const structs: bigint[][] = [];
  const at = (slot: number): bigint => BigInt(DATA_AT + slot * SLOT);
  const times = [
    [0n, 0n],
    [0n, 1000n],
    [0n, 999_999_999n],
    [0n, 10_000_000n],
    [-1n, 0n],
    [0n, -1n],
    [1n << 62n, 0n],
    [3n, 0n],
  ];
  for (const time of times) structs.push([...time, ...time]);
  structs.push([at(100), 100n, at(110), 2000n, BigInt(DATA_AT + DATA_BYTES - 8), 64n, 0n, 10n]); // iovecs
  structs.push([at(100), 1n << 62n, at(101), 1n << 62n]);
  structs.push([at(100), 0n, at(101), 4096n, BigInt(TABLE_AT), 128n, 0x4000_0000n, 65536n]);
  structs.push([0x4000_0000n, 0x8000n, 0x4001_0000n, 0x10000n]);
  for (const handler of HANDLERS_AT)
    for (const flags of [0n, 4n, 0x0800_0004n, 0x1000_0000n, 0x8800_0000n, 0x4000_0000n])
      structs.push([BigInt(handler), flags, handler & 4 ? -1n : 0n]);
  structs.push([1n, 0n, 0n], [0n, 0n, 0n], [-1n, -1n, -1n], [1n << 40n, 4n, 0n]);
  structs.push([at(64), 0n, 4096n], [0x4000_0000n, 0n, 65536n], [0n, 2n, 0n], [at(64), 0x8000_0000n, 5000n]); // stack_t
  structs.push([0n, 0n], [4096n, 4096n], [1n << 20n, -1n], [5n, 10n], [-1n, -1n], [65536n, 1n << 30n], [10n, 5n]); // rlimits
  structs.push([(5n << 32n) | 3n, (1n << 32n) | 4n, (0xffffn << 32n) | 8n, (5n << 32n) | 10n, (1n << 32n) | 12n]); // pollfds
  structs.push([0x1fn | (1n << 33n), 7n], [0x2001n | (3n << 32n), 9n], [0xc000_0005n | (8n << 32n), 1n]); // epoll events
  structs.push([1n, 0n, 100n, 0n], [0x1_0000n, 5n, 10n, 0n], [2n, -1n, 1n << 62n, 0n]); // flock
  structs.push([at(0), 4n | (8n << 32n), at(40), 2n, at(60), 64n, 0n], [0n, 0n, at(40), 1n, 0n, 0n, 0n]); // msghdr
  structs.push([at(27), at(0), at(1), 0n], [at(0), 0n], [1n, 0n], [at(32), at(27), 1n << 40n]); // argv
  structs.push([0x10f00n, 0n, at(90), at(91), 17n, 0x4000_0000n, 0x4000n, 0n], [0x4111n, 0n, 0n, 0n, 17n, 0n, 0n, 0n]); // clone_args
  structs.push([at(90), 0n, 0n], [at(90), 8n, at(90)]); // robust list
  for (const [i, words] of structs.entries()) {
    const slot = 40 + i;
    for (const [j, word] of words.entries())
      if (slot * SLOT + j * 8 + 8 <= bytes.length)
        view.setBigUint64(slot * SLOT + j * 8, BigInt.asUintN(64, word), true);
  }
  return bytes;
}

export const SLOTS = DATA_BYTES / SLOT;

export type FuzzPath = (typeof PATHS)[number];

/** Where its text is. */
export const textAt = (path: FuzzPath): bigint => BigInt(DATA_AT + PATHS.indexOf(path) * SLOT);
