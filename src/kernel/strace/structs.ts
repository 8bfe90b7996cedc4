import { EPOLL_EVENTS, FILE_TYPES, LOCK_TYPES, POLL_EVENTS, STATFS_MAGIC, STATX_MASK, WHENCE } from './file-flags.ts';
import { CLONE_FLAGS } from './process-flags.ts';
import { SA_FLAGS, SS_FLAGS, shortSignalName, signalCodeName, signalName } from './signal-flags.ts';
import { flagNames, hex, octal, pointer, quoteBytes, quoteLimited, STRING_LIMIT, valueName } from './text.ts';
import { type CallView, s64, u64 } from './view.ts';

/**
 * Structures of the LP64 asm-generic ABI (riscv64) as strace prints them. Each takes the address; where the memory cannot
 * be read it prints the address itself, as strace does.
 */
export type StructFormat = (view: CallView, address: number) => string;

export function modeText(mode: number): string {
  const type = mode & 0o170000;
  const special = [
    [0o4000, 'S_ISUID'],
    [0o2000, 'S_ISGID'],
    [0o1000, 'S_ISVTX'],
  ] as const;
  const parts: string[] = [];
  const typeName = FILE_TYPES.find(([bits]) => bits === type)?.[1];
  if (typeName !== undefined) parts.push(typeName);
  for (const [bit, name] of special) if ((mode & bit) !== 0) parts.push(name);
  parts.push(octal(mode & 0o777));
  return parts.join('|');
}

const isDevice = (mode: number): boolean => (mode & 0o170000) === 0o020000 || (mode & 0o170000) === 0o060000;

export const stat: StructFormat = (view, address) => {
  const data = view.struct(address, 128);
  if (data === null) return pointer(address);
  const mode = data.getUint32(16, true);
  const size = isDevice(mode) ? `st_rdev=makedev(${deviceText(u64(data, 32))})` : `st_size=${s64(data, 48)}`;
  return `{st_mode=${modeText(mode)}, ${size}, ...}`;
};

function deviceText(device: number): string {
  return `${hex(Math.floor(device / 256) % 4096)}, ${hex((device % 256) + Math.floor(device / 2 ** 20) * 256)}`;
}

export const statx: StructFormat = (view, address) => {
  const data = view.struct(address, 256);
  if (data === null) return pointer(address);
  const mode = data.getUint16(28, true);
  const size = isDevice(mode)
    ? `stx_rdev=makedev(${hex(data.getUint32(128, true))}, ${hex(data.getUint32(132, true))})`
    : `stx_size=${u64(data, 40)}`;
  const mask = flagNames(data.getUint32(0, true), STATX_MASK);
  return `{stx_mask=${mask}, stx_attributes=${u64(data, 8)}, stx_mode=${modeText(mode)}, ${size}, ...}`;
};

export const statfs: StructFormat = (view, address) => {
  const data = view.struct(address, 120);
  if (data === null) return pointer(address);
  const word = (index: number): number => u64(data, index * 8);
  const type = STATFS_MAGIC.find(([magic]) => magic === word(0))?.[1] ?? hex(word(0));
  const fsid = `{val=[${hex(data.getUint32(56, true))}, ${hex(data.getUint32(60, true))}]}`;
  return `{f_type=${type}, f_bsize=${word(1)}, f_blocks=${word(2)}, f_bfree=${word(3)}, f_bavail=${word(4)}, f_files=${word(5)}, f_ffree=${word(6)}, f_fsid=${fsid}, f_namelen=${word(8)}, f_frsize=${word(9)}, f_flags=${hex(word(10))}}`;
};

export const timespec: StructFormat = (view, address) => {
  const data = view.struct(address, 16);
  return data === null ? pointer(address) : `{tv_sec=${s64(data, 0)}, tv_nsec=${s64(data, 8)}}`;
};

const timeval = (data: DataView, offset: number): string =>
  `{tv_sec=${s64(data, offset)}, tv_usec=${s64(data, offset + 8)}}`;

export const timevalAt: StructFormat = (view, address) => {
  const data = view.struct(address, 16);
  return data === null ? pointer(address) : timeval(data, 0);
};

export const itimerval: StructFormat = (view, address) => {
  const data = view.struct(address, 32);
  return data === null ? pointer(address) : `{it_interval=${timeval(data, 0)}, it_value=${timeval(data, 16)}}`;
};

export const rusage: StructFormat = (view, address) => {
  const data = view.struct(address, 144);
  return data === null ? pointer(address) : `{ru_utime=${timeval(data, 0)}, ru_stime=${timeval(data, 16)}, ...}`;
};

