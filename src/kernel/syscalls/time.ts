import { EAGAIN, EFAULT, EINVAL, EOPNOTSUPP, EPERM } from '../../abi/errno.ts';
import { SIGALRM, SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD, SIGEV_THREAD_ID } from '../../abi/signal.ts';
import {
  CLOCK_BOOTTIME,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_MONOTONIC,
  CLOCK_MONOTONIC_COARSE,
  CLOCK_MONOTONIC_RAW,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_REALTIME,
  CLOCK_REALTIME_ALARM,
  CLOCK_REALTIME_COARSE,
  CLOCK_TAI,
  CLOCK_THREAD_CPUTIME_ID,
  ITIMER_REAL,
  TICK_NS,
  TIMER_ABSTIME,
} from '../../abi/time.ts';
import { cpuTimesOf } from '../cpu-times.ts';
import { cpuClockOf } from '../itimers.ts';
import type { Kernel } from '../kernel.ts';
import { armPosixTimer } from '../posix-timers.ts';
import type { PosixTimer } from '../process.ts';
import type { Task } from '../task.ts';
import { currentTime } from '../time-namespace.ts';
import {
  NS_PER_S,
  readBytes,
  readLongs,
  readTimespecNs,
  writeI32s,
  writeLongs,
  writeTimespecNs,
} from '../user-structs.ts';
import { ERESTART_RESTARTBLOCK, ERESTARTNOHAND } from '../wait-state.ts';
import { BLOCKED, row, type SyscallRow } from './row.ts';

/** Reading of a clock, or -EINVAL: seconds and ns. */
function readClock(k: Kernel, t: Task, clock: number): { seconds: number; ns: number } | number {
  const split = (ns: number): { seconds: number; ns: number } => {
    const whole = Math.floor(ns);
    return { seconds: Math.floor(whole / NS_PER_S), ns: whole % NS_PER_S };
  };
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
      return k.realTime();
    case CLOCK_REALTIME_COARSE: {
      const now = k.realTime();
      return { seconds: now.seconds, ns: now.ns - (now.ns % TICK_NS) };
    }
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
      return shifted(split(k.monotonicNs()), t, clock);
    case CLOCK_MONOTONIC_COARSE:
      return shifted(split(Math.floor(k.monotonicNs() / TICK_NS) * TICK_NS), t, clock);
    case CLOCK_PROCESS_CPUTIME_ID: {
      const times = cpuTimesOf(t.process);
      return split(times.utimeNs + times.stimeNs);
    }
    case CLOCK_THREAD_CPUTIME_ID:
      return split(t.utimeNs + t.stimeNs);
    default:
      return clock < 0 ? readCpuClock(k, t, clock) : -EINVAL;
  }
}

/** timens_add_monotonic and the like. */
function shifted(time: { seconds: number; ns: number }, t: Task, clock: number): { seconds: number; ns: number } {
  const offset = t.time?.offsetOf(clock);
  if (offset === undefined) return time;
  const ns = time.ns + offset.ns;
  return { seconds: time.seconds + offset.seconds + Math.floor(ns / NS_PER_S), ns: ns % NS_PER_S };
}

/** clock_getcpuclockid's numbers: ~pid << 3 | 4 for a thread | kind (include/linux/posix-timers.h). */
function readCpuClock(k: Kernel, t: Task, clock: number): { seconds: number; ns: number } | number {
  const pid = ~(clock >> 3);
  if ((clock & 3) === 3) return -EINVAL;
  const task = pid === 0 ? t : k.tasks.get(t.pidNs.pidOf(pid));
  if (task === undefined) return -EINVAL;
  const isThread = (clock & 4) !== 0;
  if (isThread && task.process !== t.process) return -EINVAL;
  const times = isThread ? task : cpuTimesOf(task.process);
  const ns = Math.floor(times.utimeNs + ((clock & 3) === 1 ? 0 : times.stimeNs));
  return { seconds: Math.floor(ns / NS_PER_S), ns: ns % NS_PER_S };
}

function clockGettime(k: Kernel, t: Task, clock: number, address: number): number {
  const now = readClock(k, t, clock);
  return typeof now === 'number' ? now : writeLongs(k, t, address, [now.seconds, now.ns]);
}

