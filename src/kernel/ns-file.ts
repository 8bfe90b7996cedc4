import { EINVAL, ENFILE, ENOMEM, ENOTTY, EPERM } from '../abi/errno.ts';
import { O_CLOEXEC, O_RDONLY } from '../abi/fcntl.ts';
import { NS_GET_NSTYPE, NS_GET_OWNER_UID, NS_GET_PARENT, NS_GET_USERNS } from '../abi/ioctl.ts';
import {
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
} from '../abi/sched.ts';
import { S_IFREG } from '../abi/stat.ts';
import { makeAnonPath } from '../fs/anon-fs.ts';
import { File, takeFilpSlot, type UserArg } from '../fs/file.ts';
import { Inode } from '../fs/inode.ts';
import type { PathRef } from '../fs/path.ts';
import type { Superblock } from '../fs/superblock.ts';
import type { CgroupNamespace } from './cgroup/namespace.ts';
import type { IpcNamespace } from './ipc/namespace.ts';
import type { Kernel } from './kernel.ts';
import type { MountNamespace } from './mount-namespace.ts';
import type { NetNamespace } from './net-namespace.ts';
import { isWithin, type PidNamespace } from './pid-namespace.ts';
import { installFile } from './syscalls/user.ts';
import type { Task } from './task.ts';
import type { TimeNamespace } from './time-namespace.ts';
import { isUserNsWithin, type UserNamespace } from './user-namespace.ts';
import { writeI32s } from './user-structs.ts';
import type { UtsNamespace } from './uts-namespace.ts';

export type Namespace =
  | CgroupNamespace
  | IpcNamespace
  | MountNamespace
  | NetNamespace
  | PidNamespace
  | TimeNamespace
  | UserNamespace
  | UtsNamespace;

/** The flag of unshare and setns for each kind. */
export const NAMESPACE_FLAGS = {
  cgroup: CLONE_NEWCGROUP,
  ipc: CLONE_NEWIPC,
  mnt: CLONE_NEWNS,
  net: CLONE_NEWNET,
  pid: CLONE_NEWPID,
  time: CLONE_NEWTIME,
  user: CLONE_NEWUSER,
  uts: CLONE_NEWUTS,
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
    return slot === 0 ? -ENFILE : new NsFile(this.k, path, flags, slot, this.ns);
  }

  protected override evict(): void {
    super.evict();
    this.ns.release(this.k);
  }
}

/** An open one: setns(2) takes it. Nothing can be read of it. */
export class NsFile extends File {
  readonly ns: Namespace;
  private readonly k: Kernel;

  constructor(k: Kernel, path: PathRef, flags: number, slot: number, ns: Namespace) {
    super(path, flags, slot);
    this.k = k;
    this.ns = ns;
  }

  /** ns_ioctl. */
  override ioctl(request: number, arg: UserArg): number {
    const { k, ns } = this;
    const t = k.current as Task;
    switch (request) {
      case NS_GET_NSTYPE:
        return NAMESPACE_FLAGS[ns.kind];
      case NS_GET_USERNS:
        return openNamespace(k, t, visibleOwner(t, ns));
      case NS_GET_PARENT:
        if (ns.kind === 'user') return openNamespace(k, t, visibleOwner(t, ns));
        return ns.kind === 'pid' ? openNamespace(k, t, visibleParent(t, ns)) : -EINVAL;
      case NS_GET_OWNER_UID:
        if (ns.kind !== 'user') return -EINVAL;
        return writeI32s(k, t, arg.value, [t.cred.userNs.uids.show(ns.ownerUid)]);
      default:
        return -ENOTTY;
    }
  }
}

/** ns_get_owner: null where it is neither the caller's own nor in it. */
function visibleOwner(t: Task, ns: Namespace): UserNamespace | null {
  const owner = ns.userNs;
  return owner !== null && isUserNsWithin(owner, t.cred.userNs) ? owner : null;
}

/** pidns_get_parent. */
function visibleParent(t: Task, { parent }: PidNamespace): PidNamespace | null {
  return parent !== null && isWithin(parent, t.pidNs) ? parent : null;
}

/** open_related_ns. */
function openNamespace(k: Kernel, t: Task, ns: Namespace | null): number {
  if (ns === null) return -EPERM;
  const path = makeNsPath(k, ns);
  if (typeof path === 'number') return path;
  const file = k.vfs.openPath(path, O_RDONLY | O_CLOEXEC, null);
  return typeof file === 'number' ? file : installFile(t, file, O_CLOEXEC);
}

/** ns_get_path: a place for it. */
export function makeNsPath(k: Kernel, ns: Namespace): PathRef | number {
  return makeAnonPath(k.vfs.core, 'nsfs', `${ns.kind}:[%]`, (superblock) => {
    const slot = k.vfs.core.inodeSlots.alloc();
    return slot === 0 ? -ENOMEM : new NsInode(k, superblock, slot, ns);
  });
}
