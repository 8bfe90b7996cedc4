import { EINVAL, ENFILE, ENOMEM, ENOTTY, EPERM } from '../abi/errno.ts';
import { NS_GET_NSTYPE, NS_GET_OWNER_UID, NS_GET_PARENT, NS_GET_USERNS } from '../abi/ioctl.ts';
import { CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWPID, CLONE_NEWTIME } from '../abi/sched.ts';
import { S_IFREG } from '../abi/stat.ts';
import { makeAnonPath } from '../fs/anon-fs.ts';
import { File, takeFilpSlot } from '../fs/file.ts';
import { Inode } from '../fs/inode.ts';
import type { PathRef } from '../fs/path.ts';
import type { Superblock } from '../fs/superblock.ts';
import type { CgroupNamespace } from './cgroup/namespace.ts';
import type { IpcNamespace } from './ipc/namespace.ts';
import type { Kernel } from './kernel.ts';
import type { NetNamespace } from './net-namespace.ts';
import type { PidNamespace } from './pid-namespace.ts';
import type { TimeNamespace } from './time-namespace.ts';

export type Namespace = CgroupNamespace | IpcNamespace | NetNamespace | PidNamespace | TimeNamespace;

/** The flag of unshare and setns for each kind. */
export const NAMESPACE_FLAGS = {
  cgroup: CLONE_NEWCGROUP,
  ipc: CLONE_NEWIPC,
  net: CLONE_NEWNET,
  pid: CLONE_NEWPID,
  time: CLONE_NEWTIME,
} as const;

/**
 * A namespace as a file (6.18, fs/nsfs.c): what the links of /proc/PID/ns lead to. Its number is the namespace's, so two of the same have
 * the same; each holds the namespace.
 */
export class NsInode extends Inode {
  readonly ns: Namespace;
  private readonly k: Kernel;

  constructor(k: Kernel, superblock: Superblock, slot: number, ns: Namespace) {
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
    this.ns.release(this.k);
  }
}

/** An open one: setns(2) takes it. Nothing can be read of it. */
export class NsFile extends File {
  readonly ns: Namespace;

  constructor(path: PathRef, flags: number, slot: number, ns: Namespace) {
    super(path, flags, slot);
    this.ns = ns;
  }

  /** ns_ioctl: these kinds have no parents, and no user namespace that could be opened owns them. */
  override ioctl(request: number): number {
    switch (request) {
      case NS_GET_NSTYPE:
        return NAMESPACE_FLAGS[this.ns.kind];
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
export function makeNsPath(k: Kernel, ns: Namespace): PathRef | number {
  return makeAnonPath(k.vfs.core, 'nsfs', `${ns.kind}:[%]`, (superblock) => {
    const slot = k.vfs.core.inodeSlots.alloc();
    return slot === 0 ? -ENOMEM : new NsInode(k, superblock, slot, ns);
  });
}
