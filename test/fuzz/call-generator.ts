import { SYSCALL_NUMBERS } from '../../src/arch/riscv64/syscall-numbers.ts';
import { Rng } from '../../src/base/rng.ts';
import type { ArgKind, SyscallRow } from '../../src/kernel/syscalls/row.ts';
import { ALL_CALLS } from '../../src/kernel/syscalls/table.ts';
import { type FuzzPath, PATHS, SLOT, SLOTS, textAt } from './call-data.ts';
import { type Call, CODE_AT, DATA_AT, DATA_BYTES, TABLE_AT } from './table-machine.ts';

/**
 * Sequences of system calls that mostly make sense: descriptors of every kind are open, pointers lead to structs of the kind
 * that the kernel reads, addresses lie near each other; now and then an argument is wrong. All from one seed.
 */
const nr = (name: string): number => SYSCALL_NUMBERS.get(name) as number;

const ARENA = 0x4000_0000;
const NEVER = new Set(['reboot', 'exit_group', 'exit']);
const MEMORY = [
  'mmap',
  'munmap',
  'mprotect',
  'mremap',
  'madvise',
  'brk',
  'msync',
  'mincore',
  'mlock',
  'munlock',
  'mlockall',
  'mlock2',
];
const WEIGHTY = [
  ...MEMORY,
  ...MEMORY,
  'read',
  'write',
  'readv',
  'writev',
  'pread64',
  'pwrite64',
  'openat',
  'close',
  'dup3',
  'ftruncate',
  'fallocate',
  'rt_sigaction',
  'kill',
  'tgkill',
  'rt_sigprocmask',
  'sigaltstack',
  'rt_sigreturn',
  'clone',
  'clone',
  'wait4',
  'waitid',
  'futex',
  'futex',
  'execve',
  'setrlimit',
  'prlimit64',
  'ppoll',
  'epoll_ctl',
  'epoll_pwait',
  'pipe2',
  'setitimer',
  'timer_create',
  'timer_settime',
  'nanosleep',
  'sched_yield',
  'renameat2',
  'linkat',
  'unlinkat',
  'mkdirat',
  'symlinkat',
  'mknodat',
  'chdir',
  'chroot',
  'getdents64',
  'sendfile',
  'copy_file_range',
  'socketpair',
  'sendmsg',
  'recvmsg',
  'memfd_create',
  'process_vm_readv',
  'setpgid',
  'setsid',
  'exit',
];

class Generator {
  private readonly rng: Rng;
  private clones = 0;

