import { ENFILE, ENOENT } from '../../abi/errno.ts';
import { DirectoryFile } from '../../fs/directory-file.ts';
import { type File, takeFilpSlot } from '../../fs/file.ts';
import type { DirEntry, Inode } from '../../fs/inode.ts';
import type { PathRef } from '../../fs/path.ts';
import { ProcInode } from './proc-inode.ts';

/** A folder of /proc: its entries are made up from the state of the kernel at each look. */
export abstract class ProcDirectory extends ProcInode {
  abstract override lookup(name: string): Inode | number;
  abstract override entries(): DirEntry[] | number;

  open(path: PathRef, flags: number): File | number {
    const slot = takeFilpSlot(this.superblock.core);
    return slot === 0 ? -ENFILE : new ProcDirectoryFile(path, flags, slot);
  }
}

/** A folder of a reaped task cannot be read any more, not even `.` and `..`. */
export class ProcDirectoryFile extends DirectoryFile {
  override entryAt(pos: number): DirEntry | null | number {
    const inode = this.inode as ProcDirectory;
    return inode.subject !== null && inode.task === null ? -ENOENT : super.entryAt(pos);
  }
}
