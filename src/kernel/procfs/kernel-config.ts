import type { IoSink } from '../../base/io.ts';
import { encodeUtf8 } from '../../base/utf8.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import type { Kernel } from '../kernel.ts';

/**
 * /proc/config.gz (CONFIG_IKCONFIG_PROC): Linux's names for what this machine has and has not. A feature that programs or test
 * suites ask for by its option gets a line here in the change that adds it, and no earlier.
 */
const PRESENT: readonly string[] = [
  '64BIT',
  'MMU',
  'RISCV',
  'ARCH_RV64I',
  'RISCV_ISA_C',
  'FPU',
  'IKCONFIG',
  'IKCONFIG_PROC',
  'MULTIUSER',
  'BINFMT_ELF',
  'BINFMT_SCRIPT',
  'ELF_CORE',
  'COREDUMP',
  'POSIX_TIMERS',
  'HIGH_RES_TIMERS',
  'FUTEX',
  'EPOLL',
  'EVENTFD',
  'TIMERFD',
  'SYSVIPC',
  'SYSVIPC_SYSCTL',
  'CGROUPS',
  'MEMCG',
  'CGROUP_PIDS',
  'NAMESPACES',
  'IPC_NS',
  'UTS_NS',
  'USER_NS',
  'NUMA',
  'TIME_NS',
  'PID_NS',
  'NET_NS',
  'SHMEM',
  'KSM',
  'SWAP',
  'HUGETLBFS',
  'HUGETLB_PAGE',
  'TRANSPARENT_HUGEPAGE',
  'TRANSPARENT_HUGEPAGE_MADVISE',
  'SECRETMEM',
  'TMPFS',
  'DEVTMPFS',
  'OVERLAY_FS',
  'MEMFD_CREATE',
  'ADVISE_SYSCALLS',
  'MEMBARRIER',
  'USERFAULTFD',
  'KCMP',
  'PROC_FS',
  'PROC_SYSCTL',
  'PROC_PAGE_MONITOR',
  'UNIX',
  'NET',
  'INET',
  'TTY',
];

/** What is asked for often and is not there, so that the file says so in Linux's words. */
const ABSENT: readonly string[] = ['SMP', 'SECCOMP', 'MODULES', 'BPF_SYSCALL'];

function configText(): string {
  const lines = [
    '#',
    '# Faultline: what this machine has, by the names of Linux/riscv',
    '#',
    ...PRESENT.map((name) => `CONFIG_${name}=y`),
    ...ABSENT.map((name) => `# CONFIG_${name} is not set`),
  ];
  return `${lines.join('\n')}\n`;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1;
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}

/** RFC 1952 around one stored block of RFC 1951: at most 65,535 bytes. */
export function gzipStored(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(10 + 5 + bytes.length + 8);
  const view = new DataView(out.buffer);
  // Magic, deflate, no flags, no time, no extra flags, Unix.
  out.set([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
  // The last block, stored.
  out[10] = 1;
  view.setUint16(11, bytes.length, true);
  view.setUint16(13, ~bytes.length & 0xffff, true);
  out.set(bytes, 15);
  view.setUint32(15 + bytes.length, crc32(bytes), true);
  view.setUint32(19 + bytes.length, bytes.length, true);
  return out;
}

export function readConfigGz(_k: Kernel, _space: AddressSpace | null, pos: number, sink: IoSink): number {
  const bytes = gzipStored(encodeUtf8(configText()));
  return pos >= bytes.length ? 0 : sink.put(bytes.subarray(pos));
}
