import { assert } from '../../base/assert.ts';
import { EV_RQ_COMPLETE, EV_RQ_ISSUE } from '../../base/event-kinds.ts';
import { WaitQueue, type WakeList } from '../../base/wait-queue.ts';
import { BlockDevice, type DiskKind } from '../../machine/block-device.ts';
import type { VirtualClock } from '../../machine/clock.ts';
import { DiskLayout, DiskPlace } from '../../machine/disk-layout.ts';
import type { Pfn } from '../../machine/units.ts';
import type { PageBacking } from '../page-cache/file-pages.ts';
import type { FrameAllocator } from '../phys/alloc.ts';
import { PG_locked, PG_uptodate, PG_writeback } from '../phys/page-flags.ts';
import { BlockRequest } from './request.ts';
import { type MemstallListener, STALL_IO, STALL_MEMORY, STALL_SWAP, type Stall } from './stall.ts';

/** Who sleeps later for what it could not wait for inside the kernel: a task's FaultWaiter. */
export interface StallDebtor {
  /** Virtual time before which it does not go on; not later than now: it owes nothing. */
  owedUntilNs: number;
  owedStall: Stall;
}

/** Told of each request, so that somebody calls endUntil when its time has come: the kernel's timers. */
export interface BlockAlarm {
  setFor(doneNs: number): void;
}

/** What fails on purpose (fault injection): 0, or the error that the device answers to the next request. */
export interface DeviceFaults {
  next(direction: 'read' | 'write', subject: 'file' | 'swap'): number;
}

/** Learns of each page whose request has ended, if somebody still holds it. */
export interface PageEnd {
  pageEnded(frame: Pfn, purpose: 'keep' | 'free'): void;
}

/**
 * The requests of a machine's disk that are on their way (Linux: block/, blk-mq). Files of host folders and of overlays and swap
 * files lie on it; memory that only stands for a disk (zram) does not.
 *
 *   submit --PG_locked or PG_writeback--> in flight --its time has come--> endUntil --> ended, waiters woken
 *                                            |
 *                                            +--finishHere (somebody in the kernel needs it now, and owes the time)--> ended
 *
 * Invariants (checked by block/check-block.ts):
 *  D1 inFlight holds the requests that have not ended, by doneNs, ties by id.
 *  D2 requestOf(frame) is the request whose frames name it; PG_locked is set for those of reads alone, PG_writeback for those of
 *     writes alone, and the request holds a reference on each.
 *  D3 nr_writeback counts PG_writeback.
 */
export class BlockQueue {
  readonly device: BlockDevice;
  readonly inFlight: BlockRequest[] = [];
  /** Fault injection hooks in here; null: nothing fails. */
  faults: DeviceFaults | null = null;
  /** Who pays for a wait inside the kernel by sleeping afterwards; null: time passes at once. The kernel sets it with the running task. */
  debtor: StallDebtor | null = null;
  /**
   * Whether requests may be on their way while others run. Not where TypeScript drives the machine: nobody would see them end.
   * The run loop sets it.
   */
  mode: 'waits' | 'goes on' = 'waits';
  alarm: BlockAlarm | null = null;
  memstall: MemstallListener | null = null;
  private pageEnd: PageEnd | null = null;
  /** Pages of writes that reclaim has started: they are free when those have ended. */
  freeingPages = 0;
  private readonly byFrame = new Map<Pfn, BlockRequest>();
  private readonly layout = new DiskLayout();
  private readonly clock: VirtualClock;
  private readonly allocator: FrameAllocator;
  private readonly wakeList: WakeList;
  private lastId = 0;

  constructor(parts: { kind: DiskKind; clock: VirtualClock; allocator: FrameAllocator; wakeList: WakeList }) {
    this.device = new BlockDevice(parts.kind);
    this.clock = parts.clock;
    this.allocator = parts.allocator;
    this.wakeList = parts.wakeList;
  }

  setPageEnd(pageEnd: PageEnd): void {
    this.pageEnd = pageEnd;
  }

  /** The time that the caller lives in, in whole ns: a debtor is ahead of the clock by what it owes. */
  get localNs(): number {
    return Math.max(Math.ceil(this.clock.nowNs), this.debtor?.owedUntilNs ?? 0);
  }

  /** 0, or the error of a request that is made to fail. */
  refusal(direction: 'read' | 'write', subject: 'file' | 'swap'): number {
    return this.faults?.next(direction, subject) ?? 0;
  }

  /**
   * The bytes of `frames`, from page `index` of what lies at `backing` on, have been moved: the device takes its time. The frames
   * are the caller's, with references of its own. Where nobody else runs, the request has ended when this returns.
   */
  submit(
    direction: 'read' | 'write',
    backing: PageBacking,
    index: number,
    frames: readonly Pfn[],
    purpose: 'keep' | 'free' = 'keep',
  ): BlockRequest {
    const { allocator } = this;
    const doneNs = this.occupy(direction, backing, index, frames.length);
    const request = new BlockRequest({
      id: ++this.lastId,
      direction,
      doneNs,
      frames,
      purpose,
      waiters: new WaitQueue(this.wakeList),
    });
    const flag = direction === 'read' ? PG_locked : PG_writeback;
    for (const frame of frames) {
      assert(!this.byFrame.has(frame), 'mm/block/block-queue.ts: D2 a page is in one request at a time');
      this.byFrame.set(frame, request);
      allocator.getFrame(frame);
      allocator.frames.flags[frame] |= flag;
    }
    if (purpose === 'free') this.freeingPages += frames.length;
    if (allocator.events.enabled[EV_RQ_ISSUE] !== 0)
      allocator.events.emit(EV_RQ_ISSUE, request.id, direction === 'read' ? 0 : 1, frames.length, doneNs);
    if (direction === 'write') allocator.stat.nr_writeback += frames.length;
    let at = this.inFlight.length;
    while (at > 0 && this.inFlight[at - 1].doneNs > doneNs) at--;
    this.inFlight.splice(at, 0, request);
    if (this.mode === 'waits' || this.alarm === null) this.finishHere(request);
    else this.alarm.setFor(doneNs);
    return request;
  }

