import type { WaitQueue } from '../../base/wait-queue.ts';
import type { Pfn } from '../../machine/units.ts';
import type { FaultSource } from '../fault/waiter.ts';

/** What finds a page answers this in place of it when the caller rather leaves than waits: neither a frame nor an error of Linux. */
export const PAGE_LOCKED = -0x2000_0000;

/**
 * A request that a device works on (Linux: struct bio and who waits for its pages). Its bytes have been moved already, the host
 * being synchronous: what is on its way is the time. Until it ends, its pages are PG_locked (a read) or PG_writeback (a write).
 */
export class BlockRequest implements FaultSource {
  readonly id: number;
  readonly direction: 'read' | 'write';
  readonly doneNs: number;
  /** Each with a reference. */
  readonly frames: readonly Pfn[];
  /** 'free': reclaim wrote the pages, and has them when they are clean. */
  readonly purpose: 'keep' | 'free';
  /** Tasks that sleep until it ends. */
  readonly waiters: WaitQueue;
  hasEnded = false;

  constructor(options: {
    id: number;
    direction: 'read' | 'write';
    doneNs: number;
    frames: readonly Pfn[];
    purpose: 'keep' | 'free';
    waiters: WaitQueue;
  }) {
    this.id = options.id;
    this.direction = options.direction;
    this.doneNs = options.doneNs;
    this.frames = options.frames;
    this.purpose = options.purpose;
    this.waiters = options.waiters;
  }

  forget(tid: number): void {
    this.waiters.remove(tid);
  }
}
