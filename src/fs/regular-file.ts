import { EBADF, EFBIG, EINVAL, ENODEV, ENXIO, ETXTBSY } from '../abi/errno.ts';
import { O_DIRECT, SEEK_DATA, SEEK_HOLE } from '../abi/fcntl.ts';
import { FIONREAD } from '../abi/ioctl.ts';
import type { ErrorCursor } from '../base/error-sequence.ts';
import type { IoSink, IoSource } from '../base/io.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import { readDirect, writeDirect } from '../mm/page-cache/direct-io.ts';
import { readInto, writeFrom } from '../mm/page-cache/file-io.ts';
import type { FilePages } from '../mm/page-cache/file-pages.ts';
import type { ReadAhead } from '../mm/page-cache/readahead.ts';
import { File, MAX_FILE_BYTES, seekIn, type UserArg } from './file.ts';
import type { PathRef } from './path.ts';

/** A regular file whose bytes are in the page cache of its inode: read, write and mmap see the same frames. */
export class RegularFile extends File implements ErrorCursor {
  /** f_wb_err, f_sb_err. */
  writebackSince: number;
  private readonly ofSuperblock: ErrorCursor;
  /** What posix_fadvise said of how it is read. */
  readAhead: ReadAhead = 'sequential';

  override get pages(): FilePages | null {
    return this.inode.pages;
  }
  override get mapKind(): 'file' | 'shmem' | 'none' {
    return this.inode.pages?.kind ?? 'none';
  }
  override get isSeekable(): boolean {
    return true;
  }

  override get countsAsWriter(): boolean {
    return true;
  }

  constructor(path: PathRef, flags: number, slot: number) {
    super(path, flags, slot);
    const { pages, superblock } = this.inode;
    this.writebackSince = pages?.writebackErrors.sample() ?? 0;
    this.ofSuperblock = { writebackSince: superblock.writebackErrors.sample() };
  }

  /** close(2) says nothing of errors: who wants to know of them calls fsync. */
  protected override onLastRelease(): void {
    if (!this.writable) return;
    this.inode.writeCount--;
    this.inode.flush();
  }

  /** As a disk's file system: reads of what is cached; shmem has no such thing. */
  override knowsNowait(direction: 'read' | 'write'): boolean {
    return direction === 'read' && this.inode.pages?.kind === 'file';
  }

  override read(sink: IoSink, pos: number | null): number {
    const { inode } = this;
    if (!this.readable) return -EBADF;
    const at = pos ?? this.pos;
    if (inode.pages === null) return -EINVAL;
    if (at >= inode.size || sink.remaining === 0) return 0;
    if (this.isDirect && !this.isAligned(at, sink)) return -EINVAL;
    const { pageCache } = this.core.mm;
    const moved = this.isDirect
      ? readDirect(pageCache, inode.pages, at, sink)
      : readInto(pageCache, inode.pages, at, sink, this.readAhead);
    if (moved > 0) {
      if (pos === null) this.pos = at + moved;
      inode.touchAccessed();
    }
    return moved;
  }

  override write(source: IoSource, pos: number | null): number {
    const { inode } = this;
    if (!this.writable) return -EBADF;
    if (inode.isSwapFile) return -ETXTBSY;
    // Linux: pwrite on an O_APPEND file appends (pwrite(2), BUGS).
    const at = this.isAppend ? inode.size : (pos ?? this.pos);
    if (source.remaining === 0) return 0;
    if (at >= MAX_FILE_BYTES) return -EFBIG;
    if (this.isDirect && !this.isAligned(at, source)) return -EINVAL;
    const admitted = inode.admitWrite(at, source.remaining);
    if (admitted < 0) return admitted;
    const limited = admitted < source.remaining ? new LimitedSource(source, admitted) : source;
    const moved = (this.isDirect ? writeDirect : writeFrom)(this.core.mm.pageCache, inode.pages!, at, limited);
    if (moved > 0 && pos === null) this.pos = at + moved;
    // The times change before the first byte is taken; and what was taken of the file system may stay (shmem).
    if (moved !== 0) inode.noteWritten();
    return moved;
  }

