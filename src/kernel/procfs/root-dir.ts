import { EIO, ENOENT } from '../../abi/errno.ts';
import { DT_DIR, DT_LNK, DT_REG, S_IFDIR, S_IFLNK, S_IFREG } from '../../abi/stat.ts';
import type { DirEntry, Inode } from '../../fs/inode.ts';
import type { Kernel } from '../kernel.ts';
import { showSwaps } from '../swap-files.ts';
import { BytesInode, type BytesRow } from './bytes-file.ts';
import { currentTask } from './current-task.ts';
import { PROC_DYNAMIC_FIRST, PROC_ROOT_INO, taskIno } from './ino.ts';
import { showIomem } from './iomem.ts';
import { readConfigGz } from './kernel-config.ts';
import { readKpagecgroup } from './kpagecgroup.ts';
import { readKpageflags } from './kpageflags.ts';
import { showBuddyinfo, showMeminfo, showSlabinfo } from './memory-files.ts';
import { readKpagecount } from './pagemap.ts';
import { ensureTaskFolder, tidOf } from './pid-dir.ts';
import { ensurePressureFolder } from './pressure.ts';
import { ProcDirectory } from './proc-directory.ts';
import { ProcTextLink, type TextTarget } from './proc-link.ts';
import type { ProcSuperblock } from './proc-superblock.ts';
import { type Generated, SeqInode, type SeqRow } from './seq-file.ts';
import { ensureSysctlFolder } from './sysctl.ts';
import {
  showCgroups,
  showCmdline,
  showCpuinfo,
  showFilesystems,
  showLoadavg,
  showStat,
  showUptime,
  showVersion,
} from './system-files.ts';
import { ensureSysvipcFolder } from './sysvipc.ts';
import { showVmstat } from './vmstat.ts';
import { showZoneinfo } from './zoneinfo.ts';

interface RootLink {
  readonly name: string;
  readonly target: TextTarget;
}
interface RootFolder {
  readonly name: 'sys' | 'sysvipc' | 'pressure';
  readonly folder: (superblock: ProcSuperblock) => Inode | number;
}
type RootEntry = SeqRow | BytesRow | RootLink | RootFolder;

const seq = (name: string, show: (k: Kernel) => Generated, mode = 0o444): SeqRow => ({
  name,
  mode,
  show,
  writeError: -EIO,
});
const bytes = (name: string, readAt: BytesRow['readAt'], mode = 0o400): BytesRow => ({
  name,
  mode,
  readAt,
  writeError: -EIO,
  space: 'none',
  seeks: 'set',
});

/** In the order of a listing: proc_match orders by length, then by name. */
const MACHINE_ENTRIES: readonly RootEntry[] = [
  { name: 'sys', folder: (superblock) => ensureSysctlFolder(superblock, '') },
  seq('stat', showStat),
  seq('iomem', showIomem),
  seq('swaps', showSwaps),
  { name: 'mounts', target: () => 'self/mounts' },
  seq('uptime', showUptime),
  seq('vmstat', showVmstat),
  seq('cmdline', showCmdline),
  seq('cgroups', showCgroups),
  seq('cpuinfo', showCpuinfo),
  seq('loadavg', showLoadavg),
  seq('meminfo', showMeminfo),
  { name: 'sysvipc', folder: ensureSysvipcFolder },
  seq('version', showVersion),
  { name: 'pressure', folder: ensurePressureFolder },
  seq('slabinfo', showSlabinfo, 0o400),
  seq('zoneinfo', showZoneinfo),
  seq('buddyinfo', showBuddyinfo),
  bytes('config.gz', readConfigGz, 0o444),
  bytes('kpagecount', readKpagecount),
  bytes('kpagecgroup', readKpagecgroup),
  bytes('kpageflags', readKpageflags),
  seq('filesystems', showFilesystems),
];

/** proc_self_get_link, proc_thread_self_get_link; they are listed behind the others, before the processes. */
const SELF_ENTRIES: readonly RootLink[] = [
  {
    name: 'self',
    target: (k, pidNs) => {
      const tgid = pidNs.numberOf(currentTask(k)?.tgid ?? 0);
      return tgid === 0 ? -ENOENT : String(tgid);
    },
  },
  {
    name: 'thread-self',
    target: (k, pidNs) => {
      const task = currentTask(k);
      const tgid = pidNs.numberOf(task?.tgid ?? 0);
      return task === null || tgid === 0 ? -ENOENT : `${tgid}/task/${pidNs.numberOf(task.tid)}`;
    },
  },
];
export const ROOT_ENTRIES: readonly RootEntry[] = [...MACHINE_ENTRIES, ...SELF_ENTRIES];

/** /proc: the machine's files, then the processes by rising pid (proc_root_readdir). */
export class ProcRoot extends ProcDirectory {
  constructor(superblock: ProcSuperblock, slot: number) {
    super({ superblock, slot, key: '', ino: PROC_ROOT_INO, mode: S_IFDIR | 0o555, subject: null });
  }

  /** proc_root_getattr: folders of the machine and processes. */
  override refresh(): void {
    this.nlink = 3 + this.k.processes.size;
  }

  override lookup(name: string): Inode | number {
    const index = ROOT_ENTRIES.findIndex((row) => row.name === name);
    if (index >= 0) return this.ensureEntry(ROOT_ENTRIES[index], index);
    const { k } = this;
    const tid = this.superblock.pidNs.pidOf(tidOf(name));
    const task = k.tasks.get(tid) ?? k.processes.get(tid)?.leader;
    return task === undefined ? -ENOENT : ensureTaskFolder(this.superblock, task, 'process');
  }

  private ensureEntry(row: RootEntry, index: number): Inode | number {
    if ('folder' in row) return row.folder(this.superblock);
    const { superblock } = this;
    const type = 'target' in row ? S_IFLNK | 0o777 : S_IFREG | row.mode;
    const parts = { superblock, key: row.name, ino: inoOf(index), mode: type, subject: null };
    return superblock.ensure(row.name, null, (slot) => {
      if ('target' in row) return new ProcTextLink({ ...parts, slot }, row.target);
      return 'show' in row ? new SeqInode({ ...parts, slot }, row) : new BytesInode({ ...parts, slot }, row);
    });
  }

  override entries(): DirEntry[] {
    const own = ROOT_ENTRIES.map((row, i) => ({
      name: row.name,
      ino: inoOf(i),
      type: 'folder' in row ? DT_DIR : 'target' in row ? DT_LNK : DT_REG,
    }));
    const { pidNs } = this.superblock;
    const numbers = [...this.k.processes.keys()].map((pid) => pidNs.numberOf(pid));
    const pids = numbers.filter((number) => number > 0).sort((a, b) => a - b);
    return [...own, ...pids.map((pid) => ({ name: String(pid), ino: taskIno(pid, 'process', 0), type: DT_DIR }))];
  }
}

function inoOf(index: number): number {
  return PROC_DYNAMIC_FIRST + index;
}
