import { EAGAIN, EBADF, EBUSY, EFAULT, EINVAL, ENFILE, ENOMEM, ENXIO, EPERM, EPIPE, ESPIPE } from '../abi/errno.ts';
import { O_ACCMODE, O_DIRECT, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } from '../abi/fcntl.ts';
import { FIONREAD } from '../abi/ioctl.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../abi/poll.ts';
import { S_IFIFO } from '../abi/stat.ts';
import { assert } from '../base/assert.ts';
import { type IoSink, type IoSource, putRange, takeRange } from '../base/io.ts';
import type { WaitQueue } from '../base/wait-queue.ts';
import { PAGE_SIZE, type Pfn } from '../machine/units.ts';
import { NO_FRAME } from '../mm/phys/frame-table.ts';
import { __GFP_ACCOUNT, GFP_HIGHUSER } from '../mm/phys/gfp.ts';
import type { KmemCache } from '../mm/phys/slab.ts';
import { makeAnonPath } from './anon-fs.ts';
import { File, takeFilpSlot, type UserArg } from './file.ts';
import type { FsCore } from './fs-core.ts';
import { Inode } from './inode.ts';
import type { PathRef } from './path.ts';

/** PIPE_DEF_BUFFERS: 64 KiB of 4 KiB pages. */
const DEFAULT_SLOTS = 16;
/** More than 1 GiB cannot be asked for (round_pipe_size takes 2^31; our frames end earlier). */
const MAX_SLOTS = 1 << 18;

/** One page of bytes on their way (struct pipe_buffer). */
interface PipeBuffer {
  readonly frame: Pfn;
  offset: number;
  length: number;
  /** A packet is read by one read alone, which takes no more and leaves nothing of it (PIPE_BUF_FLAG_PACKET). */
  readonly kind: 'stream' | 'packet';
}

/**
 * The ring between the ends of a pipe (Linux: struct pipe_inode_info). Bytes lie in frames of the kernel, one a buffer,
 * taken when written and given back when read empty: a full pipe costs 64 KiB of RAM.
 *
 * Invariants:
 *  P1 buffers.length <= slotCount; each buffer has 1 to 4096 bytes in its frame, of which it holds the one reference.
 *  P2 A write of at most PIPE_BUF bytes lies in one buffer, or is not done (pipe(7), "PIPE_BUF").
 */
export class Pipe {
  readonly core: FsCore;
  readonly buffers: PipeBuffer[] = [];
  slotCount: number;
  /** Whose pages they are. */
  private readonly uid: number;
  readers = 0;
  writers = 0;
  /** Opens for reading and for writing so far: what an open that waits for the other end looks at. */
  readerCounter = 1;
  writerCounter = 1;
  readonly readQueue: WaitQueue;
  readonly writeQueue: WaitQueue;
  /** pipe_inode_info and its array of pipe_buffers. */
  private readonly slot: number;
  private readonly slots: KmemCache;
  private arraySlot: number;
  private arraySlots: KmemCache;

  constructor(
    core: FsCore,
    slots: KmemCache,
    slot: number,
    arraySlots: KmemCache,
    arraySlot: number,
    slotCount: number,
  ) {
    this.core = core;
    this.slotCount = slotCount;
    this.uid = core.current.uid;
    this.slots = slots;
    this.slot = slot;
    this.arraySlots = arraySlots;
    this.arraySlot = arraySlot;
    this.readQueue = core.makeQueue();
    this.writeQueue = core.makeQueue();
  }

  get isFull(): boolean {
    return this.buffers.length >= this.slotCount;
  }

  get byteCount(): number {
    let bytes = 0;
    for (const buffer of this.buffers) bytes += buffer.length;
    return bytes;
  }

