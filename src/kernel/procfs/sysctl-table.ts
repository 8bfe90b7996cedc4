import { EINVAL } from '../../abi/errno.ts';
import { NR_OPEN } from '../file-table.ts';
import type { Kernel } from '../kernel.ts';
import { PID_MAX } from '../pid.ts';
import { threadsMax } from '../rlimits.ts';
import { type SystemName, systemName } from '../system-name.ts';
import { currentUts } from '../uts-namespace.ts';
import type { ProcSuperblock } from './proc-superblock.ts';
import { DIRTY_SYSCTLS } from './sysctl-dirty.ts';
import { IPC_SYSCTLS } from './sysctl-ipc.ts';
import { NET_SYSCTLS } from './sysctl-net.ts';
import { VM_SYSCTLS } from './sysctl-vm.ts';
import { parseInteger } from './write-text.ts';

/**
 * One value under /proc/sys. `read` null: mode 0200; `write` null: nothing acts on a write, so the file is read-only (mode
 * 0444) also where Linux's is not.
 */
export interface SysctlRow {
  /** Below /proc/sys. */
  readonly path: string;
  /** 'root': others cannot read it either. */
  readonly readers?: 'root';
  readonly kind: 'number' | 'text';
  /** Without the newline. */
  readonly read: ((k: Kernel, superblock: ProcSuperblock) => string | number) | null;
  /** 0 or -ERRNO. */
  readonly write: ((k: Kernel, text: string) => number) | null;
}

const constant = (path: string, value: string | number): SysctlRow => ({
  path,
  kind: typeof value === 'number' ? 'number' : 'text',
  read: () => value,
  write: null,
});

const show = (path: string, read: NonNullable<SysctlRow['read']>, kind: SysctlRow['kind'] = 'number'): SysctlRow => ({
  path,
  kind,
  read,
  write: null,
});

/** An integer from `min` to `max`: another one, or none at all, is -EINVAL (proc_dointvec_minmax). */
const integer = (
  path: string,
  min: number,
  max: number,
  read: (k: Kernel) => number,
  set: (k: Kernel, value: number) => void,
): SysctlRow => ({
  path,
  kind: 'number',
  read,
  write: (k, text) => {
    const value = parseInteger(text);
    if (value === null || value < min || value > max) return -EINVAL;
    set(k, value);
    return 0;
  },
});

type KbytesField = 'overcommitKbytes' | 'adminReserveKbytes' | 'userReserveKbytes';

/** An unsigned long of KiB below /proc/sys/vm (proc_doulongvec_minmax: a negative number is skipped without an error). */
const kbytes = (name: string, field: KbytesField, after: (k: Kernel) => void = () => {}): SysctlRow => ({
  path: `vm/${name}`,
  kind: 'number',
  read: (k) => k.mm.config[field],
  write: (k, text) => {
    const value = parseInteger(text);
    if (value === null) return -EINVAL;
    if (value >= 0) k.mm.config[field] = value;
    after(k);
    return 0;
  },
});

/** A name of uname(2), at most 64 bytes (proc_do_uts_string). */
const utsName = (path: string, field: 'nodename' | 'domainname'): SysctlRow => ({
  path,
  kind: 'text',
  read: (k) => systemName(k)[field],
  write: (k, text) => {
    currentUts(k)[field] = text.replace(/[\n\0][\s\S]*$/, '').slice(0, 64);
    return 0;
  },
});
const utsConstant = (path: string, field: keyof SystemName): SysctlRow =>
  show(path, (k) => systemName(k)[field], 'text');

