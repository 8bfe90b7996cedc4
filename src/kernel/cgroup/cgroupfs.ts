import { EACCES, EINVAL, ENODEV, ENOENT, ENOMEM, EPERM } from '../../abi/errno.ts';
import { CGROUP2_SUPER_MAGIC, MS_NODEV, MS_NOEXEC, MS_NOSUID } from '../../abi/mount.ts';
import { DT_DIR, DT_REG } from '../../abi/stat.ts';
import { decodeUtf8 } from '../../base/utf8.ts';
import type { WaitQueue } from '../../base/wait-queue.ts';
import { type File, takeFilpSlot } from '../../fs/file.ts';
import type { DirEntry, Inode } from '../../fs/inode.ts';
import { notifyContents } from '../../fs/notify.ts';
import { type PathRef, resolve } from '../../fs/path.ts';
import {
  makePseudo,
  type PseudoContent,
  PseudoDirectoryInode,
  PseudoFileInode,
  PseudoSuperblock,
} from '../../fs/pseudo-fs.ts';
import type { Memcg } from '../../mm/memcg/memcg.ts';
import type { MemcgWatcher } from '../../mm/memcg/memcgs.ts';
import type { Kernel } from '../kernel.ts';
import { currentTask } from '../procfs/current-task.ts';
import { destroyTriggersOf } from '../psi/psi-watch.ts';
import type { Cgroup } from './cgroup.ts';
import { CgroupFile } from './cgroup-file.ts';
import { CORE_FILES } from './core-files.ts';
import { CPU_STAT_FILES } from './cpu-stat.ts';
import type { CgroupFileRow } from './file-row.ts';
import { MEMORY_FILES } from './memory-files.ts';
import type { CgroupNotifier, NotifyingFile } from './notifier.ts';
import { PIDS_FILES } from './pids-files.ts';
import { PRESSURE_FILES, PRESSURE_SWITCH } from './pressure-files.ts';

/** Every file that a directory can have: with its inode they give the files' inode numbers. */
export const ALL_FILES: readonly CgroupFileRow[] = [
  ...CORE_FILES,
  ...PRESSURE_FILES,
  PRESSURE_SWITCH,
  ...MEMORY_FILES,
  ...PIDS_FILES,
  ...CPU_STAT_FILES,
];

/** Options of a mount that this kernel has: favordynmods is about locks, which there are none of; hugetlb pages are charged to nobody. */
export const CGROUP_OPTIONS = ['nsdelegate', 'memory_localevents', 'memory_recursiveprot', 'pids_localevents'];

/** What belongs to whom a namespace is delegated to. */
export const DELEGATABLE_FILES: readonly string[] = ALL_FILES.filter(({ delegated }) => delegated === 'yes').map(
  ({ name }) => name,
);

/** The files of a directory now: those of cgroups as such, and of the controllers that its parent has handed down. */
function filesOf(cgroup: Cgroup): CgroupFileRow[] {
  const rows = [...CORE_FILES, ...CPU_STAT_FILES, ...PRESSURE_FILES, PRESSURE_SWITCH];
  if (cgroup.hasController('memory')) rows.push(...MEMORY_FILES);
  if (cgroup.hasController('pids')) rows.push(...PIDS_FILES);
  return rows.filter((row) => (row.where === 'everywhere' || !cgroup.isRoot) && row.isHidden?.(cgroup) !== true);
}

/** The one cgroup2 file system of a machine, however often it is mounted (6.18: cgroup_get_tree, kernfs). */
export class CgroupSuperblock extends PseudoSuperblock implements CgroupNotifier, MemcgWatcher {
  readonly k: Kernel;
  /** The inodes that somebody holds, by number, so that two walks meet in one. */
  readonly live = new Map<number, CgroupFileInode | CgroupDirectoryInode>();

  constructor(k: Kernel) {
    super(k.vfs.core, 'cgroup2', CGROUP2_SUPER_MAGIC);
    this.k = k;
    k.cgroups.notifier = this;
    k.mm.memcgs.watcher = this;
  }

  ensureDirectory(cgroup: Cgroup): CgroupDirectoryInode | number {
    const known = this.live.get(cgroup.ino);
    if (known instanceof CgroupDirectoryInode) return known;
    return makePseudo(this, (slot) => new CgroupDirectoryInode(this, slot, cgroup));
  }

  ensureFile(cgroup: Cgroup, row: CgroupFileRow): CgroupFileInode | number {
    const known = this.live.get(inoOf(cgroup, row));
    if (known instanceof CgroupFileInode) return known;
    return makePseudo(this, (slot) => new CgroupFileInode(this, slot, cgroup, row));
  }