function clockGetres(k: Kernel, t: Task, clock: number, address: number): number {
  const now = readClock(k, t, clock);
  if (typeof now === 'number') return now;
  if (address === 0) return 0;
  const isCoarse = clock === CLOCK_REALTIME_COARSE || clock === CLOCK_MONOTONIC_COARSE;
  return writeLongs(k, t, address, [0, isCoarse ? TICK_NS : 1]);
}

function clockSettime(k: Kernel, t: Task, clock: number, address: number): number {
  if (clock !== CLOCK_REALTIME) return -EINVAL;
  const now = readTimespecNs(k, t, address);
  // The time of day is configuration: a program must not make two runs differ.
  return now < 0 ? now : -EPERM;
}

function gettimeofday(k: Kernel, t: Task, tv: number, tz: number): number {
  if (tv !== 0) {
    const now = k.realTime();
    if (writeLongs(k, t, tv, [now.seconds, Math.floor(now.ns / 1000)]) < 0) return -EFAULT;
  }
  return tz !== 0 ? writeI32s(k, t, tz, [0, 0]) : 0;
}

/** hrtimer_nanosleep: the rest is written when a signal ends it, and restart_syscall sleeps on to the old deadline. */
function sleep(k: Kernel, t: Task, deadlineNs: number, remain: number, kind: 'relative' | 'absolute'): number {
  if (t.wait !== null && (t.wait.woken === 'timeout' || deadlineNs <= k.clock.nowNs)) return 0;
  if (t.wait === null && deadlineNs <= k.clock.nowNs) return 0;
  const onSignal = kind === 'absolute' ? ERESTARTNOHAND : ERESTART_RESTARTBLOCK;
  t.restart = null;
  const r = k.block(t, { queues: [], deadlineNs, onSignal, data: [] });
  if (r === BLOCKED) return r;
  if (kind === 'relative' && remain !== 0) {
    if (writeTimespecNs(k, t, remain, Math.max(0, deadlineNs - k.clock.nowNs)) < 0) return -EFAULT;
  }
  // Interrupted before it slept: there is no wait yet for the restart to go on from.
  if (r === -ERESTART_RESTARTBLOCK && t.wait === null)
    t.wait = { queues: [], deadlineNs, onSignal, data: [], source: 'event', woken: 'signal' };
  return r;
}

function nanosleep(k: Kernel, t: Task, request: number, remain: number): number {
  if (t.wait !== null) return sleep(k, t, t.wait.deadlineNs, remain, 'relative');
  const ns = readTimespecNs(k, t, request);
  return ns < 0 ? ns : sleep(k, t, k.clock.nowNs + ns, remain, 'relative');
}

function clockNanosleep(k: Kernel, t: Task, clock: number, flags: number, request: number, remain: number): number {
  if (clock === CLOCK_THREAD_CPUTIME_ID) return -EINVAL;
  const known = readClock(k, t, clock);
  if (typeof known === 'number') return known;
  if (clock === CLOCK_MONOTONIC_RAW || clock === CLOCK_REALTIME_COARSE || clock === CLOCK_MONOTONIC_COARSE)
    return -EOPNOTSUPP;
  const isAbsolute = (flags & TIMER_ABSTIME) !== 0;
  if (t.wait !== null) return sleep(k, t, t.wait.deadlineNs, remain, isAbsolute ? 'absolute' : 'relative');
  const pair = readLongs(k, t, request, 2);
  if (typeof pair === 'number') return -EFAULT;
  const [seconds, nanoseconds] = pair;
  if (seconds < 0 || nanoseconds < 0 || nanoseconds >= NS_PER_S) return -EINVAL;
  if (!isAbsolute) return sleep(k, t, k.clock.nowNs + seconds * NS_PER_S + nanoseconds, remain, 'relative');
  // CPU clocks have no timer queue of their own: time passes for them as it does for all.
  const now = clock === CLOCK_PROCESS_CPUTIME_ID || clock < 0 ? known : null;
  const left =
    now !== null
      ? (seconds - now.seconds) * NS_PER_S + nanoseconds - now.ns
      : deadlineOfPair(k, clock, seconds, nanoseconds) - k.clock.nowNs;
  return sleep(k, t, k.clock.nowNs + left, 0, 'absolute');
}

