import type { Kernel } from './kernel.ts';

/** A pause between scans where scan_sleep_millisecs is 0, so that programs have their turn too. */
const LEAST_SLEEP_NS = 1_000_000;

/**
 * khugepaged on virtual time (mm/khugepaged.c, 6.18): pages_to_scan pages, then scan_sleep_millisecs of sleep, as long as a space
 * has memory that may be huge. It has no timer otherwise, works in the name of the flusher's task, and never keeps the machine
 * alive.
 */
export function armKhugepaged(k: Kernel): void {
  if (k.khugepagedDeadlineNs === Number.POSITIVE_INFINITY && k.mm.thp.khugepaged.hasWork) sleepUntil(k, k.clock.nowNs);
}

/** One of its sleeps was set anew: it wakes. */
export function wakeKhugepaged(k: Kernel): void {
  if (k.khugepagedDeadlineNs !== Number.POSITIVE_INFINITY) sleepUntil(k, k.clock.nowNs);
}

function sleepUntil(k: Kernel, deadlineNs: number): void {
  k.khugepagedDeadlineNs = deadlineNs;
  k.timers.add(deadlineNs, 'khugepaged', 0, 0);
}

export function runKhugepaged(k: Kernel, deadlineNs: number): void {
  if (deadlineNs !== k.khugepagedDeadlineNs) return;
  k.khugepagedDeadlineNs = Number.POSITIVE_INFINITY;
  const { khugepaged } = k.mm.thp;
  const { currentPid } = k.events;
  const { faultAccount, waiter } = k.mm;
  k.events.currentPid = k.flusherTid;
  k.mm.faultAccount = null;
  k.mm.waiter = null;
  const result = khugepaged.scan();
  k.events.currentPid = currentPid;
  k.mm.faultAccount = faultAccount;
  k.mm.waiter = waiter;
  if (!khugepaged.hasWork) return;
  const sleep = result === 'no block' ? khugepaged.allocSleepMillisecs : khugepaged.scanSleepMillisecs;
  sleepUntil(k, k.clock.nowNs + Math.max(LEAST_SLEEP_NS, sleep * 1e6));
}
