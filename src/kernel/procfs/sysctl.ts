import { EACCES, EBADF, ENFILE, ENOENT } from '../../abi/errno.ts';
import { O_ACCMODE, O_RDONLY, O_WRONLY } from '../../abi/fcntl.ts';
import { DT_DIR, DT_REG, S_IFDIR, S_IFREG } from '../../abi/stat.ts';
import type { IoSink, IoSource } from '../../base/io.ts';
import { encodeUtf8 } from '../../base/utf8.ts';
import { File, seekIn, takeFilpSlot } from '../../fs/file.ts';
import type { DirEntry, Inode } from '../../fs/inode.ts';
import type { PathRef } from '../../fs/path.ts';
import { PROC_DYNAMIC_FIRST } from './ino.ts';
import { ProcDirectory } from './proc-directory.ts';
import { ProcInode, type ProcInodeParts } from './proc-inode.ts';
import type { ProcSuperblock } from './proc-superblock.ts';
import { SYSCTLS, type SysctlRow } from './sysctl-table.ts';
import { takeText } from './write-text.ts';

/** Inode numbers of /proc/sys: one a row, then one a folder. */
const FIRST_INO = PROC_DYNAMIC_FIRST + 4096;

/** Every folder of the table, its path without a slash at the ends; '' is /proc/sys. */
const FOLDERS: readonly string[] = [
  ...new Set(
    SYSCTLS.flatMap(({ path }) => {
      const names = path.split('/');
      return names.map((_, depth) => names.slice(0, depth).join('/'));
    }),
  ),
].sort();

function inoOf(path: string): number {
  const row = SYSCTLS.findIndex((each) => each.path === path);
  return FIRST_INO + (row >= 0 ? row : SYSCTLS.length + FOLDERS.indexOf(path));
}

/** The folder `path` below /proc/sys; '' is /proc/sys itself. */
export function ensureSysctlFolder(superblock: ProcSuperblock, path: string): Inode | number {
  const key = `sys/${path}`;
  const parts = { superblock, key, ino: inoOf(path), mode: S_IFDIR | 0o555, subject: null };
  return superblock.ensure(key, null, (slot) => new SysctlFolder({ ...parts, slot }, path));
}

/** A folder of /proc/sys (proc_sys_dir_operations). */
export class SysctlFolder extends ProcDirectory {
  private readonly path: string;

  constructor(parts: ProcInodeParts, path: string) {
    super(parts);
    this.path = path;
  }

  private childPath(name: string): string {
    return this.path === '' ? name : `${this.path}/${name}`;
  }

  override lookup(name: string): Inode | number {
    const path = this.childPath(name);
    const { superblock } = this;
    if (FOLDERS.includes(path)) return ensureSysctlFolder(superblock, path);
    const row = SYSCTLS.find((each) => each.path === path);
    if (row === undefined) return -ENOENT;
    const key = `sys/${path}`;
    const parts = { superblock, key, ino: inoOf(path), mode: S_IFREG | modeOf(row), subject: null };
    return superblock.ensure(key, null, (slot) => new SysctlInode({ ...parts, slot }, row));
  }

  /** By name, as the tree of a ctl_dir is ordered. */
  override entries(): DirEntry[] {
    const prefix = this.path === '' ? '' : `${this.path}/`;
    const names = new Set<string>();
    for (const { path } of SYSCTLS) if (path.startsWith(prefix)) names.add(path.slice(prefix.length).split('/')[0]);
    return [...names].sort().map((name) => {
      const path = this.childPath(name);
      return { name, ino: inoOf(path), type: FOLDERS.includes(path) ? DT_DIR : DT_REG };
    });
  }
}

function modeOf(row: SysctlRow): number {
  if (row.read === null) return 0o200;
  if (row.readers === 'root') return 0o600;
  return row.write === null ? 0o444 : 0o644;
}

/** One value. Its permission bits bind root too (sysctl_perm). */
export class SysctlInode extends ProcInode {
  readonly row: SysctlRow;

  constructor(parts: ProcInodeParts, row: SysctlRow) {
    super(parts);
    this.row = row;
  }

  open(path: PathRef, flags: number): File | number {
    const access = flags & O_ACCMODE;
    if (access !== O_WRONLY && this.row.read === null) return -EACCES;
    if (access !== O_RDONLY && this.row.write === null) return -EACCES;
    const slot = takeFilpSlot(this.superblock.core);
    return slot === 0 ? -ENFILE : new SysctlFile(path, flags, slot, this);
  }
}

export class SysctlFile extends File {
  private readonly source: SysctlInode;

  constructor(path: PathRef, flags: number, slot: number, source: SysctlInode) {
    super(path, flags, slot);
    this.source = source;
  }

  override get isSeekable(): boolean {
    return true;
  }
  override seek(offset: number, whence: number): number {
    return seekIn(this, offset, whence, 0);
  }

  /** proc_sys_call_handler: numbers are read at position 0 alone (do_proc_dointvec), strings in any pieces. */
  override read(sink: IoSink, pos: number | null): number {
    const { row, k } = this.source;
    if (!this.readable || row.read === null) return -EBADF;
    const at = pos ?? this.pos;
    if (at > 0 && row.kind === 'number') return 0;
    const bytes = encodeUtf8(`${row.read(k, this.source.superblock)}\n`);
    const moved = sink.put(bytes.subarray(Math.min(at, bytes.length)));
    if (pos === null) this.pos = at + moved;
    return moved;
  }

  /** A write past position 0 is taken and does nothing (sysctl_writes_strict). */
  override write(source: IoSource, pos: number | null): number {
    const { row, k } = this.source;
    if (!this.writable || row.write === null) return -EBADF;
    const at = pos ?? this.pos;
    const taken = takeText(source);
    if (typeof taken === 'number') return taken;
    if (at === 0) {
      const result = row.write(k, taken.text);
      if (result < 0) return result;
    }
    if (pos === null) this.pos = at + taken.lengthBytes;
    return taken.lengthBytes;
  }
}
