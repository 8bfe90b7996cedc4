import type { BlockAlarm } from '../mm/block/block-queue.ts';
import type { TimerHeap } from './timers.ts';

/** The disk's interrupt: a timer at the end of each request. */
export class DiskAlarm implements BlockAlarm {
  private readonly timers: TimerHeap;

  constructor(timers: TimerHeap) {
    this.timers = timers;
  }

  setFor(doneNs: number): void {
    this.timers.add(doneNs, 'disk', 0, 0);
  }
}
