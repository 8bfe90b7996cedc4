import { ENOMEM, ENOSPC } from '../abi/errno.ts';
import { TMPFS_MAGIC } from '../abi/mount.ts';
import { S_IFMT, S_IFREG } from '../abi/stat.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import type { FilePages } from '../mm/page-cache/file-pages.ts';
import type { KmemCache } from '../mm/phys/slab.ts';
import type { ShmemHuge } from '../mm/shmem/shmem-huge.ts';
import { splitAtEnd } from '../mm/shmem/unused-huge.ts';
import type { FsCore } from './fs-core.ts';
import { MemoryInode } from './memory-inode.ts';
import { type StatFs, Superblock } from './superblock.ts';

/** tmpfs: files in RAM, at most `limitPages` of them (default: half of RAM, as Linux's size=50%). */
export class MemorySuperblock extends Superblock {
  readonly slots: KmemCache;
  readonly limitPages: number;
  /** nr_inodes; Infinity: no limit (the kernel's own mounts, overlays). */
  readonly limitInodes: number;
  /** Pages that inodes have reported (MemoryInode.recharge); pages that mappings added since are counted at the next report. */
  usedPages = 0;
  inodeCount = 0;
  /** huge=; the kernel's own mount has what shmem_enabled says. */
  private ownHuge: ShmemHuge | 'machine' = 'never';
  /** Root of a tree that lives by its link counts; null: none, or it has ended. */
  treeRoot: MemoryInode | null = null;

  constructor(
    core: FsCore,
    options: {
      fsType?: string;
      magic?: number;
      isReadonly?: boolean;
      limitPages?: number;
      limitInodes?: number;
      revalidates?: boolean;
      huge?: ShmemHuge | 'machine' | null;
    } = {},
  ) {
    super(core, { fsType: 'tmpfs', magic: TMPFS_MAGIC, ...options });
    this.slots = core.shmemInodeSlots;
    this.limitPages = options.limitPages ?? Math.floor(core.mm.alloc.totalCount / 2);
    this.ownHuge = options.huge ?? 'never';
    this.limitInodes = options.limitInodes ?? Number.POSITIVE_INFINITY;
  }

  /** A new inode of this kind, or -ENOSPC (shmem_reserve_inode), -ENOMEM. */
  makeInode(mode: number): MemoryInode | number {
    if (this.inodeCount >= this.limitInodes) return -ENOSPC;
    const slot = this.slots.alloc();
    if (slot === 0) return -ENOMEM;
    const inode = this.buildInode(slot, this.takeIno(), mode);
    if ((mode & S_IFMT) === S_IFREG) {
      inode.pages = this.core.mm.pageCache.createFile(null);
      inode.pages.shmemOwner = inode;
    }
    return inode;
  }

  get huge(): ShmemHuge {
    return this.ownHuge === 'machine' ? this.core.mm.pageCache.shmemHuge.huge : this.ownHuge;
  }

  /** A remount with huge= (shmem_reconfigure). */
  set huge(wanted: ShmemHuge) {
    this.ownHuge = wanted;
  }

  /** Is there room for so many pages more of the inode (shmem_inode_acct_blocks)? */
  hasRoom(inode: MemoryInode, pages: FilePages, count: number): boolean {
    return this.usedPages - inode.chargedPages + pages.pageCount + count <= this.limitPages;
  }

  protected buildInode(slot: number, ino: number, mode: number): MemoryInode {
    return new MemoryInode(this, slot, ino, mode);
  }

  /** How many bytes of a write at `pos` find room: all, or as far as the pages last; -ENOSPC if none. */
  admitPages(inode: MemoryInode, pos: number, lengthBytes: number): number {
    const first = Math.floor(pos / PAGE_SIZE);
    const end = Math.ceil((pos + lengthBytes) / PAGE_SIZE);
    inode.recharge();
    if (this.usedPages + (end - first) <= this.limitPages) return lengthBytes;
    this.makeRoom(end - first);
    let room = this.limitPages - this.usedPages;
    for (let index = first; index < end; index++) {
      if (inode.pages!.has(index)) continue;
      if (room <= 0) return index * PAGE_SIZE <= pos ? -ENOSPC : index * PAGE_SIZE - pos;
      room--;
    }
    return lengthBytes;
  }

  /** shmem_unused_huge_shrink, for a mount that is full. */
  makeRoom(pages: number): void {
    const { pageCache } = this.core.mm;
    let freed = 0;
    for (const file of pageCache.files) {
      const owner = file?.shmemOwner ?? null;
      if (freed >= pages || file === null || !(owner instanceof MemoryInode) || owner.superblock !== this) continue;
      freed += splitAtEnd(pageCache, file);
      owner.recharge();
    }
  }

  /** Allocates the pages of a range (fallocate): 0, -ENOSPC, -ENOMEM; pages that were made stay. */
  fillPages(inode: MemoryInode, start: number, end: number): number {
    if (this.admitPages(inode, start, end - start) !== end - start) return -ENOSPC;
    const { pageCache } = this.core.mm;
    inode.pages!.fallocEnd = Math.max(inode.pages!.fallocEnd, Math.ceil(end / PAGE_SIZE));
    for (let index = Math.floor(start / PAGE_SIZE); index * PAGE_SIZE < end; ) {
      const next = pageCache.allocatePage(inode.pages!, index, end);
      if (next < 0) return next;
      index = next;
    }
    return 0;
  }

  override statfs(): StatFs {
    return {
      blockBytes: PAGE_SIZE,
      blocks: this.limitPages,
      blocksFree: Math.max(0, this.limitPages - this.usedPages),
      files: this.statfsInodes,
      filesFree: Math.max(0, this.statfsInodes - this.inodeCount),
    };
  }

  private get statfsInodes(): number {
    return Number.isFinite(this.limitInodes) ? this.limitInodes : this.limitPages;
  }

  override showOptions(): string {
    const huge = this.huge === 'never' ? '' : `,huge=${this.huge}`;
    return `,size=${this.limitPages * 4}k${huge}`;
  }

  override kill(): void {
    const root = this.treeRoot;
    this.treeRoot = null;
    if (root !== null) this.killTree(root);
  }

  /** kill_litter_super: every inode of the tree goes. */
  killTree(root: MemoryInode): void {
    // A set is walked in the order of insertion, what is added on the way included: a tree may be deeper than the stack.
    const seen = new Set<MemoryInode>([root]);
    for (const inode of seen) {
      for (const child of inode.children?.values() ?? []) if (child !== null) seen.add(child);
    }
    for (const inode of seen) {
      // An overlay's unchanged root has gone with its dentry.
      if (inode.slot === 0) continue;
      inode.retain();
      inode.nlink = 0;
      inode.release();
    }
  }
}
