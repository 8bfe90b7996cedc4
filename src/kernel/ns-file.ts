import { EINVAL, ENFILE, ENOMEM, ENOTTY, EPERM } from '../abi/errno.ts';
import { NS_GET_NSTYPE, NS_GET_OWNER_UID, NS_GET_PARENT, NS_GET_USERNS } from '../abi/ioctl.ts';
import { CLONE_NEWIPC } from '../abi/sched.ts';
import { S_IFREG } from '../abi/stat.ts';
import { makeAnonPath } from '../fs/anon-fs.ts';
import { File, takeFilpSlot } from '../fs/file.ts';
import { Inode } from '../fs/inode.ts';
import type { PathRef } from '../fs/path.ts';
import type { Superblock } from '../fs/superblock.ts';
import { dropIpc, type IpcNamespace } from './ipc/namespace.ts';
import type { Kernel } from './kernel.ts';

/**
 * A namespace as a file (6.18, fs/nsfs.c): what /proc/PID/ns/ipc leads to. Its number is the namespace's, so two of the same have
 * the same; each holds the namespace.
 */
export class NsInode extends Inode {
  readonly ns: IpcNamespace;
  private readonly k: Kernel;

  constructor(k: Kernel, superblock: Superblock, slot: number, ns: IpcNamespace) {
    super(superblock, k.vfs.core.inodeSlots, slot, ns.ino, S_IFREG | 0o444);
    this.k = k;
    this.ns = ns;
    ns.retain();
  }

  open(path: PathRef, flags: number): File | number {
    const slot = takeFilpSlot(this.superblock.core);
    return slot === 0 ? -ENFILE : new NsFile(path, flags, slot, this.ns);
  }

  protected override evict(): void {
    super.evict();
    dropIpc(this.k, this.ns);
  }
}

/** An open one: setns(2) takes it. Nothing can be read of it. */
export class NsFile extends File {
  readonly ns: IpcNamespace;

  constructor(path: PathRef, flags: number, slot: number, ns: IpcNamespace) {
    super(path, flags, slot);
    this.ns = ns;
  }

  /** ns_ioctl of an IPC namespace: it has no parent, and no user namespace that could be opened owns it. */
  override ioctl(request: number): number {
    switch (request) {
      case NS_GET_NSTYPE:
        return CLONE_NEWIPC;
      case NS_GET_USERNS:
        return -EPERM;
      case NS_GET_PARENT:
      case NS_GET_OWNER_UID:
        return -EINVAL;
      default:
        return -ENOTTY;
    }
  }
}

/** ns_get_path: a place for it. */
export function makeNsPath(k: Kernel, ns: IpcNamespace): PathRef | number {
  return makeAnonPath(k.vfs.core, 'nsfs', 'ipc:[%]', (superblock) => {
    const slot = k.vfs.core.inodeSlots.alloc();
    return slot === 0 ? -ENOMEM : new NsInode(k, superblock, slot, ns);
  });
}
