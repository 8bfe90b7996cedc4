import { ENOENT, EPERM } from '../../abi/errno.ts';
import { Inode } from '../../fs/inode.ts';
import type { Kernel } from '../kernel.ts';
import type { Process } from '../process.ts';
import type { Task } from '../task.ts';
import type { ProcSuperblock } from './proc-superblock.ts';

/** Whom an entry is about: a process (by its pid, whichever thread leads it), or one thread. null: the machine. */
export type Subject = Process | Task | null;

/** What every inode of procfs is made from. */
export interface ProcInodeParts {
  readonly superblock: ProcSuperblock;
  readonly slot: number;
  /** Key in ProcSuperblock.inodes. */
  readonly key: string;
  readonly ino: number;
  readonly mode: number;
  readonly subject: Subject;
}

/** The task that an entry is about, or null when it has been reaped (get_proc_task). */
function liveTask(k: Kernel, subject: Subject): Task | null {
  if (subject === null) return null;
  if ('threads' in subject) return k.processes.get(subject.pid) === subject ? subject.leader : null;
  return k.tasks.get(subject.tid) === subject ? subject : null;
}

/** An entry of /proc. Nobody can make, rename or remove entries, or change their modes. */
export abstract class ProcInode extends Inode {
  declare readonly superblock: ProcSuperblock;
  readonly key: string;
  readonly subject: Subject;

  constructor(parts: ProcInodeParts) {
    super(parts.superblock, parts.superblock.slots, parts.slot, parts.ino, parts.mode);
    this.key = parts.key;
    this.subject = parts.subject;
  }

  get k(): Kernel {
    return this.superblock.k;
  }
  /** See liveTask. */
  get task(): Task | null {
    return liveTask(this.k, this.subject);
  }
  /** proc_fill_super: s_blocksize. */
  override get blockBytes(): number {
    return 1024;
  }

  protected override evict(): void {
    if (this.superblock.inodes.get(this.key) === this) this.superblock.inodes.delete(this.key);
    super.evict();
  }

  /** task_dump_owner: the task's effective ids, or root's if it may not be dumped; what all may read stays the task's. */
  override refresh(): void {
    const { task } = this;
    if (task === null) return;
    const isOwners = (this.isDirectory && (this.mode & 0o777) === 0o555) || task.process.dumpable === 1;
    this.uid = isOwners ? task.cred.euid : 0;
    this.gid = isOwners ? task.cred.egid : 0;
  }

  override chmod(): number {
    return -EPERM;
  }
  /** O_TRUNC is let through and does nothing. */
  override truncate(): number {
    return 0;
  }
  // A walk to a name that is not there fails before anything is made.
  override create(): number {
    return -ENOENT;
  }
  override mkdir(): number {
    return -ENOENT;
  }
  override mknod(): number {
    return -ENOENT;
  }
  override symlink(): number {
    return -ENOENT;
  }
  override link(): number {
    return -ENOENT;
  }
}
