import { CAP_SYS_ADMIN } from '../../abi/capability.ts';
import { EFAULT, EINVAL, EOPNOTSUPP, EPERM } from '../../abi/errno.ts';
import { UNAME26 } from '../../abi/personality.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { copyToUser } from '../../mm/user-access.ts';
import { nsCapable } from '../credentials.ts';
import type { Kernel } from '../kernel.ts';
import { systemName } from '../system-name.ts';
import type { Task } from '../task.ts';
import { uptimeNs } from '../time-namespace.ts';
import { readBytes, writeBytes, writeI32s } from '../user-structs.ts';
import { row, type SyscallRow, type SyscallRun } from './row.ts';
import { isUserRange, MAX_RW_COUNT } from './user.ts';

/** The machine itself: names, numbers, randomness, the kernel log, mounts (kernel/sys.c, drivers/char/random.c, 6.18). */

/** __NEW_UTS_LEN: each field has 65 bytes, NUL included. */
const UTS_LEN = 64;

/** override_release: what programs are told that take the release for one of the 2.6 line. */
function release26(release: string): string {
  const [numbers, minor] = /^[0-9]+\.([0-9]+)(?:\.[0-9]*)?/.exec(release) ?? ['', '0'];
  return `2.6.${Number(minor) + 60}${release.slice(numbers.length)}`;
}

const uname: SyscallRun = (k, t, address) => {
  const { sysname, nodename, version, machine, domainname, ...name } = systemName(k);
  const release = (t.personality & UNAME26) !== 0 ? release26(name.release) : name.release;
  const bytes = new Uint8Array(6 * (UTS_LEN + 1));
  const encoder = new TextEncoder();
  for (const [i, text] of [sysname, nodename, release, version, machine, domainname].entries())
    bytes.set(encoder.encode(text).subarray(0, UTS_LEN), i * (UTS_LEN + 1));
  return writeBytes(k, t, address, bytes);
};

function setName(k: Kernel, t: Task, address: number, length: number, which: 'nodename' | 'domainname'): number {
  if (!nsCapable(t.cred, t.uts.userNs, CAP_SYS_ADMIN)) return -EPERM;
  if (length < 0 || length > UTS_LEN) return -EINVAL;
  const bytes = new Uint8Array(length);
  if (readBytes(k, t, address, bytes) < 0) return -EFAULT;
  const end = bytes.indexOf(0);
  t.uts[which] = new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
  return 0;
}

const sysinfo: SyscallRun = (k, t, address) => {
  const { mm } = k;
  let threads = 0;
  for (const task of k.tasks.values()) if (task.state !== 'Z') threads++;
  return writeBytes(
    k,
    t,
    address,
    k.arch.structs.encodeSysinfo({
      uptimeSeconds: Math.floor(uptimeNs(k) / 1e9),
      loads: loadsOf(k),
      totalRam: mm.alloc.totalCount * PAGE_SIZE,
      freeRam: mm.alloc.freeCount * PAGE_SIZE,
      sharedRam: mm.alloc.stat.nr_shmem * PAGE_SIZE,
      bufferRam: 0,
      totalSwap: mm.swap.totalPages * PAGE_SIZE,
      freeSwap: mm.swap.freePages * PAGE_SIZE,
      processes: threads,
      totalHigh: 0,
      freeHigh: 0,
      unitBytes: 1,
    }),
  );
};

/** Fixed point: sysinfo has 16 bits behind the point (SI_LOAD_SHIFT), the kernel 11. */
function loadsOf(k: Kernel): [number, number, number] {
  const [one, five, fifteen] = k.loadAverage.loads;
  return [one * 32, five * 32, fifteen * 32];
}

const GRND_NONBLOCK = 1;
const GRND_RANDOM = 2;
const GRND_INSECURE = 4;

/** The pool is full from boot: it never blocks. Bytes come from the kernel's seeded generator (decision D3). */
const getrandom: SyscallRun = (k, t, address, count, flags) => {
  if ((flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) !== 0) return -EINVAL;
  if ((flags & (GRND_RANDOM | GRND_INSECURE)) === (GRND_RANDOM | GRND_INSECURE)) return -EINVAL;
  const length = Math.min(count, MAX_RW_COUNT);
  if (!isUserRange(address, length)) return -EFAULT;
  let done = 0;
  while (done < length) {
    const bytes = new Uint8Array(Math.min(4096, length - done));
    k.config.rng.fill(bytes);
    const moved = t.space === null ? 0 : copyToUser(k.mm, t.space, address + done, bytes);
    done += moved;
    if (moved < bytes.length) return done > 0 ? done : -EFAULT;
  }
  return done;
};

