import { ENOMEM } from '../../abi/errno.ts';
import { PROC_SUPER_MAGIC } from '../../abi/mount.ts';
import { Superblock } from '../../fs/superblock.ts';
import type { KmemCache } from '../../mm/phys/slab.ts';
import type { Kernel } from '../kernel.ts';
import type { PidNamespace } from '../pid-namespace.ts';
import type { ProcInode } from './proc-inode.ts';

/**
 * A procfs: one for each pid namespace that it is mounted in (struct proc_fs_info). Its inodes are made when they are looked up and live as long as somebody holds them.
 *
 * Invariant PR1: inodes.get(key) is the live inode of that key, so that two walks to the same entry meet in one dentry.
 */
export class ProcSuperblock extends Superblock {
  readonly k: Kernel;
  /** Whose tasks it shows, by its numbers. */
  readonly pidNs: PidNamespace;
  readonly slots: KmemCache;
  readonly inodes = new Map<string, ProcInode>();

  constructor(k: Kernel, pidNs: PidNamespace) {
    super(k.vfs.core, { fsType: 'proc', magic: PROC_SUPER_MAGIC, revalidates: true });
    this.k = k;
    this.pidNs = pidNs;
    this.slots = k.mm.slab.cacheNamed('proc_inode_cache');
  }

  /** The live inode of that key, or a new one from `make`; -ENOMEM. One that is about another task is not it. */
  ensure(key: string, subject: object | null, make: (slot: number) => ProcInode): ProcInode | number {
    const known = this.inodes.get(key);
    if (known !== undefined && known.subject === subject) {
      // pid_revalidate: whose it is may have changed.
      known.refresh();
      return known;
    }
    const slot = this.slots.alloc();
    if (slot === 0) return -ENOMEM;
    const inode = make(slot);
    this.inodes.set(key, inode);
    inode.refresh();
    return inode;
  }
}
