import { describe, expect, test } from 'vitest';
import { EAGAIN, ENOENT } from '../abi/errno.ts';
import { quoteBytes } from './strace/text.ts';
import { Strace } from './strace.ts';

/** User memory of a test: what is not set cannot be read beyond `limit`. */
class Memory {
  readonly bytes = new Uint8Array(65536);
  readonly limit = 65536;

  peek = (address: number, into: Uint8Array): number => {
    if (address >= this.limit) return 0;
    const count = Math.min(into.length, this.limit - address);
    into.set(this.bytes.subarray(address, address + count));
    return count;
  };

  text(address: number, value: string): number {
    this.bytes.set(new TextEncoder().encode(`${value}\0`), address);
    return address;
  }

  words(address: number, ...values: number[]): number {
    const view = new DataView(this.bytes.buffer);
    for (const [i, value] of values.entries()) view.setBigInt64(address + i * 8, BigInt(value), true);
    return address;
  }
}

function setup(): { lines: string[]; memory: Memory; trace: Strace } {
  const lines: string[] = [];
  const memory = new Memory();
  return {
    lines,
    memory,
    trace: new Strace(
      (line) => lines.push(line),
      () => memory.peek,
    ),
  };
}

const one = { tid: 100 };
const two = { tid: 101 };

function call(name: string, args: number[], result: number, prepare?: (memory: Memory) => void): string {
  const { lines, memory, trace } = setup();
  prepare?.(memory);
  trace.syscallEnter(one, name, args);
  trace.syscallExit(one, result);
  return lines[0];
}

