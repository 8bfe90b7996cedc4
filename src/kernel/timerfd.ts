import { EAGAIN, EFAULT, EINVAL } from '../abi/errno.ts';
import { O_NONBLOCK, O_RDWR } from '../abi/fcntl.ts';
import { POLLIN } from '../abi/poll.ts';
import type { IoSink } from '../base/io.ts';
import type { WaitQueue } from '../base/wait-queue.ts';
import { File } from '../fs/file.ts';
import type { PathRef } from '../fs/path.ts';
import type { Kernel } from './kernel.ts';
import type { TimerHeap } from './timers.ts';

/** What of the kernel a timer file holds on to. */
interface TimerHost {
  readonly timers: TimerHeap;
  readonly timerQueues: Map<number, WaitQueue>;
}

/**
 * timerfd (6.18, fs/timerfd.c). The count of expirations is a function of virtual time: it is computed at a reading. The heap
 * holds one entry for the next expiry that somebody may sleep for; an interval is armed again by the read, as on Linux.
 */
export class TimerFile extends File {
  readonly clockId: number;
  readonly queue: WaitQueue;
  /** First expiry not yet read, in virtual time since boot; 0: not armed. */
  expiresNs = 0;
  intervalNs = 0;
  private readonly id: number;
  private readonly host: TimerHost;

  constructor(path: PathRef, flags: number, slot: number, clockId: number, host: TimerHost, id: number) {
    super(path, flags, slot);
    this.clockId = clockId;
    this.host = host;
    this.id = id;
    this.queue = this.core.makeQueue();
    host.timerQueues.set(id, this.queue);
  }

  set(expiresNs: number, intervalNs: number): void {
    this.expiresNs = expiresNs;
    this.intervalNs = intervalNs;
    if (expiresNs > 0) this.host.timers.add(expiresNs, 'queue', this.id, 0);
  }

  /** Expirations since the last read. */
  get ticks(): number {
    const late = this.core.clock.nowNs - this.expiresNs;
    if (this.expiresNs === 0 || late < 0) return 0;
    return this.intervalNs === 0 ? 1 : Math.floor(late / this.intervalNs) + 1;
  }

  override read(sink: IoSink): number {
    if (sink.remaining < 8) return -EINVAL;
    const { ticks } = this;
    if (ticks === 0) return -EAGAIN;
    this.set(this.intervalNs === 0 ? 0 : this.expiresNs + ticks * this.intervalNs, this.intervalNs);
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, ticks >>> 0, true);
    view.setUint32(4, Math.floor(ticks / 2 ** 32), true);
    return sink.put(bytes) === 8 ? 8 : -EFAULT;
  }

  override knowsNowait(): boolean {
    return true;
  }
  override get canPoll(): boolean {
    return true;
  }
  override poll(): number {
    return this.ticks > 0 ? POLLIN : 0;
  }
  override waitQueues(): readonly WaitQueue[] {
    return [this.queue];
  }
  protected override onLastRelease(): void {
    this.host.timerQueues.delete(this.id);
  }
}

export function makeTimerFile(k: Kernel, clockId: number, flags: number): TimerFile | number {
  const id = ++k.lastTimerFile;
  return k.vfs.anonFile(
    'anon_inode:[timerfd]',
    (path, slot) => new TimerFile(path, O_RDWR | (flags & O_NONBLOCK), slot, clockId, k, id),
  );
}
