import { EACCES, ENODEV, ENOENT, ENOMEM } from '../../abi/errno.ts';
import { O_ACCMODE, O_RDONLY } from '../../abi/fcntl.ts';
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, SYSFS_MAGIC } from '../../abi/mount.ts';
import { DT_DIR, DT_REG } from '../../abi/stat.ts';
import { decodeUtf8 } from '../../base/utf8.ts';
import type { File } from '../../fs/file.ts';
import type { DirEntry, Inode } from '../../fs/inode.ts';
import { type PathRef, resolve } from '../../fs/path.ts';
import {
  makePseudo,
  type PseudoContent,
  PseudoDirectoryInode,
  PseudoFileInode,
  PseudoSuperblock,
} from '../../fs/pseudo-fs.ts';
import type { Kernel } from '../kernel.ts';
import { type SysfsRow, sysfsRows } from './sysfs-table.ts';
import { zramRows } from './zram-table.ts';

/** Bytes of an attribute as stat shows them: one page, whatever is in it. */
const ATTRIBUTE_BYTES = 4096;

/** Folders that are there to be mounted on. */
const MOUNT_POINTS = ['fs', 'fs/cgroup'];
/** Where devices stand, which come while the machine is there. */
const BLOCK = 'block';

/** The one sysfs of a machine: the rows of sysfs-table.ts and of the devices as files, the folders that their paths need. */
export class SysfsSuperblock extends PseudoSuperblock {
  readonly k: Kernel;
  /** Those that are there from the start. */
  private readonly fixedRows: readonly SysfsRow[];
  private readonly fixedFolders: readonly string[];
  /** The paths of all folders and files that were asked for so far, in the order in which they came: their inode numbers. */
  private readonly inos = new Map<string, number>();
  /** Folders that somebody holds, so that two walks meet in one: something may be mounted on it. */
  readonly live = new Map<string, SysfsFolder>();

  constructor(k: Kernel) {
    super(k.vfs.core, 'sysfs', SYSFS_MAGIC);
    this.k = k;
    this.fixedRows = sysfsRows(k);
    this.fixedFolders = [...new Set(['', ...MOUNT_POINTS, BLOCK, ...foldersOf(this.fixedRows)])].sort();
    for (const path of [...this.fixedFolders, ...this.fixedRows.map((row) => row.path)]) this.inoOf(path);
  }

  get rows(): readonly SysfsRow[] {
    return [...this.fixedRows, ...zramRows(this.k)];
  }

  /** Every folder, the root as ''. */
  get folders(): readonly string[] {
    return [...new Set([...this.fixedFolders, ...foldersOf(zramRows(this.k))])];
  }

  inoOf(path: string): number {
    const known = this.inos.get(path);
    if (known !== undefined) return known;
    const ino = this.inos.size + 1;
    this.inos.set(path, ino);
    return ino;
  }
}

function foldersOf(rows: readonly SysfsRow[]): string[] {
  return rows.flatMap(({ path }) => path.split('/').map((_, depth, parts) => parts.slice(0, depth).join('/')));
}

export class SysfsFolder extends PseudoDirectoryInode {
  declare readonly superblock: SysfsSuperblock;
  private readonly path: string;

  constructor(superblock: SysfsSuperblock, slot: number, path: string) {
    super(superblock, slot, 0o755, superblock.inoOf(path));
    this.path = path;
    superblock.live.set(path, this);
  }

  protected override evict(): void {
    this.superblock.live.delete(this.path);
    super.evict();
  }

  private childPath(name: string): string {
    return this.path === '' ? name : `${this.path}/${name}`;
  }

  override lookup(name: string): Inode | number {
    const path = this.childPath(name);
    const { superblock } = this;
    if (superblock.folders.includes(path))
      return superblock.live.get(path) ?? makePseudo(superblock, (slot) => new SysfsFolder(superblock, slot, path));
    const row = superblock.rows.find((each) => each.path === path);
    return row === undefined ? -ENOENT : makePseudo(superblock, (slot) => new SysfsFileInode(superblock, slot, row));
  }

  override entries(): DirEntry[] {
    const { superblock, path } = this;
    const prefix = path === '' ? '' : `${path}/`;
    const below = [...superblock.folders.filter((each) => each !== ''), ...superblock.rows.map((row) => row.path)];
    const names = below
      .filter((each) => each.startsWith(prefix))
      .map((each) => each.slice(prefix.length).split('/')[0]);
    return [...new Set(names)].map((name) => {
      const child = this.childPath(name);
      return { name, ino: superblock.inoOf(child), type: superblock.folders.includes(child) ? DT_DIR : DT_REG };
    });
  }
}

/** What an attribute says and takes. Its row is looked up by its path at each use: those of devices come and go. */
export class SysfsContent implements PseudoContent {
  private readonly superblock: SysfsSuperblock;
  private readonly path: string;

  constructor(superblock: SysfsSuperblock, path: string) {
    this.superblock = superblock;
    this.path = path;
  }

  get row(): SysfsRow | undefined {
    return this.superblock.rows.find(({ path }) => path === this.path);
  }

  generate(): string | number {
    const { row } = this;
    return row === undefined ? -ENODEV : `${row.read(this.superblock.k)}\n`;
  }

  accept(bytes: Uint8Array): number {
    // sysfs_kf_write: nothing reaches the attribute.
    if (bytes.length === 0) return 0;
    const { row } = this;
    if (row === undefined) return -ENODEV;
    const result = row.write === null ? -EACCES : row.write(this.superblock.k, decodeUtf8(bytes));
    return result < 0 ? result : bytes.length;
  }
}

/** One attribute. */
export class SysfsFileInode extends PseudoFileInode {
  private readonly isWritable: boolean;

  constructor(superblock: SysfsSuperblock, slot: number, { path, write }: SysfsRow) {
    const content = new SysfsContent(superblock, path);
    super(superblock, slot, write === null ? 0o444 : 0o644, superblock.inoOf(path), content);
    this.isWritable = write !== null;
  }

  override get size(): number {
    return ATTRIBUTE_BYTES;
  }

  /** kernfs_fop_open: the bits bind root as well. */
  override open(path: PathRef, flags: number): File | number {
    if ((flags & O_ACCMODE) !== O_RDONLY && !this.isWritable) return -EACCES;
    return super.open(path, flags);
  }
}

/** Mounts sysfs on /sys, which is made where it lacks. 0 or -ERRNO. Called once, after the kernel is there. */
export function mountSysfs(k: Kernel): number {
  const { vfs } = k;
  const context = vfs.makeContext();
  try {
    let at = resolve(context, null, '/sys', 'follow');
    if (at === -ENOENT) {
      const made = vfs.mkdir(context, null, '/sys', 0o555);
      if (made < 0) return made;
      at = resolve(context, null, '/sys', 'follow');
    }
    if (typeof at === 'number') return at;
    const superblock = new SysfsSuperblock(k);
    const inode = makePseudo(superblock, (slot) => new SysfsFolder(superblock, slot, ''));
    if (typeof inode === 'number') return -ENOMEM;
    inode.retain();
    const mount = vfs.mountInode(inode, at, MS_NOSUID | MS_NODEV | MS_NOEXEC, 'sysfs');
    inode.release();
    return typeof mount === 'number' ? mount : 0;
  } finally {
    context.release();
  }
}
