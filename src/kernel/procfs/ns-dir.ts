import { EACCES, ELOOP, ENOENT } from '../../abi/errno.ts';
import { DT_LNK, S_IFLNK } from '../../abi/stat.ts';
import type { DirEntry, Inode } from '../../fs/inode.ts';
import { PathRef } from '../../fs/path.ts';
import { mayAccessTask } from '../access-task.ts';
import { makeNsPath, type Namespace } from '../ns-file.ts';
import type { PidNamespace } from '../pid-namespace.ts';
import type { Task } from '../task.ts';
import { mayLookAt } from './current-task.ts';
import { ProcDirectory } from './proc-directory.ts';
import { ProcInode, type ProcInodeParts } from './proc-inode.ts';

const isEmpty = (ns: PidNamespace): boolean => ns.parent !== null && ns.reaper === null;

/** ns_entries: in the order of their links, each with the namespace that it leads to. */
const LINKS: ReadonlyMap<string, (t: Task) => Namespace | null> = new Map([
  ['net', (t: Task): Namespace | null => (t.state === 'X' ? null : t.net)],
  ['uts', (t: Task): Namespace | null => (t.state === 'X' ? null : t.uts)],
  ['ipc', (t: Task): Namespace | null => t.ipc],
  ['pid', (t: Task): Namespace | null => (t.state === 'X' ? null : t.pidNs)],
  // Until its first process is there, nobody can see it.
  ['pid_for_children', (t: Task): Namespace | null => (isEmpty(t.pidNsForChildren) ? null : t.pidNsForChildren)],
  ['cgroup', (t: Task): Namespace | null => (t.state === 'X' ? null : t.cgroupNs)],
  ['user', (t: Task): Namespace | null => (t.state === 'X' ? null : t.cred.userNs)],
  ['mnt', (t: Task): Namespace | null => t.mounts],
  ['time', (t: Task): Namespace | null => t.time],
  ['time_for_children', (t: Task): Namespace | null => t.timeForChildren],
]);
const NAMES = [...LINKS.keys()];

/** proc_ns_get_link: a task that has ended is in none. */
export class NsLink extends ProcInode {
  private readonly name: string;

  constructor(parts: ProcInodeParts, name: string) {
    super(parts);
    this.name = name;
  }

  override followMagic(): PathRef | number {
    const { task, k } = this;
    if (task === null) return -ENOENT;
    const refused = mayLookAt(k, task);
    if (refused < 0) return refused;
    if (k.current !== null && mayAccessTask(k.current, task, 'fs') < 0) return -EACCES;
    const ns = LINKS.get(this.name)?.(task) ?? null;
    return ns === null ? -EACCES : makeNsPath(k, ns);
  }

  override readlink(): string | number {
    const place = this.followMagic();
    return place instanceof PathRef ? place.displayPath() : place;
  }

  open(): number {
    return -ELOOP;
  }
}

/** /proc/PID/ns (6.18, fs/proc/namespaces.c): the kinds of namespace that this kernel has. */
export class NsDirectory extends ProcDirectory {
  override lookup(name: string): Inode | number {
    if (this.task === null || !LINKS.has(name)) return -ENOENT;
    const { superblock, subject } = this;
    const key = `${this.key}/${name}`;
    const parts = { superblock, key, ino: this.inoOf(name), mode: S_IFLNK | 0o777, subject };
    return superblock.ensure(key, subject, (slot) => new NsLink({ ...parts, slot }, name));
  }

  override entries(): DirEntry[] | number {
    if (this.task === null) return -ENOENT;
    return NAMES.map((name) => ({ name, ino: this.inoOf(name), type: DT_LNK }));
  }

  private inoOf(name: string): number {
    return this.ino + 1 + NAMES.indexOf(name);
  }
}
