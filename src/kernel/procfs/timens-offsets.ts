import { CAP_SYS_TIME } from '../../abi/capability.ts';
import { EACCES, EINVAL, EPERM, ERANGE, ESRCH } from '../../abi/errno.ts';
import { CLOCK_BOOTTIME, CLOCK_MONOTONIC } from '../../abi/time.ts';
import { nsCapable } from '../credentials.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import type { ClockOffset } from '../time-namespace.ts';
import { NS_PER_S } from '../user-structs.ts';

/** /proc/PID/timens_offsets (6.18, kernel/time/namespace.c): what the clocks of the process's children are ahead. */

const KTIME_SEC_MAX = 9_223_372_036;
const CLOCKS = new Map([
  ['monotonic', CLOCK_MONOTONIC],
  [String(CLOCK_MONOTONIC), CLOCK_MONOTONIC],
  ['boottime', CLOCK_BOOTTIME],
  [String(CLOCK_BOOTTIME), CLOCK_BOOTTIME],
]);

function line(clock: string, { seconds, ns }: ClockOffset): string {
  return `${clock.padEnd(10)} ${String(seconds).padStart(10)} ${String(ns).padStart(9)}\n`;
}

/** proc_timens_show_offsets. */
export function showTimeOffsets(_k: Kernel, t: Task): string {
  const ns = t.timeForChildren;
  return ns === null ? '' : line('monotonic', ns.monotonic) + line('boottime', ns.boottime);
}

/** timens_offsets_write: at most two lines, "clock seconds nanoseconds". */
function parseOffsets(text: string): { readonly clock: number; readonly offset: ClockOffset }[] | null {
  const lines = text.replace(/\n$/, '').split('\n').slice(0, 2);
  const offsets = lines.map((one) => {
    const match = /^\s*(\S{1,9})\s+([+-]?\d+)\s+\+?(\d+)/.exec(one);
    const clock = CLOCKS.get(match?.[1] ?? '');
    if (match === null || clock === undefined || Number(match[3]) >= NS_PER_S) return null;
    return { clock, offset: { seconds: Number(match[2]), ns: Number(match[3]) } };
  });
  return offsets.every((offset) => offset !== null) ? offsets : null;
}

/** proc_timens_set_offset. */
export function writeTimeOffsets(k: Kernel, t: Task, text: string): number {
  const offsets = parseOffsets(text);
  if (offsets === null) return -EINVAL;
  const ns = t.timeForChildren;
  if (ns === null) return -ESRCH;
  if (k.current !== null && !nsCapable(k.current.cred, ns.userNs, CAP_SYS_TIME)) return -EPERM;
  const now = k.monotonicNs();
  for (const { offset } of offsets) {
    if (Math.abs(offset.seconds) > KTIME_SEC_MAX) return -ERANGE;
    const seconds = offset.seconds + Math.floor((now + offset.ns) / NS_PER_S);
    // Half of what a clock can show, so that it never gets there.
    if (seconds < 0 || seconds > KTIME_SEC_MAX / 2) return -ERANGE;
  }
  if (ns.frozen) return -EACCES;
  for (const { clock, offset } of offsets) Object.assign(ns.offsetOf(clock), offset);
  return 0;
}