const getcpu: SyscallRun = (k, t, cpu, node) => {
  if (cpu !== 0 && writeI32s(k, t, cpu, [0]) < 0) return -EFAULT;
  return node !== 0 && writeI32s(k, t, node, [0]) < 0 ? -EFAULT : 0;
};

/** syslog(2) actions. */
const SYSLOG_CLOSE = 0;
const SYSLOG_OPEN = 1;
const SYSLOG_READ_ALL = 3;
const SYSLOG_READ_CLEAR = 4;
const SYSLOG_CLEAR = 5;
const SYSLOG_CONSOLE_OFF = 6;
const SYSLOG_CONSOLE_ON = 7;
const SYSLOG_CONSOLE_LEVEL = 8;
const SYSLOG_SIZE_UNREAD = 9;
const SYSLOG_SIZE_BUFFER = 10;
/** CONFIG_LOG_BUF_SHIFT 17. */
const LOG_BUFFER_BYTES = 131072;

const syslog: SyscallRun = (k, t, action, address, length) => {
  switch (action) {
    case SYSLOG_CLOSE:
    case SYSLOG_OPEN:
    case SYSLOG_CONSOLE_OFF:
    case SYSLOG_CONSOLE_ON:
      return 0;
    case SYSLOG_CLEAR:
      k.dmesg.length = 0;
      return 0;
    case SYSLOG_CONSOLE_LEVEL:
      return length >= 1 && length <= 8 ? 0 : -EINVAL;
    case SYSLOG_SIZE_UNREAD:
      return logText(k).length;
    case SYSLOG_SIZE_BUFFER:
      return LOG_BUFFER_BYTES;
    case SYSLOG_READ_ALL:
    case SYSLOG_READ_CLEAR: {
      if (address === 0 || length < 0) return -EINVAL;
      const text = logText(k);
      const bytes = text.subarray(Math.max(0, text.length - length));
      if (writeBytes(k, t, address, bytes) < 0) return -EFAULT;
      if (action === SYSLOG_READ_CLEAR) k.dmesg.length = 0;
      return bytes.length;
    }
    default:
      return -EINVAL;
  }
};

function logText(k: Kernel): Uint8Array {
  const lines = k.dmesg.map(({ timeNs, text }) => `<6>[${(timeNs / 1e9).toFixed(6).padStart(12)}] ${text}\n`);
  return new TextEncoder().encode(lines.join(''));
}

const absent = (names: string, note = ''): SyscallRow[] =>
  names.split(' ').map((name) => ({ name, args: [], run: null, support: 'absent', note }));

/** Calls that are there only to say why they fail. */
const refusing = (names: string, result: number, note: string): SyscallRow[] =>
  names.split(' ').map((name) => ({ name, args: [], run: () => result, support: 'partial', note }));

export const miscCalls: readonly SyscallRow[] = [
  row('uname', ['ptr'], uname),
  row('sethostname', ['ptr', 'int'], (k, t, address, length) => setName(k, t, address, length, 'nodename')),
  row('setdomainname', ['ptr', 'int'], (k, t, address, length) => setName(k, t, address, length, 'domainname')),
  row('sysinfo', ['ptr'], sysinfo),
  row('getrandom', ['ptr', 'size', 'uint'], getrandom, 'from a seeded generator, the same in each run'),
  row('getcpu', ['ptr', 'ptr', 'ptr'], getcpu),
  row('syslog', ['int', 'ptr', 'int'], syslog),
  ...refusing(
    'setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr',
    -EOPNOTSUPP,
    'no file system here has extended attributes: EOPNOTSUPP',
  ),
  ...refusing('reboot init_module finit_module delete_module kexec_load acct', -EPERM, 'refused: EPERM'),
  ...absent('fanotify_init fanotify_mark'),
  ...absent('io_setup io_destroy io_submit io_cancel io_getevents io_uring_setup io_uring_enter io_uring_register'),
  ...absent('mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr'),
  ...absent('name_to_handle_at open_by_handle_at open_tree move_mount fsopen fsconfig fsmount fspick pivot_root'),
  ...absent('add_key request_key keyctl bpf perf_event_open seccomp quotactl'),
];
