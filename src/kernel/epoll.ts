import { EEXIST, EINVAL, ENOENT, EPERM } from '../abi/errno.ts';
import { POLLERR, POLLHUP, POLLIN, POLLRDNORM } from '../abi/poll.ts';
import type { WaitQueue } from '../base/wait-queue.ts';
import { File } from '../fs/file.ts';
import type { PathRef } from '../fs/path.ts';

export const EPOLLEXCLUSIVE = 0x1000_0000;
export const EPOLLWAKEUP = 0x2000_0000;
export const EPOLLONESHOT = 0x4000_0000;
export const EPOLLET = 0x8000_0000;
const PRIVATE_BITS = 0xf000_0000;

/** One registered descriptor (struct epitem). */
interface Interest {
  readonly fd: number;
  readonly file: File;
  events: number;
  dataLow: number;
  dataHigh: number;
  /** EPOLLONESHOT has fired: nothing until EPOLL_CTL_MOD. */
  isDisarmed: boolean;
  /** Edge-triggered: wake-ups of the file's queues already reported; -1 before the first. */
  seenWakeups: number;
}

export interface ReadyEvent {
  readonly events: number;
  readonly dataLow: number;
  readonly dataHigh: number;
}

/**
 * An epoll instance (fs/eventpoll.c, 6.18). Readiness is asked of the files when somebody waits, so there is no ready list to
 * keep true. Interests hold no reference to their file: one whose file was closed is dropped at the next look (F1).
 *
 * Invariant: (fd, file) is unique among the interests.
 */
export class EpollFile extends File {
  private interests: Interest[] = [];
  /** Woken when the set of interests changes, so that waiters look again. */
  private readonly changed: WaitQueue;

  constructor(path: PathRef, flags: number, slot: number) {
    super(path, flags, slot);
    this.changed = this.core.makeQueue();
  }

  private find(fd: number, file: File): Interest | undefined {
    this.dropClosed();
    return this.interests.find((interest) => interest.fd === fd && interest.file === file);
  }

  private dropClosed(): void {
    if (this.interests.some((interest) => interest.file.refcount === 0))
      this.interests = this.interests.filter((interest) => interest.file.refcount > 0);
  }

  /** ep_find_tfd: of the files that it watches under a number, the one with so many before it. */
  watched(fd: number, before: number): File | null {
    this.dropClosed();
    return this.interests.filter((interest) => interest.fd === fd).at(before)?.file ?? null;
  }

  add(fd: number, file: File, events: number, dataLow: number, dataHigh: number): number {
    if (!file.canPoll) return -EPERM;
    if (file === this) return -EINVAL;
    if (this.find(fd, file) !== undefined) return -EEXIST;
    this.interests.push({
      fd,
      file,
      events: withAlwaysReported(events),
      dataLow,
      dataHigh,
      isDisarmed: false,
      seenWakeups: -1,
    });
    this.changed.wakeAll();
    return 0;
  }

  modify(fd: number, file: File, events: number, dataLow: number, dataHigh: number): number {
    const interest = this.find(fd, file);
    if (interest === undefined) return -ENOENT;
    interest.events = withAlwaysReported(events);
    interest.dataLow = dataLow;
    interest.dataHigh = dataHigh;
    interest.isDisarmed = false;
    interest.seenWakeups = -1;
    this.changed.wakeAll();
    return 0;
  }

  remove(fd: number, file: File): number {
    const interest = this.find(fd, file);
    if (interest === undefined) return -ENOENT;
    this.interests.splice(this.interests.indexOf(interest), 1);
    return 0;
  }

  /** Up to `max` events that are true now; those reported go to the back, so that all get their turn. */
  collect(max: number): ReadyEvent[] {
    this.dropClosed();
    const ready: ReadyEvent[] = [];
    const reported: Interest[] = [];
    for (const interest of this.interests) {
      if (ready.length === max) break;
      const events = readyEvents(interest);
      if (events === 0) continue;
      ready.push({ events, dataLow: interest.dataLow, dataHigh: interest.dataHigh });
      reported.push(interest);
      interest.seenWakeups = wakeupsOf(interest.file);
      if (hasBit(interest.events, EPOLLONESHOT)) interest.isDisarmed = true;
    }
    if (reported.length > 0)
      this.interests = [...this.interests.filter((interest) => !reported.includes(interest)), ...reported];
    return ready;
  }

  override get canPoll(): boolean {
    return true;
  }

  override poll(): number {
    this.dropClosed();
    return this.interests.some((interest) => readyEvents(interest) !== 0) ? POLLIN | POLLRDNORM : 0;
  }

  override waitQueues(): readonly WaitQueue[] {
    this.dropClosed();
    const queues = new Set<WaitQueue>([this.changed]);
    for (const { file } of this.interests) for (const queue of file.waitQueues()) queues.add(queue);
    return [...queues];
  }

  /** Does it wait, directly or through others, on `target`? At most `depth` levels (EP_MAX_NESTS). */
  reaches(target: EpollFile, depth: number): boolean {
    if (this === target || depth === 0) return true;
    return this.interests.some(({ file }) => file instanceof EpollFile && file.reaches(target, depth - 1));
  }
}

const hasBit = (events: number, bit: number): boolean => (events & bit) !== 0;

function withAlwaysReported(events: number): number {
  return (events | POLLERR | POLLHUP) >>> 0;
}

function wakeupsOf(file: File): number {
  let count = 0;
  for (const queue of file.waitQueues()) count += queue.wakeups;
  return count;
}

function readyEvents(interest: Interest): number {
  if (interest.isDisarmed) return 0;
  const events = (interest.file.poll() & interest.events & ~PRIVATE_BITS) >>> 0;
  if (events === 0 || !hasBit(interest.events, EPOLLET)) return events;
  return wakeupsOf(interest.file) === interest.seenWakeups ? 0 : events;
}
