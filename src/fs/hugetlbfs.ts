import { EFAULT, EFBIG, EINVAL, EISDIR, ENOMEM, ENOSPC, EOPNOTSUPP, EPERM } from '../abi/errno.ts';
import {
  F_SEAL_FUTURE_WRITE,
  F_SEAL_GROW,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
} from '../abi/fcntl.ts';
import { HUGETLBFS_MAGIC } from '../abi/mount.ts';
import { S_IFMT, S_IFREG } from '../abi/stat.ts';
import type { IoSink } from '../base/io.ts';
import type { HugePool } from '../mm/hugetlb/huge-pool.ts';
import { HugetlbObject } from '../mm/hugetlb/hugetlb-object.ts';
import { Subpool } from '../mm/hugetlb/subpool.ts';
import type { FilePages } from '../mm/page-cache/file-pages.ts';
import { File, MAX_FILE_BYTES, seekIn, takeFilpSlot } from './file.ts';
import type { FsCore } from './fs-core.ts';
import { MemoryInode } from './memory-inode.ts';
import { MemorySuperblock } from './memory-superblock.ts';
import type { PathRef } from './path.ts';
import type { StatFs } from './superblock.ts';

/** What a mount asks for; null: no limit, nothing kept. */
export interface HugetlbfsLimits {
  readonly pool: HugePool;
  readonly maxPages: number | null;
  readonly minPages: number | null;
  readonly maxInodes: number | null;
}

/** hugetlbfs (Linux 6.18, fs/hugetlbfs/inode.c): a tree like tmpfs's whose files are made of huge pages of one size. */
export class HugetlbfsSuperblock extends MemorySuperblock {
  readonly pool: HugePool;
  /** null where the mount has neither a limit nor pages that are kept for it. */
  readonly subpool: Subpool | null;
  private readonly maxInodes: number | null;

  private constructor(core: FsCore, limits: HugetlbfsLimits, subpool: Subpool | null) {
    super(core, { fsType: 'hugetlbfs', magic: HUGETLBFS_MAGIC });
    this.pool = limits.pool;
    this.maxInodes = limits.maxInodes;
    this.subpool = subpool;
  }

  /** -ENOMEM where the pool cannot promise minPages (hugepage_new_subpool). */
  static create(core: FsCore, limits: HugetlbfsLimits): HugetlbfsSuperblock | number {
    const { pool, maxPages, minPages } = limits;
    if (minPages !== null && pool.reserve(minPages) < 0) return -ENOMEM;
    const subpool = maxPages === null && minPages === null ? null : new Subpool(pool, maxPages, minPages);
    if (subpool !== null) core.mm.hugetlb.subpools.add(subpool);
    return new HugetlbfsSuperblock(core, limits, subpool);
  }

  override makeInode(mode: number): HugetlbfsInode | number {
    if (this.maxInodes !== null && this.inodeCount >= this.maxInodes) return -ENOSPC;
    const inode = super.makeInode(mode) as HugetlbfsInode | number;
    if (typeof inode !== 'number' && (mode & S_IFMT) === S_IFREG)
      inode.object = new HugetlbObject(this.core.mm, this.pool, this.subpool, inode.pages!);
    return inode;
  }

  protected override buildInode(slot: number, ino: number, mode: number): HugetlbfsInode {
    return new HugetlbfsInode(this, slot, ino, mode);
  }

  /** hugetlbfs_statfs: nothing is known without a limit. */
  override statfs(): StatFs {
    const { subpool, maxInodes } = this;
    const blocks = subpool?.maxPages ?? 0;
    return {
      blockBytes: this.pool.sizeBytes,
      blocks,
      blocksFree: subpool === null || subpool.maxPages === null ? 0 : blocks - subpool.usedPages,
      files: subpool === null ? 0 : (maxInodes ?? -1),
      filesFree: subpool === null ? 0 : maxInodes === null ? -1 : maxInodes - this.inodeCount,
    };
  }

  /** hugetlbfs_show_options. */
  override showOptions(): string {
    const { pool, subpool, maxInodes } = this;
    const size = (pages: number | null | undefined, name: string) =>
      pages === null || pages === undefined ? '' : `,${name}=${pages * pool.sizeBytes}`;
    return (
      (maxInodes === null ? '' : `,nr_inodes=${maxInodes}`) +
      `,pagesize=${pool.sizeBytes / 2 ** 20}M` +
      size(subpool?.maxPages, 'size') +
      size(subpool?.minPages, 'min_size')
    );
  }