  /** anon_pipe_read without the waiting: bytes moved, 0 at the end, -EAGAIN, -EFAULT. */
  read(sink: IoSink): number {
    if (sink.remaining === 0) return 0;
    const { ram, alloc } = this.core.mm;
    let moved = 0;
    const wasFull = this.isFull;
    while (this.buffers.length > 0 && sink.remaining > 0) {
      const buffer = this.buffers[0];
      const wanted = Math.min(buffer.length, sink.remaining);
      const at = ram.offsetOf(buffer.frame) + buffer.offset;
      const count = putRange(sink, ram.u8, at, at + buffer.length);
      // anon_pipe_read: what faults half-way is not consumed.
      if (count < wanted) break;
      moved += count;
      buffer.offset += count;
      buffer.length -= count;
      const isPacket = buffer.kind === 'packet';
      if (buffer.length > 0 && !isPacket) break;
      this.buffers.shift();
      alloc.putFrame(buffer.frame);
      if (isPacket) break;
    }
    if (moved > 0) {
      if (wasFull && !this.isFull) this.writeQueue.wakeAll();
      return moved;
    }
    if (sink.faulted) return -EFAULT;
    return this.writers === 0 ? 0 : -EAGAIN;
  }

  /** A copy of at most `max` bytes of one buffer, which stay: for splice and tee. */
  peek(max: number, index = 0): Uint8Array {
    const { frame, offset, length } = this.buffers[index];
    return this.core.mm.ram.bytesOf(frame).slice(offset, offset + Math.min(length, max));
  }

  /** anon_pipe_write without the waiting: bytes moved (less than asked when it fills up), -EAGAIN, -EPIPE, -EFAULT, -ENOMEM. */
  write(source: IoSource, kind: PipeBuffer['kind'] = 'stream'): number {
    const total = source.remaining;
    if (total === 0) return 0;
    if (this.readers === 0) return -EPIPE;
    let moved = 0;
    let error = -EAGAIN;
    const last = this.buffers.at(-1);
    const tail = total % PAGE_SIZE;
    if (last?.kind === 'stream' && tail > 0 && last.offset + last.length + tail <= PAGE_SIZE) {
      moved = this.fill(last, source, tail);
      // anon_pipe_write (6.18): a page that could not be copied whole does not count.
      if (source.faulted) {
        last.length -= moved;
        return -EFAULT;
      }
    }
    while (source.remaining > 0 && !source.faulted && !this.isFull) {
      const frame = this.core.mm.alloc.allocFrame(GFP_HIGHUSER | __GFP_ACCOUNT);
      if (frame === NO_FRAME) {
        error = -ENOMEM;
        break;
      }
      const buffer = { frame: frame as Pfn, offset: 0, length: 0, kind };
      const count = this.fill(buffer, source, PAGE_SIZE);
      if (source.faulted || count === 0) {
        this.core.mm.alloc.putFrame(buffer.frame);
        error = -EFAULT;
        break;
      }
      this.buffers.push(buffer);
      moved += count;
    }
    if (moved === 0) return error;
    this.readQueue.wakeAll();
    return moved;
  }

  private fill(buffer: PipeBuffer, source: IoSource, max: number): number {
    const { ram } = this.core.mm;
    const start = buffer.offset + buffer.length;
    const end = Math.min(PAGE_SIZE, start + max);
    ram.beforeWrite(buffer.frame);
    const wanted = Math.min(end - start, source.remaining);
    // anon_pipe_write: a piece that faults half-way is not written at all.
    const at = ram.offsetOf(buffer.frame) + start;
    if (takeRange(source, ram.u8, at, at + wanted) < wanted) return 0;
    buffer.length += wanted;
    return wanted;
  }

  /** pipe_set_size: the new size in bytes, -EINVAL, -EPERM (limits), -EBUSY (more in it), -ENOMEM. */
  setSize(lengthBytes: number): number {
    if (lengthBytes < 0 || lengthBytes > 2 ** 31) return -EINVAL;
    let slots = 1;
    while (slots * PAGE_SIZE < lengthBytes) slots *= 2;
    const { pipeAccounts, current } = this.core;
    if (!pipeAccounts.mayGrow(current, this.uid, this.slotCount, slots)) return -EPERM;
    if (slots > MAX_SLOTS) return -ENOMEM;
    if (slots < this.buffers.length) return -EBUSY;
    const arraySlots = bufferArrayCache(this.core, slots);
    const arraySlot = arraySlots.alloc();
    if (arraySlot === 0) return -ENOMEM;
    this.arraySlots.free(this.arraySlot);
    this.arraySlots = arraySlots;
    this.arraySlot = arraySlot;
    const wasFull = this.isFull;
    pipeAccounts.charge(this.uid, slots - this.slotCount);
    this.slotCount = slots;
    if (wasFull && !this.isFull) this.writeQueue.wakeAll();
    return slots * PAGE_SIZE;
  }

