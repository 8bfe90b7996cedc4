import { EACCES, ENOENT } from '../../abi/errno.ts';
import { DT_LNK, S_IFLNK } from '../../abi/stat.ts';
import type { DirEntry, Inode } from '../../fs/inode.ts';
import type { PathRef } from '../../fs/path.ts';
import { mayAccessTask } from '../access-task.ts';
import type { Kernel } from '../kernel.ts';
import { makeNsPath } from '../ns-file.ts';
import type { Task } from '../task.ts';
import { ProcDirectory } from './proc-directory.ts';
import { ProcMagicLink } from './proc-link.ts';

/** proc_ns_get_link: a task that has ended is in none. */
function ipcOfTask(k: Kernel, t: Task): PathRef | number {
  if (k.current !== null && mayAccessTask(k.current, t, 'fs') < 0) return -EACCES;
  return t.ipc === null ? -EACCES : makeNsPath(k, t.ipc);
}

/** /proc/PID/ns (6.18, fs/proc/namespaces.c): the kinds of namespace that this kernel has, of which there is one. */
export class NsDirectory extends ProcDirectory {
  override lookup(name: string): Inode | number {
    if (this.task === null || name !== 'ipc') return -ENOENT;
    const { superblock, subject } = this;
    const key = `${this.key}/ipc`;
    const parts = { superblock, key, ino: this.ino + 1, mode: S_IFLNK | 0o777, subject };
    return superblock.ensure(key, subject, (slot) => new ProcMagicLink({ ...parts, slot }, ipcOfTask));
  }

  override entries(): DirEntry[] | number {
    return this.task === null ? -ENOENT : [{ name: 'ipc', ino: this.ino + 1, type: DT_LNK }];
  }
}
