import { EBADF, EFAULT, EINVAL, EIO, ENOENT, ENOMEM } from '../abi/errno.ts';
import { S_IFDIR, S_IFREG } from '../abi/stat.ts';
import type { IoSink, IoSource } from '../base/io.ts';
import { DirectoryFile } from './directory-file.ts';
import { File, MAX_FILE_BYTES, seekIn, takeFilpSlot } from './file.ts';
import type { FsCore } from './fs-core.ts';
import { type DirEntry, Inode } from './inode.ts';
import { byteLength, type PathRef } from './path.ts';
import { Superblock } from './superblock.ts';

/** What a generated file shows and takes. A plain object: it may be looked at again at any time. */
export interface PseudoContent {
  /** The text as it is now; -ERRNO where there is none (the process is gone: -ESRCH). Taken at a read from position 0. */
  generate(): string | Uint8Array | number;
  /** A write: 0 or more bytes taken, or -ERRNO. Absent: -EIO, as for proc files without proc_write. */
  accept?(bytes: Uint8Array): number;
}

/** A file system whose files are made when they are read: procfs, sysfs. Walks ask its folders each time. */
export class PseudoSuperblock extends Superblock {
  constructor(core: FsCore, fsType: string, magic: number) {
    super(core, { fsType, magic, revalidates: true });
  }

  /** A slot for an inode; 0 without memory. */
  takeSlot(): number {
    return this.core.mm.slab.cacheNamed('proc_inode_cache').alloc();
  }

  get slots() {
    return this.core.mm.slab.cacheNamed('proc_inode_cache');
  }
}

/**
 * Base of the inodes. Build one with `makePseudo`, which takes the slot. A folder's `lookup` may make a new inode at each call (it
 * goes with its dentry) or return one that it keeps and retains.
 */
export abstract class PseudoInode extends Inode {
  constructor(superblock: PseudoSuperblock, slot: number, mode: number, ino: number) {
    super(superblock, superblock.slots, slot, ino, mode);
  }
}

/** Takes a slot and builds the inode: -ENOMEM without memory. */
export function makePseudo<T extends Inode>(superblock: PseudoSuperblock, make: (slot: number) => T): T | number {
  const slot = superblock.takeSlot();
  return slot === 0 ? -ENOMEM : make(slot);
}

export class PseudoFileInode extends PseudoInode {
  readonly content: PseudoContent;

  constructor(superblock: PseudoSuperblock, slot: number, permissions: number, ino: number, content: PseudoContent) {
    super(superblock, slot, S_IFREG | permissions, ino);
    this.content = content;
  }
  override truncate(): number {
    return 0;
  }
  open(path: PathRef, flags: number): File | number {
    const slot = takeFilpSlot(this.superblock.core);
    return slot === 0 ? -ENOMEM : new PseudoFile(path, flags, slot, this.content);
  }
}

/** A folder: `lookup` and `entries` are the subclass's. */
export abstract class PseudoDirectoryInode extends PseudoInode {
  constructor(superblock: PseudoSuperblock, slot: number, permissions: number, ino: number) {
    super(superblock, slot, S_IFDIR | permissions, ino);
    this.nlink = 2;
  }
  abstract override lookup(name: string): Inode | number;
  abstract override entries(): DirEntry[] | number;
  override create(): number {
    return -ENOENT;
  }
  override mkdir(_name: string, _mode: number): Inode | number {
    return -ENOENT;
  }
  open(path: PathRef, flags: number): File | number {
    const slot = takeFilpSlot(this.superblock.core);
    return slot === 0 ? -ENOMEM : new DirectoryFile(path, flags, slot);
  }
}

/** seq_file: the text is made at a read from position 0 (or the first read) and stays for the reads behind it. */
export class PseudoFile extends File {
  private readonly content: PseudoContent;
  private text: Uint8Array | null = null;

  constructor(path: PathRef, flags: number, slot: number, content: PseudoContent) {
    super(path, flags, slot);
    this.content = content;
  }

  override get isSeekable(): boolean {
    return true;
  }

  override read(sink: IoSink, pos: number | null): number {
    if (!this.readable) return -EBADF;
    const at = pos ?? this.pos;
    if (this.text === null || at === 0) {
      const made = this.content.generate();
      if (typeof made === 'number') return made;
      this.text = typeof made === 'string' ? encodeText(made) : made;
    }
    if (at >= this.text.length) return 0;
    const moved = sink.put(this.text.subarray(at));
    if (moved === 0 && sink.faulted) return -EFAULT;
    if (pos === null) this.pos = at + moved;
    return moved;
  }

  override write(source: IoSource, pos: number | null): number {
    if (!this.writable) return -EBADF;
    if (this.content.accept === undefined) return -EIO;
    const bytes = new Uint8Array(Math.min(source.remaining, 65_536));
    const count = source.take(bytes);
    if (count === 0 && source.faulted) return -EFAULT;
    const taken = this.content.accept(bytes.subarray(0, count));
    if (taken > 0 && pos === null) this.pos += taken;
    this.text = null;
    return taken;
  }

  override seek(offset: number, whence: number): number {
    if (whence > 1) return -EINVAL;
    return seekIn(this, offset, whence, MAX_FILE_BYTES);
  }
}

/** UTF-8 (src/ has no TextEncoder type of its own). */
function encodeText(text: string): Uint8Array {
  const bytes = new Uint8Array(byteLength(text));
  let at = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code < 0x80) bytes[at++] = code;
    else {
      const extra = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
      bytes[at++] = [0, 0xc0, 0xe0, 0xf0][extra] | (code >> (6 * extra));
      for (let i = extra - 1; i >= 0; i--) bytes[at++] = 0x80 | ((code >> (6 * i)) & 0x3f);
    }
  }
  return bytes;
}
