import { EBADF, EFAULT, EINVAL } from '../../abi/errno.ts';
import { O_CLOEXEC, O_NONBLOCK } from '../../abi/fcntl.ts';
import {
  CLOCK_BOOTTIME,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_MONOTONIC,
  CLOCK_REALTIME,
  CLOCK_REALTIME_ALARM,
} from '../../abi/time.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { makeTimerFile, TimerFile } from '../timerfd.ts';
import { NS_PER_S, readLongs, writeLongs } from '../user-structs.ts';
import type { SyscallRow } from './row.ts';
import { deadlineOfPair } from './time.ts';
import { fileAt, installFile } from './user.ts';

const TFD_TIMER_ABSTIME = 1;
const TFD_TIMER_CANCEL_ON_SET = 2;
const CLOCKS = [CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM];

function timerfdCreate(k: Kernel, t: Task, clock: number, flags: number): number {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0 || !CLOCKS.includes(clock)) return -EINVAL;
  const file = makeTimerFile(k, clock, flags);
  if (typeof file === 'number') return file;
  return installFile(t, file, flags);
}

function timerAt(t: Task, fd: number): TimerFile | number {
  const file = fileAt(t, fd);
  if (typeof file === 'number') return -EBADF;
  return file instanceof TimerFile ? file : -EINVAL;
}

/** struct itimerspec: interval, time to the next expiry (0: not armed). */
function settings(k: Kernel, file: TimerFile): number[] {
  const split = (ns: number): [number, number] => [Math.floor(ns / NS_PER_S), Math.floor(ns) % NS_PER_S];
  let left = 0;
  if (file.expiresNs > 0) {
    const next = file.intervalNs === 0 ? file.expiresNs : file.expiresNs + file.ticks * file.intervalNs;
    left = Math.max(file.intervalNs === 0 ? 0 : 1, next - k.clock.nowNs);
  }
  return [...split(file.intervalNs), ...split(left)];
}

function timerfdSettime(k: Kernel, t: Task, fd: number, flags: number, next: number, old: number): number {
  const values = readLongs(k, t, next, 4);
  if (typeof values === 'number') return -EFAULT;
  const [intervalSeconds, intervalNs, seconds, ns] = values;
  if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) !== 0) return -EINVAL;
  if (intervalSeconds < 0 || seconds < 0 || [intervalNs, ns].some((n) => n < 0 || n >= NS_PER_S)) return -EINVAL;
  const file = timerAt(t, fd);
  if (typeof file === 'number') return file;
  const before = settings(k, file);
  const interval = intervalSeconds * NS_PER_S + intervalNs;
  if (seconds === 0 && ns === 0) file.set(0, 0);
  else if ((flags & TFD_TIMER_ABSTIME) !== 0)
    file.set(Math.max(1, deadlineOfPair(k, file.clockId, seconds, ns)), interval);
  else file.set(k.clock.nowNs + seconds * NS_PER_S + ns, interval);
  return old !== 0 ? writeLongs(k, t, old, before) : 0;
}

function timerfdGettime(k: Kernel, t: Task, fd: number, address: number): number {
  const file = timerAt(t, fd);
  return typeof file === 'number' ? file : writeLongs(k, t, address, settings(k, file));
}

export const timerfdCalls: readonly SyscallRow[] = [
  { name: 'timerfd_create', args: ['int', 'int'], run: timerfdCreate, support: 'full', note: '' },
  { name: 'timerfd_settime', args: ['fd', 'int', 'ptr', 'ptr'], run: timerfdSettime, support: 'full', note: '' },
  { name: 'timerfd_gettime', args: ['fd', 'ptr'], run: timerfdGettime, support: 'full', note: '' },
];