  /** O_DIRECT, where there is a store to go to; tmpfs takes the flag and goes on as ever. */
  private get isDirect(): boolean {
    return (this.flags & O_DIRECT) !== 0 && this.inode.pages?.kind === 'file';
  }

  private isAligned(at: number, io: IoSink | IoSource): boolean {
    const { directAlignBytes } = this.inode;
    return at % directAlignBytes === 0 && (io.isAlignedTo?.(directAlignBytes) ?? true);
  }

  override seek(offset: number, whence: number): number {
    if (whence !== SEEK_DATA && whence !== SEEK_HOLE) return seekIn(this, offset, whence, this.inode.size);
    const { size } = this.inode;
    if (offset < 0 || offset >= size) return -ENXIO;
    const index = Math.floor(offset / PAGE_SIZE);
    const found = this.inode.findStored(index, whence === SEEK_DATA ? 'data' : 'hole') * PAGE_SIZE;
    if (whence === SEEK_DATA && (found < 0 || found >= size)) return -ENXIO;
    this.pos = Math.min(size, Math.max(offset, found));
    return this.pos;
  }

  override truncate(sizeBytes: number): number {
    if (!this.writable) return -EINVAL;
    return this.inode.isSwapFile && sizeBytes <= this.inode.size ? -ETXTBSY : this.inode.truncate(sizeBytes);
  }
  override fallocate(mode: number, offset: number, lengthBytes: number): number {
    if (!this.writable) return -EBADF;
    if (this.inode.isSwapFile) return -ETXTBSY;
    return this.inode.pages === null ? -ENODEV : this.inode.fallocate(mode, offset, lengthBytes);
  }
  override fsync(): number {
    return this.syncPages(0, Number.MAX_SAFE_INTEGER);
  }
  /** file_write_and_wait_range, file_check_and_advance_wb_err: errors since this file was opened or last told. */
  override syncPages(first: number, end: number): number {
    const result = this.inode.sync(first, end);
    return this.takeWritebackError() || result;
  }
  override takeWritebackError(): number {
    return this.inode.pages?.writebackErrors.take(this) ?? 0;
  }
  override takeSuperblockError(): number {
    return this.inode.superblock.writebackErrors.take(this.ofSuperblock);
  }
  override ioctl(request: number, arg: UserArg): number {
    if (request !== FIONREAD) return super.ioctl(request, arg);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(
      0,
      Math.min(0x7fffffff, Math.max(-0x80000000, this.inode.size - this.pos)),
      true,
    );
    return arg.write(bytes);
  }

  override pageMkwrite(index: number): number {
    const { inode } = this;
    const admitted = inode.admitMappedWrite(index);
    if (admitted < 0) return admitted;
    inode.noteWritten();
    return 0;
  }
  override admitPage(index: number): number {
    return this.inode.admitPage(index);
  }
  override mapWritable(): number {
    return this.inode.isSwapFile ? -ETXTBSY : this.inode.mapWritable();
  }
}

/** At most `remaining` bytes of another source. */
export class LimitedSource implements IoSource {
  private readonly inner: IoSource;
  private left: number;

  constructor(inner: IoSource, lengthBytes: number) {
    this.inner = inner;
    this.left = lengthBytes;
  }
  get remaining(): number {
    return Math.min(this.left, this.inner.remaining);
  }
  get faulted(): boolean {
    return this.inner.faulted;
  }

  faultIn(lengthBytes: number): boolean {
    return this.inner.faultIn(lengthBytes);
  }
  take(into: Uint8Array): number {
    const count = this.inner.take(into.length > this.left ? into.subarray(0, this.left) : into);
    this.left -= count;
    return count;
  }
  takePresent(into: Uint8Array): number {
    const count = this.inner.takePresent(into.length > this.left ? into.subarray(0, this.left) : into);
    this.left -= count;
    return count;
  }

  fillPresent(start: number, count: number): number {
    return this.inner.fillPresent?.(start, Math.min(count, this.left)) ?? 0;
  }
  advance(count: number): void {
    this.inner.advance?.(count);
    this.left -= count;
  }
}
