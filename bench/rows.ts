/**
 * The rows of the benchmark: which program under bench/guest/ does what, and what one operation of it is.
 *
 * Always true: a row's name is the name that its program knows it by, and is unique.
 */
export type Group = 'memory' | 'bandwidth' | 'integer' | 'float';

export interface Row {
  readonly name: string;
  readonly group: Group;
  /** A C file under bench/guest/ without its ending, or a program of Debian. */
  readonly program: string;
  /** One operation, in words, for docs/performance.md. */
  readonly operation: string;
  /** The first count that is tried; what is measured is scaled from it. */
  readonly start: number;
  /** The most operations in one run (what fits memory or the index of a loop); default 1e8. */
  readonly most?: number;
  /** RAM and swap of the machine that it needs inside Faultline, MiB; default 256 and 0. */
  readonly memoryMiB?: number;
  readonly swapMiB?: number;
  /** A program that knows no markers: its arguments, and those of a run that does nothing, whose time is subtracted. */
  readonly whole?: { readonly args: (n: number) => readonly string[]; readonly idle: readonly string[] };
}

const row = (
  group: Group,
  program: string,
  name: string,
  start: number,
  operation: string,
  more?: Partial<Row>,
): Row => ({
  name,
  group,
  program,
  operation,
  start,
  ...more,
});

/** One statement of SQLite: a table in memory is filled, indexed, joined and summed. */
const SQL = (n: number): string =>
  `create table t(a integer primary key, b int, c text); with recursive s(i) as (select 1 union all select i + 1 from s where i < ${n}) insert into t select i, i * 7919 % 1009, 'row ' || i from s; create index x on t(b); select sum(u.a), count(*), max(v.c) from t u join t v on v.b = u.b and v.a = u.a;`;

export const ROWS: readonly Row[] = [
  row('memory', 'faults', 'fault_touch', 4096, 'first store to a page of anonymous memory'),
  row('memory', 'faults', 'fault_read_zero', 4096, 'first load of a page of anonymous memory'),
  row('memory', 'faults', 'touch_and_unmap', 4096, 'the same store, with its share of mmap and munmap of 2,048 pages'),
  row('memory', 'faults', 'cow_storm', 2048, 'store to a page that is shared since fork: the page is copied'),
  row('memory', 'faults', 'segv_handler', 500, 'mprotect, a SIGSEGV, mprotect in its handler, and the store again'),
  row('memory', 'mappings', 'mmap_churn_10', 500, 'two pairs of mmap and munmap among 10 VMAs'),
  row('memory', 'mappings', 'mmap_churn_1000', 500, 'the same among 1,000'),
  row('memory', 'mappings', 'mmap_churn_30000', 500, 'the same among 30,000'),
  row('memory', 'mappings', 'mprotect_split', 500, 'two mprotects of a page in the middle: split, and merge'),
  row('memory', 'mappings', 'mremap_grow', 1000, 'mremap by one page more, in place'),
  row('memory', 'mappings', 'mremap_move', 200, 'mremap of 64 touched pages to another address'),
  row('memory', 'mappings', 'brk_grow', 1000, 'brk by a page more and a store to it'),
  row('memory', 'mappings', 'reserve_128g', 500, 'mmap and munmap of 128 GiB with PROT_NONE'),
  row('memory', 'processes', 'fork_exit_1m', 30, 'fork with 1 MiB touched, exit of the child, wait'),
  row('memory', 'processes', 'fork_exit_64m', 3, 'the same with 64 MiB'),
  row('memory', 'processes', 'exec_exit', 20, 'vfork, execve of a static program that ends at once, wait'),
  row('memory', 'processes', 'pipe_pingpong', 500, 'a byte to another process through a pipe, and one back'),
  row('memory', 'processes', 'futex_pingpong', 500, 'waking another thread by FUTEX_WAKE, and being woken'),
  row('memory', 'processes', 'syscall_null', 10_000, 'getppid'),
  row('memory', 'files', 'file_map_read', 8192, 'first load of a mapped page that the page cache has'),
  row(
    'memory',
    'files',
    'file_map_write_msync',
    2048,
    'store to a mapped page, with its share of the msync of 1,024 pages',
  ),
  row('memory', 'files', 'read_64m', 64, 'pread of a MiB in pieces of 64 KiB from a file of 64 MiB in the page cache', {
    memoryMiB: 1024,
  }),
  row('memory', 'files', 'write_64m', 64, 'pwrite of a MiB in the same manner', { memoryMiB: 1024 }),
  row('memory', 'faults', 'swap_out_in', 2048, 'a page out by MADV_PAGEOUT, and in again by a load', { swapMiB: 64 }),
  row('bandwidth', 'memory', 'memcpy', 8, 'memcpy of a MiB in blocks of 128 KiB'),
  row('bandwidth', 'memory', 'chase_1m', 50_000, 'load of a pointer, 1 MiB of them in random order'),
  row('bandwidth', 'memory', 'chase_16m', 50_000, 'the same with 16 MiB'),
  row('bandwidth', 'memory', 'chase_256m', 20_000, 'the same with 256 MiB', { memoryMiB: 384 }),
  row('integer', 'integers', 'sort', 5, 'quicksort of 4,096 numbers'),
  row('integer', 'integers', 'sha256', 5, 'SHA-256 of 16 KiB'),
  row('integer', 'integers', 'parser', 10, 'parsing 4 KiB of arithmetic by recursive descent'),
  row('integer', 'integers', 'recursion', 10, 'Fibonacci of 16 and Ackermann of (2, 16)'),
  row('integer', 'integers', 'bytecode', 5, 'some 16,000 instructions of a stack machine'),
  row(
    'integer',
    'integers',
    'coremark',
    10,
    'lists, integer matrices, a state machine, a CRC: the mix of CoreMark, our own code',
  ),
  row('integer', 'integers', 'dhrystone', 10, 'records and strings: the mix of Dhrystone, our own code'),
  row('integer', 'sqlite3', 'sqlite', 200, 'a row of a table: inserted, indexed, joined (SQLite of Debian)', {
    whole: { args: (n) => [':memory:', SQL(n)], idle: [':memory:', 'select 1'] },
    most: 200_000,
  }),
  row('float', 'floats', 'matmul', 2, 'product of two 48 x 48 matrices, double precision'),
  row('float', 'floats', 'nbody', 10, 'five bodies, 100 steps, double precision'),
  row('float', 'floats', 'mandelbrot', 2, '32 x 32 points, single precision'),
];