/** Virtual time since boot at which a clock of the calling task reaches this value (timens_ktime_to_host). */
export function deadlineOfPair(k: Kernel, clock: number, seconds: number, ns: number): number {
  if (clock === CLOCK_REALTIME || clock === CLOCK_REALTIME_ALARM || clock === CLOCK_TAI) {
    const now = k.realTime();
    return k.clock.nowNs + (seconds - now.seconds) * NS_PER_S + (ns - now.ns);
  }
  const offset = currentTime(k).offsetOf(clock);
  return k.clock.nowNs + ((seconds - offset.seconds) * NS_PER_S + (ns - offset.ns) - k.monotonicNs());
}

/** Time left and interval of one of setitimer's timers, as longs of struct itimerval. */
function itimerLongs(k: Kernel, t: Task, which: number): number[] {
  const timer = t.process.itimers[which];
  let left = 0;
  if (timer.expiresNs > 0) {
    const now = which === ITIMER_REAL ? k.clock.nowNs : cpuClockOf(t.process, which);
    left = Math.max(1000, timer.expiresNs - now);
  }
  const split = (ns: number): [number, number] => {
    const us = Math.floor(ns / 1000);
    return [Math.floor(us / 1_000_000), us % 1_000_000];
  };
  return [...split(timer.intervalNs), ...split(left)];
}

function getitimer(k: Kernel, t: Task, which: number, address: number): number {
  if (which < 0 || which > 2) return -EINVAL;
  return writeLongs(k, t, address, itimerLongs(k, t, which));
}

function setitimer(k: Kernel, t: Task, which: number, next: number, old: number): number {
  let values: number[] | number = [0, 0, 0, 0];
  if (next !== 0) {
    values = readLongs(k, t, next, 4);
    if (typeof values === 'number') return -EFAULT;
    if (values[0] < 0 || values[2] < 0) return -EINVAL;
    if ([values[1], values[3]].some((us) => us < 0 || us >= 1_000_000)) return -EINVAL;
  }
  if (which < 0 || which > 2) return -EINVAL;
  const before = itimerLongs(k, t, which);
  const [intervalSeconds, intervalUs, seconds, us] = values;
  const timer = t.process.itimers[which];
  const ns = seconds * NS_PER_S + us * 1000;
  const now = which === ITIMER_REAL ? k.clock.nowNs : cpuClockOf(t.process, which);
  timer.intervalNs = intervalSeconds * NS_PER_S + intervalUs * 1000;
  timer.expiresNs = ns === 0 ? 0 : now + ns;
  if (which === ITIMER_REAL && ns > 0) k.timers.add(timer.expiresNs, 'itimer', t.tgid, 0);
  return old !== 0 ? writeLongs(k, t, old, before) : 0;
}

/** struct sigevent: value, signo, notify, tid. */
function timerCreate(k: Kernel, t: Task, clock: number, event: number, idAddress: number): number {
  const known = readClock(k, t, clock);
  if (typeof known === 'number') return known;
  if (clock === CLOCK_REALTIME_COARSE || clock === CLOCK_MONOTONIC_COARSE || clock === CLOCK_MONOTONIC_RAW)
    return -EOPNOTSUPP;
  // Timers on CPU time are not there; setitimer's are.
  if (clock === CLOCK_PROCESS_CPUTIME_ID || clock === CLOCK_THREAD_CPUTIME_ID || clock < 0) return -EOPNOTSUPP;
  if (t.process.posixTimers.length >= 4096) return -EAGAIN;
  const { process } = t;
  const id = process.nextTimerId;
  let spec = { notify: SIGEV_SIGNAL, signo: SIGALRM, valueLow: id, valueHigh: 0, tid: 0 };
  if (event !== 0) {
    const word = k.arch.wordBytes;
    const bytes = new Uint8Array(word + 12);
    if (readBytes(k, t, event, bytes) < 0) return -EFAULT;
    const view = new DataView(bytes.buffer);
    spec = {
      valueLow: view.getUint32(0, true),
      valueHigh: word === 8 ? view.getUint32(4, true) : 0,
      signo: view.getInt32(word, true),
      notify: view.getInt32(word + 4, true),
      tid: view.getInt32(word + 8, true),
    };
    const kinds = [SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD, SIGEV_SIGNAL | SIGEV_THREAD_ID];
    if (!kinds.includes(spec.notify)) return -EINVAL;
    if (spec.notify !== SIGEV_NONE && (spec.signo < 1 || spec.signo > 64)) return -EINVAL;
    if (spec.notify === SIGEV_THREAD_ID && k.tasks.get(t.pidNs.pidOf(spec.tid))?.process !== process) return -EINVAL;
    spec = { ...spec, tid: t.pidNs.pidOf(spec.tid) };
  }
  if (writeI32s(k, t, idAddress, [id]) < 0) return -EFAULT;
  process.nextTimerId++;
  process.posixTimers.push({
    id,
    clockId: clock,
    ...spec,
    expiresNs: 0,
    intervalNs: 0,
    overrun: 0,
    lastOverrun: 0,
    pending: false,
  });
  return 0;
}

