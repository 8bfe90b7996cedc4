import type { Kernel } from '../kernel.ts';
import { namespaceIno } from '../namespace-ino.ts';
import type { Task } from '../task.ts';
import type { UserNamespace } from '../user-namespace.ts';
import { MsgNamespace, removeQueue } from './msg.ts';
import { removeSet, SemNamespace } from './sem.ts';
import { destroySegment, ShmNamespace } from './shm.ts';

/** PROC_IPC_INIT_INO: the number of the namespace that programs start in. */
const INITIAL_INO = 0xefff_ffff;

/**
 * struct ipc_namespace (6.18, ipc/namespace.c): the objects of System V IPC that its tasks see, and their limits.
 *
 * Invariant N1: users is the number of tasks in it, of attachments of its segments, and of open files of it; the kernel's own
 * first one has one more. At 0 it is no more, and neither is anything in it.
 */
export class IpcNamespace {
  readonly kind = 'ipc';
  readonly ino: number;
  readonly userNs: UserNamespace;
  readonly shm = new ShmNamespace();
  readonly sem = new SemNamespace();
  readonly msg = new MsgNamespace();
  users = 1;

  constructor(userNs: UserNamespace, ino = INITIAL_INO) {
    this.userNs = userNs;
    this.ino = ino;
  }

  retain(): void {
    this.users++;
  }

  release(k: Kernel): void {
    dropIpc(k, this);
  }
}

/** create_ipc_ns: one user, the caller's; with the limits that a kernel starts with. */
export function newIpcNamespace(k: Kernel, userNs: UserNamespace): IpcNamespace {
  const ns = new IpcNamespace(userNs, namespaceIno(k));
  k.ipcNamespaces.add(ns);
  return ns;
}

/** put_ipc_ns: with the last user all of it goes (free_ipc_ns). */
export function dropIpc(k: Kernel, ns: IpcNamespace): void {
  if (--ns.users > 0) return;
  k.ipcNamespaces.delete(ns);
  for (const set of ns.sem.ids.list()) removeSet(k, ns.sem, set);
  for (const queue of ns.msg.ids.list()) removeQueue(k, ns.msg, queue);
  for (const segment of ns.shm.ids.list()) destroySegment(k, ns.shm, segment);
}

/** The namespace whose files /proc shows: the caller's. */
export function currentIpc(k: Kernel): IpcNamespace {
  return k.current?.ipc ?? k.initialIpc;
}

/** switch_task_namespaces: takes over the caller's use of `ns`. */
export function enterIpc(k: Kernel, t: Task, ns: IpcNamespace): void {
  leaveIpc(k, t);
  t.ipc = ns;
}

/** switch_task_namespaces to none. */
export function leaveIpc(k: Kernel, t: Task): void {
  const { ipc } = t;
  t.ipc = null;
  if (ipc !== null) dropIpc(k, ipc);
}
