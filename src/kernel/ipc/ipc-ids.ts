import { CAP_IPC_OWNER, CAP_SYS_ADMIN } from '../../abi/capability.ts';
import { EACCES, EEXIST, EINVAL, ENOENT, ENOSPC, EPERM } from '../../abi/errno.ts';
import { IPC_CREAT, IPC_EXCL, IPC_PRIVATE } from '../../abi/ipc.ts';
import { type Credentials, nsCapable } from '../credentials.ts';
import { INVALID_ID } from '../id-map.ts';
import type { UserNamespace } from '../user-namespace.ts';

/** struct kern_ipc_perm: who may do what with one object of System V IPC. */
export interface IpcPerm {
  key: number;
  id: number;
  seq: number;
  uid: number;
  gid: number;
  readonly cuid: number;
  readonly cgid: number;
  /** That of the namespace that it is in. */
  readonly userNs: UserNamespace;
  /** S_IRWXUGO, and for shared memory SHM_DEST and SHM_LOCKED. */
  mode: number;
}

export interface IpcObject {
  readonly perm: IpcPerm;
}

/** IPCMNI_SHIFT: an id is sequence << 15 | index, so that an old id does not mean a new object. */
const INDEXES = 32768;
const SEQUENCE_MAX = Math.floor(0x7fff_ffff / INDEXES);

/**
 * One kind's objects (struct ipc_ids, 6.18, ipc/util.c), by index.
 *
 * Invariants: I1 objects[i].perm.id is seq * 32768 + i. I2 at most one object has a key other than IPC_PRIVATE.
 */
export class IpcIds<T extends IpcObject> {
  private readonly objects: (T | undefined)[] = [];
  private sequence = 0;
  private lastIndex = -1;
  /** kernel.shm_next_id and the like: the id that the next object is to have if it is free; -1: any. */
  nextId = -1;
  /** Objects that are there (in_use). */
  count = 0;

  /** ipc_findkey. */
  findKey(key: number): T | null {
    for (const object of this.objects) if (object !== undefined && object.perm.key === key) return object;
    return null;
  }

  /** ipc_obtain_object_check: the object of an id, or null where the id is stale or none. */
  find(id: number): T | null {
    const object = this.objects[id % INDEXES];
    return object !== undefined && object.perm.id === id ? object : null;
  }

  /** ipc_obtain_object_idr: by index alone (SHM_STAT and the like). */
  at(index: number): T | null {
    return this.objects[index % INDEXES] ?? null;
  }

  /** ipc_addid, ipc_idr_alloc: the lowest free index (from that of nextId on); -ENOSPC where `limit` objects are there. Fills perm.id and perm.seq. */
  add(object: T, limit: number): number {
    if (this.count >= Math.min(limit, INDEXES)) return -ENOSPC;
    let index = this.nextId < 0 ? 0 : this.nextId % INDEXES;
    while (this.objects[index] !== undefined) index++;
    if (this.nextId >= 0) object.perm.seq = Math.floor(this.nextId / INDEXES);
    else {
      if (index <= this.lastIndex) this.sequence = this.sequence + 1 >= SEQUENCE_MAX ? 0 : this.sequence + 1;
      this.lastIndex = index;
      object.perm.seq = this.sequence;
    }
    this.nextId = -1;
    object.perm.id = object.perm.seq * INDEXES + index;
    this.objects[index] = object;
    this.count++;
    return object.perm.id;
  }

  /** ipc_rmid. */
  remove(object: T): void {
    this.objects[object.perm.id % INDEXES] = undefined;
    this.count--;
  }

  /** The highest index in use; 0 without any (ipc_get_maxidx as IPC_INFO reports it). */
  get highestIndex(): number {
    for (let i = this.objects.length - 1; i >= 0; i--) if (this.objects[i] !== undefined) return i;
    return 0;
  }

  /** By rising index. */
  list(): T[] {
    return this.objects.filter((object) => object !== undefined);
  }
}

/** A new object's rights, of its maker. */
export function newPerm(key: number, flags: number, cred: Credentials, userNs: UserNamespace): IpcPerm {
  const { euid, egid } = cred;
  return { key, id: 0, seq: 0, uid: euid, gid: egid, cuid: euid, cgid: egid, userNs, mode: flags & 0o777 };
}

/** ipcperms: 0, or -EACCES where `flags` asks for a right that the caller lacks. */
export function checkIpcPerm(cred: Credentials, perm: IpcPerm, flags: number): number {
  const wanted = (flags >> 6) | (flags >> 3) | flags;
  let granted = perm.mode;
  if (cred.euid === perm.cuid || cred.euid === perm.uid) granted >>= 6;
  else if ([perm.gid, perm.cgid].some((gid) => cred.fsgid === gid || cred.groups.includes(gid))) granted >>= 3;
  return (wanted & ~granted & 7) !== 0 && !nsCapable(cred, perm.userNs, CAP_IPC_OWNER) ? -EACCES : 0;
}

/** ipcctl_obtain_check's second half: who may IPC_SET and IPC_RMID. */
export function checkIpcOwner(cred: Credentials, perm: IpcPerm): number {
  const isOwner = cred.euid === perm.cuid || cred.euid === perm.uid;
  return isOwner || nsCapable(cred, perm.userNs, CAP_SYS_ADMIN) ? 0 : -EPERM;
}

/** Rights as IPC_SET gives them, the ids as the caller numbers them. */
export interface GivenPerm {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** ipc_update_perm; -EINVAL for ids that are none. */
export function updateIpcPerm(cred: Credentials, perm: IpcPerm, given: GivenPerm): number {
  const uid = cred.userNs.uids.toKernel(given.uid);
  const gid = cred.userNs.gids.toKernel(given.gid);
  if (uid === INVALID_ID || gid === INVALID_ID) return -EINVAL;
  const { mode } = given;
  perm.uid = uid;
  perm.gid = gid;
  perm.mode = (perm.mode & ~0o777) | (mode & 0o777);
  return 0;
}

/**
 * ipcget: the id that a key names, null where a new object is to be made, or -ERRNO. `fits` says what else stands against the
 * one that is there (its size): 0 or -ERRNO.
 */
export function lookupKey<T extends IpcObject>(
  ids: IpcIds<T>,
  cred: Credentials,
  key: number,
  flags: number,
  fits: (object: T) => number,
): number | null {
  if (key === IPC_PRIVATE) return null;
  const found = ids.findKey(key);
  if (found === null) return (flags & IPC_CREAT) !== 0 ? null : -ENOENT;
  if ((flags & IPC_CREAT) !== 0 && (flags & IPC_EXCL) !== 0) return -EEXIST;
  const fit = fits(found);
  if (fit < 0) return fit;
  const allowed = checkIpcPerm(cred, found.perm, flags);
  return allowed < 0 ? allowed : found.perm.id;
}