  constructor(seed: number) {
    this.rng = new Rng(seed);
  }
  private pick<T>(list: readonly T[]): T {
    return list[this.rng.below(list.length)];
  }
  private chance(oneIn: number): boolean {
    return this.rng.below(oneIn) === 0;
  }
  private odd(): bigint {
    return this.pick([
      0n,
      -1n,
      1n,
      -4096n,
      -4095n,
      0x7fff_ffffn,
      0x8000_0000n,
      0xffff_ffffn,
      1n << 32n,
      1n << 38n,
      (1n << 38n) - 4096n,
      (1n << 38n) - 1n,
      1n << 53n,
      (1n << 63n) - 1n,
      1n << 63n,
      0x7fff_ffff_ffff_f000n,
      BigInt(this.rng.u32()),
      (BigInt(this.rng.u32()) << 32n) | BigInt(this.rng.u32()),
    ]);
  }
  private pointer(): bigint {
    switch (this.rng.below(14)) {
      case 0:
        return this.pick([
          0n,
          1n,
          BigInt(DATA_AT + DATA_BYTES),
          BigInt(TABLE_AT),
          BigInt(CODE_AT + 8),
          -8n,
          1n << 38n,
          1n << 60n,
        ]);
      case 1:
        return BigInt(DATA_AT + DATA_BYTES - this.rng.below(64));
      case 2:
        return BigInt(DATA_AT + this.rng.below(DATA_BYTES));
      case 3:
        return BigInt(ARENA + this.rng.below(16) * 4096 + this.pick([0, 0, 4080, 4090]));
      default:
        return BigInt(DATA_AT + (40 + this.rng.below(SLOTS - 40)) * SLOT);
    }
  }
  private fd(): bigint {
    if (this.chance(12)) return this.pick([-1n, -100n, 1000n, 0x7fff_ffffn]);
    return BigInt(this.rng.below(36));
  }
  private pages(): bigint {
    return BigInt(this.pick([1, 1, 2, 3, 5, 8, 16, 40, 512, 3000]) * 4096);
  }
  private arena(): bigint {
    if (this.chance(10))
      return this.pick([0n, BigInt(DATA_AT), BigInt(CODE_AT), BigInt(TABLE_AT), 1n << 38n, BigInt(ARENA + 0x20_0000)]);
    return BigInt(ARENA + this.rng.below(24) * 4096);
  }
  private argument(kind: ArgKind): bigint {
    if (this.chance(25)) return this.odd();
    switch (kind) {
      case 'fd':
        return this.fd();
      case 'path':
        return this.chance(15) ? this.pointer() : BigInt(DATA_AT + this.rng.below(PATHS.length) * SLOT);
      case 'ptr':
        return this.chance(6) ? 0n : this.pointer();
      case 'pid':
        return this.pick([0n, -1n, 1n, 3n, 4n, 5n, 6n, -3n, 2n]);
      case 'sig':
        return BigInt(this.rng.below(66));
      case 'mode':
        return this.pick([0o777n, 0o644n, 0o20666n, 0o10644n, 0o100755n, 0n]);
      case 'size':
        return this.pick([
          0n,
          1n,
          7n,
          8n,
          16n,
          24n,
          100n,
          128n,
          1000n,
          4096n,
          8192n,
          65536n,
          100_000n,
          1n << 20n,
          8n << 20n,
        ]);
      case 'off':
      case 'long':
      case 'ulong':
        return this.pick([
          0n,
          1n,
          100n,
          4095n,
          4096n,
          65536n,
          1n << 20n,
          3n << 20n,
          1n << 31n,
          1n << 40n,
          -1n,
          BigInt(this.rng.below(20)),
        ]);
      default:
        return this.chance(3) ? BigInt(this.rng.u32() & this.rng.u32() & this.rng.u32()) : BigInt(this.rng.below(20));
    }
  }
  private shaped(name: string): readonly bigint[] | null {
    switch (name) {
      case 'mmap':
        return [
          this.chance(3) ? 0n : this.arena(),
          this.pages(),
          BigInt(this.rng.below(8)),
          this.pick([
            0x22n,
            0x22n,
            0x32n,
            0x32n,
            0x21n,
            0x31n,
            0x12n,
            0x11n,
            0x2n,
            0x1n,
            0x8032n,
            0x0132n,
            0x4032n,
            0x102022n,
            0x2032n,
            0x3n,
            0x8012n,
            0x8031n,
          ]),
          this.fd(),
          BigInt(this.pick([0, 0, 4096, 8192, 1])),
        ];
      case 'munmap':
      case 'mprotect':
      case 'msync':
      case 'mlock':
      case 'munlock':
      case 'mlock2':
        return [this.arena(), this.pages(), BigInt(this.rng.below(8))];
      case 'madvise':
        return [this.arena(), this.pages(), BigInt(this.rng.below(26))];
      case 'mremap':
        return [
          this.arena(),
          this.chance(5) ? 0n : this.pages(),
          this.pages(),
          BigInt(this.pick([0, 1, 1, 3, 3, 5, 7])),
          this.arena(),
        ];
      case 'mincore':
        return [this.arena(), this.pages(), this.pointer()];
      case 'brk':
        return [this.chance(3) ? 0n : BigInt(0x34000 + this.rng.below(3000) * 4096)];
      case 'clone': {
        this.clones++;
        if (this.clones > 5) return [-1n, 0n, 0n, 0n, 0n];
        const flags = this.pick([
          17n,
          17n,
          0x4111n,
          0x50f00n,
          0x3d0f00n,
          0x1200011n,
          0x10d00n,
          0x811n,
          0x400n | 17n,
          0x80000011n,
        ]);
        return [flags, this.chance(2) ? 0n : BigInt(ARENA + 0x8000), this.pointer(), this.pointer(), this.pointer()];
      }
      case 'futex':
        return [
          this.chance(4) ? this.arena() : BigInt(DATA_AT + 90 * SLOT),
          BigInt(this.pick([0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]) | this.pick([0, 128, 256])),
          BigInt(this.rng.below(3)),
          BigInt(DATA_AT + (40 + this.rng.below(8)) * SLOT),
          BigInt(DATA_AT + 91 * SLOT),
          BigInt(this.rng.below(4)),
        ];
      case 'rt_sigaction':
        return [BigInt(1 + this.rng.below(40)), BigInt(DATA_AT + (52 + this.rng.below(28)) * SLOT), 0n, 8n];
      case 'sigaltstack':
        return [BigInt(DATA_AT + (80 + this.rng.below(4)) * SLOT), 0n];
      case 'setrlimit':
        return [BigInt(this.rng.below(16)), BigInt(DATA_AT + (84 + this.rng.below(7)) * SLOT)];
      case 'prlimit64':
        return [0n, BigInt(this.rng.below(16)), BigInt(DATA_AT + (84 + this.rng.below(7)) * SLOT), 0n];
      case 'kill':
        return [
          this.pick([3n, 3n, 4n, 0n, 5n, 6n, -1n]),
          this.pick([0n, 1n, 2n, 10n, 10n, 12n, 14n, 17n, 18n, 19n, 20n, 34n, 40n, 9n, 11n]),
        ];
      case 'wait4':
        return [-1n, this.pointer(), BigInt(this.pick([0, 1, 3, 9, 0x40000001])), 0n];
      case 'openat':
        return [
          -100n,
          BigInt(DATA_AT + this.rng.below(PATHS.length) * SLOT),
          this.pick([0n, 1n, 2n, 0o102n, 0o1102n, 0o2002n, 0o200000n, 0o10000000n, 0o20200002n, 0o40002n, 0o4002n]),
          0o777n,
        ];
      case 'exit':
        return this.chance(3) ? [0n] : null;
      case 'rt_sigreturn':
        return this.chance(3) ? [0n] : null;
      default:
        return null;
    }
  }
  call(): Call {
    const name = this.chance(2) ? this.pick(WEIGHTY) : this.pick(CALLS).name;
    const row = ROWS.get(name);
    const shaped = this.chance(12) ? null : this.shaped(name);
    if (shaped !== null) return { nr: nr(name), args: shaped };
    if (row === undefined || name === 'exit' || name === 'rt_sigreturn') return { nr: nr('sched_yield'), args: [] };
    if (name === 'clone' || name === 'clone3') if (++this.clones > 5) return { nr: nr('gettid'), args: [] };
    return { nr: nr(name), args: row.args.map((kind) => this.argument(kind)) };
  }
}
const CALLS = ALL_CALLS.filter(
  (row: SyscallRow) => row.run !== null && !NEVER.has(row.name) && SYSCALL_NUMBERS.has(row.name),
);
const ROWS = new Map(ALL_CALLS.filter((row) => SYSCALL_NUMBERS.has(row.name)).map((row) => [row.name, row]));

