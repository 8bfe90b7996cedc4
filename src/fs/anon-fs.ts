import { ENFILE, ENOMEM } from '../abi/errno.ts';
import { ANON_INODE_FS_MAGIC, NSFS_MAGIC, PIPEFS_MAGIC, SOCKFS_MAGIC, TMPFS_MAGIC } from '../abi/mount.ts';
import { S_IFDIR } from '../abi/stat.ts';
import { type File, takeFilpSlot } from './file.ts';
import type { FsCore } from './fs-core.ts';
import { Inode } from './inode.ts';
import { Mount } from './mount.ts';
import { PathRef } from './path.ts';
import { Superblock } from './superblock.ts';

/** File systems that are in no tree: each holds objects that have a description but no name. */
export type AnonFsType = 'pipefs' | 'sockfs' | 'anon_inodefs' | 'shm' | 'nsfs';

const MAGIC = {
  pipefs: PIPEFS_MAGIC,
  sockfs: SOCKFS_MAGIC,
  anon_inodefs: ANON_INODE_FS_MAGIC,
  shm: TMPFS_MAGIC,
  nsfs: NSFS_MAGIC,
} as const;

export class AnonRoot extends Inode {
  open(): number {
    return -ENOMEM;
  }
}

/** The inode of an eventfd, timerfd, epoll ...: nothing but a description hangs on it. */
export class AnonInode extends Inode {
  open(): number {
    return -ENFILE;
  }
}

/** The mounts of those file systems, made at first use. */
export class AnonMounts {
  private readonly core: FsCore;
  private readonly mounts = new Map<AnonFsType, Mount>();

  constructor(core: FsCore) {
    this.core = core;
  }

  mountOf(fsType: AnonFsType): Mount | number {
    const known = this.mounts.get(fsType);
    if (known !== undefined) return known;
    const slot = this.core.inodeSlots.alloc();
    if (slot === 0) return -ENOMEM;
    // init_pseudo (6.17 and later) forbids execution; memfds live on a tmpfs.
    const isTmpfs = fsType === 'shm';
    const superblock = new Superblock(this.core, {
      fsType: isTmpfs ? 'tmpfs' : fsType,
      magic: MAGIC[fsType],
      noExec: !isTmpfs,
    });
    const inode = new AnonRoot(superblock, this.core.inodeSlots, slot, superblock.takeIno(), S_IFDIR | 0o500);
    inode.retain();
    const root = this.core.dentries.makeRoot(inode);
    inode.release();
    if (typeof root === 'number') return root;
    this.core.dentries.retain(root);
    const mount = new Mount(0, root, null, 0, 'none');
    this.mounts.set(fsType, mount);
    return mount;
  }

  shutdown(): void {
    for (const mount of this.mounts.values()) this.core.dentries.release(mount.root);
    this.mounts.clear();
  }
}

/** A place for an inode without a name. The inode is let go if there is no memory for it. */
export function makeAnonPath(
  core: FsCore,
  fsType: AnonFsType,
  displayName: string,
  makeInode: (superblock: Superblock) => Inode | number,
): PathRef | number {
  const mount = core.anonMounts.mountOf(fsType);
  if (typeof mount === 'number') return mount;
  const inode = makeInode(mount.superblock);
  if (typeof inode === 'number') return inode;
  inode.retain();
  const dentry = core.dentries.makeRoot(inode, displayName.replace('%', String(inode.ino)));
  inode.release();
  return typeof dentry === 'number' ? dentry : new PathRef(mount, dentry);
}

/** A new description on an anonymous inode of its own. */
export function makeAnonFile<T extends File>(
  core: FsCore,
  displayName: string,
  make: (path: PathRef, slot: number) => T,
): T | number {
  const path = makeAnonPath(core, 'anon_inodefs', displayName, (superblock) => {
    const slot = core.inodeSlots.alloc();
    return slot === 0 ? -ENOMEM : new AnonInode(superblock, core.inodeSlots, slot, core.takeIno(), 0o600);
  });
  if (typeof path === 'number') return path;
  const slot = takeFilpSlot(core);
  if (slot === 0) return -ENOMEM;
  return make(path, slot);
}