  override killTree(root: MemoryInode): void {
    super.killTree(root);
    const { subpool } = this;
    if (subpool === null) return;
    this.pool.reserve(-subpool.reservedPages);
    subpool.reservedPages = 0;
    this.core.mm.hugetlb.subpools.delete(subpool);
  }
}

/** A file of huge pages, or a folder, link or node beside such. `pages` holds the size and the mappings alone. */
export class HugetlbfsInode extends MemoryInode {
  declare readonly superblock: HugetlbfsSuperblock;
  /** Of a regular file: its huge pages. */
  object: HugetlbObject | null = null;

  override get blockBytes(): number {
    return this.superblock.pool.sizeBytes;
  }
  override get blocks512(): number {
    return this.object === null ? 0 : (this.object.folios.size * this.object.pool.sizeBytes) / 512;
  }

  protected override evict(): void {
    this.object?.destroy();
    this.object = null;
    super.evict();
  }

  /** hugetlbfs_setattr. */
  override truncate(sizeBytes: number): number {
    if (this.isDirectory) return -EISDIR;
    if (this.object === null || sizeBytes % this.object.pool.sizeBytes !== 0) return -EINVAL;
    if (sizeBytes > MAX_FILE_BYTES) return -EFBIG;
    if (sizeBytes < this.size && (this.seals & F_SEAL_SHRINK) !== 0) return -EPERM;
    if (sizeBytes > this.size && (this.seals & F_SEAL_GROW) !== 0) return -EPERM;
    this.object.truncate(sizeBytes);
    this.touchModified();
    return 0;
  }

  /** hugetlbfs_fallocate. */
  override fallocate(mode: number, offset: number, lengthBytes: number): number {
    if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) !== 0) return -EOPNOTSUPP;
    if (offset < 0 || lengthBytes <= 0) return -EINVAL;
    const end = offset + lengthBytes;
    if (end > MAX_FILE_BYTES) return -EFBIG;
    if (this.object === null) return -EOPNOTSUPP;
    if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0) {
      if ((mode & FALLOC_FL_KEEP_SIZE) === 0) return -EOPNOTSUPP;
      if ((this.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) return -EPERM;
      this.object.punchHole(offset, end);
      this.touchModified();
      return 0;
    }
    if ((this.seals & F_SEAL_GROW) !== 0 && end > this.size) return -EPERM;
    const result = this.object.fill(offset, end);
    if (result === 0 && (mode & FALLOC_FL_KEEP_SIZE) === 0 && end > this.size) this.pages!.sizeBytes = end;
    this.touchChanged();
    return result;
  }

  override open(path: PathRef, flags: number): File | number {
    if (this.type !== S_IFREG) return super.open(path, flags);
    const slot = takeFilpSlot(this.core);
    return slot === 0 ? -ENOMEM : new HugetlbfsFile(path, flags, slot, this);
  }
}

/** An open file of huge pages: it is mapped and read; there is no write (hugetlbfs_file_operations). */
export class HugetlbfsFile extends File {
  private readonly source: HugetlbfsInode;

  constructor(path: PathRef, flags: number, slot: number, source: HugetlbfsInode) {
    super(path, flags, slot);
    this.source = source;
  }

  get hugetlb(): HugetlbObject {
    return this.source.object!;
  }
  override get pages(): FilePages | null {
    return this.source.pages;
  }
  override get mapKind(): 'hugetlb' {
    return 'hugetlb';
  }
  override get isSeekable(): boolean {
    return true;
  }
  override get countsAsWriter(): boolean {
    return true;
  }

  protected override onLastRelease(): void {
    if (this.writable) this.source.writeCount--;
  }

  override read(sink: IoSink, pos: number | null): number {
    const at = pos ?? this.pos;
    const moved = this.hugetlb.readInto(at, sink);
    if (moved === 0 && sink.faulted) return -EFAULT;
    if (moved > 0) {
      if (pos === null) this.pos = at + moved;
      this.source.touchAccessed();
    }
    return moved;
  }

  override write(): number {
    return -EINVAL;
  }

  override seek(offset: number, whence: number): number {
    return seekIn(this, offset, whence, this.source.size);
  }
  override truncate(sizeBytes: number): number {
    return this.writable ? this.source.truncate(sizeBytes) : -EINVAL;
  }
  override fallocate(mode: number, offset: number, lengthBytes: number): number {
    return this.writable ? this.source.fallocate(mode, offset, lengthBytes) : -EINVAL;
  }
  override fsync(): number {
    return 0;
  }
  override mapWritable(): number {
    return this.source.mapWritable();
  }
}
