import { EBADF, EISDIR, ENOENT } from '../abi/errno.ts';
import { DT_DIR } from '../abi/stat.ts';
import { File, MAX_FILE_BYTES, seekIn } from './file.ts';
import type { DirEntry } from './inode.ts';

/** An open folder. `pos` counts entries; the list is taken when a reader is at its start, so it stays the same while it is read. */
export class DirectoryFile extends File {
  private listed: DirEntry[] | null = null;

  override get isSeekable(): boolean {
    return true;
  }
  override read(): number {
    return -EISDIR;
  }
  override write(): number {
    return -EBADF;
  }
  override fsync(): number {
    return this.inode.sync();
  }
  override seek(offset: number, whence: number): number {
    const to = seekIn(this, offset, whence, MAX_FILE_BYTES);
    if (to === 0) this.listed = null;
    return to;
  }

  override entryAt(pos: number): DirEntry | null | number {
    const { inode } = this;
    if (pos === 0) {
      this.listed = null;
      if (this.path.isDeleted) return -ENOENT;
      return { name: '.', ino: inode.ino, type: DT_DIR };
    }
    if (pos === 1) {
      const parent = this.path.dentry.parent?.inode ?? inode;
      return { name: '..', ino: parent.ino, type: DT_DIR };
    }
    if (this.listed === null) {
      const entries = inode.entries();
      if (typeof entries === 'number') return entries;
      this.listed = entries;
      inode.touchAccessed();
    }
    return this.listed[pos - 2] ?? null;
  }
}
