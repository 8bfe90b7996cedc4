import { ENOENT, ESRCH } from '../../abi/errno.ts';
import { DT_DIR, DT_LNK, DT_REG, S_IFDIR, S_IFLNK, S_IFREG } from '../../abi/stat.ts';
import { unreachable } from '../../base/assert.ts';
import type { DirEntry, Inode } from '../../fs/inode.ts';
import type { Task } from '../task.ts';
import { BytesInode } from './bytes-file.ts';
import { FdDirectory, FdinfoDirectory } from './fd-dir.ts';
import { taskIno } from './ino.ts';
import { MapFilesDirectory } from './map-files.ts';
import { NsDirectory } from './ns-dir.ts';
import { type PidEntry, PROCESS_ENTRIES, THREAD_ENTRIES } from './pid-entries.ts';
import { ProcDirectory } from './proc-directory.ts';
import type { ProcInode, ProcInodeParts, Subject } from './proc-inode.ts';
import { ProcMagicLink } from './proc-link.ts';
import type { ProcSuperblock } from './proc-superblock.ts';
import { SeqInode } from './seq-file.ts';

type Kind = 'process' | 'thread';

/** Entries stand for a process where the task leads one: execve in a thread changes who that is. */
function subjectOf(t: Task): Subject {
  return t.isLeader ? t.process : t;
}

/** A name that is a task's number, or -1. */
export function tidOf(name: string): number {
  return /^[1-9][0-9]{0,8}$/.test(name) ? Number(name) : -1;
}

/** The folder of a task: /proc/PID ('process', also for a thread's number) or task/TID ('thread'). */
export function ensureTaskFolder(superblock: ProcSuperblock, t: Task, kind: Kind): Inode | number {
  const subject = subjectOf(t);
  const key = `${kind}:${t.tid}`;
  const parts = { superblock, key, ino: taskIno(t.tid, kind, 0), mode: S_IFDIR | 0o555, subject };
  return superblock.ensure(key, subject, (slot) => new TaskFolder({ ...parts, slot }, t.tid, kind));
}

/** /proc/PID and /proc/PID/task/TID. Whoever holds one of a reaped task gets -ESRCH on the way in (proc_pid_permission). */
export class TaskFolder extends ProcDirectory {
  private readonly tid: number;
  private readonly kind: Kind;

  constructor(parts: ProcInodeParts, tid: number, kind: Kind) {
    super(parts);
    this.tid = tid;
    this.kind = kind;
    this.nlink = 2 + this.rows.filter((row) => 'folder' in row).length;
  }

  private get rows(): readonly PidEntry[] {
    return this.kind === 'process' ? PROCESS_ENTRIES : THREAD_ENTRIES;
  }

  override lookup(name: string): Inode | number {
    if (this.task === null) return -ESRCH;
    const index = this.rows.findIndex((row) => row.name === name);
    if (index < 0) return -ENOENT;
    const row = this.rows[index];
    const { superblock, subject } = this;
    const key = `${this.key}/${name}`;
    const parts = { superblock, key, ino: taskIno(this.tid, this.kind, index + 1), mode: modeOf(row), subject };
    return superblock.ensure(key, subject, (slot) => makeEntry({ ...parts, slot }, row));
  }

  override entries(): DirEntry[] | number {
    if (this.task === null) return -ENOENT;
    return this.rows.map((row, i) => ({
      name: row.name,
      ino: taskIno(this.tid, this.kind, i + 1),
      type: 'folder' in row ? DT_DIR : 'target' in row ? DT_LNK : DT_REG,
    }));
  }
}

/** /proc/PID/task. */
export class ThreadsDirectory extends ProcDirectory {
  private get threads(): readonly Task[] {
    return this.task?.process.threads ?? [];
  }

  override refresh(): void {
    super.refresh();
    this.nlink = 2 + this.threads.length;
  }

  override lookup(name: string): Inode | number {
    if (this.task === null) return -ESRCH;
    const tid = tidOf(name);
    const wanted = this.superblock.pidNs.pidOf(tid);
    const thread = this.threads.find((each) => each.tid === wanted);
    return thread === undefined ? -ENOENT : ensureTaskFolder(this.superblock, thread, 'thread');
  }

  override entries(): DirEntry[] | number {
    if (this.task === null) return -ENOENT;
    const tids = this.threads.map((thread) => this.superblock.pidNs.numberOf(thread.tid)).sort((a, b) => a - b);
    return tids.map((tid) => ({ name: String(tid), ino: taskIno(tid, 'thread', 0), type: DT_DIR }));
  }
}

function modeOf(row: PidEntry): number {
  if ('folder' in row) return S_IFDIR | row.mode;
  return 'target' in row ? S_IFLNK | 0o777 : S_IFREG | row.mode;
}

function makeEntry(parts: ProcInodeParts, row: PidEntry): ProcInode {
  if ('show' in row) return new SeqInode(parts, row);
  if ('readAt' in row) return new BytesInode(parts, row);
  if ('target' in row) return new ProcMagicLink(parts, row.target);
  switch (row.folder) {
    case 'fd':
      return new FdDirectory(parts);
    case 'fdinfo':
      return new FdinfoDirectory(parts);
    case 'map_files':
      return new MapFilesDirectory(parts);
    case 'ns':
      return new NsDirectory(parts);
    case 'task':
      return new ThreadsDirectory(parts);
    default:
      return unreachable(row.folder);
  }
}
