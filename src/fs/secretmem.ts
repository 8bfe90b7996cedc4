import { EINVAL, ENOMEM, EOPNOTSUPP } from '../abi/errno.ts';
import { O_RDWR } from '../abi/fcntl.ts';
import { S_IFREG } from '../abi/stat.ts';
import type { FilePages } from '../mm/page-cache/file-pages.ts';
import { makeAnonPath } from './anon-fs.ts';
import { File, takeFilpSlot } from './file.ts';
import type { FsCore } from './fs-core.ts';
import { Inode } from './inode.ts';

/** Looks like a regular file, whose size is set once (secretmem_setattr). */
export class SecretInode extends Inode {
  override open(): number {
    return -EINVAL;
  }
  override get size(): number {
    return this.pages?.sizeBytes ?? 0;
  }
  override get blocks512(): number {
    return 0;
  }

  override truncate(sizeBytes: number): number {
    if (this.size !== 0 || this.pages === null) return -EINVAL;
    this.pages.sizeBytes = sizeBytes;
    this.touchModified();
    return 0;
  }

  protected override evict(): void {
    if (this.pages !== null) this.superblock.core.mm.pageCache.evict(this.pages);
    this.pages = null;
    super.evict();
  }
}

/** Memory that its processes alone reach, through mappings (Linux 6.18, mm/secretmem.c): no read, no write, no debugger. */
export class SecretFile extends File {
  override get pages(): FilePages | null {
    return this.inode.pages;
  }
  override get mapKind(): 'shmem' {
    return 'shmem';
  }
  override get isSecret(): boolean {
    return true;
  }

  override truncate(sizeBytes: number): number {
    return this.inode.truncate(sizeBytes);
  }
  override fallocate(): number {
    return -EOPNOTSUPP;
  }
}

/** secretmem_file_create. */
export function makeSecretFile(core: FsCore): File | number {
  const path = makeAnonPath(core, 'anon_inodefs', '/secretmem (deleted)', (superblock) => {
    const slot = core.inodeSlots.alloc();
    if (slot === 0) return -ENOMEM;
    const inode = new SecretInode(superblock, core.inodeSlots, slot, core.takeIno(), S_IFREG | 0o600);
    inode.pages = core.mm.pageCache.createFile(null);
    return inode;
  });
  if (typeof path === 'number') return path;
  const slot = takeFilpSlot(core);
  return slot === 0 ? -ENOMEM : new SecretFile(path, O_RDWR, slot);
}
