import { scanPages } from '../mm/ksm/scan.ts';
import type { Kernel } from './kernel.ts';

/** nice of ksmd (ksm_scan_thread). */
export const KSMD_NICE = 5;

/**
 * ksmd on virtual time (ksm_scan_thread, mm/ksm.c, 6.18): a batch of pages_to_scan pages, then sleep_millisecs of sleep, for as
 * long as run is 1 and there is a space to scan. It has no timer otherwise, and never keeps the machine alive.
 */
export function armKsmd(k: Kernel): void {
  if (k.ksmdDeadlineNs === Number.POSITIVE_INFINITY && k.mm.ksm.shouldRun) sleepUntil(k, k.clock.nowNs);
}

/** Another sleep_millisecs: who sleeps by the old one wakes (ksm_iter_wait). */
export function wakeKsmd(k: Kernel): void {
  if (k.mm.ksm.shouldRun) sleepUntil(k, k.clock.nowNs);
}

function sleepUntil(k: Kernel, deadlineNs: number): void {
  k.ksmdDeadlineNs = deadlineNs;
  k.timers.add(deadlineNs, 'kthread', k.ksmdTid, 0);
}

/** ksmd's timer: its body runs in its own name, without an address space of its own. */
export function runKsmd(k: Kernel, deadlineNs: number): void {
  if (deadlineNs !== k.ksmdDeadlineNs) return;
  k.ksmdDeadlineNs = Number.POSITIVE_INFINITY;
  const { ksm } = k.mm;
  const task = k.tasks.get(k.ksmdTid);
  if (task === undefined || !ksm.shouldRun) return;
  const { currentPid } = k.events;
  const { faultAccount, waiter } = k.mm;
  const beganNs = k.clock.nowNs;
  k.events.currentPid = task.tid;
  k.mm.faultAccount = task;
  k.mm.waiter = null;
  scanPages(ksm, ksm.knobs.pagesToScan);
  k.events.currentPid = currentPid;
  k.mm.faultAccount = faultAccount;
  k.mm.waiter = waiter;
  task.stimeNs += k.clock.nowNs - beganNs;
  task.nvcsw++;
  // A ksmd that does not sleep takes turns with programs: it lets a slice pass.
  const sleepNs = ksm.knobs.sleepMillisecs === 0 ? k.config.sliceNs : ksm.knobs.sleepMillisecs * 1e6;
  if (ksm.shouldRun) sleepUntil(k, k.clock.nowNs + sleepNs);
}

/**
 * Is nothing to come but ksmd's next batch? Then nobody can run before there is input, and ksmd would find what it found: time
 * stands still until the host has something to tell.
 */
export function waitsForKsmdAlone(k: Kernel): boolean {
  return k.timers.entries.every((entry) => entry.kind === 'kthread' && entry.subject === k.ksmdTid);
}
