import { EINVAL, ENOENT, ESRCH } from '../../abi/errno.ts';
import { O_CLOEXEC } from '../../abi/fcntl.ts';
import { DT_LNK, DT_REG, S_IFLNK, S_IFREG } from '../../abi/stat.ts';
import type { File } from '../../fs/file.ts';
import type { DirEntry, Inode } from '../../fs/inode.ts';
import type { PathRef } from '../../fs/path.ts';
import type { Task } from '../task.ts';
import { admitOwn, mayLookAt } from './current-task.ts';
import { ProcDirectory } from './proc-directory.ts';
import { ProcInode, type ProcInodeParts } from './proc-inode.ts';
import { type Generated, SeqInode, type SeqRow } from './seq-file.ts';

/** Descriptors as entries of a folder: /proc/PID/fd and /proc/PID/fdinfo. */
export abstract class DescriptorDirectory extends ProcDirectory {
  protected abstract readonly entryType: number;
  protected abstract make(parts: ProcInodeParts, fd: number): ProcInode;

  /** proc_readfd_count: the number of open descriptors. */
  override get size(): number {
    return this.task?.files?.openFds().length ?? 0;
  }

  override lookup(name: string): Inode | number {
    if (!/^(0|[1-9][0-9]{0,8})$/.test(name)) return -ENOENT;
    const fd = Number(name);
    if ((this.task?.files?.get(fd) ?? null) === null) return -ENOENT;
    const { superblock, subject } = this;
    const key = `${this.key}/${fd}`;
    const ino = this.ino + 1 + fd;
    return superblock.ensure(key, subject, (slot) =>
      this.make({ superblock, slot, key, ino, mode: this.entryMode(fd), subject }, fd),
    );
  }

  protected abstract entryMode(fd: number): number;

  override entries(): DirEntry[] | number {
    const { task } = this;
    if (task === null) return -ENOENT;
    const fds = task.files?.openFds() ?? [];
    return fds.map((fd) => ({ name: String(fd), ino: this.ino + 1 + fd, type: this.entryType }));
  }
}

export class FdDirectory extends DescriptorDirectory {
  protected readonly entryType = DT_LNK;

  override admit(byMode: number): number {
    return admitOwn(this.k, this.task, byMode);
  }

  protected make(parts: ProcInodeParts, fd: number): ProcInode {
    return new FdLink(parts, fd);
  }
  protected entryMode(): number {
    return S_IFLNK | 0o700;
  }
}

export class FdinfoDirectory extends DescriptorDirectory {
  protected readonly entryType = DT_REG;

  /** proc_fdinfo_permission. */
  override admit(byMode: number): number {
    return this.task === null ? -ESRCH : Math.min(byMode, mayLookAt(this.k, this.task));
  }

  override get size(): number {
    return 0;
  }
  protected make(parts: ProcInodeParts, fd: number): ProcInode {
    return new FdinfoInode(parts, fd);
  }
  protected entryMode(): number {
    return S_IFREG | 0o444;
  }
}

/** /proc/PID/fd/N: its permission bits tell how the file is open (tid_fd_update_inode). */
export class FdLink extends ProcInode {
  private readonly fd: number;

  constructor(parts: ProcInodeParts, fd: number) {
    super(parts);
    this.fd = fd;
  }

  override get size(): number {
    return 64;
  }

  private get file(): File | null {
    return this.task?.files?.get(this.fd) ?? null;
  }

  override refresh(): void {
    super.refresh();
    const { file } = this;
    if (file === null) return;
    // FMODE_READ and FMODE_WRITE; an O_PATH descriptor has neither.
    this.mode = S_IFLNK | (file.readable ? 0o500 : 0) | (file.writable ? 0o300 : 0);
  }

  override followMagic(): PathRef | number {
    const refused = this.task === null ? 0 : mayLookAt(this.k, this.task);
    if (refused < 0) return refused;
    return this.file?.path ?? -ENOENT;
  }
  override readlink(): string | number {
    const refused = this.task === null ? 0 : mayLookAt(this.k, this.task);
    if (refused < 0) return refused;
    return this.file?.displayPath() ?? -ENOENT;
  }
  open(): number {
    return -ENOENT;
  }
}

export const FDINFO: SeqRow = { name: 'fdinfo', mode: 0o444, show: () => -ENOENT, writeError: -EINVAL };

/** /proc/PID/fdinfo/N (seq_show, fs/proc/fd.c). */
export class FdinfoInode extends SeqInode {
  private readonly fd: number;

  constructor(parts: ProcInodeParts, fd: number) {
    super(parts, FDINFO);
    this.fd = fd;
  }

  override generate(task: Task): Generated {
    const file = task.files?.get(this.fd) ?? null;
    if (task.files === null || file === null) return -ENOENT;
    const flags = file.flags | (task.files.isCloseOnExec(this.fd) ? O_CLOEXEC : 0);
    return (
      `pos:\t${file.pos}\nflags:\t0${(flags >>> 0).toString(8)}\n` +
      `mnt_id:\t${file.path.mount.id}\nino:\t${file.inode.ino}\n${file.fdinfo()}`
    );
  }
}
