import { O_CREAT, O_LARGEFILE, O_NOFOLLOW, O_RDWR } from '../../abi/fcntl.ts';
import { RLIMIT_CORE } from '../../abi/resource.ts';
import { BufferSource } from '../../base/io.ts';
import type { File } from '../../fs/file.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import type { Kernel } from '../kernel.ts';
import type { Siginfo } from '../signals/siginfo.ts';
import type { Task } from '../task.ts';
import { type CoreSink, writeCore } from './core-file.ts';
import { coreName } from './core-name.ts';
import { coreNotes } from './core-notes.ts';

/** kernel.core_pattern and kernel.core_uses_pid. */
export interface CoreSettings {
  pattern: string;
  usesPid: boolean;
}

/**
 * do_coredump (fs/coredump.c, 6.18): writes the core file of a process that a signal ends. True if there is one: then the
 * parent sees WCOREDUMP, even if the limit cut it off. A pattern that starts with '|' or '@' asks for a helper outside, which there is none of.
 */
export function dumpCore(k: Kernel, t: Task, info: Siginfo): boolean {
  const limit = t.process.rlimits[RLIMIT_CORE].soft;
  if (t.process.dumpable !== 1 || t.space === null || t.fs === null || limit < PAGE_SIZE) return false;
  const { pattern } = k.coreSettings;
  if (pattern.startsWith('|') || pattern.startsWith('@')) return false;
  const file = openCore(k, t, coreName(k, t, info.signo));
  if (file === null) return false;
  writeCore(k, t.space, coreNotes(k, t, info), t.process.coredumpFilter, new FileSink(file, limit));
  file.release();
  return true;
}

/** A regular file of the process's own that only it may read, with one name. */
function openCore(k: Kernel, t: Task, name: string): File | null {
  const fs = t.fs!;
  fs.actor = t.cred;
  const { umask } = fs;
  fs.umask = umask | 0o077;
  const file = k.vfs.open(fs, null, name === '' ? 'core' : name, O_CREAT | O_RDWR | O_NOFOLLOW | O_LARGEFILE, 0o600);
  fs.umask = umask;
  if (typeof file === 'number') return null;
  const { inode } = file;
  const isOwn = inode.isRegular && inode.nlink === 1 && inode.uid === t.cred.fsuid && (inode.mode & 0o177) === 0;
  if (isOwn && file.truncate(0) === 0) return file;
  file.release();
  return null;
}

export class FileSink implements CoreSink {
  private readonly file: File;
  private readonly limitBytes: number;
  private at = 0;

  constructor(file: File, limitBytes: number) {
    this.file = file;
    this.limitBytes = limitBytes;
  }

  emit(bytes: Uint8Array): boolean {
    if (this.at + bytes.length > this.limitBytes) return false;
    const source = new BufferSource(bytes);
    while (source.remaining > 0) {
      const moved = this.file.write(source, this.at);
      if (moved <= 0) return false;
      this.at += moved;
    }
    return true;
  }

  /** The size grows when something follows, or here at the end of a file that ends in a hole. */
  skip(lengthBytes: number): boolean {
    if (this.at + lengthBytes > this.limitBytes) return false;
    this.at += lengthBytes;
    return this.file.truncate(this.at) === 0;
  }
}
