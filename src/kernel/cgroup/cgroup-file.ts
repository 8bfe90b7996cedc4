import { EBADF, ENODEV, EPERM } from '../../abi/errno.ts';
import { POLLERR, POLLPRI } from '../../abi/poll.ts';
import type { IoSource } from '../../base/io.ts';
import { decodeUtf8 } from '../../base/utf8.ts';
import type { WaitQueue } from '../../base/wait-queue.ts';
import type { PathRef } from '../../fs/path.ts';
import { type PseudoContent, PseudoFile } from '../../fs/pseudo-fs.ts';
import { currentTask } from '../procfs/current-task.ts';
import type { Cgroup } from './cgroup.ts';
import type { CgroupFileInode } from './cgroupfs.ts';
import type { OpenCgroupFile } from './file-row.ts';
import type { CgroupNamespace } from './namespace.ts';

/** An open file of a cgroup's directory (kernfs_open_file, struct cgroup_file_ctx). */
export class CgroupFile extends PseudoFile {
  private readonly file: CgroupFileInode;
  /** What it keeps for itself, where its row has that. */
  private readonly own: OpenCgroupFile | null;
  /** Whose root it was opened from. */
  private readonly cgroupNs: CgroupNamespace | null;
  private seen: number;

  constructor(path: PathRef, flags: number, slot: number, file: CgroupFileInode) {
    const { row, cgroup } = file;
    const { k } = file.superblock;
    const own = row.open?.(k, cgroup, file) ?? null;
    super(path, flags, slot, own === null ? file.content : new OwnCgroupContent(file.cgroup, own));
    this.file = file;
    this.own = own;
    this.cgroupNs = currentTask(k)?.cgroupNs ?? null;
    this.seen = file.changes;
  }

  override read(...args: Parameters<PseudoFile['read']>): number {
    this.seen = this.file.changes;
    return super.read(...args);
  }

  /** cgroup_file_write: nothing is nothing; the root of a delegated namespace is its owner's alone. */
  override write(source: IoSource, pos: number | null): number {
    if (!this.writable) return -EBADF;
    if (source.remaining === 0) return 0;
    const { cgroup, row, superblock } = this.file;
    const { k } = superblock;
    const ns = this.cgroupNs;
    const isDelegated = ns !== null && ns !== k.initialCgroup && ns.root === cgroup && k.cgroups.options.nsdelegate;
    if (isDelegated && row.delegated !== 'yes') return -EPERM;
    return super.write(source, pos);
  }

  override get canPoll(): boolean {
    return true;
  }

  /** kernfs_fop_poll: exceptional until it is read again after a change. */
  override poll(): number {
    if (!this.file.cgroup.isAlive) return super.poll() | POLLERR | POLLPRI;
    if (this.own?.poll !== undefined) return super.poll() | this.own.poll();
    return super.poll() | (this.seen === this.file.changes ? 0 : POLLERR | POLLPRI);
  }

  override waitQueues(): readonly WaitQueue[] {
    return [this.file.queue];
  }

  protected override onLastRelease(): void {
    this.own?.release?.();
  }
}

/** Of a file that is another one for each opener. */
export class OwnCgroupContent implements PseudoContent {
  private readonly cgroup: Cgroup;
  private readonly own: OpenCgroupFile;

  constructor(cgroup: Cgroup, own: OpenCgroupFile) {
    this.cgroup = cgroup;
    this.own = own;
  }

  generate(): string | number {
    return this.cgroup.isAlive ? this.own.read() : -ENODEV;
  }

  accept(bytes: Uint8Array): number {
    if (!this.cgroup.isAlive) return -ENODEV;
    const result = this.own.write(decodeUtf8(bytes).split('\0')[0]);
    return result < 0 ? result : bytes.length;
  }
}
