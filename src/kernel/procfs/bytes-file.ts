import { EBADF, EINVAL, ENFILE, ENOTTY, ESRCH } from '../../abi/errno.ts';
import { SEEK_CUR, SEEK_SET } from '../../abi/fcntl.ts';
import type { IoSink, IoSource } from '../../base/io.ts';
import { File, MAX_FILE_BYTES, seekIn, takeFilpSlot, type UserArg } from '../../fs/file.ts';
import type { PathRef } from '../../fs/path.ts';
import { type FsActor, KERNEL_ACTOR } from '../../fs/permission.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import type { Kernel } from '../kernel.ts';
import { currentTask, mayLookAt } from './current-task.ts';
import { ProcInode, type ProcInodeParts } from './proc-inode.ts';

/** A file that is read by position from memory or from the frame table: mem, environ, cmdline, pagemap, kpagecount .... */
export interface BytesRow {
  readonly name: string;
  readonly mode: number;
  /** Puts bytes from `pos` on; how many, or -ERRNO. `space` may have ended since open (mm.spaces tells). */
  readonly readAt: (k: Kernel, space: AddressSpace | null, pos: number, sink: IoSink, opener: FsActor) => number;
  readonly writeAt?: (k: Kernel, space: AddressSpace | null, pos: number, source: IoSource) => number;
  readonly ioctl?: (k: Kernel, space: AddressSpace | null, request: number, address: number) => number;
  readonly writeError: number;
  /** Whose space: that at open, which must be there ('open', proc_mem_open); that at each read ('now'); none. */
  readonly space: 'open' | 'now' | 'none';
  /** What lseek knows: the ends of an ordinary file, or SEEK_SET and SEEK_CUR alone (mem_lseek). */
  readonly seeks: 'generic' | 'set';
}

export class BytesInode extends ProcInode {
  readonly row: BytesRow;

  constructor(parts: ProcInodeParts, row: BytesRow) {
    super(parts);
    this.row = row;
  }

  open(path: PathRef, flags: number): File | number {
    const { task, row } = this;
    if (this.subject !== null && task === null) return -ESRCH;
    const refused = row.space === 'open' && task !== null ? mayLookAt(this.k, task) : 0;
    if (refused < 0) return refused;
    const space = row.space === 'open' ? (task?.space ?? null) : null;
    if (row.space === 'open' && space === null) return -ESRCH;
    const slot = takeFilpSlot(this.superblock.core);
    return slot === 0 ? -ENFILE : new BytesFile(path, flags, slot, this, space);
  }
}

export class BytesFile extends File {
  private readonly source: BytesInode;
  private readonly space: AddressSpace | null;
  /** file->f_cred. */
  private readonly opener: FsActor;

  constructor(path: PathRef, flags: number, slot: number, source: BytesInode, space: AddressSpace | null) {
    super(path, flags, slot);
    this.source = source;
    this.space = space;
    this.opener = currentTask(source.k)?.cred ?? KERNEL_ACTOR;
  }

  override get isSeekable(): boolean {
    return true;
  }

  override seek(offset: number, whence: number): number {
    if (this.source.row.seeks === 'generic') return seekIn(this, offset, whence, 0);
    const to = whence === SEEK_SET ? offset : whence === SEEK_CUR ? this.pos + offset : -1;
    if (to < 0 || to > MAX_FILE_BYTES) return -EINVAL;
    this.pos = to;
    return to;
  }

  override read(sink: IoSink, pos: number | null): number {
    if (!this.readable) return -EBADF;
    const space = this.spaceNow();
    if (typeof space === 'number') return space;
    const at = pos ?? this.pos;
    const moved = this.source.row.readAt(this.source.k, space, at, sink, this.opener);
    if (moved > 0 && pos === null) this.pos = at + moved;
    return moved;
  }

  override write(source: IoSource, pos: number | null): number {
    if (!this.writable) return -EBADF;
    const { row, k } = this.source;
    if (row.writeAt === undefined) return row.writeError;
    const space = this.spaceNow();
    if (typeof space === 'number') return space;
    const at = pos ?? this.pos;
    const moved = row.writeAt(k, space, at, source);
    if (moved > 0 && pos === null) this.pos = at + moved;
    return moved;
  }

  override ioctl(request: number, arg: UserArg): number {
    const { row, k } = this.source;
    if (row.ioctl === undefined) return -ENOTTY;
    const space = this.spaceNow();
    return typeof space === 'number' ? space : row.ioctl(k, space, request, arg.value);
  }

  /** null: there is none, or it has ended (mmget_not_zero); -ESRCH: the task has gone. */
  private spaceNow(): AddressSpace | null | number {
    const { row, subject, task, k } = this.source;
    if (row.space === 'open') return this.space !== null && k.mm.spaces.has(this.space) ? this.space : null;
    if (row.space === 'now' && subject !== null && task === null) return -ESRCH;
    return row.space === 'now' ? (task?.space ?? null) : null;
  }
}
