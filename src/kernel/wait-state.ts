import type { WaitQueue } from '../base/wait-queue.ts';
import type { Stall } from '../mm/block/stall.ts';

/** Internal results (include/linux/errno.h): never seen by user mode. Negative when returned. */
export const ERESTARTSYS = 512;
export const ERESTARTNOINTR = 513;
export const ERESTARTNOHAND = 514;
export const ERESTART_RESTARTBLOCK = 516;

/** Not woken by signals, except a fatal one (vfork's parent). */
export const UNINTERRUPTIBLE = 0;

/** What a system call asks for when it sleeps. */
export interface WaitRequest {
  readonly queues: readonly WaitQueue[];
  /** Virtual time since boot; Infinity: none. */
  readonly deadlineNs: number;
  /** ERESTARTSYS, EINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK, or UNINTERRUPTIBLE. */
  readonly onSignal: number;
  /** Progress, kept for the re-run. */
  readonly data: number[];
  /** 'input': only the terminal can end it; lets the run loop tell "idle" from "idle until input". Default 'event'. */
  readonly source?: 'input' | 'event';
  /** Absent: the call runs again and finds this wait. The others are sleeps in a page fault (fault-wait.ts). */
  readonly after?: 'instruction' | 'call' | 'result' | 'frame' | 'debt';
  /** With 'call': the wait that the call had when it met the fault, for its next run; null: its first run. */
  readonly before?: Wait | null;
  /** Whether it sleeps for a device or for memory; default: for neither. */
  readonly stall?: Stall;
}

/** A sleeping (or just woken) system call, as data. */
export interface Wait extends WaitRequest {
  woken: 'no' | 'event' | 'timeout' | 'signal';
}
