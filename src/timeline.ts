import { vaddr } from './machine/units.ts';
import { peekMemory } from './observe/peek-memory.ts';
import type { CheckpointSource, RecordedCheckpoints } from './observe/recording/recorded-checkpoints.ts';
import { RecordingCut } from './observe/recording/replay-environment.ts';
import type { Replay, ReplayCheckpoint, ReplayStop } from './replay.ts';

/** A mark as often as this many instructions and traps: some tenth of a second of the host. */
const INTERVAL = 20_000_000;
/** More of them than this: every second one goes, and the interval doubles. */
const MAX_MARKS = 48;
/** What is watched of an address. */
const WATCHED_BYTES = 8;
/** Looks at the range in which a change lies, before a smaller range is looked at again. */
const STEPS = 64;

interface Point {
  readonly issued: number;
  readonly nowNs: number;
}

interface Mark extends Point {
  readonly checkpoint: ReplayCheckpoint;
}

/**
 * A replay that can go back, by going forward from the last checkpoint before: of those that the recording holds, or, where it has none, of
 * those that this leaves on its way (marks). Coming to a point costs no more than the run from one to the next.
 */
export class Timeline {
  readonly replay: Replay;
  private readonly recorded: RecordedCheckpoints | null;
  private interval: number;
  /** In the order of the run. The first is its start. */
  private marks: Mark[] = [];
  /** The last one taken or gone to: the next one shares with it what is the same. */
  private base: ReplayCheckpoint;

  /** `recorded`: the checkpoints of the recording. The replay is at its start. */
  constructor(replay: Replay, recorded: CheckpointSource | null = null) {
    this.replay = replay;
    this.recorded = recorded === null ? null : replay.recordedCheckpoints(recorded);
    this.interval = Math.max(INTERVAL, longestGap(this.recorded?.points ?? []));
    this.base = replay.checkpoint();
    this.marks.push({ issued: this.issued, nowNs: this.nowNs, checkpoint: this.base });
  }

  /** Where it is: instructions and traps so far (System.issued). */
  get issued(): number {
    return this.replay.system.issued;
  }

  get nowNs(): number {
    return this.replay.system.kernel.clock.nowNs;
  }

  /** Times and `issued` that have passed are gone back to; an event, or what a test waits for, is the next one from here. */
  goTo(stop: ReplayStop): 'reached' | 'ended' {
    if (stop.at === 'issued') this.comeNear(({ issued }) => issued <= stop.issued);
    if (stop.at === 'time') this.comeNear(({ nowNs }) => nowNs < stop.ns);
    if (stop.at === 'end') this.comeNear(() => true);
    if (stop.at !== 'event') return this.forward(stop);
    let count = 0;
    const unsubscribe = this.replay.system.on([stop.name], () => count++);
    try {
      return this.forward({ at: 'when', test: () => count >= stop.count });
    } finally {
      unsubscribe();
    }
  }

  /**
   * To behind what changes the 8 bytes at an address of the process (null: of the program that was started): the instruction, or the
   * stretch without a jump that it is in, or the trap; just before it, where they are gone behind it. 'ended' if nothing changes them any
   * more. A page that is not there holds no bytes: coming and going is no change, other contents than those last seen are one.
   */
  goToChange(pid: number | null, address: number): 'reached' | 'ended' {
    let seen = this.peek(pid, address);
    let unchangedAt = this.issued;
    const hasChanged = (): boolean => {
      const now = this.peek(pid, address);
      if (now !== null && seen !== null && now !== seen) return true;
      if (now !== null) seen = now;
      return false;
    };
    // A system call may take the bytes away, or the process: they are looked at before it, too.
    let wasChanged = false;
    const unsubscribe = this.replay.system.on(['raw_syscalls:sys_enter'], () => {
      wasChanged ||= hasChanged();
    });
    const test = (): boolean => {
      if (wasChanged || hasChanged()) return true;
      unchangedAt = this.issued;
      return false;
    };
    try {
      if (this.forward({ at: 'when', test }) === 'ended') return 'ended';
    } finally {
      unsubscribe();
    }
    const changedAt = this.narrow(unchangedAt, this.issued, hasChanged);
    const checkpoint = this.replay.checkpoint(this.base);
    this.replay.forward({ at: 'issued', issued: changedAt });
    if (this.peek(pid, address) === null) this.replay.restore(checkpoint);
    return 'reached';
  }

