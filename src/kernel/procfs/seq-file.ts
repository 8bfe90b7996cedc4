import { EBADF, EFAULT, EINVAL, ENFILE, ESPIPE, ESRCH } from '../../abi/errno.ts';
import { O_ACCMODE, O_RDONLY, SEEK_CUR, SEEK_SET } from '../../abi/fcntl.ts';
import type { IoSink, IoSource } from '../../base/io.ts';
import { encodeUtf8 } from '../../base/utf8.ts';
import { File, MAX_FILE_BYTES, takeFilpSlot } from '../../fs/file.ts';
import type { PathRef } from '../../fs/path.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import { Credentials } from '../credentials.ts';
import type { Kernel } from '../kernel.ts';
import type { PidNamespace } from '../pid-namespace.ts';
import type { Task } from '../task.ts';
import type { UserNamespace } from '../user-namespace.ts';
import { currentTask, mayLookAt } from './current-task.ts';
import { ProcInode, type ProcInodeParts } from './proc-inode.ts';
import { takeText } from './write-text.ts';

/** What a file holds now: one text (single_open), records (seq_open), or -ERRNO of read. */
export type Generated = string | readonly string[] | number;

/** Who has a file of /proc open, and through which procfs. */
export interface ProcAccess {
  /** file->f_cred. */
  readonly opener: Credentials;
  /** The user namespace that the task was in when its file was opened. */
  readonly userNs: UserNamespace;
  /** Whose numbers this procfs shows. */
  readonly pidNs: PidNamespace;
  /** Where a write begins. */
  readonly pos: number;
}

/** A generated file, as a row of a table. The functions are those of modules: an inode holds a row and no closure. */
export interface SeqRow {
  readonly name: string;
  readonly mode: number;
  /** `task` is null for files of the machine. `space` is what the task had at open (see holdsSpace), else null. */
  readonly show: (k: Kernel, task: Task, space: AddressSpace | null, access: ProcAccess) => Generated;
  /** Takes the text of one write: 0 (all of it was taken), or -ERRNO. */
  readonly write?: (k: Kernel, task: Task, text: string, access: ProcAccess) => number;
  /** 'works': no seq_file in Linux, so that pwrite does; of those it is -ESPIPE (seq_open). */
  readonly pwrite?: 'works';
  /** Write without a handler: -EINVAL (seq_file of a task), -EIO (proc_reg_write). */
  readonly writeError: number;
  /** What open says of the task as it is: 0 or -ERRNO. */
  readonly check?: (task: Task, opener: Credentials, wanted: 'read' | 'write') => number;
  /**
   * Remembers the address space at open, which is for those who may trace the task: 'any' may have none, 'needed' fails open with
   * -ESRCH then (proc_mem_open).
   */
  readonly holdsSpace?: 'any' | 'needed';
}

/** A text file of /proc. */
export class SeqInode extends ProcInode {
  readonly row: SeqRow;

  constructor(parts: ProcInodeParts, row: SeqRow) {
    super(parts);
    this.row = row;
  }

  generate(task: Task, space: AddressSpace | null, access: ProcAccess): Generated {
    return this.row.show(this.k, task, space, access);
  }

  open(path: PathRef, flags: number): File | number {
    let space: AddressSpace | null = null;
    const { task } = this;
    if (this.subject !== null && task === null) return -ESRCH;
    const opener = (currentTask(this.k)?.cred ?? new Credentials(this.k.initialUser)).clone();
    const wanted = (flags & O_ACCMODE) === O_RDONLY ? 'read' : 'write';
    const refused = task === null ? 0 : (this.row.check?.(task, opener, wanted) ?? 0);
    if (refused < 0) return refused;
    if (this.row.holdsSpace !== undefined) {
      const unseen = task === null ? 0 : mayLookAt(this.k, task);
      if (unseen < 0) return unseen;
      space = task?.space ?? null;
      if (space === null && this.row.holdsSpace === 'needed') return -ESRCH;
    }
    const slot = takeFilpSlot(this.superblock.core);
    const userNs = task?.cred.userNs ?? opener.userNs;
    return slot === 0 ? -ENFILE : this.makeFile(path, flags, slot, space, opener, userNs);
  }

  protected makeFile(
    path: PathRef,
    flags: number,
    slot: number,
    space: AddressSpace | null,
    opener: Credentials,
    userNs: UserNamespace,
  ): SeqFile {
    return new SeqFile(path, flags, slot, this, space, opener, userNs);
  }
}

