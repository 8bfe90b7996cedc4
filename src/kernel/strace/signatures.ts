import * as arg from './arguments.ts';
import * as fileFlags from './file-flags.ts';
import * as memoryFlags from './memory-flags.ts';
import * as processFlags from './process-flags.ts';
import * as signalFlags from './signal-flags.ts';
import * as struct from './structs.ts';
import { flagNames, hex, hexBytes, octal, pointer, valueName } from './text.ts';
import type { CallView } from './view.ts';

/** One call: its arguments in order, and how its result is shown where that is not plain decimal. */
export interface Signature {
  readonly args: readonly arg.Argument[];
  readonly result?: (view: CallView) => string;
}

const { int, path, dirfd, address, mode } = arg;
const atFlags = arg.flags(fileFlags.AT_FLAGS);
const hexResult = (view: CallView): string => hex(view.result);
const sized = (format: struct.StructFormat): arg.Argument => arg.structIn(format);
const iovecIn = arg.printIn((view, i) => struct.iovec(view, view.args[i], view.args[i + 1], Number.POSITIVE_INFINITY));
const iovecOut = arg.printOut((view, i) =>
  view.failed ? pointer(view.args[i]) : struct.iovec(view, view.args[i], view.args[i + 1], view.result),
);
const timeLeft = arg.printOut((view, i) =>
  view.result === -4 || view.result === -516 ? struct.timespec(view, view.args[i]) : pointer(view.args[i]),
);
const sigsetIn = arg.structIn(struct.sigset);
const socketType = arg.printIn((view, i) => {
  const type = valueName(view.args[i] & 15, fileFlags.SOCKET_TYPES, 'SOCK_???');
  const rest = view.args[i] - (view.args[i] & 15);
  return rest === 0 ? type : `${type}|${flagNames(rest, fileFlags.SOCKET_FLAGS)}`;
});
const openHow = arg.printIn((view, i) => {
  const data = view.struct(view.args[i], 24);
  if (data === null) return pointer(view.args[i]);
  const creates = (data.getUint32(0, true) & 0o100) !== 0 ? `, mode=${octal(data.getUint32(8, true))}` : '';
  return `{flags=${arg.openFlagsText(data.getUint32(0, true))}${creates}, resolve=${hex(data.getUint32(16, true))}}`;
});
const pollFds = arg.printIn((view, i) => struct.pollFds(view, view.args[i], view.args[i + 1]));
const fdSet = arg.printIn((view, i) => struct.fdSet(view, view.args[i], view.args[0]));

function pollResult(view: CallView): string {
  if (view.result === 0) return '0 (Timeout)';
  return `${view.result} (${struct.pollReady(view, view.args[0], view.args[1])})`;
}

function selectResult(view: CallView): string {
  if (view.result === 0) return '0 (Timeout)';
  const sets = ['in', 'out', 'except'] as const;
  const parts: string[] = [];
  for (const [index, name] of sets.entries()) {
    const text = struct.fdSet(view, view.args[index + 1], view.args[0]);
    if (view.args[index + 1] !== 0 && text !== '[]') parts.push(`${name} ${text}`);
  }
  if (view.args[4] !== 0) parts.push(`left ${struct.timespec(view, view.args[4])}`);
  return `${view.result} (${parts.join(', ')})`;
}

const selectMask = arg.printIn((view, i) => {
  const data = view.struct(view.args[i], 16);
  if (data === null) return pointer(view.args[i]);
  const low = data.getUint32(0, true) + data.getUint32(4, true) * 2 ** 32;
  return `{sigmask=${low === 0 ? 'NULL' : struct.sigset(view, low)}, sigsetsize=${data.getUint32(8, true)}}`;
});

const fcntlArgument = arg.printIn((view, i) => {
  const value = view.args[i];
  switch (view.args[1]) {
    case 1:
    case 3:
    case 9:
    case 11:
    case 1025:
    case 1032:
    case 1034:
      return null;
    case 2:
      return flagNames(value % 2 ** 32, [[1, 'FD_CLOEXEC']]);
    case 4:
      return arg.openFlagsText(value % 2 ** 32);
    case 6:
    case 7:
    case 37:
    case 38:
      return struct.flock(view, value);
    case 5:
    case 36:
      return Number.isNaN(view.result) || view.failed ? pointer(value) : struct.flock(view, value);
    default:
      return String(value >= 2 ** 63 ? value - 2 ** 64 : value);
  }
});