  /**
   * Between two points, an instruction apart or a million, something changes: goes to the last point before it where the run can stop, and
   * returns the first one behind it.
   */
  private narrow(unchangedAt: number, changedAt: number, hasChanged: () => boolean): number {
    let low = unchangedAt;
    let high = changedAt;
    this.goTo({ at: 'issued', issued: low });
    for (let isNarrower = true; isNarrower && high - low > 1; ) {
      const checkpoint = this.replay.checkpoint(this.base);
      const start = low;
      const step = Math.ceil((high - start) / STEPS);
      // Where the run cannot stop at a point, it stops a little behind it.
      for (let at = start + step; this.issued < high; at += step) {
        this.replay.forward({ at: 'issued', issued: at });
        if (hasChanged() || this.issued >= high) break;
        low = this.issued;
      }
      isNarrower = low > start || this.issued < high;
      high = Math.min(high, this.issued);
      this.replay.restore(checkpoint);
      this.replay.forward({ at: 'issued', issued: low });
    }
    return high;
  }

  /** Does `work`, which may change the machine (reading a file of /proc does), and undoes all of it. */
  asIf<T>(work: () => T): T {
    const checkpoint = this.replay.checkpoint(this.base);
    try {
      return work();
    } finally {
      this.replay.restore(checkpoint);
    }
  }

  private forward(stop: ReplayStop): 'reached' | 'ended' {
    for (;;) {
      try {
        const result = this.replay.forward(stop, this.nextMarkAt());
        if (result !== 'paused') return result;
      } catch (error) {
        if (!(error instanceof RecordingCut)) throw error;
        const { lastTrapAt } = this.replay;
        // The machine is in the middle of a trap.
        this.goBack(({ issued }) => issued <= lastTrapAt, -1);
        this.replay.forward({ at: 'issued', issued: lastTrapAt });
        return 'ended';
      }
      this.leaveMark();
    }
  }

  /** Where the recording has checkpoints of its own, there need be no others; behind the last one as far apart as those. */
  private nextMarkAt(): number {
    const recorded = this.recorded?.points.at(-1)?.issued ?? 0;
    return Math.max(this.marks[this.marks.length - 1].issued, recorded) + this.interval;
  }

  /** To the last checkpoint before a point, unless it is here that is nearest before it. */
  private comeNear(isBefore: (point: Point) => boolean): void {
    this.goBack(isBefore, isBefore(this) ? this.issued : -1);
  }

  /** To the last checkpoint that is before a point and behind `from`, if there is one. */
  private goBack(isBefore: (point: Point) => boolean, from: number): void {
    const mark = this.marks.findLast(isBefore) ?? this.marks[0];
    if (this.goToRecorded(isBefore, Math.max(mark.issued, from)) || mark.issued <= from) return;
    this.replay.restore(mark.checkpoint);
    this.base = mark.checkpoint;
  }

  private goToRecorded(isBefore: (point: Point) => boolean, from: number): boolean {
    const points = this.recorded?.points ?? [];
    for (let index = points.findLastIndex(isBefore); index >= 0 && points[index].issued > from; index--) {
      const machine = this.recorded?.decode(index) ?? null;
      if (machine === null) continue;
      const { position, issued } = points[index];
      this.base = { machine, position, underWay: null, lastTrapAt: issued };
      this.replay.restore(this.base);
      return true;
    }
    return false;
  }

  private leaveMark(): void {
    const { issued, nowNs } = this;
    this.base = this.replay.checkpoint(this.base);
    this.marks.push({ issued, nowNs, checkpoint: this.base });
    if (this.marks.length <= MAX_MARKS) return;
    this.marks = this.marks.filter((_, at) => at % 2 === 0);
    this.interval *= 2;
  }

  /** The bytes as text, to compare; null where they are not there. */
  private peek(pid: number | null, address: number): string | null {
    const { kernel } = this.replay.system;
    const space = kernel.processes.get(pid ?? this.replay.programPid)?.leader.space ?? null;
    const bytes = new Uint8Array(WATCHED_BYTES);
    if (space === null || peekMemory(kernel.mm, space, vaddr(address), bytes) < WATCHED_BYTES) return null;
    return bytes.join(' ');
  }
}

function longestGap(points: readonly Point[]): number {
  return points.reduce((longest, { issued }, at) => Math.max(longest, issued - (points[at - 1]?.issued ?? 0)), 0);
}