/** seq_file's first buffer (PAGE_SIZE). */
const BUFFER_BYTES = 4096;

/**
 * An open generated file in the manner of fs/seq_file.c (6.18): the text is made when a reader is at position 0, or jumps; one
 * read gives whole records as far as they fit a buffer of a page, or the one record that does not fit, in pieces.
 */
export class SeqFile extends File {
  protected readonly source: SeqInode;
  private readonly space: AddressSpace | null;
  protected readonly opener: Credentials;
  private readonly userNs: UserNamespace;
  private text: Uint8Array | null = null;
  /** Ends of records in `text`. */
  private ends: number[] = [];
  /** End of what has been put in the buffer, and where the next read goes on. */
  private buffered = 0;
  private readPos = 0;
  private bufferBytes = BUFFER_BYTES;

  constructor(
    path: PathRef,
    flags: number,
    slot: number,
    source: SeqInode,
    space: AddressSpace | null,
    opener: Credentials,
    userNs: UserNamespace,
  ) {
    super(path, flags, slot);
    this.source = source;
    this.space = space;
    this.opener = opener;
    this.userNs = userNs;
  }

  private accessAt(pos: number): ProcAccess {
    return { opener: this.opener, userNs: this.userNs, pidNs: this.source.superblock.pidNs, pos };
  }

  override get isSeekable(): boolean {
    return true;
  }

  override seek(offset: number, whence: number): number {
    const to = whence === SEEK_SET ? offset : whence === SEEK_CUR ? this.pos + offset : -1;
    if (to < 0 || to > MAX_FILE_BYTES) return -EINVAL;
    this.pos = to;
    return to;
  }

  override read(sink: IoSink, pos: number | null): number {
    if (!this.readable) return -EBADF;
    const at = pos ?? this.pos;
    if (at === 0 || this.text === null || at !== this.readPos) {
      const error = this.generate(at);
      if (error < 0) return error;
    }
    const text = this.text!;
    let moved = 0;
    // What an earlier read left in the buffer comes first; if that satisfies the reader, it is all.
    if (this.buffered > at) moved = sink.put(text.subarray(at, this.buffered));
    if (at + moved === this.buffered && sink.remaining > 0 && !sink.faulted) {
      const start = this.buffered;
      this.fillBuffer(sink.remaining);
      moved += sink.put(text.subarray(start, this.buffered));
    }
    if (moved === 0 && sink.faulted) return -EFAULT;
    this.readPos = at + moved;
    if (pos === null) this.pos = this.readPos;
    return moved;
  }

  /** seq_read_iter's second half: one record at least, more while they fit and the reader wants more. */
  private fillBuffer(wanted: number): void {
    const start = this.buffered;
    let index = this.ends.findIndex((end) => end > start);
    if (index < 0) return;
    while (this.ends[index] - start >= this.bufferBytes) this.bufferBytes *= 2;
    this.buffered = this.ends[index];
    for (index++; index < this.ends.length; index++) {
      if (this.buffered - start >= wanted || this.ends[index] - start >= this.bufferBytes) break;
      this.buffered = this.ends[index];
    }
  }

  private generate(at: number): number {
    const { source } = this;
    const { task } = source;
    if (source.subject !== null && task === null) return -ESRCH;
    const generated = source.generate(task as Task, this.space, this.accessAt(0));
    if (typeof generated === 'number') return generated;
    const records = (typeof generated === 'string' ? [generated] : generated).map(encodeUtf8);
    this.text = new Uint8Array(records.reduce((sum, record) => sum + record.length, 0));
    this.ends = [];
    let end = 0;
    for (const record of records) {
      this.text.set(record, end);
      end += record.length;
      this.ends.push(end);
    }
    // traverse(): a jump into a record leaves the rest of it in the buffer.
    this.buffered = at === 0 ? 0 : (this.ends.find((recordEnd) => recordEnd >= at) ?? at);
    return 0;
  }

  override write(source: IoSource, pos: number | null): number {
    if (!this.writable) return -EBADF;
    const { row, k, task, subject } = this.source;
    if (pos !== null && row.pwrite === undefined) return -ESPIPE;
    if (row.write === undefined) return row.writeError;
    if (subject !== null && task === null) return -ESRCH;
    const text = takeText(source);
    if (typeof text === 'number') return text;
    const result = row.write(k, task as Task, text.text, this.accessAt(pos ?? this.pos));
    if (result < 0) return result;
    this.pos += text.lengthBytes;
    return text.lengthBytes;
  }
}