/** Descriptors 3 and up, of every kind, and something mapped. */
function prelude(): Call[] {
  const open = (path: FuzzPath, flags: number): Call => ({
    nr: nr('openat'),
    args: [-100n, textAt(path), BigInt(flags), 0o777n],
  });
  const at = (slot: number): bigint => BigInt(DATA_AT + slot * SLOT);
  return [
    open('/tmp/a', 0o102),
    { nr: nr('ftruncate'), args: [3n, 100_000n] },
    open('/tmp/b', 0o2102),
    { nr: nr('mkdirat'), args: [-100n, textAt('/tmp/d'), 0o777n] },
    open('/tmp/d', 0o200000),
    open('/dev/zero', 2),
    open('/dev/null', 2),
    open('/dev/random', 0),
    open('/dev/full', 2),
    { nr: nr('pipe2'), args: [at(120), 0o4000n] },
    { nr: nr('pipe2'), args: [at(120), 0n] },
    { nr: nr('eventfd2'), args: [3n, 0o4000n] },
    { nr: nr('epoll_create1'), args: [0n] },
    { nr: nr('timerfd_create'), args: [1n, 0o4000n] },
    { nr: nr('socketpair'), args: [1n, 1n | 0o4000n, 0n, at(120)] },
    { nr: nr('socketpair'), args: [1n, 2n, 0n, at(120)] },
    { nr: nr('memfd_create'), args: [textAt('a'), 3n] },
    open('/proc/self/maps', 0),
    open('/proc/self/mem', 2),
    open('/proc/self/pagemap', 0),
    open('/proc/meminfo', 0),
    open('/proc/self/fd', 0o200000),
    open('/fuzz', 0),
    { nr: nr('signalfd4'), args: [-1n, at(40), 8n, 0n] },
    { nr: nr('symlinkat'), args: [textAt('/tmp/a'), -100n, textAt('/tmp/link')] },
    { nr: nr('mmap'), args: [BigInt(ARENA), 0x10000n, 7n, 0x32n, -1n, 0n] },
    { nr: nr('mmap'), args: [BigInt(ARENA + 0x10000), 0x8000n, 3n, 0x11n, 3n, 0n] },
  ];
}

export function callSequence(seed: number, length: number): Call[] {
  const generator = new Generator(seed);
  return [...prelude(), ...Array.from({ length }, () => generator.call())];
}
