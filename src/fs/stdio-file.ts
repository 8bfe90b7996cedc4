import { EAGAIN, EBADF, EFAULT, ENOMEM } from '../abi/errno.ts';
import { O_RDONLY, O_WRONLY } from '../abi/fcntl.ts';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../abi/poll.ts';
import { S_IFIFO, S_IFREG } from '../abi/stat.ts';
import type { IoSink, IoSource } from '../base/io.ts';
import type { WaitQueue } from '../base/wait-queue.ts';
import type { StdioKind } from '../machine/environment.ts';
import { makeAnonPath } from './anon-fs.ts';
import { File, takeFilpSlot } from './file.ts';
import type { FsCore } from './fs-core.ts';
import { Inode } from './inode.ts';
import type { PathRef } from './path.ts';

const CHUNK_BYTES = 65_536;

export class StdioInode extends Inode {
  readonly descriptor: 0 | 1 | 2;
  /** Input that the host gave and the guest has not read; a stream has one place for all who opened it. */
  pending: Uint8Array = new Uint8Array(0);
  readonly queue: WaitQueue;
  isAtEnd = false;

  constructor(
    path: { superblock: ConstructorParameters<typeof Inode>[0]; slot: number },
    mode: number,
    descriptor: 0 | 1 | 2,
  ) {
    const { core } = path.superblock;
    super(path.superblock, core.inodeSlots, path.slot, core.takeIno(), mode);
    this.descriptor = descriptor;
    this.queue = core.makeQueue();
  }
  open(path: PathRef, flags: number): File | number {
    const slot = takeFilpSlot(this.superblock.core);
    return slot === 0 ? -ENOMEM : new StdioFile(path, flags, slot);
  }
}

/** A standard descriptor that is a pipe or file of the host: a stream of bytes, in order, that cannot be sought in. */
export class StdioFile extends File {
  private get stream(): StdioInode {
    return this.inode as StdioInode;
  }

  override read(sink: IoSink): number {
    const { stream } = this;
    if (!this.readable || stream.descriptor !== 0) return -EBADF;
    if (sink.remaining === 0) return 0;
    if (!this.takeInput()) return -EAGAIN;
    const moved = sink.put(stream.pending);
    stream.pending = stream.pending.subarray(moved);
    return moved === 0 && sink.faulted ? -EFAULT : moved;
  }

  override write(source: IoSource): number {
    const { descriptor } = this.stream;
    if (!this.writable || descriptor === 0) return -EBADF;
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, source.remaining));
    let moved = 0;
    while (source.remaining > 0) {
      const count = source.take(chunk);
      if (count === 0) return moved > 0 ? moved : -EFAULT;
      const error = this.core.environment.writeOutput(descriptor, chunk.subarray(0, count));
      if (error < 0) return moved > 0 ? moved : error;
      moved += count;
    }
    return moved;
  }

  override get canPoll(): boolean {
    return this.inode.type === S_IFIFO;
  }
  override poll(): number {
    return this.stream.descriptor === 0 ? POLLIN | POLLRDNORM : POLLOUT | POLLWRNORM;
  }
  override waitQueues(): readonly WaitQueue[] {
    return [this.stream.queue];
  }
  override fsync(): number {
    return this.inode.isRegular ? 0 : super.fsync();
  }
  /** Somebody sleeps in read(2) on the host's input. */
  get isInputAwaited(): boolean {
    return this.stream.descriptor === 0 && this.stream.queue.waiters.length > 0;
  }
  /** Asks the host for input: true when there is some, or its end; sleepers then look again. */
  wakeReaders(): boolean {
    if (!this.takeInput()) return false;
    this.stream.queue.wakeAll();
    return true;
  }

  private takeInput(): boolean {
    const { stream } = this;
    if (stream.pending.length > 0 || stream.isAtEnd) return true;
    const bytes = this.core.environment.readInput(CHUNK_BYTES);
    if (bytes === 'later') return false;
    if (bytes === 'eof') stream.isAtEnd = true;
    else stream.pending = bytes;
    return true;
  }
}

/** Descriptor 0, 1 or 2 where the host's is a pipe or a file. */
export function makeStdioFile(core: FsCore, descriptor: 0 | 1 | 2, kind: StdioKind): StdioFile | number {
  const mode = kind === 'file' ? S_IFREG | 0o644 : S_IFIFO | 0o600;
  const name = kind === 'file' ? `/host/${['stdin', 'stdout', 'stderr'][descriptor]}` : 'pipe:[%]';
  const path = makeAnonPath(core, 'pipefs', name, (superblock) => {
    const slot = core.inodeSlots.alloc();
    return slot === 0 ? -ENOMEM : new StdioInode({ superblock, slot }, mode, descriptor);
  });
  if (typeof path === 'number') return path;
  const slot = takeFilpSlot(core);
  return slot === 0 ? -ENOMEM : new StdioFile(path, descriptor === 0 ? O_RDONLY : O_WRONLY, slot);
}
