import { RLIMIT_CPU } from '../abi/resource.ts';
import { SI_KERNEL, SIGALRM, SIGKILL, SIGPROF, SIGVTALRM, SIGXCPU } from '../abi/signal.ts';
import { ITIMER_PROF, ITIMER_REAL, ITIMER_VIRTUAL } from '../abi/time.ts';
import { cpuTimesOf } from './cpu-times.ts';
import type { Kernel } from './kernel.ts';
import type { Process } from './process.ts';
import { sendToProcess } from './signals/send.ts';
import { siginfo } from './signals/siginfo.ts';
import type { Task } from './task.ts';
import type { TimerEntry } from './timers.ts';

/** CPU time that the timer counts: user for VIRTUAL, all for PROF. */
export function cpuClockOf(process: Process, which: number): number {
  const { utimeNs, stimeNs } = cpuTimesOf(process);
  return which === ITIMER_VIRTUAL ? utimeNs : utimeNs + stimeNs;
}

/** it_real_fn: SIGALRM; the interval counts from the expiry, so that no time is lost. */
export function fireItimer(k: Kernel, entry: TimerEntry): void {
  const process = k.processes.get(entry.subject);
  if (process === undefined) return;
  const timer = process.itimers[ITIMER_REAL];
  if (timer.expiresNs !== entry.deadlineNs) return;
  timer.expiresNs = timer.intervalNs > 0 ? nextExpiry(timer.expiresNs, timer.intervalNs, k.clock.nowNs) : 0;
  if (timer.expiresNs > 0) k.timers.add(timer.expiresNs, 'itimer', process.pid, 0);
  sendToProcess(k, process, siginfo(SIGALRM, SI_KERNEL));
}

/** The first expiry after `nowNs`; never `nowNs` itself, whatever is lost to rounding above 2^53 ns. */
export function nextExpiry(expiresNs: number, intervalNs: number, nowNs: number): number {
  const next = expiresNs + intervalNs * Math.max(1, Math.floor((nowNs - expiresNs) / intervalNs) + 1);
  return next > nowNs ? next : nowNs * (1 + 2 * Number.EPSILON);
}

/** True if the process has something that counts CPU time. */
function hasCpuTimers(process: Process): boolean {
  return (
    process.itimers[ITIMER_VIRTUAL].expiresNs > 0 ||
    process.itimers[ITIMER_PROF].expiresNs > 0 ||
    process.rlimits[RLIMIT_CPU].soft !== Number.POSITIVE_INFINITY
  );
}

/** User time until the next CPU timer of the process, for the run loop's budget; Infinity with none. */
export function cpuTimeLeftNs(process: Process): number {
  if (!hasCpuTimers(process)) return Number.POSITIVE_INFINITY;
  let left = process.rlimits[RLIMIT_CPU].soft * 1e9 - cpuClockOf(process, ITIMER_PROF);
  for (const which of [ITIMER_VIRTUAL, ITIMER_PROF]) {
    const { expiresNs } = process.itimers[which];
    if (expiresNs > 0) left = Math.min(left, expiresNs - cpuClockOf(process, which));
  }
  return left;
}

/** run_posix_cpu_timers: SIGVTALRM, SIGPROF, and RLIMIT_CPU's SIGXCPU each second and SIGKILL at the hard limit. */
export function checkCpuTimers(k: Kernel, t: Task): void {
  const { process } = t;
  if (!hasCpuTimers(process)) return;
  for (const which of [ITIMER_VIRTUAL, ITIMER_PROF]) {
    const timer = process.itimers[which];
    const now = cpuClockOf(process, which);
    if (timer.expiresNs === 0 || now < timer.expiresNs) continue;
    timer.expiresNs = timer.intervalNs > 0 ? nextExpiry(timer.expiresNs, timer.intervalNs, now) : 0;
    sendToProcess(k, process, siginfo(which === ITIMER_VIRTUAL ? SIGVTALRM : SIGPROF, SI_KERNEL));
  }
  const limit = process.rlimits[RLIMIT_CPU];
  const seconds = cpuClockOf(process, ITIMER_PROF) / 1e9;
  if (seconds >= limit.hard) sendToProcess(k, process, siginfo(SIGKILL, SI_KERNEL));
  else if (seconds >= limit.soft) {
    limit.soft = Math.floor(seconds) + 1;
    sendToProcess(k, process, siginfo(SIGXCPU, SI_KERNEL));
  }
}
