import { EBADF, EMFILE, ENOMEM } from '../abi/errno.ts';
import { O_CLOEXEC } from '../abi/fcntl.ts';
import { assert } from '../base/assert.ts';
import type { File } from '../fs/file.ts';
import type { MemoryManager } from '../mm/memory-manager.ts';
import type { KmemCache } from '../mm/phys/slab.ts';

/** Descriptors of a table that Linux allocates inside files_struct (NR_OPEN_DEFAULT, BITS_PER_LONG). */
const FIRST_SIZE = 64;
/** fs.nr_open: no descriptor is higher, whatever RLIMIT_NOFILE says. */
export const NR_OPEN = 1_048_576;

/**
 * files_struct: the descriptors of the tasks that share it (CLONE_FILES).
 *
 * Invariants:
 *  FT1 fds[fd] holds one reference to its File; a hole is null.
 *  FT2 users counts the tasks; at 0 everything is closed and the slot is given back.
 *  FT3 Every member of closeOnExecFds is an open descriptor.
 */
export class FileTable {
  users = 1;
  /** FDSize of /proc/PID/status. */
  sizeFds = FIRST_SIZE;
  private readonly fds: (File | null)[] = [];
  private readonly closeOnExecFds = new Set<number>();
  /** No descriptor below is free. */
  private lowestFree = 0;
  private readonly cache: KmemCache;
  readonly slot: number;

  private constructor(cache: KmemCache, slot: number) {
    this.cache = cache;
    this.slot = slot;
  }

  /** -ENOMEM where there is no memory for files_struct. */
  static create(k: { readonly mm: MemoryManager }): FileTable | number {
    return FileTable.allocate(k.mm.slab.cacheNamed('files_cache'));
  }

  private static allocate(cache: KmemCache): FileTable | number {
    const slot = cache.alloc();
    return slot === 0 ? -ENOMEM : new FileTable(cache, slot);
  }

  /** dup_fd: the same descriptors in a table of its own. */
  copy(): FileTable | number {
    const copy = FileTable.allocate(this.cache);
    if (typeof copy === 'number') return copy;
    for (const [fd, file] of this.fds.entries()) {
      if (file === null) continue;
      file.retain();
      copy.put(fd, file);
    }
    for (const fd of this.closeOnExecFds) copy.closeOnExecFds.add(fd);
    copy.lowestFree = this.lowestFree;
    return copy;
  }

  clone(): FileTable | number {
    return this.copy();
  }

  /** One user less. */
  release(): void {
    if (--this.users > 0) return;
    assert(this.users === 0, 'kernel/file-table.ts: FT2 a table is released as often as shared');
    for (let fd = 0; fd < this.fds.length; fd++) if (this.fds[fd] !== null) this.close(fd);
    this.cache.free(this.slot);
  }

  /** The open file, or null. */
  get(fd: number): File | null {
    return this.fds[fd] ?? null;
  }

  /** The lowest free descriptor from `from` on, or -EMFILE at `limit` (RLIMIT_NOFILE). */
  findFree(from: number, limit: number): number {
    let fd = Math.max(from, this.lowestFree);
    while (fd < this.fds.length && this.fds[fd] !== null) fd++;
    if (from <= this.lowestFree) this.lowestFree = fd;
    return fd >= Math.min(limit, NR_OPEN) ? -EMFILE : fd;
  }

  /** Takes over the caller's reference to `file`: the descriptor, or -EMFILE (then the reference is given back). */
  install(file: File, flags: number, limit = NR_OPEN, from = 0): number {
    const fd = this.findFree(from, limit);
    if (fd < 0) {
      file.release();
      return fd;
    }
    this.put(fd, file);
    this.setCloseOnExec(fd, (flags & O_CLOEXEC) !== 0 ? 'close' : 'keep');
    return fd;
  }

  /** dup3: closes what is there; takes over the reference. */
  replace(fd: number, file: File, flags: number): void {
    if (this.get(fd) !== null) this.close(fd);
    this.put(fd, file);
    this.setCloseOnExec(fd, (flags & O_CLOEXEC) !== 0 ? 'close' : 'keep');
  }

  private put(fd: number, file: File): void {
    while (this.fds.length <= fd) this.fds.push(null);
    this.fds[fd] = file;
    // alloc_fdtable (6.18): the next power of two that holds the descriptor.
    while (this.sizeFds <= fd) this.sizeFds *= 2;
  }

  /** filp_close: 0, the error of delayed writes, or -EBADF. Record locks of this table on the file go. */
  close(fd: number): number {
    const file = this.get(fd);
    if (file === null) return -EBADF;
    this.fds[fd] = null;
    this.closeOnExecFds.delete(fd);
    if (fd < this.lowestFree) this.lowestFree = fd;
    const result = file.flush();
    if (!file.isPathOnly) file.inode.locks?.releaseOwner(this);
    file.release();
    return result;
  }

  closeOnExec(): void {
    for (const fd of [...this.closeOnExecFds].sort((a, b) => a - b)) this.close(fd);
  }

  setCloseOnExec(fd: number, mode: 'close' | 'keep'): void {
    if (mode === 'close') this.closeOnExecFds.add(fd);
    else this.closeOnExecFds.delete(fd);
  }

  isCloseOnExec(fd: number): boolean {
    return this.closeOnExecFds.has(fd);
  }

  /** Open descriptors in rising order. */
  openFds(): number[] {
    const open: number[] = [];
    for (const [fd, file] of this.fds.entries()) if (file !== null) open.push(fd);
    return open;
  }

  /** One above the highest descriptor that was ever open: a bound for loops. */
  get bound(): number {
    return this.fds.length;
  }
}