/** The expected lines are those of strace 6.1 on Linux 6.18 for the same calls (addresses and numbers aside). */
describe('lines of strace', () => {
  const put = (address: number, text: string) => (memory: Memory) => void memory.text(address, text);
  const cases: [string, number[], number, string, ((memory: Memory) => void)?][] = [
    ['close', [3], 0, 'close(3)                                = 0'],
    [
      'openat',
      [-100, 64, 0o2000000, 0],
      3,
      'openat(AT_FDCWD, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3',
      put(64, '/etc/ld.so.cache'),
    ],
    [
      'openat',
      [-100, 64, 0o2001102, 0o644],
      3,
      'openat(AT_FDCWD, "/tmp/sys/zz", O_RDWR|O_CREAT|O_TRUNC|O_CLOEXEC, 0644) = 3',
      put(64, '/tmp/sys/zz'),
    ],
    [
      'openat',
      [-100, 64, 0o2204000, 0],
      13,
      'openat(AT_FDCWD, "/proc/self/task", O_RDONLY|O_NONBLOCK|O_CLOEXEC|O_DIRECTORY) = 13',
      put(64, '/proc/self/task'),
    ],
    [
      'openat',
      [-100, 64, 0, 0],
      -ENOENT,
      'openat(AT_FDCWD, "x", O_RDONLY)         = -1 ENOENT (No such file or directory)',
      put(64, 'x'),
    ],
    [
      'write',
      [3, 64, 50],
      50,
      'write(3, "hello\\n\\1\\177\\"quote\\\\ and a very long "..., 50) = 50',
      put(64, 'hello\n\x01\x7f"quote\\ and a very long string that will be cut'),
    ],
    ['read', [3, 64, 100], 5, 'read(3, "hello", 100)                   = 5', put(64, 'hello')],
    [
      'read',
      [5, 64, 5],
      -EAGAIN,
      'read(5, 0x40, 5)                        = -1 EAGAIN (Resource temporarily unavailable)',
    ],
    [
      'writev',
      [3, 512, 2],
      7,
      'writev(3, [{iov_base="abc", iov_len=3}, {iov_base="def\\n", iov_len=4}], 2) = 7',
      (memory) => {
        memory.text(64, 'abc');
        memory.text(80, 'def\n');
        memory.words(512, 64, 3, 80, 4);
      },
    ],
    [
      'preadv',
      [3, 512, 2, 0],
      5,
      'preadv(3, [{iov_base="hel", iov_len=3}, {iov_base="lo", iov_len=40}], 2, 0) = 5',
      (memory) => {
        memory.text(64, 'hel');
        memory.text(80, 'lo');
        memory.words(512, 64, 3, 80, 40);
      },
    ],
    [
      'mmap',
      [0, 8192, 3, 0x22, -1, 0],
      0x7f85f8458000,
      'mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f85f8458000',
    ],
    [
      'mmap',
      [0x10000000, 4096, 1, 0x10c022, -1, 0],
      0x10000000,
      'mmap(0x10000000, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE|MAP_POPULATE|MAP_FIXED_NOREPLACE, -1, 0) = 0x10000000',
    ],
    [
      'mmap',
      [0x7f0000, 4096, 5, 0x812, 3, 0x26000],
      0x7f0000,
      'mmap(0x7f0000, 4096, PROT_READ|PROT_EXEC, MAP_PRIVATE|MAP_FIXED|MAP_DENYWRITE, 3, 0x26000) = 0x7f0000',
    ],
    ['mprotect', [4096, 4096, 0], 0, 'mprotect(0x1000, 4096, PROT_NONE)       = 0'],
    ['brk', [0], 0x55d4ece93000, 'brk(NULL)                               = 0x55d4ece93000'],
    ['madvise', [4096, 8192, 4], 0, 'madvise(0x1000, 8192, MADV_DONTNEED)    = 0'],
    ['umask', [0o22], 0o22, 'umask(022)                              = 022'],
    ['fchmod', [3, 0o600], 0, 'fchmod(3, 0600)                         = 0'],
    ['fcntl', [3, 3, 0], 0x8002, 'fcntl(3, F_GETFL)                       = 0x8002 (flags O_RDWR|O_LARGEFILE)'],
    ['fcntl', [3, 2, 1], 0, 'fcntl(3, F_SETFD, FD_CLOEXEC)           = 0'],
    ['fcntl', [3, 1030, 20], 20, 'fcntl(3, F_DUPFD_CLOEXEC, 20)           = 20'],
    [
      'fcntl',
      [3, 6, 512],
      0,
      'fcntl(3, F_SETLK, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=0, l_len=10}) = 0',
      (memory) => void memory.words(512, 1, 0, 10, 0),
    ],
    [
      'pipe2',
      [512, 0o4000],
      0,
      'pipe2([5, 6], O_NONBLOCK)               = 0',
      (memory) => void memory.words(512, 5 + 6 * 2 ** 32),
    ],
    [
      'ppoll',
      [512, 2, 0, 0, 8],
      1,
      'ppoll([{fd=5, events=POLLIN}, {fd=6, events=POLLOUT}], 2, NULL, NULL, 8) = 1 ([{fd=6, revents=POLLOUT}])',
      (memory) => void memory.words(512, 5 + 2 ** 32, 6 + 4 * 2 ** 32 + 4 * 2 ** 48),
    ],
    [
      'pselect6',
      [10, 512, 0, 0, 0, 0],
      0,
      'pselect6(10, [5 6], NULL, NULL, NULL, NULL) = 0 (Timeout)',
      (memory) => void memory.words(512, 0x60),
    ],
    [
      'newfstatat',
      [3, 64, 512, 0x1000],
      0,
      'newfstatat(3, "", {st_mode=S_IFREG|0644, st_size=35083, ...}, AT_EMPTY_PATH) = 0',
      (memory) => void memory.words(512, 0, 0, 0o100644, 0, 0, 0, 35083),
    ],
    [
      'rt_sigaction',
      [10, 512, 0, 8],
      0,
      'rt_sigaction(SIGUSR1, {sa_handler=0x1000, sa_mask=[INT CHLD], sa_flags=SA_RESTART}, NULL, 8) = 0',
      (memory) => void memory.words(512, 4096, 0x10000000, 0x10002),
    ],
    [
      'rt_sigprocmask',
      [0, 512, 0, 8],
      0,
      'rt_sigprocmask(SIG_BLOCK, ~[RTMIN RT_1], NULL, 8) = 0',
      (memory) => {
        memory.words(512, -1);
        memory.bytes[512 + 3] = 0x7f;
        memory.bytes[512 + 4] = 0xfe;
      },
    ],
    ['kill', [8897, 10], 0, 'kill(8897, SIGUSR1)                     = 0'],
    ['futex', [4096, 129, 2147483647, 0, 0, 0], 0, 'futex(0x1000, FUTEX_WAKE_PRIVATE, 2147483647) = 0'],
    [
      'futex',
      [4096, 0x109, 8900, 0, 0, 0xffffffff],
      0,
      'futex(0x1000, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 8900, NULL, FUTEX_BITSET_MATCH_ANY) = 0',
    ],
    [
      'prlimit64',
      [0, 3, 0, 512],
      0,
      'prlimit64(0, RLIMIT_STACK, NULL, {rlim_cur=8192*1024, rlim_max=RLIM64_INFINITY}) = 0',
      (memory) => void memory.words(512, 8192 * 1024, -1),
    ],
    [
      'wait4',
      [8898, 512, 0, 0],
      8898,
      'wait4(8898, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGTERM}], 0, NULL) = 8898',
      (memory) => void memory.words(512, 15),
    ],
    [
      'wait4',
      [-1, 512, 1, 0],
      8898,
      'wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], WNOHANG, NULL) = 8898',
      (memory) => void memory.words(512, 0x300),
    ],
    [
      'execve',
      [64, 512, 600],
      0,
      'execve("/bin/true", ["true", "arg"], 0x258 /* 1 var */) = 0',
      (memory) => {
        memory.text(64, '/bin/true');
        memory.text(80, 'true');
        memory.text(96, 'arg');
        memory.words(512, 80, 96, 0);
        memory.words(600, 80, 0);
      },
    ],
    ['getcwd', [64, 100], 9, 'getcwd("/tmp/sys", 100)                 = 9', put(64, '/tmp/sys')],
    [
      'clone',
      [0x1200011, 0, 0, 0, 4096],
      8898,
      'clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x1000) = 8898',
    ],
    [
      'clock_nanosleep',
      [1, 0, 512, 0],
      -514,
      'clock_nanosleep(CLOCK_MONOTONIC, 0, {tv_sec=0, tv_nsec=1000000}, NULL) = ? ERESTARTNOHAND (To be restarted if no handler)',
      (m) => void m.words(512, 0, 1000000),
    ],
    [
      'syscall_0x1f4',
      [1, 2, 3, 0, 0, 0],
      -38,
      'syscall_0x1f4(0x1, 0x2, 0x3, 0, 0, 0)   = -1 ENOSYS (Function not implemented)',
    ],
  ];
  for (const [name, args, result, expected, prepare] of cases) {
    test(expected.slice(0, 60), () => expect(call(name, args, result, prepare)).toBe(expected));
  }
});

