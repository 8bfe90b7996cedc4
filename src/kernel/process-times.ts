import { STALL_IO, STALL_MEMORY, STALL_NONE, STALL_SWAP } from '../mm/block/stall.ts';
import type { Kernel } from './kernel.ts';
import type { Process } from './process.ts';
import type { Task } from './task.ts';

/**
 * What the virtual time of a process went into, all its threads together: it ran; it made room itself, or slept for memory or for a page
 * of swap; it slept for a disk; it wanted to run, and another did; it slept for reasons of its own, or was stopped.
 */
export const TIME_KINDS = ['running', 'memory', 'disk', 'runnable', 'sleeping'] as const;
export type TimeKind = (typeof TIME_KINDS)[number];

/** Nanoseconds of each kind, in the order of TIME_KINDS. */
export type TimeSplit = Float64Array;

export const newTimeSplit = (): TimeSplit => new Float64Array(TIME_KINDS.length);

/** A task that is new: until it runs it wants to. */
export function beginTime(k: Kernel, t: Task): void {
  t.timeKind = 'runnable';
  t.timeSinceNs = k.clock.nowNs;
}

/** What the task does may have changed: the time since the last change is of the kind that it was then. Called where pressure is fed. */
export function noteTime(k: Kernel, t: Task): void {
  const { nowNs } = k.clock;
  if (t.timeKind !== null) t.process.times[TIME_KINDS.indexOf(t.timeKind)] += nowNs - t.timeSinceNs;
  t.timeSinceNs = nowNs;
  t.timeKind = kindOf(k, t);
}

/** The process's split up to now. */
export function timesOf(k: Kernel, process: Process): TimeSplit {
  const times = Float64Array.from(process.times);
  for (const t of process.threads)
    if (t.timeKind !== null) times[TIME_KINDS.indexOf(t.timeKind)] += k.clock.nowNs - t.timeSinceNs;
  return times;
}

/** null: it has ended. */
function kindOf(k: Kernel, t: Task): TimeKind | null {
  if (t.state === 'Z' || t.state === 'X') return null;
  if (t.state === 'R') return t !== k.running ? 'runnable' : t.isInMemstall ? 'memory' : 'running';
  if (t.stall === STALL_NONE) return 'sleeping';
  if ((t.stall & (STALL_MEMORY | STALL_SWAP)) !== 0) return 'memory';
  return (t.stall & STALL_IO) !== 0 ? 'disk' : 'sleeping';
}