  /** Both ends are closed. */
  free(): void {
    assert(this.readers === 0 && this.writers === 0, 'fs/pipe.ts: a pipe is freed when nobody has it open');
    for (const buffer of this.buffers) this.core.mm.alloc.putFrame(buffer.frame);
    this.buffers.length = 0;
    this.core.pipeAccounts.charge(this.uid, -this.slotCount);
    this.arraySlots.free(this.arraySlot);
    this.slots.free(this.slot);
  }
}

/** Arrays of more than 8 KiB (40 bytes a pipe_buffer) count as 8 KiB. */
function bufferArrayCache(core: FsCore, slots: number): KmemCache {
  return core.mm.slab.kmallocCache(Math.min(8192, slots * 40));
}

function allocPipe(core: FsCore): Pipe | number {
  const slots = core.mm.slab.kmallocCache(192);
  const slot = slots.alloc();
  if (slot === 0) return -ENOMEM;
  const slotCount = core.pipeAccounts.admitNew(core.current, DEFAULT_SLOTS);
  if (slotCount === 0) {
    slots.free(slot);
    return -ENFILE;
  }
  const arraySlots = bufferArrayCache(core, slotCount);
  const arraySlot = arraySlots.alloc();
  if (arraySlot === 0) {
    core.pipeAccounts.charge(core.current.uid, -slotCount);
    slots.free(slot);
    return -ENOMEM;
  }
  return new Pipe(core, slots, slot, arraySlots, arraySlot, slotCount);
}

/** The inode of pipe(2): has a place in /proc/PID/fd only, through which it can be opened again. */
export class PipeInode extends Inode {
  override open(path: PathRef, flags: number): File | number {
    return openFifo(this, path, flags);
  }
}

/** One end of a pipe, or a FIFO opened either way. */
export class PipeFile extends File {
  readonly pipe: Pipe;
  /** Counter of the other end when this was opened without one, else -1: open waits, and there is no POLLHUP, until it moves. */
  private readonly partnerSeen: number;
  private readonly waitsForPartner: boolean;

  constructor(path: PathRef, flags: number, slot: number, pipe: Pipe, waitsForPartner: boolean) {
    super(path, flags, slot);
    this.pipe = pipe;
    const isReader = (flags & O_ACCMODE) === O_RDONLY;
    const partners = isReader ? pipe.writers : pipe.readers;
    this.partnerSeen = partners > 0 ? -1 : isReader ? pipe.writerCounter : pipe.readerCounter;
    this.waitsForPartner = waitsForPartner;
    if (this.readable) {
      pipe.readers++;
      pipe.readerCounter++;
      pipe.writeQueue.wakeAll();
    }
    if (this.writable) {
      pipe.writers++;
      pipe.writerCounter++;
      pipe.readQueue.wakeAll();
    }
  }

  override get isOpenReady(): boolean {
    if (!this.waitsForPartner) return true;
    if (this.readable) return this.pipe.writers > 0 || this.pipe.writerCounter !== this.partnerSeen;
    return this.pipe.readers > 0 || this.pipe.readerCounter !== this.partnerSeen;
  }

  protected override onLastRelease(): void {
    const { pipe } = this;
    if (this.readable) pipe.readers--;
    if (this.writable) pipe.writers--;
    if (pipe.readers === 0) pipe.writeQueue.wakeAll();
    if (pipe.writers === 0) pipe.readQueue.wakeAll();
    if (pipe.readers === 0 && pipe.writers === 0) {
      this.inode.fifo = null;
      pipe.free();
    }
  }