  /** cgroup_show_options. */
  override showOptions(): string {
    const { nsdelegate, localMemoryEvents, localPidsEvents } = this.k.cgroups.options;
    return [
      nsdelegate ? ',nsdelegate' : '',
      localMemoryEvents ? ',memory_localevents' : '',
      this.k.mm.memcgs.protectionScope === 'recursive' ? ',memory_recursiveprot' : '',
      localPidsEvents ? ',pids_localevents' : '',
    ].join('');
  }

  fileChanged(cgroup: Cgroup, file: NotifyingFile): void {
    for (const inode of this.live.values())
      if (inode instanceof CgroupFileInode && inode.cgroup === cgroup && inode.row.name === file) inode.changed();
  }

  cgroupGone(cgroup: Cgroup): void {
    destroyTriggersOf(this.k, cgroup.psi);
  }

  memoryEvent(memcg: Memcg, file: 'memory.events' | 'memory.swap.events'): void {
    for (const inode of this.live.values()) {
      if (!(inode instanceof CgroupFileInode)) continue;
      const { row, cgroup } = inode;
      if (row.name === file && memcg.isWithin(cgroup.memcg)) inode.changed();
      else if (row.name === `${file}.local` && cgroup.memcg === memcg) inode.changed();
    }
  }
}

function inoOf(cgroup: Cgroup, row: CgroupFileRow): number {
  return cgroup.ino + 1 + ALL_FILES.indexOf(row);
}

/** Owner and rights outlive the inode, in the cgroup (kernfs_iattrs). */
function restore(inode: Inode, cgroup: Cgroup, name: string): void {
  const saved = cgroup.attributes.get(name);
  inode.uid = saved?.uid ?? cgroup.ownerUid;
  inode.gid = saved?.gid ?? cgroup.ownerGid;
  if (saved !== undefined) inode.mode = inode.type | saved.mode;
}

function save(inode: Inode, cgroup: Cgroup, name: string): void {
  cgroup.attributes.set(name, { mode: inode.mode & 0o7777, uid: inode.uid, gid: inode.gid });
}

export class CgroupDirectoryInode extends PseudoDirectoryInode {
  declare readonly superblock: CgroupSuperblock;
  readonly cgroup: Cgroup;

  constructor(superblock: CgroupSuperblock, slot: number, cgroup: Cgroup) {
    super(superblock, slot, cgroup.isRoot ? 0o555 : 0o755, cgroup.ino);
    this.cgroup = cgroup;
    restore(this, cgroup, '');
    superblock.live.set(this.ino, this);
  }

  override refresh(): void {
    this.nlink = this.cgroup.isAlive ? 2 + this.cgroup.children.size : 0;
  }

  override lookup(name: string): Inode | number {
    const { superblock, cgroup } = this;
    if (!cgroup.isAlive) return -ENOENT;
    const child = cgroup.children.get(name);
    if (child !== undefined) return superblock.ensureDirectory(child);
    const row = filesOf(cgroup).find((each) => each.name === name);
    return row === undefined ? -ENOENT : superblock.ensureFile(cgroup, row);
  }

  override entries(): DirEntry[] | number {
    const { cgroup } = this;
    if (!cgroup.isAlive) return -ENOENT;
    return [
      ...filesOf(cgroup).map((row) => ({ name: row.name, ino: inoOf(cgroup, row), type: DT_REG })),
      ...[...cgroup.children.values()].map(({ name, ino }) => ({ name, ino, type: DT_DIR })),
    ];
  }

  override mkdir(name: string, mode: number): Inode | number {
    const { superblock, cgroup } = this;
    const { k } = superblock;
    const made = k.cgroups.make(cgroup, name);
    if (typeof made === 'number') return made;
    const maker = currentTask(k);
    made.ownerUid = maker?.cred.fsuid ?? 0;
    made.ownerGid = maker?.cred.fsgid ?? 0;
    made.attributes.set('', { mode: mode & 0o1777, uid: made.ownerUid, gid: made.ownerGid });
    const inode = superblock.ensureDirectory(made);
    if (typeof inode === 'number') k.cgroups.remove(made);
    return inode;
  }

  override rmdir(_name: string, victim: Inode): number {
    if (!(victim instanceof CgroupDirectoryInode)) return -EPERM;
    const result = this.superblock.k.cgroups.remove(victim.cgroup);
    if (result === 0) victim.nlink = 0;
    return result;
  }

  /** There is no such operation (vfs_create). */
  override create(): number {
    return -EACCES;
  }

  override chmod(permissions: number): number {
    super.chmod(permissions);
    save(this, this.cgroup, '');
    return 0;
  }

  override chown(uid: number, gid: number): number {
    super.chown(uid, gid);
    save(this, this.cgroup, '');
    return 0;
  }