function rlimitValue(value: number): string {
  if (value >= 2 ** 64 - 2048) return 'RLIM64_INFINITY';
  return value > 1024 && value % 1024 === 0 ? `${value / 1024}*1024` : String(value);
}

export const rlimit: StructFormat = (view, address) => {
  const data = view.struct(address, 16);
  if (data === null) return pointer(address);
  return `{rlim_cur=${rlimitValue(u64(data, 0))}, rlim_max=${rlimitValue(u64(data, 8))}}`;
};

/** utimensat's two times, with UTIME_NOW and UTIME_OMIT. */
export const timespecPair: StructFormat = (view, address) => {
  const data = view.struct(address, 32);
  if (data === null) return pointer(address);
  const one = (offset: number): string => {
    const nsec = s64(data, offset + 8);
    if (nsec === 0x3fffffff) return 'UTIME_NOW';
    if (nsec === 0x3ffffffe) return 'UTIME_OMIT';
    const seconds = s64(data, offset);
    const date = isoDate(seconds, nsec);
    return `{tv_sec=${seconds}, tv_nsec=${nsec}}${date === '' ? '' : ` /* ${date} */`}`;
  };
  return `[${one(0)}, ${one(16)}]`;
};

/** UTC; strace leaves the comment out for time 0. */
function isoDate(seconds: number, nsec: number): string {
  if ((seconds === 0 && nsec === 0) || Math.abs(seconds) > 8.64e12) return '';
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  return `${text}${nsec === 0 ? '' : `.${String(nsec).padStart(9, '0')}`}+0000`;
}

export const sigset: StructFormat = (view, address) => {
  const data = view.struct(address, 8);
  return data === null ? pointer(address) : signalSet(data.getUint32(0, true), data.getUint32(4, true));
};

function signalSet(low: number, high: number): string {
  let count = 0;
  for (let i = 1; i <= 64; i++) if (isMember(low, high, i)) count++;
  const inverted = count >= 42; // strace: more than two thirds of the signals
  const names: string[] = [];
  for (let i = 1; i <= 64; i++) if (isMember(low, high, i) !== inverted) names.push(shortSignalName(i));
  return `${inverted ? '~' : ''}[${names.join(' ')}]`;
}

const isMember = (low: number, high: number, signo: number): boolean =>
  ((signo <= 32 ? low >>> (signo - 1) : high >>> (signo - 33)) & 1) === 1;

/** riscv64's struct sigaction has no restorer. */
export const sigaction: StructFormat = (view, address) => {
  const data = view.struct(address, 24);
  if (data === null) return pointer(address);
  const handler = u64(data, 0);
  const name = handler === 0 ? 'SIG_DFL' : handler === 1 ? 'SIG_IGN' : hex(handler);
  const mask = signalSet(data.getUint32(16, true), data.getUint32(20, true));
  return `{sa_handler=${name}, sa_mask=${mask}, sa_flags=${flagNames(u64(data, 8), SA_FLAGS)}}`;
};

export const stack: StructFormat = (view, address) => {
  const data = view.struct(address, 24);
  if (data === null) return pointer(address);
  const flags = flagNames(data.getUint32(8, true), SS_FLAGS);
  return `{ss_sp=${pointer(u64(data, 0))}, ss_flags=${flags}, ss_size=${u64(data, 16)}}`;
};

export const siginfo: StructFormat = (view, address) => {
  const data = view.struct(address, 32);
  if (data === null) return pointer(address);
  const signo = data.getInt32(0, true);
  if (signo === 0) return '{}';
  return signalInfo({
    signo,
    code: data.getInt32(8, true),
    pid: data.getInt32(16, true),
    uid: data.getInt32(20, true),
    address: u64(data, 16),
    status: data.getInt32(24, true),
  });
};

interface SignalFields {
  signo: number;
  code: number;
  pid: number;
  uid: number;
  address: number;
  status: number;
}

export function signalInfo(info: SignalFields): string {
  const { signo, code } = info;
  const head = `si_signo=${signalName(signo)}, si_code=${signalCodeName(signo, code)}`;
  const sender = `si_pid=${info.pid}, si_uid=${info.uid}`;
  if (signo === 17 && code > 0) {
    const status = code === 1 ? String(info.status) : signalName(info.status);
    return `{${head}, ${sender}, si_status=${status}, si_utime=0, si_stime=0}`;
  }
  if ((signo === 11 || signo === 7 || signo === 4 || signo === 8 || signo === 5) && code > 0 && code < 0x80)
    return `{${head}, si_addr=${pointer(info.address)}}`;
  if (code === 0x80) return `{${head}}`;
  return `{${head}, ${sender}}`;
}

