import { SI_TIMER, SIGEV_NONE, SIGEV_THREAD_ID } from '../abi/signal.ts';
import { nextExpiry } from './itimers.ts';
import type { Kernel } from './kernel.ts';
import type { PosixTimer, Process } from './process.ts';
import { sendToProcess, sendToTask } from './signals/send.ts';
import { type Siginfo, siginfo } from './signals/siginfo.ts';
import type { TimerEntry } from './timers.ts';

/** timer_create's timers (6.18, kernel/time/posix-timers.c). Each has at most one signal queued; later expiries are overruns. */
export function armPosixTimer(k: Kernel, process: Process, timer: PosixTimer): void {
  if (timer.expiresNs > 0) k.timers.add(timer.expiresNs, 'posix', process.pid, timer.id);
}

export function firePosixTimer(k: Kernel, entry: TimerEntry): void {
  const process = k.processes.get(entry.subject);
  const timer = process?.posixTimers.find((candidate) => candidate.id === entry.detail);
  if (process === undefined || timer === undefined || timer.expiresNs !== entry.deadlineNs) return;
  if (timer.intervalNs > 0) {
    const next = nextExpiry(timer.expiresNs, timer.intervalNs, k.clock.nowNs);
    const missed = Math.round((next - timer.expiresNs) / timer.intervalNs) - 1;
    timer.overrun += timer.pending ? missed + 1 : missed;
    timer.expiresNs = next;
    armPosixTimer(k, process, timer);
  } else timer.expiresNs = 0;
  if (timer.notify === SIGEV_NONE || timer.pending) return;
  timer.pending = true;
  const info = siginfo(timer.signo, SI_TIMER, {
    timerId: timer.id,
    valueLow: timer.valueLow,
    valueHigh: timer.valueHigh,
  });
  const thread = (timer.notify & SIGEV_THREAD_ID) !== 0 ? k.tasks.get(timer.tid) : undefined;
  if (thread !== undefined && thread.process === process) sendToTask(k, thread, info);
  else sendToProcess(k, process, info);
}

/** posixtimer_deliver_signal: the overrun count of this delivery; null drops a signal whose timer was deleted. */
export function rearmAfterDelivery(_k: Kernel, process: Process, info: Siginfo): Siginfo | null {
  const timer = process.posixTimers.find((candidate) => candidate.id === info.timerId);
  if (timer === undefined) return info;
  timer.pending = false;
  timer.lastOverrun = Math.min(timer.overrun, 0x7fff_ffff);
  timer.overrun = 0;
  return { ...info, overrun: timer.lastOverrun };
}