function uuidText(bytes: Uint8Array): string {
  // Version 4, variant 1 (generate_random_uuid).
  const all = Uint8Array.from(bytes);
  all[6] = (all[6] & 0x0f) | 0x40;
  all[8] = (all[8] & 0x3f) | 0x80;
  const hex = [...all].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function freshUuid(k: Kernel): string {
  const bytes = new Uint8Array(16);
  k.config.rng.fill(bytes);
  return uuidText(bytes);
}

/** drop_caches_sysctl_handler: 1 page cache, 2 dentries, inodes and slabs, 3 both; 4 says nothing in the log. */
function dropCaches(k: Kernel, which: number): void {
  const { mm, vfs } = k;
  if ((which & 1) !== 0) mm.pageCache.invalidateAll();
  if ((which & 2) !== 0) {
    mm.vmstat.drop_slab++;
    vfs.core.dentries.shrink(vfs.core.dentries.unusedCount);
    mm.hugePageShrinker.shrink(mm.memcgs.root);
    mm.slab.shrink();
  }
}

/** dentry_stat: dentries, unused ones, 45 s of age, wanted pages, negative ones, nothing. */
function dentryState(k: Kernel): string {
  const all = k.mm.slab.cacheNamed('dentry').activeCount;
  return `${all}\t${k.vfs.core.dentries.unusedCount}\t45\t0\t0\t0`;
}

function inodeCount(k: Kernel): number {
  return ['inode_cache', 'shmem_inode_cache', 'proc_inode_cache', 'sock_inode_cache'].reduce(
    (sum, name) => sum + k.mm.slab.cacheNamed(name).activeCount,
    0,
  );
}

const openFiles = (k: Kernel): number => k.mm.slab.cacheNamed('filp').activeCount;
/** No limit but memory on open files: what Linux calls LONG_MAX. */
const FILE_MAX = '9223372036854775807';

export const SYSCTLS: readonly SysctlRow[] = [
  show('fs/dentry-state', dentryState, 'text'),
  constant('fs/file-max', FILE_MAX),
  show('fs/file-nr', (k) => `${openFiles(k)}\t0\t${FILE_MAX}`, 'text'),
  show('fs/inode-nr', (k) => `${inodeCount(k)}\t0`, 'text'),
  show('fs/inode-state', (k) => `${inodeCount(k)}\t0\t0\t0\t0\t0\t0`, 'text'),
  constant('fs/nr_open', NR_OPEN),
  integer(
    'fs/inotify/max_queued_events',
    0,
    0x7fff_ffff,
    (k) => k.vfs.core.notify.maxQueuedEvents,
    (k, value) => {
      k.vfs.core.notify.maxQueuedEvents = value;
    },
  ),
  integer(
    'fs/inotify/max_user_instances',
    0,
    0x7fff_ffff,
    (k) => k.vfs.core.notify.maxUserInstances,
    (k, value) => {
      k.vfs.core.notify.maxUserInstances = value;
    },
  ),
  integer(
    'fs/inotify/max_user_watches',
    0,
    0x7fff_ffff,
    (k) => k.vfs.core.notify.maxUserWatches,
    (k, value) => {
      k.vfs.core.notify.maxUserWatches = value;
    },
  ),
  constant('fs/overflowgid', 65534),
  constant('fs/overflowuid', 65534),
  {
    path: 'fs/pipe-max-size',
    kind: 'number',
    read: (k) => k.vfs.core.pipeAccounts.maxSizeBytes,
    write: (k, text) => {
      const value = parseInteger(text);
      if (value === null || value < 1 || value > 2 ** 31) return -EINVAL;
      // round_pipe_size: a power of two of at least a page.
      k.vfs.core.pipeAccounts.maxSizeBytes = 2 ** Math.max(12, Math.ceil(Math.log2(value)));
      return 0;
    },
  },
  integer(
    'fs/pipe-user-pages-hard',
    0,
    Number.MAX_SAFE_INTEGER,
    (k) => k.vfs.core.pipeAccounts.userPagesHard,
    (k, value) => {
      k.vfs.core.pipeAccounts.userPagesHard = value;
    },
  ),
  integer(
    'fs/pipe-user-pages-soft',
    0,
    Number.MAX_SAFE_INTEGER,
    (k) => k.vfs.core.pipeAccounts.userPagesSoft,
    (k, value) => {
      k.vfs.core.pipeAccounts.userPagesSoft = value;
    },
  ),
  constant('fs/suid_dumpable', 0),
  utsConstant('kernel/arch', 'machine'),
  constant('kernel/cap_last_cap', 40),
  {
    path: 'kernel/core_pattern',
    kind: 'text',
    read: (k) => k.coreSettings.pattern,
    write: (k, text) => {
      // proc_dostring into CORENAME_MAX_SIZE bytes.
      k.coreSettings.pattern = text.replace(/[\n\0][\s\S]*$/, '').slice(0, 127);
      return 0;
    },
  },
  integer(
    'kernel/core_uses_pid',
    -0x8000_0000,
    0x7fff_ffff,
    (k) => (k.coreSettings.usesPid ? 1 : 0),
    (k, value) => {
      k.coreSettings.usesPid = value !== 0;
    },
  ),
  utsName('kernel/domainname', 'domainname'),
  utsName('kernel/hostname', 'nodename'),
  constant('kernel/ngroups_max', 65536),
  show('kernel/ns_last_pid', (k) => k.lastPid),
  utsConstant('kernel/osrelease', 'release'),
  utsConstant('kernel/ostype', 'sysname'),
  constant('kernel/overflowgid', 65534),
  constant('kernel/overflowuid', 65534),
  constant('kernel/pid_max', PID_MAX),
  constant('kernel/random/poolsize', 256),
  constant('kernel/random/entropy_avail', 256),
  show('kernel/random/boot_id', (k) => uuidText(k.bootId), 'text'),
  show('kernel/random/uuid', (k) => freshUuid(k), 'text'),
  integer(
    'kernel/randomize_va_space',
    0,
    2,
    (k) => k.mm.config.randomizeVaSpace,
    (k, value) => {
      k.mm.config.randomizeVaSpace = value as 0 | 1 | 2;
    },
  ),
  ...IPC_SYSCTLS,
  ...NET_SYSCTLS,
  constant('kernel/tainted', 0),
  show('kernel/threads-max', (k) => threadsMax(k.mm.alloc.totalCount)),
  utsConstant('kernel/version', 'version'),
  kbytes('admin_reserve_kbytes', 'adminReserveKbytes'),
  ...DIRTY_SYSCTLS,
  {
    path: 'vm/drop_caches',
    kind: 'number',
    read: null,
    write: (k, text) => {
      const value = parseInteger(text);
      if (value === null || value < 1 || value > 4) return -EINVAL;
      dropCaches(k, value);
      return 0;
    },
  },
  integer(
    'vm/hugetlb_shm_group',
    0,
    0x7fff_ffff,
    (k) => k.hugetlbShmGroup,
    (k, value) => {
      k.hugetlbShmGroup = value;
    },
  ),
  integer(
    'vm/legacy_va_layout',
    0,
    1,
    (k) => (k.mm.config.legacyVaLayout ? 1 : 0),
    (k, value) => {
      k.mm.config.legacyVaLayout = value !== 0;
    },
  ),
  integer(
    'vm/max_map_count',
    0,
    0x7fff_ffff,
    (k) => k.mm.config.maxMapCount,
    (k, value) => {
      k.mm.config.maxMapCount = value;
    },
  ),
  integer(
    'vm/mmap_min_addr',
    0,
    Number.MAX_SAFE_INTEGER,
    (k) => k.mm.config.mmapMinAddrBytes,
    (k, value) => {
      k.mm.config.mmapMinAddrBytes = value;
    },
  ),
  kbytes('overcommit_kbytes', 'overcommitKbytes', (k) => {
    k.mm.config.overcommitRatio = 0;
  }),
  integer(
    'vm/nr_hugepages',
    0,
    Number.MAX_SAFE_INTEGER,
    (k) => k.mm.hugetlb.defaultPool.persistentPages,
    (k, value) => k.mm.hugetlb.defaultPool.resize(value),
  ),
  integer(
    'vm/nr_overcommit_hugepages',
    0,
    Number.MAX_SAFE_INTEGER,
    (k) => k.mm.hugetlb.defaultPool.overcommitPages,
    (k, value) => {
      k.mm.hugetlb.defaultPool.overcommitPages = value;
    },
  ),
  integer(
    'vm/overcommit_memory',
    0,
    2,
    (k) => k.mm.config.overcommitMemory,
    (k, value) => {
      k.mm.config.overcommitMemory = value as 0 | 1 | 2;
    },
  ),
  integer(
    'vm/overcommit_ratio',
    0,
    0x7fff_ffff,
    (k) => k.mm.config.overcommitRatio,
    (k, value) => {
      k.mm.config.overcommitRatio = value;
      k.mm.config.overcommitKbytes = 0;
    },
  ),
  ...VM_SYSCTLS,
  integer(
    'vm/page-cluster',
    0,
    31,
    (k) => k.mm.swap.readAhead.pageCluster,
    (k, value) => {
      k.mm.swap.readAhead.pageCluster = value;
    },
  ),
  constant('vm/panic_on_oom', 0),
  constant('vm/stat_interval', 1),
  integer(
    'vm/swappiness',
    0,
    200,
    (k) => k.mm.reclaimer.swappiness,
    (k, value) => {
      k.mm.reclaimer.swappiness = value;
    },
  ),
  kbytes('user_reserve_kbytes', 'userReserveKbytes'),
  integer(
    'vm/unprivileged_userfaultfd',
    0,
    1,
    (k) => k.unprivilegedUserfaultfd,
    (k, value) => {
      k.unprivilegedUserfaultfd = value as 0 | 1;
    },
  ),
];
