import { ENOMEM } from '../abi/errno.ts';
import { V9FS_MAGIC } from '../abi/mount.ts';
import { assert } from '../base/assert.ts';
import type { HostFiles, HostStat } from '../machine/environment.ts';
import type { FsCore } from './fs-core.ts';
import { HostInode } from './host-inode.ts';
import { Superblock } from './superblock.ts';

/** A host folder (or file) that the guest may write: a page cache in front of the host's files. */
export class HostSuperblock extends Superblock {
  readonly host: HostFiles;
  readonly hostRoot: string;
  private readonly inodes = new Map<string, HostInode>();
  private readonly numbers = new Map<string, number>();

  constructor(core: FsCore, hostRoot: string) {
    super(core, { fsType: '9p', magic: V9FS_MAGIC });
    assert(core.hostFiles !== null, 'fs/host-superblock.ts: a host mount needs host files');
    this.host = core.hostFiles;
    this.hostRoot = hostRoot;
  }

  rootInode(): HostInode | number {
    const stat = this.host.stat(this.hostRoot);
    return typeof stat === 'number' ? stat : this.inodeOf(stat, null, this.hostRoot);
  }

  /** The inode of a host file found as `name` in `parent`. */
  inodeOf(stat: HostStat, parent: HostInode | null, name: string): HostInode | number {
    const key = `${stat.dev}:${stat.ino}`;
    const known = this.inodes.get(key);
    if (known !== undefined) {
      known.addName(parent, name);
      return known;
    }
    const slot = this.core.inodeSlots.alloc();
    if (slot === 0) return -ENOMEM;
    const inode = new HostInode(this, slot, this.numberOf(stat), key, stat, parent, name);
    this.inodes.set(key, inode);
    return inode;
  }

  numberOf(stat: HostStat): number {
    const key = `${stat.dev}:${stat.ino}`;
    let ino = this.numbers.get(key);
    if (ino === undefined) {
      ino = this.takeIno();
      this.numbers.set(key, ino);
    }
    return ino;
  }

  forget(inode: HostInode): void {
    if (this.inodes.get(inode.key) === inode) this.inodes.delete(inode.key);
  }

  /** The host may use the number of a deleted file again: a new file is not the old one. */
  disown(inode: HostInode): void {
    this.forget(inode);
    this.numbers.delete(inode.key);
  }

  override sync(how: 'wait' | 'start' = 'wait'): number {
    let first = 0;
    for (const inode of this.inodes.values()) {
      const error = how === 'wait' ? inode.sync() : inode.flush();
      if (error < 0 && first === 0) first = error;
    }
    return first;
  }
}
