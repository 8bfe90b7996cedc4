/** What a timer does when it fires; timer-fire.ts acts on it. */
export type TimerKind = 'wait' | 'itimer' | 'posix' | 'kthread' | 'khugepaged' | 'queue' | 'disk' | 'psi';

/**
 * The timer heap: deadlines in virtual time, earliest first, ties in order of insertion (decision D3). Plain data. An entry
 * whose subject changed its mind is left in the heap and ignored when it fires (its `stamp` no longer fits).
 */
export interface TimerEntry {
  readonly deadlineNs: number;
  readonly order: number;
  readonly kind: TimerKind;
  /** tid for 'wait' and 'kthread'; pid for 'itimer' and 'posix'; psi: the number of the group's monitor. */
  readonly subject: number;
  /** posix: timer id; kthread: 1 the flusher's regular look; psi: which of its timers; wait, khugepaged: unused. */
  readonly detail: number;
}

/** KTIME_MAX in ns, about 292 years: what is later never expires (include/linux/ktime.h, ktime_set). */
const KTIME_MAX = 2 ** 63;

export class TimerHeap {
  readonly entries: TimerEntry[] = [];
  private nextOrder = 0;

  add(deadlineNs: number, kind: TimerKind, subject: number, detail: number): void {
    if (deadlineNs >= KTIME_MAX) return;
    const { entries } = this;
    let at = entries.length;
    entries.push({ deadlineNs, order: this.nextOrder++, kind, subject, detail });
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!before(entries[at], entries[up])) break;
      [entries[at], entries[up]] = [entries[up], entries[at]];
      at = up;
    }
  }

  /** Size at which looking for stale entries pays; doubles with what is live. */
  pruneAt = 1024;

  /** Keeps the entries that pass, in their order. */
  retain(isLive: (entry: TimerEntry) => boolean): void {
    const live = this.entries.filter(isLive).sort((a, b) => (before(a, b) ? -1 : 1));
    this.entries.splice(0, this.entries.length, ...live);
    this.pruneAt = Math.max(1024, live.length * 2);
  }

  /** Infinity when empty. */
  get nextDeadlineNs(): number {
    return this.entries.length === 0 ? Number.POSITIVE_INFINITY : this.entries[0].deadlineNs;
  }

  peek(): TimerEntry | null {
    return this.entries.length === 0 ? null : this.entries[0];
  }

  pop(): TimerEntry | null {
    const { entries } = this;
    if (entries.length === 0) return null;
    const first = entries[0];
    const last = entries.pop() as TimerEntry;
    if (entries.length > 0) {
      entries[0] = last;
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= entries.length) break;
        if (child + 1 < entries.length && before(entries[child + 1], entries[child])) child++;
        if (!before(entries[child], entries[at])) break;
        [entries[at], entries[child]] = [entries[child], entries[at]];
        at = child;
      }
    }
    return first;
  }
}

function before(a: TimerEntry, b: TimerEntry): boolean {
  return a.deadlineNs !== b.deadlineNs ? a.deadlineNs < b.deadlineNs : a.order < b.order;
}