describe('tasks and signals', () => {
  test('a signal line has the fields that strace shows', () => {
    const { lines, trace } = setup();
    trace.signalDelivered(one, { signo: 11, code: 1, pid: 0, uid: 0, address: 8, status: 0 });
    trace.taskExit(one, 11);
    expect(lines).toEqual([
      '--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x8} ---',
      '+++ killed by SIGSEGV +++',
    ]);
  });

  test('exit_group never returns', () => {
    const { lines, trace } = setup();
    trace.syscallEnter(one, 'exit_group', [0]);
    trace.taskExit(one, 0);
    expect(lines).toEqual(['exit_group(0)                           = ?', '+++ exited with 0 +++']);
  });

  test('a line is cut when another task speaks, and resumed', () => {
    const { lines, memory, trace } = setup();
    memory.words(512, 0x300);
    trace.syscallEnter(one, 'clone', [17, 0, 0, 0, 0]);
    trace.taskNew(one, two);
    trace.syscallExit(one, 101);
    trace.syscallEnter(one, 'wait4', [101, 512, 0, 0]);
    trace.syscallEnter(two, 'exit_group', [3]);
    trace.taskExit(two, 0x300);
    trace.syscallExit(one, 101);
    expect(lines).toEqual([
      '[pid   100] clone(child_stack=NULL, flags=SIGCHLD) = 101',
      '[pid   100] wait4(101,  <unfinished ...>',
      '[pid   101] exit_group(3)               = ?',
      '[pid   101] +++ exited with 3 +++',
      '<... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 101',
    ]);
  });
});

describe('strings', () => {
  test('octal escapes are short unless a digit follows', () => {
    expect(quoteBytes(new Uint8Array([0x7f, 0x45, 0, 1, 0x31, 2]))).toBe('"\\177E\\0\\0011\\2"');
  });
});
