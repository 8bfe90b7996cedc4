import { EAGAIN, EFAULT, EINVAL } from '../abi/errno.ts';
import { O_NONBLOCK, O_RDWR } from '../abi/fcntl.ts';
import { POLLERR, POLLIN, POLLOUT } from '../abi/poll.ts';
import type { IoSink, IoSource } from '../base/io.ts';
import type { WaitQueue } from '../base/wait-queue.ts';
import { makeAnonFile } from './anon-fs.ts';
import { File } from './file.ts';
import type { FsCore } from './fs-core.ts';
import type { PathRef } from './path.ts';

export const EFD_SEMAPHORE = 1;
const ULLONG_MAX = 0xffff_ffff_ffff_ffffn;

/** eventfd(2): a 64-bit counter. Invariant: 0 <= count <= ULLONG_MAX - 1. */
export class EventFile extends File {
  private count: bigint;
  private readonly isSemaphore: boolean;
  private readonly queue: WaitQueue;

  constructor(path: PathRef, flags: number, slot: number, count: number, isSemaphore: boolean) {
    super(path, flags, slot);
    this.count = BigInt(count);
    this.isSemaphore = isSemaphore;
    this.queue = this.core.makeQueue();
  }

  override read(sink: IoSink): number {
    if (sink.remaining < 8) return -EINVAL;
    if (this.count === 0n) return -EAGAIN;
    const value = this.isSemaphore ? 1n : this.count;
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    this.count -= value;
    this.queue.wakeAll();
    return sink.put(bytes) === 8 ? 8 : -EFAULT;
  }

  override write(source: IoSource): number {
    if (source.remaining < 8) return -EINVAL;
    const bytes = new Uint8Array(8);
    if (source.take(bytes) < 8) return -EFAULT;
    const value = new DataView(bytes.buffer).getBigUint64(0, true);
    if (value === ULLONG_MAX) return -EINVAL;
    if (ULLONG_MAX - this.count <= value) return -EAGAIN;
    this.count += value;
    if (this.count > 0n) this.queue.wakeAll();
    return 8;
  }

  /** noop_llseek. */
  override seek(): number {
    return this.pos;
  }

  override knowsNowait(): boolean {
    return true;
  }
  override get canPoll(): boolean {
    return true;
  }
  override poll(): number {
    let mask = 0;
    if (this.count > 0n) mask |= POLLIN;
    if (this.count === ULLONG_MAX) mask |= POLLERR;
    if (ULLONG_MAX - 1n > this.count) mask |= POLLOUT;
    return mask;
  }
  override waitQueues(): readonly WaitQueue[] {
    return [this.queue];
  }
}

/** flags: EFD_SEMAPHORE, O_NONBLOCK (O_CLOEXEC is the file table's). */
export function makeEventFile(core: FsCore, count: number, flags: number): EventFile | number {
  return makeAnonFile(
    core,
    'anon_inode:[eventfd]',
    (path, slot) => new EventFile(path, O_RDWR | (flags & O_NONBLOCK), slot, count, (flags & EFD_SEMAPHORE) !== 0),
  );
}