function fcntlResult(view: CallView): string {
  if (view.args[1] === 1 && view.result === 1) return '0x1 (flags FD_CLOEXEC)';
  if (view.args[1] === 3) return `${hex(view.result)} (flags ${arg.openFlagsText(view.result)})`;
  return String(view.result);
}

const ioctlArgument = arg.printOut((view, i) => {
  const value = view.args[i];
  switch (view.args[1]) {
    case 0x5413:
      return view.failed ? pointer(value) : struct.winsize(view, value);
    case 0x5414:
      return struct.winsize(view, value);
    case 0x540f:
    case 0x541b:
    case 0x5429:
      return view.failed ? pointer(value) : struct.intArray(1)(view, value);
    case 0x5410:
    case 0x5421:
      return struct.intArray(1)(view, value);
    case 0x5450:
    case 0x5451:
    case 0x5422:
      return null;
    default:
      return pointer(value);
  }
});

const futexOperation = arg.printIn((view, i) => {
  const op = view.args[i];
  const name = processFlags.FUTEX_OPS[op & 0x7f] ?? hex(op & 0x7f);
  return `${name}${(op & 0x80) !== 0 ? '_PRIVATE' : ''}${(op & 0x100) !== 0 ? '|FUTEX_CLOCK_REALTIME' : ''}`;
});
const futexOf = (ops: readonly number[], print: (view: CallView, i: number) => string): arg.Argument =>
  arg.printIn((view, i) => (ops.includes(view.args[1] & 0x7f) ? print(view, i) : null));

/** riscv64 has CLONE_BACKWARDS: flags, stack, parent_tid, tls, child_tid; strace prints the stack first. */
const cloneArguments = arg.printIn((view) => {
  const [flags, stack, parent, tls, child] = view.args;
  const low = (flags % 2 ** 32) >>> 0;
  const exitSignal = low & 0xff;
  const bits = flagNames(low - exitSignal, processFlags.CLONE_FLAGS, '');
  const all = [bits, exitSignal === 0 ? '' : signalFlags.signalName(exitSignal)]
    .filter((part) => part !== '')
    .join('|');
  const parts = [`child_stack=${pointer(stack)}`, `flags=${all === '' ? '0' : all}`];
  if ((low & 0x100000) !== 0) parts.push(`parent_tid=[${parent}]`.replace(`[${parent}]`, pointer(parent)));
  if ((low & 0x80000) !== 0) parts.push(`tls=${pointer(tls)}`);
  if ((low & 0x1200000) !== 0 || (low & 0x200000) !== 0) parts.push(`child_tidptr=${pointer(child)}`);
  return parts.join(', ');
});

const randomOut = arg.printOut((view, i) => {
  const bytes = view.failed ? null : view.buffer(view.args[i], view.result);
  return bytes === null ? pointer(view.args[i]) : hexBytes(bytes) + (view.result > bytes.length ? '...' : '');
});

const cwdOut = arg.printOut((view, i) => {
  const bytes = view.failed ? null : view.bytes(view.args[i], view.result - 1);
  return bytes === null ? pointer(view.args[i]) : arg.path.print(view, i);
});

const entriesOut = arg.printOut((view, i) => {
  if (view.failed) return pointer(view.args[i]);
  const data = view.struct(view.args[i], view.result);
  if (data === null) return pointer(view.args[i]);
  let count = 0;
  for (let at = 0; at + 19 <= data.byteLength; count++) {
    const length = data.getUint16(at + 16, true);
    if (length === 0) break;
    at += length;
  }
  return `${pointer(view.args[i])} /* ${count} entries */`;
});

const prctlArgument = arg.printIn((view, i) => (view.args[0] === 15 ? arg.text.print(view, i) : hex(view.args[i])));
const statxFlags = arg.printIn((view, i) => {
  const sync = view.args[i] & 0x6000;
  const rest = view.args[i] - sync;
  const syncName = valueName(sync, fileFlags.STATX_SYNC, 'AT_STATX_???');
  return rest === 0 ? syncName : `${syncName}|${flagNames(rest, fileFlags.AT_FLAGS)}`;
});

const readLike = { args: [int, arg.dataOut, int] };
const rwOffset = [int, int] as const;