/** wait4's status word. */
export const waitStatus: StructFormat = (view, address) => {
  const data = view.struct(address, 4);
  return data === null ? pointer(address) : `[${waitStatusText(data.getInt32(0, true))}]`;
};

function waitStatusText(status: number): string {
  const signo = status & 0x7f;
  if (status === 0xffff) return '{WIFCONTINUED(s)}';
  if (signo === 0) return `{WIFEXITED(s) && WEXITSTATUS(s) == ${(status >> 8) & 0xff}}`;
  if (signo === 0x7f) return `{WIFSTOPPED(s) && WSTOPSIG(s) == ${signalName((status >> 8) & 0xff)}}`;
  return `{WIFSIGNALED(s) && WTERMSIG(s) == ${signalName(signo)}${(status & 0x80) !== 0 ? ' && WCOREDUMP(s)' : ''}}`;
}

export const intArray =
  (count: number): StructFormat =>
  (view, address) => {
    const data = view.struct(address, count * 4);
    if (data === null) return pointer(address);
    const values: number[] = [];
    for (let i = 0; i < count; i++) values.push(data.getInt32(i * 4, true));
    return `[${values.join(', ')}]`;
  };

export const off64: StructFormat = (view, address) => {
  const data = view.struct(address, 8);
  return data === null ? pointer(address) : `[${s64(data, 0)}]`;
};

export const flock: StructFormat = (view, address) => {
  const data = view.struct(address, 32);
  if (data === null) return pointer(address);
  const type = valueName(data.getInt16(0, true), LOCK_TYPES, 'F_???');
  const whence = valueName(data.getInt16(2, true), WHENCE, 'SEEK_???');
  const pid = view.args[1] === 5 || view.args[1] === 36 ? `, l_pid=${data.getInt32(24, true)}` : '';
  return `{l_type=${type}, l_whence=${whence}, l_start=${s64(data, 8)}, l_len=${s64(data, 16)}${pid}}`;
};

/** `limitBytes`: how many bytes of the buffers hold data (the result of a read); all of them for a write. */
export function iovec(view: CallView, address: number, count: number, limitBytes: number): string {
  if (count < 0 || count > 1024) return pointer(address);
  const data = view.struct(address, count * 16);
  if (data === null) return count === 0 && address !== 0 ? '[]' : pointer(address);
  const parts: string[] = [];
  let left = limitBytes;
  for (let i = 0; i < count; i++) {
    const base = u64(data, i * 16);
    const length = u64(data, i * 16 + 8);
    const held = Math.min(length, left);
    left -= held;
    const bytes = view.buffer(base, held);
    const text = bytes === null ? pointer(base) : quoteLimited(bytes, held);
    parts.push(`{iov_base=${text}, iov_len=${length}}`);
  }
  return `[${parts.join(', ')}]`;
}

export function pollFds(view: CallView, address: number, count: number): string {
  const data = count > 64 ? null : view.struct(address, count * 8);
  if (data === null) return pointer(address);
  const parts: string[] = [];
  for (let i = 0; i < count; i++) {
    const fd = data.getInt32(i * 8, true);
    parts.push(fd < 0 ? `{fd=${fd}}` : `{fd=${fd}, events=${flagNames(data.getUint16(i * 8 + 4, true), POLL_EVENTS)}}`);
  }
  return `[${parts.join(', ')}]`;
}

export function pollReady(view: CallView, address: number, count: number): string {
  const data = count > 64 ? null : view.struct(address, count * 8);
  if (data === null) return '';
  const parts: string[] = [];
  for (let i = 0; i < count; i++) {
    const revents = data.getUint16(i * 8 + 6, true);
    if (revents !== 0) parts.push(`{fd=${data.getInt32(i * 8, true)}, revents=${flagNames(revents, POLL_EVENTS)}}`);
  }
  return `[${parts.join(', ')}]`;
}

export function fdSet(view: CallView, address: number, count: number): string {
  if (address === 0) return 'NULL';
  const bytes = view.bytes(address, Math.ceil(Math.max(0, Math.min(count, 1024)) / 64) * 8);
  if (bytes === null) return pointer(address);
  const members: number[] = [];
  for (let fd = 0; fd < count && fd < 1024; fd++) if (((bytes[fd >> 3] >> (fd & 7)) & 1) === 1) members.push(fd);
  return `[${members.join(' ')}]`;
}