  /** A request without pages in memory (O_DIRECT, one that failed): the caller waits for it. */
  transfer(direction: 'read' | 'write', backing: PageBacking, index: number, pages: number): void {
    this.waitUntil(this.occupy(direction, backing, index, pages), STALL_IO);
  }

  /** The caller waits until all that was written is safe (FLUSH). */
  flush(): void {
    this.waitUntil(this.device.flush(this.localNs), STALL_IO);
  }

  requestOf(frame: Pfn): BlockRequest | null {
    return this.byFrame.get(frame) ?? null;
  }

  /** What is on its way to or from a page ends now, at the caller's expense. */
  settle(frame: Pfn, stall: Stall = STALL_IO): void {
    const request = this.requestOf(frame);
    if (request !== null) this.finishHere(request, stall);
  }

  /** The caller is inside the kernel and needs the pages now: the request ends, and the caller owes the time until it would have. */
  finishHere(request: BlockRequest, stall: Stall = STALL_IO): void {
    this.waitUntil(request.doneNs, stall);
    this.end(request);
  }

  /** The caller waits for a request that ends by itself (io_schedule). */
  waitFor(doneNs: number): void {
    this.waitUntil(doneNs, STALL_IO);
  }

  /** The caller waits until no more than `pages` are being written. */
  waitForWrites(pages: number): void {
    let left = this.allocator.stat.nr_writeback;
    for (const { direction, frames, doneNs } of this.inFlight) {
      if (left <= pages) return;
      if (direction === 'read') continue;
      left -= frames.length;
      this.waitUntil(doneNs, STALL_IO);
    }
  }

  /** Writes that reclaim has started end, the earliest first, until they gave about `pages`: how many (reclaim_throttle). */
  endFreeing(pages: number): number {
    let ended = 0;
    for (const request of [...this.inFlight]) {
      if (ended >= pages) break;
      if (request.hasEnded || request.purpose !== 'free') continue;
      this.finishHere(request, STALL_MEMORY);
      ended += request.frames.length;
    }
    return ended;
  }

  /** Until then the caller sleeps, as soon as it leaves the kernel; without a debtor the time passes here. */
  waitUntil(untilNs: number, stall: Stall): void {
    const { debtor, clock } = this;
    if (untilNs <= this.localNs) return;
    if (debtor !== null) {
      debtor.owedUntilNs = untilNs;
      debtor.owedStall = (debtor.owedStall | stall) as Stall;
      return;
    }
    clock.skipTo(untilNs, (stall & (STALL_MEMORY | STALL_SWAP)) !== 0 ? 'memory' : 'disk');
    this.endUntil(clock.nowNs);
  }

  /** Requests whose time has come end, in order. */
  endUntil(nowNs: number): void {
    while (this.inFlight.length > 0 && this.inFlight[0].doneNs <= nowNs) this.end(this.inFlight[0]);
  }

  /** All that is on its way ends: the machine stops. */
  drain(): void {
    for (const request of [...this.inFlight]) this.finishHere(request);
  }

  private occupy(direction: 'read' | 'write', backing: PageBacking, index: number, pages: number): number {
    backing.diskPlace ??= new DiskPlace();
    const position = this.layout.positionOf(backing.diskPlace, index, Math.ceil(backing.sizeBytes / 4096));
    return this.device.submit(direction, position, pages, this.localNs);
  }

  private end(request: BlockRequest): void {
    if (request.hasEnded) return;
    request.hasEnded = true;
    this.inFlight.splice(this.inFlight.indexOf(request), 1);
    const { frames, stat } = this.allocator;
    const isRead = request.direction === 'read';
    for (const frame of request.frames) {
      this.byFrame.delete(frame);
      if (isRead) frames.flags[frame] = (frames.flags[frame] & ~PG_locked) | PG_uptodate;
      else frames.flags[frame] &= ~PG_writeback;
    }
    if (!isRead) stat.nr_writeback -= request.frames.length;
    if (request.purpose === 'free') this.freeingPages -= request.frames.length;
    const { events } = this.allocator;
    if (events.enabled[EV_RQ_COMPLETE] !== 0)
      events.emit(EV_RQ_COMPLETE, request.id, isRead ? 0 : 1, request.frames.length);
    request.waiters.wakeAll();
    for (const frame of request.frames) {
      const isLast = frames.refcount[frame] === 1;
      this.allocator.putFrame(frame);
      if (!isLast) this.pageEnd?.pageEnded(frame, request.purpose);
    }
  }
}
