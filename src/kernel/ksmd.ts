import { scanPages } from '../mm/ksm/scan.ts';
import { addSystemTime } from './cgroup/cpu-stat.ts';
import type { Kernel } from './kernel.ts';

/** nice of ksmd (ksm_scan_thread). */
export const KSMD_NICE = 5;
/** The time that programs of nice 0 have for each of ksmd's, where both want the CPU: weights 1024 and 335 (sched_prio_to_weight). */
const OTHERS_SHARE = 3;

/**
 * ksmd on virtual time (ksm_scan_thread, mm/ksm.c, 6.18): a batch of pages_to_scan pages, then sleep_millisecs of sleep, for as
 * long as run is 1 and there is a space to scan. It has no timer otherwise, and never keeps the machine alive.
 */
export function armKsmd(k: Kernel): void {
  if (k.ksmdDeadlineNs === Number.POSITIVE_INFINITY && k.mm.ksm.shouldRun) sleepUntil(k, k.clock.nowNs);
}

/** sleep_millisecs was written: a ksmd that sleeps by another value wakes (ksm_iter_wait), and waits for work if there is none. */
export function wakeKsmd(k: Kernel): void {
  const { ksm } = k.mm;
  if (k.ksmdDeadlineNs === Number.POSITIVE_INFINITY || ksm.knobs.sleepMillisecs === k.ksmdSleepMillisecs) return;
  if (ksm.shouldRun) sleepUntil(k, k.clock.nowNs);
  else k.ksmdDeadlineNs = Number.POSITIVE_INFINITY;
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
  addSystemTime(task, k.clock.nowNs - beganNs);
  task.nvcsw++;
  // A ksmd that hardly sleeps takes turns with programs.
  const turnNs = Math.max(k.config.sliceNs, OTHERS_SHARE * (k.clock.nowNs - beganNs));
  k.ksmdSleepMillisecs = ksm.knobs.sleepMillisecs;
  if (ksm.shouldRun) sleepUntil(k, k.clock.nowNs + Math.max(turnNs, ksm.knobs.sleepMillisecs * 1e6));
}