export function epollEvents(view: CallView, address: number, count: number): string {
  const data = count > 64 ? null : view.struct(address, count * 16);
  if (data === null) return count === 0 ? '[]' : pointer(address);
  const parts: string[] = [];
  for (let i = 0; i < count; i++) parts.push(epollEvent(data, i * 16));
  return `[${parts.join(', ')}]`;
}

function epollEvent(data: DataView, offset: number): string {
  const events = flagNames(data.getUint32(offset, true), EPOLL_EVENTS);
  const low = data.getUint32(offset + 8, true);
  const whole = u64(data, offset + 8);
  return `{events=${events}, data=${whole === low ? `{u32=${low}, u64=${whole}}` : `{u32=${low}, u64=${hex(whole)}}`}}`;
}

export const epollEventAt: StructFormat = (view, address) => {
  const data = view.struct(address, 16);
  return data === null ? pointer(address) : epollEvent(data, 0);
};

export const utsname: StructFormat = (view, address) => {
  const bytes = view.bytes(address, 390);
  if (bytes === null) return pointer(address);
  const field = (index: number): string => {
    const part = bytes.subarray(index * 65, index * 65 + 65);
    return quoteBytes(part.subarray(0, part.indexOf(0)));
  };
  return `{sysname=${field(0)}, nodename=${field(1)}, ...}`;
};

export const sysinfo: StructFormat = (view, address) => {
  const data = view.struct(address, 112);
  if (data === null) return pointer(address);
  const word = (offset: number): number => u64(data, offset);
  return `{uptime=${word(0)}, loads=[${word(8)}, ${word(16)}, ${word(24)}], totalram=${word(32)}, freeram=${word(40)}, sharedram=${word(48)}, bufferram=${word(56)}, totalswap=${word(64)}, freeswap=${word(72)}, procs=${data.getUint16(80, true)}, totalhigh=${word(88)}, freehigh=${word(96)}, mem_unit=${data.getUint32(104, true)}}`;
};

export const winsize: StructFormat = (view, address) => {
  const data = view.struct(address, 8);
  if (data === null) return pointer(address);
  const part = (offset: number): number => data.getUint16(offset, true);
  return `{ws_row=${part(0)}, ws_col=${part(2)}, ws_xpixel=${part(4)}, ws_ypixel=${part(6)}}`;
};

/** argv: at most 32 strings. */
export function stringArray(view: CallView, address: number): string {
  const parts: string[] = [];
  for (let i = 0; ; i++) {
    const data = view.struct(address + i * 8, 8);
    if (data === null) return pointer(address);
    const at = u64(data, 0);
    if (at === 0) break;
    if (i >= STRING_LIMIT) {
      parts.push('...');
      break;
    }
    const text = view.cstring(at, STRING_LIMIT);
    parts.push(text === null ? pointer(at) : quoteBytes(text.bytes) + (text.more ? '...' : ''));
  }
  return `[${parts.join(', ')}]`;
}

/** envp: only the address and how many there are. */
export function stringCount(view: CallView, address: number): string {
  if (address === 0) return 'NULL';
  for (let count = 0; count < 100_000; count++) {
    const data = view.struct(address + count * 8, 8);
    if (data === null) return pointer(address);
    if (u64(data, 0) === 0) return `${pointer(address)} /* ${count} var${count === 1 ? '' : 's'} */`;
  }
  return pointer(address);
}

export const cloneArgs: StructFormat = (view, address) => {
  const data = view.struct(address, 64);
  if (data === null) return pointer(address);
  const word = (index: number): number => u64(data, index * 8);
  const flags = word(0);
  const parts = [`flags=${flagNames(flags, CLONE_FLAGS)}`];
  const has = (bit: number): boolean => Math.floor(flags / bit) % 2 === 1;
  if (has(0x1000)) parts.push(`pidfd=${pointer(word(1))}`);
  if (has(0x1200000) || has(0x200000) || has(0x1000000)) parts.push(`child_tid=${pointer(word(2))}`);
  if (has(0x100000)) parts.push(`parent_tid=${pointer(word(3))}`);
  parts.push(`exit_signal=${word(4) === 0 ? '0' : signalName(word(4))}`);
  parts.push(`stack=${pointer(word(5))}`, `stack_size=${hex(word(6))}`);
  if (has(0x80000)) parts.push(`tls=${pointer(word(7))}`);
  return `{${parts.join(', ')}}`;
};