  protected override evict(): void {
    this.superblock.live.delete(this.ino);
    super.evict();
  }
}

/** What a control file says and takes. */
export class CgroupContent implements PseudoContent {
  private readonly k: Kernel;
  private readonly cgroup: Cgroup;
  private readonly row: CgroupFileRow;

  constructor(k: Kernel, cgroup: Cgroup, row: CgroupFileRow) {
    this.k = k;
    this.cgroup = cgroup;
    this.row = row;
  }

  generate(): string | number {
    const { k, cgroup, row } = this;
    if (!cgroup.isAlive) return -ENODEV;
    return row.read === undefined ? -EINVAL : row.read(k, cgroup);
  }

  accept(bytes: Uint8Array): number {
    const { k, cgroup, row } = this;
    if (!cgroup.isAlive) return -ENODEV;
    if (row.write === undefined) return -EINVAL;
    const result = row.write(k, cgroup, decodeUtf8(bytes).split('\0')[0].trim());
    return result < 0 ? result : bytes.length;
  }
}

export class CgroupFileInode extends PseudoFileInode {
  declare readonly superblock: CgroupSuperblock;
  readonly cgroup: Cgroup;
  readonly row: CgroupFileRow;
  /** How often it has changed of itself; who polls has seen some number of them. */
  changes = 0;
  readonly queue: WaitQueue;

  constructor(superblock: CgroupSuperblock, slot: number, cgroup: Cgroup, row: CgroupFileRow) {
    super(superblock, slot, row.mode, inoOf(cgroup, row), new CgroupContent(superblock.k, cgroup, row));
    this.cgroup = cgroup;
    this.row = row;
    this.queue = superblock.core.makeQueue();
    restore(this, cgroup, row.name);
    superblock.live.set(this.ino, this);
  }

  changed(): void {
    this.changes++;
    this.queue.wakeAll();
    const folder = this.superblock.live.get(this.cgroup.ino);
    notifyContents(this, folder === undefined ? null : { inode: folder, name: this.row.name });
  }

  override chmod(permissions: number): number {
    super.chmod(permissions);
    save(this, this.cgroup, this.row.name);
    return 0;
  }

  override chown(uid: number, gid: number): number {
    super.chown(uid, gid);
    save(this, this.cgroup, this.row.name);
    return 0;
  }

  override open(path: PathRef, flags: number): File | number {
    const slot = takeFilpSlot(this.superblock.core);
    return slot === 0 ? -ENOMEM : new CgroupFile(path, flags, slot, this);
  }

  protected override evict(): void {
    this.superblock.live.delete(this.ino);
    super.evict();
  }
}

/**
 * The options of a mount (cgroup2_parse_param), in force from then on for all; from within a cgroup namespace they change nothing
 * (apply_cgroup_root_flags). 0 or -EINVAL.
 */
export function applyCgroupOptions(k: Kernel, data: string): number {
  const given = new Set(data.split(',').filter((each) => each !== ''));
  for (const option of given) if (!CGROUP_OPTIONS.includes(option)) return -EINVAL;
  if ((currentTask(k)?.cgroupNs ?? k.initialCgroup) !== k.initialCgroup) return 0;
  k.cgroups.options.nsdelegate = given.has('nsdelegate');
  k.cgroups.options.localMemoryEvents = given.has('memory_localevents');
  k.cgroups.options.localPidsEvents = given.has('pids_localevents');
  k.mm.memcgs.protectionScope = given.has('memory_recursiveprot') ? 'recursive' : 'own';
  return 0;
}

/** Mounts the hierarchy at a folder: 0 or -ERRNO. */
export function mountCgroup2(k: Kernel, at: PathRef, flags: number, source: string): number {
  k.cgroupfs ??= new CgroupSuperblock(k);
  // cgroup_do_get_tree: what a namespace takes for the root.
  const root = (currentTask(k)?.cgroupNs ?? k.initialCgroup).root;
  const inode = k.cgroupfs.ensureDirectory(root.isAlive ? root : k.cgroups.root);
  if (typeof inode === 'number') return inode;
  inode.retain();
  const mount = k.vfs.mountInode(inode, at, flags, source);
  inode.release();
  return typeof mount === 'number' ? mount : 0;
}

/** At boot, where systemd has it. */
export function mountCgroupsAtBoot(k: Kernel): number {
  const context = k.vfs.makeContext();
  const at = resolve(context, null, '/sys/fs/cgroup', 'follow');
  const result = typeof at === 'number' ? at : mountCgroup2(k, at, MS_NOSUID | MS_NODEV | MS_NOEXEC, 'cgroup2');
  context.release();
  return result;
}
