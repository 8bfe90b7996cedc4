import { ERRNO_NAMES } from '../abi/errno.ts';
import { Rng } from '../base/rng.ts';
import { addNs, type Timespec } from '../base/timespec.ts';
import type { WakeList } from '../base/wait-queue.ts';
import { WaitQueue } from '../base/wait-queue.ts';
import type { VirtualClock } from '../machine/clock.ts';
import type { Environment, HostFiles } from '../machine/environment.ts';
import type { MemoryManager } from '../mm/memory-manager.ts';
import type { KmemCache } from '../mm/phys/slab.ts';
import { AnonMounts } from './anon-fs.ts';
import { DentryCache } from './dentry.ts';
import { DeviceTable } from './device-table.ts';
import type { HugetlbfsSuperblock } from './hugetlbfs.ts';
import { LockWaits } from './locks.ts';
import { NotifyAccounts } from './notify-accounts.ts';
import { PipeAccounts } from './pipe-accounts.ts';
import { SocketNames } from './socket-names.ts';
import type { Tty } from './tty.ts';

/** What the file system needs of the memory manager. */
export type FsMemory = Pick<
  MemoryManager,
  'ram' | 'frames' | 'alloc' | 'slab' | 'pageCache' | 'rmap' | 'clock' | 'hugetlb'
>;

/** Who makes the current system call (Linux: `current`): the kernel sets it at each dispatch. */
export interface Caller {
  readonly tgid: number;
  readonly pgrp: number;
  readonly session: number;
  /** As the first user namespace has it. */
  readonly uid: number;
  /** What it may do to the machine: two words, low first. */
  readonly capEffective: readonly number[];
}

/** What the terminal must ask of the process table. The kernel sets it. */
export interface JobControl {
  /** The session of a process group, or 0 where there is no such group. */
  sessionOfGroup(pgrp: number): number;
  /** True if no member of the group has a parent in the session but outside of the group (is_current_pgrp_orphaned). */
  isOrphaned(pgrp: number): boolean;
}

const NOBODY: Caller = { tgid: 0, pgrp: 0, session: 0, uid: 0, capEffective: [0xffff_ffff, 0x1ff] };

/** What all parts of the file system share: memory, clock, host, slab caches, numbers handed out. One a machine. */
export class FsCore {
  readonly mm: FsMemory;
  readonly environment: Environment;
  /** The host's files, if there are any: reads and writes may be made to fail. */
  readonly hostFiles: HostFiles | null;
  readonly wakeList: WakeList;
  readonly clock: VirtualClock;
  readonly dentries: DentryCache;
  readonly anonMounts: AnonMounts;
  /** The kernel's own hugetlbfs mounts, by order of their pages; made at first use. */
  readonly hugeMounts = new Map<number, HugetlbfsSuperblock>();
  readonly devices = new DeviceTable();
  /** The names of the caller's network namespace. */
  sockets = new SocketNames();
  readonly pipeAccounts = new PipeAccounts();
  readonly notify: NotifyAccounts;
  /** vm.memfd_noexec: 1: memfds that do not say are not executable; 2: those that are to be, are refused. */
  memfdNoexec: 0 | 1 | 2 = 0;
  /** The machine's one terminal; null where no descriptor of the host is one. */
  console: Tty | null = null;
  readonly inodeSlots: KmemCache;
  readonly shmemInodeSlots: KmemCache;
  readonly filpSlots: KmemCache;
  /** Realtime of virtual time 0; the kernel sets it at boot from Environment.hostTimeNs or a fixed date. */
  bootTime: Timespec = { seconds: 0, nanoseconds: 0 };
  /** Who waits for whose record lock. */
  readonly lockWaits = new LockWaits();
  current: Caller = NOBODY;
  jobControl: JobControl | null = null;
  /** Errors of the host that no guest call could report (write-back of a file already closed); shown at the end of a run. */
  readonly hostErrors: string[] = [];
  random = new Rng(0);
  private lastAnonMinor = 0;
  private lastMountId = 0;
  private lastIno = 0;

  constructor(mm: FsMemory, environment: Environment, wakeList: WakeList, clock: VirtualClock) {
    this.mm = mm;
    this.environment = environment;
    this.hostFiles = environment.host;
    this.wakeList = wakeList;
    this.clock = clock;
    this.notify = new NotifyAccounts(mm.alloc.totalCount);
    this.anonMounts = new AnonMounts(this);
    this.inodeSlots = mm.slab.cacheNamed('inode_cache');
    this.shmemInodeSlots = mm.slab.cacheNamed('shmem_inode_cache');
    this.filpSlots = mm.slab.cacheNamed('filp');
    this.dentries = new DentryCache(mm.slab.cacheNamed('dentry'), Math.max(256, Math.floor(mm.alloc.totalCount / 64)));
  }

  /** An error of the host that no call of the guest can report any more. */
  noteHostError(path: string, error: number): void {
    this.hostErrors.push(`${path}: ${ERRNO_NAMES[-error] ?? error}: what the program wrote is not all on the host`);
  }

  /** Seeds /dev/random and /dev/urandom. */
  seedRandom(seed: number): void {
    this.random = new Rng(seed);
  }

  /** Realtime for inode times. */
  now(): Timespec {
    return addNs(this.bootTime, this.clock.nowNs);
  }

  makeQueue(): WaitQueue {
    return new WaitQueue(this.wakeList);
  }

  /** get_anon_bdev: the minor of a file system without a device; its major is 0. */
  takeAnonMinor(): number {
    return ++this.lastAnonMinor;
  }

  /** mnt_alloc_id. */
  takeMountId(): number {
    return ++this.lastMountId;
  }

  /** get_next_ino: for pipes, sockets and anonymous inodes. */
  takeIno(): number {
    return ++this.lastIno;
  }
}