const findTimer = (t: Task, id: number): PosixTimer | undefined =>
  t.process.posixTimers.find((timer) => timer.id === id);

function timerLongs(k: Kernel, timer: PosixTimer): number[] {
  const left = timer.expiresNs === 0 ? 0 : Math.max(1, Math.floor(timer.expiresNs - k.clock.nowNs));
  const split = (ns: number): [number, number] => [Math.floor(ns / NS_PER_S), ns % NS_PER_S];
  return [...split(timer.intervalNs), ...split(left)];
}

function timerSettime(k: Kernel, t: Task, id: number, flags: number, next: number, old: number): number {
  if (next === 0) return -EINVAL;
  const values = readLongs(k, t, next, 4);
  if (typeof values === 'number') return -EFAULT;
  const [intervalSeconds, intervalNs, seconds, ns] = values;
  if ([intervalSeconds, seconds].some((s) => s < 0) || [intervalNs, ns].some((n) => n < 0 || n >= NS_PER_S))
    return -EINVAL;
  const timer = findTimer(t, id);
  if (timer === undefined) return -EINVAL;
  const before = timerLongs(k, timer);
  timer.overrun = 0;
  timer.intervalNs = intervalSeconds * NS_PER_S + intervalNs;
  if (seconds === 0 && ns === 0) timer.expiresNs = 0;
  else if ((flags & TIMER_ABSTIME) !== 0) timer.expiresNs = Math.max(1, deadlineOfPair(k, timer.clockId, seconds, ns));
  else timer.expiresNs = k.clock.nowNs + seconds * NS_PER_S + ns;
  armPosixTimer(k, t.process, timer);
  return old !== 0 ? writeLongs(k, t, old, before) : 0;
}

function timerGettime(k: Kernel, t: Task, id: number, address: number): number {
  const timer = findTimer(t, id);
  return timer === undefined ? -EINVAL : writeLongs(k, t, address, timerLongs(k, timer));
}

function timerGetoverrun(_k: Kernel, t: Task, id: number): number {
  return findTimer(t, id)?.lastOverrun ?? -EINVAL;
}

function timerDelete(_k: Kernel, t: Task, id: number): number {
  const at = t.process.posixTimers.findIndex((timer) => timer.id === id);
  if (at < 0) return -EINVAL;
  t.process.posixTimers.splice(at, 1);
  return 0;
}

export const timeCalls: readonly SyscallRow[] = [
  row('clock_gettime', ['int', 'ptr'], clockGettime),
  row('clock_getres', ['int', 'ptr'], clockGetres),
  row('clock_settime', ['int', 'ptr'], clockSettime, 'EPERM: the time of day is configuration'),
  row('clock_nanosleep', ['int', 'int', 'ptr', 'ptr'], clockNanosleep),
  row('nanosleep', ['ptr', 'ptr'], nanosleep),
  row('gettimeofday', ['ptr', 'ptr'], gettimeofday),
  row('settimeofday', ['ptr', 'ptr'], () => -EPERM, 'EPERM: the time of day is configuration'),
  row('getitimer', ['int', 'ptr'], getitimer),
  row('setitimer', ['int', 'ptr', 'ptr'], setitimer),
  row('timer_create', ['int', 'ptr', 'ptr'], timerCreate, 'no CPU-time clocks'),
  row('timer_settime', ['int', 'int', 'ptr', 'ptr'], timerSettime),
  row('timer_gettime', ['int', 'ptr'], timerGettime),
  row('timer_getoverrun', ['int'], timerGetoverrun),
  row('timer_delete', ['int'], timerDelete),
];
