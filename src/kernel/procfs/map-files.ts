import { ENOENT, EPERM } from '../../abi/errno.ts';
import { DT_LNK, S_IFLNK } from '../../abi/stat.ts';
import { File } from '../../fs/file.ts';
import type { DirEntry, Inode } from '../../fs/inode.ts';
import type { PathRef } from '../../fs/path.ts';
import { openSharedAnonymous } from '../../fs/shared-anonymous-inode.ts';
import { PAGE_SIZE, type Vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import type { MappableFile } from '../../mm/mappable-file.ts';
import { SharedAnonymousFile } from '../../mm/shared-anonymous-file.ts';
import type { Vma } from '../../mm/vma.ts';
import { mayCheckpoint } from '../namespaces.ts';
import { admitOwn, currentTask, mayLookAt } from './current-task.ts';
import { ProcDirectory } from './proc-directory.ts';
import { ProcInode, type ProcInodeParts } from './proc-inode.ts';

/** START-END in hexadecimal without leading zeroes (dname_to_vma_addr). */
const NAME = /^(0|[1-9a-f][0-9a-f]{0,15})-([1-9a-f][0-9a-f]{0,15})$/i;
/** Inode numbers of entries follow the folder's; two mappings 2^20 pages apart share one, which nobody compares. */
const INOS = 2 ** 20;

interface Range {
  readonly start: number;
  readonly end: number;
}

/** /proc/PID/map_files: a link for each mapping of a file, named by its place (fs/proc/base.c, 6.18). */
export class MapFilesDirectory extends ProcDirectory {
  constructor(parts: ProcInodeParts) {
    super(parts);
    this.nlink = 2;
  }

  override admit(byMode: number): number {
    return admitOwn(this.k, this.task, byMode);
  }

  private get space(): AddressSpace | null {
    const space = this.task?.space ?? null;
    return space !== null && this.k.mm.spaces.has(space) ? space : null;
  }

  override lookup(name: string): Inode | number {
    const refused = this.refusal();
    if (refused < 0) return refused;
    const range = parseName(name);
    const { superblock, subject, space } = this;
    if (range === null || space === null) return -ENOENT;
    const vma = findExactly(space, range);
    if (vma === null) return -ENOENT;
    const key = `${this.key}/${name}`;
    const parts = { superblock, key, ino: this.inoOf(vma), mode: S_IFLNK, subject };
    return superblock.ensure(key, subject, (slot) => new MapFilesLink({ ...parts, slot }, range));
  }

  override entries(): DirEntry[] | number {
    if (this.task === null) return -ENOENT;
    const refused = this.refusal();
    if (refused < 0) return refused;
    const { space } = this;
    const found: DirEntry[] = [];
    for (let vma = space?.vmas.first() ?? null; vma !== null; vma = vma.space.vmas.next(vma)) {
      if (vma.file === null) continue;
      const name = `${hex(vma.startVpn)}-${hex(vma.endVpn)}`;
      found.push({ name, ino: this.inoOf(vma), type: DT_LNK });
    }
    return found;
  }

  private inoOf(vma: Vma): number {
    return this.ino + 1 + (vma.startVpn % INOS);
  }

  private refusal(): number {
    return this.task === null ? -ENOENT : mayLookAt(this.k, this.task);
  }
}

/** A link to what is mapped there; its permission bits tell how the file is open. It leads nowhere when the mapping has changed. */
export class MapFilesLink extends ProcInode {
  private readonly range: Range;

  constructor(parts: ProcInodeParts, range: Range) {
    super(parts);
    this.range = range;
  }

  override get size(): number {
    return 64;
  }

  private get file(): MappableFile | null {
    const space = this.task?.space ?? null;
    return space === null ? null : (findExactly(space, this.range)?.file ?? null);
  }

  override refresh(): void {
    super.refresh();
    const { file } = this;
    if (file === null) return;
    this.mode = S_IFLNK | (file.readable ? 0o400 : 0) | (file.writable ? 0o200 : 0);
  }

  /** proc_map_files_get_link: only who may checkpoint programs goes through. */
  override followMagic(): PathRef | number {
    const { file } = this;
    const cred = currentTask(this.k)?.cred;
    if (cred === undefined || !mayCheckpoint(cred, this.k.initialUser)) return -EPERM;
    if (file instanceof File) return file.path;
    return file instanceof SharedAnonymousFile ? openSharedAnonymous(this.superblock.core, file) : -ENOENT;
  }

  override readlink(): string | number {
    return this.file?.displayPath() ?? -ENOENT;
  }

  open(): number {
    return -ENOENT;
  }
}

function parseName(name: string): Range | null {
  const match = NAME.exec(name);
  if (match === null) return null;
  return { start: Number.parseInt(match[1], 16), end: Number.parseInt(match[2], 16) };
}

/** find_exact_vma: of a file alone. */
function findExactly(space: AddressSpace, { start, end }: Range): Vma | null {
  const page = start / PAGE_SIZE;
  if (!Number.isInteger(page) || page >= space.taskSize) return null;
  const vma = space.vmas.find(page as Vpn);
  if (vma === null || vma.file === null) return null;
  return vma.startVpn === page && vma.endVpn * PAGE_SIZE === end ? vma : null;
}

function hex(page: number): string {
  return (page * PAGE_SIZE).toString(16);
}