export const SIGNATURES: Readonly<Record<string, Signature>> = {
  openat: { args: [dirfd, path, arg.openFlags, arg.openMode] },
  openat2: { args: [dirfd, path, openHow, int] },
  close: { args: [int] },
  close_range: {
    args: [
      int,
      int,
      arg.flags([
        [2, 'CLOSE_RANGE_UNSHARE'],
        [4, 'CLOSE_RANGE_CLOEXEC'],
      ]),
    ],
  },
  read: readLike,
  write: { args: [int, arg.dataIn(2), int] },
  pread64: { args: [int, arg.dataOut, ...rwOffset] },
  pwrite64: { args: [int, arg.dataIn(2), ...rwOffset] },
  readv: { args: [int, iovecOut, int] },
  writev: { args: [int, iovecIn, int] },
  preadv: { args: [int, iovecOut, int, int] },
  pwritev: { args: [int, iovecIn, int, int] },
  preadv2: { args: [int, iovecOut, int, int, arg.printIn(() => null), arg.hexadecimal] },
  pwritev2: { args: [int, iovecIn, int, int, arg.printIn(() => null), arg.hexadecimal] },
  lseek: { args: [int, int, arg.choice(fileFlags.WHENCE, 'SEEK_???')] },
  fstat: { args: [int, arg.structOut(struct.stat)] },
  newfstatat: { args: [dirfd, path, arg.structOut(struct.stat), atFlags] },
  statx: { args: [dirfd, path, statxFlags, arg.flags(fileFlags.STATX_MASK), arg.structOut(struct.statx)] },
  statfs: { args: [path, arg.structOut(struct.statfs)] },
  fstatfs: { args: [int, arg.structOut(struct.statfs)] },
  faccessat: { args: [dirfd, path, arg.flags(fileFlags.ACCESS_FLAGS)] },
  faccessat2: { args: [dirfd, path, arg.flags(fileFlags.ACCESS_FLAGS), atFlags] },
  readlinkat: { args: [dirfd, path, arg.dataOut, int] },
  getdents64: { args: [int, entriesOut, int] },
  mkdirat: { args: [dirfd, path, mode] },
  unlinkat: { args: [dirfd, path, atFlags] },
  renameat: { args: [dirfd, path, dirfd, path] },
  renameat2: { args: [dirfd, path, dirfd, path, arg.flags(fileFlags.RENAME_FLAGS)] },
  linkat: { args: [dirfd, path, dirfd, path, atFlags] },
  symlinkat: { args: [path, dirfd, path] },
  mknodat: { args: [dirfd, path, arg.typedMode, int] },
  fchmod: { args: [int, mode] },
  fchmodat: { args: [dirfd, path, mode] },
  fchown: { args: [int, int, int] },
  fchownat: { args: [dirfd, path, int, int, atFlags] },
  utimensat: { args: [dirfd, path, arg.structIn(struct.timespecPair), atFlags] },
  truncate: { args: [path, int] },
  ftruncate: { args: [int, int] },
  fallocate: { args: [int, arg.flags(fileFlags.FALLOCATE_FLAGS), int, int] },
  fsync: { args: [int] },
  fdatasync: { args: [int] },
  sync: { args: [] },
  syncfs: { args: [int] },
  dup: { args: [int] },
  dup3: { args: [int, int, arg.flags([[0o2000000, 'O_CLOEXEC']])] },
  fcntl: { args: [int, arg.choice(fileFlags.FCNTL, 'F_???'), fcntlArgument], result: fcntlResult },
  ioctl: { args: [int, arg.choice(fileFlags.IOCTLS, 'TCGETS_???'), ioctlArgument] },
  flock: { args: [int, arg.flags(fileFlags.FLOCK_FLAGS)] },
  pipe2: {
    args: [arg.structOut(struct.intArray(2)), arg.printIn((v, i) => flagNames(v.args[i], fileFlags.OPEN_FLAGS))],
  },
  eventfd2: { args: [int, arg.flags(fileFlags.EVENTFD_FLAGS)] },
  socketpair: {
    args: [arg.choice(fileFlags.SOCKET_FAMILIES, 'AF_???'), socketType, int, arg.structOut(struct.intArray(2))],
  },
  socket: { args: [arg.choice(fileFlags.SOCKET_FAMILIES, 'AF_???'), socketType, int] },
  sendfile: { args: [int, int, arg.structIn(struct.off64), int] },
  copy_file_range: { args: [int, arg.structIn(struct.off64), int, arg.structIn(struct.off64), int, arg.hexadecimal] },
  getcwd: { args: [cwdOut, int] },
  chdir: { args: [path] },
  fchdir: { args: [int] },
  chroot: { args: [path] },
  umask: { args: [mode], result: (view) => octal(view.result) },
  ppoll: { args: [pollFds, int, sized(struct.timespec), sigsetIn, int], result: pollResult },
  pselect6: { args: [int, fdSet, fdSet, fdSet, sized(struct.timespec), selectMask], result: selectResult },
  epoll_create1: { args: [arg.flags(fileFlags.EPOLL_CREATE)] },
  epoll_ctl: { args: [int, arg.choice(fileFlags.EPOLL_CTL, 'EPOLL_CTL_???'), int, arg.structIn(struct.epollEventAt)] },
  epoll_pwait: {
    args: [
      int,
      arg.printOut((view, i) =>
        view.failed ? pointer(view.args[i]) : struct.epollEvents(view, view.args[i], view.result),
      ),
      int,
      int,
      sigsetIn,
      int,
    ],
  },
  memfd_create: { args: [arg.text, arg.flags(memoryFlags.MEMFD_FLAGS)] },
  mmap: {
    args: [address, int, arg.flags(memoryFlags.PROT_FLAGS), arg.mapFlags, int, arg.mapOffset],
    result: hexResult,
  },
  munmap: { args: [address, int] },
  mprotect: { args: [address, int, arg.flags(memoryFlags.PROT_FLAGS)] },
  mremap: {
    args: [
      address,
      int,
      int,
      arg.flags(memoryFlags.MREMAP_FLAGS),
      arg.printIn((view, i) => ((view.args[3] & 6) !== 0 ? pointer(view.args[i]) : null)),
    ],
    result: hexResult,
  },
  brk: { args: [address], result: hexResult },
  madvise: { args: [address, int, arg.choice(memoryFlags.MADVISE, 'MADV_???')] },
  msync: { args: [address, int, arg.flags(memoryFlags.MSYNC_FLAGS)] },
  mincore: {
    args: [
      address,
      int,
      arg.printOut((view, i) => {
        const count = Math.ceil(view.args[1] / 4096);
        const bytes = view.failed ? null : view.buffer(view.args[i], count);
        if (bytes === null) return pointer(view.args[i]);
        return `[${[...bytes].join(', ')}${count > bytes.length ? ', ...' : ''}]`;
      }),
    ],
  },
  mlock: { args: [address, int] },
  munlock: { args: [address, int] },
  fadvise64: { args: [int, int, int, arg.choice(fileFlags.ADVICE, 'POSIX_FADV_???')] },
  uname: { args: [arg.structOut(struct.utsname)] },
  sysinfo: { args: [arg.structOut(struct.sysinfo)] },
  getrandom: { args: [randomOut, int, arg.flags(processFlags.GETRANDOM_FLAGS)] },
  execve: {
    args: [
      path,
      arg.printIn((view, i) => struct.stringArray(view, view.args[i])),
      arg.printIn((view, i) => struct.stringCount(view, view.args[i])),
    ],
  },
  clone: { args: [cloneArguments] },
  clone3: { args: [arg.structIn(struct.cloneArgs), int] },
  exit: { args: [int] },
  exit_group: { args: [int] },
  wait4: {
    args: [
      int,
      arg.printOut((view, i) => (view.result > 0 ? struct.waitStatus(view, view.args[i]) : pointer(view.args[i]))),
      arg.flags(processFlags.WAIT4_FLAGS),
      arg.printOut((view, i) => (view.result > 0 ? struct.rusage(view, view.args[i]) : pointer(view.args[i]))),
    ],
  },
  waitid: {
    args: [
      arg.choice(processFlags.WAIT_IDS, 'P_???'),
      int,
      arg.structOut(struct.siginfo),
      arg.flags(processFlags.WAIT_FLAGS),
      arg.structOut(struct.rusage),
    ],
  },
  kill: { args: [int, arg.signal] },
  tkill: { args: [int, arg.signal] },
  tgkill: { args: [int, int, arg.signal] },
  rt_sigaction: { args: [arg.signal, arg.structIn(struct.sigaction), arg.structOut(struct.sigaction), int] },
  rt_sigprocmask: {
    args: [arg.choice(signalFlags.SIGPROCMASK, 'SIG_???'), sigsetIn, arg.structOut(struct.sigset), int],
  },
  rt_sigpending: { args: [arg.structOut(struct.sigset), int] },
  rt_sigsuspend: { args: [sigsetIn, int] },
  rt_sigtimedwait: { args: [sigsetIn, arg.structOut(struct.siginfo), sized(struct.timespec), int] },
  rt_sigreturn: { args: [] },
  sigaltstack: { args: [arg.structIn(struct.stack), arg.structOut(struct.stack)] },
  nanosleep: { args: [sized(struct.timespec), timeLeft] },
  clock_nanosleep: {
    args: [
      arg.choice(processFlags.CLOCKS, 'CLOCK_???'),
      arg.flags(processFlags.TIMER_FLAGS),
      sized(struct.timespec),
      timeLeft,
    ],
  },
  clock_gettime: { args: [arg.choice(processFlags.CLOCKS, 'CLOCK_???'), arg.structOut(struct.timespec)] },
  clock_getres: { args: [arg.choice(processFlags.CLOCKS, 'CLOCK_???'), arg.structOut(struct.timespec)] },
  gettimeofday: { args: [arg.structOut(struct.timevalAt), address] },
  setitimer: {
    args: [
      arg.choice(processFlags.ITIMERS, 'ITIMER_???'),
      arg.structIn(struct.itimerval),
      arg.structOut(struct.itimerval),
    ],
  },
  getitimer: { args: [arg.choice(processFlags.ITIMERS, 'ITIMER_???'), arg.structOut(struct.itimerval)] },
  futex: {
    args: [
      address,
      futexOperation,
      int,
      futexOf([0, 6, 9, 11, 13], (view, i) => struct.timespec(view, view.args[i])),
      futexOf([3, 4, 5, 11, 12], (view, i) => pointer(view.args[i])),
      arg.printIn((view, i) => {
        const op = view.args[1] & 0x7f;
        if (op === 9 || op === 10)
          return view.args[i] === 0xffffffff || view.args[i] === -1 ? 'FUTEX_BITSET_MATCH_ANY' : hex(view.args[i]);
        return op === 4 ? String(view.args[i]) : null;
      }),
    ],
  },
  set_tid_address: { args: [address] },
  set_robust_list: { args: [address, int] },
  rseq: { args: [address, arg.hexadecimal, int, arg.hexadecimal] },
  prlimit64: {
    args: [
      int,
      arg.choice(processFlags.RESOURCES, 'RLIMIT_???'),
      arg.structIn(struct.rlimit),
      arg.structOut(struct.rlimit),
    ],
  },
  getrlimit: { args: [arg.choice(processFlags.RESOURCES, 'RLIMIT_???'), arg.structOut(struct.rlimit)] },
  setrlimit: { args: [arg.choice(processFlags.RESOURCES, 'RLIMIT_???'), arg.structIn(struct.rlimit)] },
  getrusage: { args: [arg.choice(processFlags.RUSAGE_WHO, 'RUSAGE_???'), arg.structOut(struct.rusage)] },
  prctl: { args: [arg.choice(processFlags.PRCTL, 'PR_???'), prctlArgument] },
  riscv_flush_icache: { args: [address, address, int] },
  riscv_hwprobe: { args: [address, int, int, address, int] },
  ...plain('getpid getppid gettid getuid geteuid getgid getegid setsid sched_yield munlockall vhangup', []),
  ...plain('getpgid getsid setuid setgid mlockall epoll_create inotify_init1', [int]),
  ...plain('setpgid getpriority', [int, int]),
};

function plain(list: string, args: readonly arg.Argument[]): Record<string, Signature> {
  return Object.fromEntries(list.split(' ').map((name) => [name, { args }]));
}

/** A call without a signature: its six arguments in hexadecimal. */
export const UNKNOWN_CALL: Signature = {
  args: [arg.hexadecimal, arg.hexadecimal, arg.hexadecimal, arg.hexadecimal, arg.hexadecimal, arg.hexadecimal],
};
