import { ENOMEM } from '../../abi/errno.ts';
import { PROC_SUPER_MAGIC } from '../../abi/mount.ts';
import { Superblock } from '../../fs/superblock.ts';
import type { KmemCache } from '../../mm/phys/slab.ts';
import type { Kernel } from '../kernel.ts';
import type { ProcInode } from './proc-inode.ts';

/**
 * The one procfs of a machine. Its inodes are made when they are looked up and live as long as somebody holds them.
 *
 * Invariant PR1: inodes.get(key) is the live inode of that key, so that two walks to the same entry meet in one dentry.
 */
export class ProcSuperblock extends Superblock {
  readonly k: Kernel;
  readonly slots: KmemCache;
  readonly inodes = new Map<string, ProcInode>();
  /** /proc/sys/kernel/random/boot_id: drawn once a boot. */
  readonly bootId = new Uint8Array(16);

  constructor(k: Kernel) {
    super(k.vfs.core, { fsType: 'proc', magic: PROC_SUPER_MAGIC, revalidates: true });
    this.k = k;
    this.slots = k.mm.slab.cacheNamed('proc_inode_cache');
    k.config.rng.fill(this.bootId);
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
