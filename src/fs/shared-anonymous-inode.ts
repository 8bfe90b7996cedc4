import { ENOMEM } from '../abi/errno.ts';
import { S_IFREG } from '../abi/stat.ts';
import type { KmemCache } from '../mm/phys/slab.ts';
import type { SharedAnonymousFile } from '../mm/shared-anonymous-file.ts';
import { makeAnonPath } from './anon-fs.ts';
import { type File, takeFilpSlot } from './file.ts';
import type { FsCore } from './fs-core.ts';
import { Inode } from './inode.ts';
import type { PathRef } from './path.ts';
import { RegularFile } from './regular-file.ts';
import type { Superblock } from './superblock.ts';

/**
 * The file behind shared anonymous memory for who opens it through /proc/PID/map_files: the same pages, held as long as it is
 * open or mapped. Its size is fixed.
 */
export class SharedAnonymousInode extends Inode {
  private readonly shared: SharedAnonymousFile;

  constructor(superblock: Superblock, slots: KmemCache, slot: number, shared: SharedAnonymousFile) {
    super(superblock, slots, slot, shared.ino, S_IFREG | 0o777);
    this.shared = shared;
    this.pages = shared.pages;
    this.nlink = 0;
    shared.retain();
  }

  override get size(): number {
    return this.shared.pages.sizeBytes;
  }
  override get blocks512(): number {
    return this.shared.pages.pageCount * 8;
  }

  open(path: PathRef, flags: number): File | number {
    const slot = takeFilpSlot(this.superblock.core);
    return slot === 0 ? -ENOMEM : new RegularFile(path, flags, slot);
  }

  protected override evict(): void {
    this.pages = null;
    this.shared.release();
    super.evict();
  }
}

/** A place that leads to the memory, good until the end of the system call as any that a walk finds. -ENOMEM. */
export function openSharedAnonymous(core: FsCore, shared: SharedAnonymousFile): PathRef | number {
  return makeAnonPath(core, 'shm', shared.displayPath(), (superblock) => {
    const slot = core.inodeSlots.alloc();
    return slot === 0 ? -ENOMEM : new SharedAnonymousInode(superblock, core.inodeSlots, slot, shared);
  });
}
