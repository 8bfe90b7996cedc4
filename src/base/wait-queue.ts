/** Tids that became runnable; the scheduler drains it in order (first woken, first run). Plain data, one a machine. */
export class WakeList {
  readonly tids: number[] = [];
}

/**
 * What a blocked task waits for, as data: the tids asleep on one condition. A tid may stand in several queues (poll); the
 * scheduler removes it from all of them when it wakes it, so waking a task twice is harmless.
 */
export class WaitQueue {
  readonly waiters: number[] = [];
  /** How often it was woken, waiters or none: edge-triggered epoll reports each time once. */
  wakeups = 0;
  private readonly wakeList: WakeList;

  constructor(wakeList: WakeList) {
    this.wakeList = wakeList;
  }

  add(tid: number): void {
    if (!this.waiters.includes(tid)) this.waiters.push(tid);
  }

  /** An empty queue of the same machine. */
  sibling(): WaitQueue {
    return new WaitQueue(this.wakeList);
  }

  remove(tid: number): void {
    if (this.waiters.length === 0) return;
    const at = this.waiters.indexOf(tid);
    if (at >= 0) this.waiters.splice(at, 1);
  }

  /** Wakes one of the waiters; nothing happens if it is none. */
  wake(tid: number): void {
    if (!this.waiters.includes(tid)) return;
    this.wakeups++;
    this.remove(tid);
    this.wakeList.tids.push(tid);
  }

  wakeAll(): void {
    this.wakeups++;
    const { waiters } = this;
    for (let i = 0; i < waiters.length; i++) this.wakeList.tids.push(waiters[i]);
    while (waiters.length > 0) waiters.pop();
  }

  /** Wakes the longest waiter; false when nobody waits. */
  wakeOne(): boolean {
    this.wakeups++;
    const tid = this.waiters.shift();
    if (tid === undefined) return false;
    this.wakeList.tids.push(tid);
    return true;
  }
}