  override read(sink: IoSink): number {
    return this.readable ? this.pipe.read(sink) : -EBADF;
  }
  override write(source: IoSource): number {
    const kind = (this.flags & O_DIRECT) !== 0 ? 'packet' : 'stream';
    return this.writable ? this.pipe.write(source, kind) : -EBADF;
  }

  override knowsNowait(): boolean {
    return true;
  }
  override get canPoll(): boolean {
    return true;
  }
  override poll(): number {
    const { pipe } = this;
    let mask = 0;
    if (this.readable) {
      if (pipe.buffers.length > 0) mask |= POLLIN | POLLRDNORM;
      if (pipe.writers === 0 && pipe.writerCounter !== this.partnerSeen) mask |= POLLHUP;
    }
    if (this.writable) {
      if (!pipe.isFull) mask |= POLLOUT | POLLWRNORM;
      if (pipe.readers === 0) mask |= POLLERR;
    }
    return mask;
  }
  override waitQueues(): readonly WaitQueue[] {
    if (!this.writable) return [this.pipe.readQueue];
    if (!this.readable) return [this.pipe.writeQueue];
    return [this.pipe.readQueue, this.pipe.writeQueue];
  }
  override ioctl(request: number, arg: UserArg): number {
    if (request !== FIONREAD) return super.ioctl(request, arg);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, this.pipe.byteCount, true);
    return arg.write(bytes);
  }
  override fallocate(): number {
    return this.writable ? -ESPIPE : -EBADF;
  }
  /** F_SETPIPE_SZ. */
  setPipeSize(lengthBytes: number): number {
    return this.pipe.setSize(lengthBytes);
  }
  /** F_GETPIPE_SZ. */
  get pipeSizeBytes(): number {
    return this.pipe.slotCount * PAGE_SIZE;
  }
}

/** fifo_open: the description, whose `isOpenReady` says if open(2) may return; -ENXIO for a writer that would not wait. */
export function openFifo(inode: Inode, path: PathRef, flags: number): File | number {
  const { core } = inode.superblock;
  const mode = flags & O_ACCMODE;
  const isNonblocking = (flags & O_NONBLOCK) !== 0;
  if (mode !== O_RDONLY && mode !== O_WRONLY && mode !== O_RDWR) return -EINVAL;
  if (mode === O_WRONLY && isNonblocking && (inode.fifo === null || inode.fifo.readers === 0)) return -ENXIO;
  if (inode.fifo === null) {
    const pipe = allocPipe(core);
    if (typeof pipe === 'number') return pipe;
    inode.fifo = pipe;
  }
  const slot = takeFilpSlot(core);
  if (slot === 0) {
    if (inode.fifo.readers + inode.fifo.writers === 0) {
      inode.fifo.free();
      inode.fifo = null;
    }
    return -ENOMEM;
  }
  return new PipeFile(path, flags, slot, inode.fifo, mode !== O_RDWR && !isNonblocking);
}

/** pipe2: [read end, write end] or -ENOMEM. flags: O_NONBLOCK (O_CLOEXEC is the file table's). */
export function makePipe(core: FsCore, flags: number): [PipeFile, PipeFile] | number {
  const path = makeAnonPath(core, 'pipefs', 'pipe:[%]', (superblock) => {
    const slot = core.inodeSlots.alloc();
    return slot === 0 ? -ENOMEM : new PipeInode(superblock, core.inodeSlots, slot, core.takeIno(), S_IFIFO | 0o600);
  });
  if (typeof path === 'number') return path;
  const pipe = allocPipe(core);
  if (typeof pipe === 'number') return pipe;
  const readSlot = takeFilpSlot(core);
  const writeSlot = readSlot === 0 ? 0 : takeFilpSlot(core);
  if (writeSlot === 0) {
    if (readSlot !== 0) core.filpSlots.free(readSlot);
    pipe.free();
    return -ENOMEM;
  }
  path.inode.fifo = pipe;
  const status = flags & O_NONBLOCK;
  const reader = new PipeFile(path, O_RDONLY | status, readSlot, pipe, false);
  const writer = new PipeFile(path, O_WRONLY | status | (flags & O_DIRECT), writeSlot, pipe, false);
  return [reader, writer];
}
