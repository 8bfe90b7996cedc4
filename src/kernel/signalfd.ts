import { EAGAIN, EFAULT, EINVAL, ESRCH } from '../abi/errno.ts';
import { O_NONBLOCK, O_RDWR } from '../abi/fcntl.ts';
import { POLLIN } from '../abi/poll.ts';
import { siginfoLayout } from '../abi/siginfo-layout.ts';
import { SIGKILL, SIGSTOP } from '../abi/signal.ts';
import type { IoSink } from '../base/io.ts';
import type { WaitQueue } from '../base/wait-queue.ts';
import { File } from '../fs/file.ts';
import type { PathRef } from '../fs/path.ts';
import type { Kernel } from './kernel.ts';
import { dequeueSignal } from './signals/dequeue.ts';
import type { Siginfo } from './signals/siginfo.ts';
import { SigSet } from './signals/sigset.ts';

const SIGNALFD_SIGINFO_BYTES = 128;

/**
 * signalfd (fs/signalfd.c, 6.18): whoever reads takes signals of its own, its thread's before its process's; the descriptor holds
 * nothing but which.
 */
export class SignalFile extends File {
  private readonly k: Kernel;
  /** What it does not take: dequeueSignal's mask. */
  private readonly others = new SigSet();

  constructor(path: PathRef, flags: number, slot: number, k: Kernel) {
    super(path, flags, slot);
    this.k = k;
  }

  /** Takes these from now on, SIGKILL and SIGSTOP never; who waits for signals looks again. */
  take(set: SigSet): void {
    this.others.set(~set.lo, ~set.hi);
    this.others.add(SIGKILL);
    this.others.add(SIGSTOP);
    this.k.current?.sighand?.readers?.wakeAll();
  }

  /** Whole records; only the first is waited for. */
  override read(sink: IoSink): number {
    const reader = this.k.current;
    if (reader === null) return -ESRCH;
    let moved = 0;
    if (sink.remaining < SIGNALFD_SIGINFO_BYTES) return -EINVAL;
    while (sink.remaining >= SIGNALFD_SIGINFO_BYTES) {
      const info = dequeueSignal(this.k, reader, this.others);
      if (info === null) return moved > 0 ? moved : -EAGAIN;
      if (sink.put(encodeInfo(info)) < SIGNALFD_SIGINFO_BYTES) return moved > 0 ? moved : -EFAULT;
      moved += SIGNALFD_SIGINFO_BYTES;
    }
    return moved;
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
    const reader = this.k.current;
    if (reader === null) return 0;
    const pending = reader.pending.set.clone();
    pending.or(reader.process.shared.set);
    pending.andNot(this.others);
    return pending.isEmpty ? 0 : POLLIN;
  }
  /** sighand->signalfd_wqh: of who asks. */
  override waitQueues(): readonly WaitQueue[] {
    const sighand = this.k.current?.sighand ?? null;
    if (sighand === null) return [];
    sighand.readers ??= this.core.makeQueue();
    return [sighand.readers];
  }
  override fdinfo(): string {
    const taken = new SigSet();
    taken.set(~this.others.lo, ~this.others.hi);
    return `sigmask:\t${taken.toHex()}\n`;
  }
}

/** struct signalfd_siginfo (signalfd_copyinfo). */
function encodeInfo(info: Siginfo): Uint8Array {
  const bytes = new Uint8Array(SIGNALFD_SIGINFO_BYTES);
  const view = new DataView(bytes.buffer);
  const u64 = (at: number, low: number, high: number): void => {
    view.setUint32(at, low, true);
    view.setUint32(at + 4, high, true);
  };
  const number64 = (at: number, value: number): void => u64(at, value >>> 0, Math.floor(value / 2 ** 32));
  view.setUint32(0, info.signo, true);
  view.setInt32(4, info.errno, true);
  view.setInt32(8, info.code, true);
  const layout = siginfoLayout(info.signo, info.code);
  if (layout === 'kill' || layout === 'rt' || layout === 'chld') {
    view.setUint32(12, info.pid, true);
    view.setUint32(16, info.uid, true);
  }
  if (layout === 'timer') {
    view.setInt32(24, info.timerId, true);
    view.setUint32(32, info.overrun, true);
  }
  if (layout === 'timer' || layout === 'rt') {
    view.setInt32(44, info.valueLow | 0, true);
    u64(48, info.valueLow, info.valueHigh);
  }
  if (layout === 'poll') {
    view.setUint32(28, info.utime >>> 0, true);
    view.setInt32(20, info.status, true);
  }
  if (layout === 'chld') {
    view.setInt32(40, info.status, true);
    number64(56, info.utime);
    number64(64, info.stime);
  }
  if (layout === 'fault') u64(72, info.addressLow, info.addressHigh);
  return bytes;
}

export function makeSignalFile(k: Kernel, flags: number): SignalFile | number {
  return k.vfs.anonFile(
    'anon_inode:[signalfd]',
    (path, slot) => new SignalFile(path, O_RDWR | (flags & O_NONBLOCK), slot, k),
  );
}
