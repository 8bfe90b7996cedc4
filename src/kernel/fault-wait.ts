import { EFAULT } from '../abi/errno.ts';
import { SI_KERNEL, SIGSEGV } from '../abi/signal.ts';
import { BlockRequest } from '../mm/block/request.ts';
import { STALL_NONE, type Stall, stallOf } from '../mm/block/stall.ts';
import { copyToUserNow } from '../mm/user-access.ts';
import type { Kernel } from './kernel.ts';
import { block } from './scheduler.ts';
import { forceSignal } from './signals/send.ts';
import { siginfo } from './signals/siginfo.ts';
import { finishCall, rerunSyscall } from './syscalls/dispatch.ts';
import { BLOCKED } from './syscalls/row.ts';
import type { Task } from './task.ts';
import { ERESTARTNOINTR, UNINTERRUPTIBLE, type Wait } from './wait-state.ts';

/**
 * Sleeping in a page fault (mm/fault/waiter.ts). What happens afterwards is in the task's wait, as data (wait-state.ts):
 *
 *   a fault of the program itself          'instruction'  the instruction runs again
 *   the kernel read for a system call      'call'         the call runs again from `before`, where it was
 *   the kernel wrote for a system call     'result'       the bytes that are owed are stored, then the call returns data[0]
 *   it wrote a signal frame                'frame'        the bytes are stored, then the handler runs
 *   it owes time for waits in the kernel   'debt'         it goes on
 *
 * A signal ends only the program's own sleep (Linux 6.18, fault_signal_pending: a fault of the kernel goes on but for SIGKILL).
 */

/** The current task's own access sleeps; or, when a signal is there, is tried again after it. */
export function sleepOnFault(k: Kernel, t: Task): void {
  const { source } = t.waiter;
  if (source === null) return;
  const slept = block(k, t, {
    queues: [source.waiters],
    deadlineNs: Number.POSITIVE_INFINITY,
    // A device answers soon: nothing but SIGKILL ends that sleep (folio_lock_killable).
    onSignal: source instanceof BlockRequest ? UNINTERRUPTIBLE : ERESTARTNOINTR,
    data: [],
    after: 'instruction',
    stall: t.waiter.stall,
  });
  if (slept !== BLOCKED) leaveFault(t);
}

/** The system call met a fault that sleeps: it goes on from `before`. BLOCKED, or -EFAULT for a task that is being killed. */
export function sleepInCall(k: Kernel, t: Task, before: Wait | null): number {
  const { source, stores } = t.waiter;
  if (source === null) return -EFAULT;
  stores.length = 0;
  const slept = block(k, t, {
    queues: [source.waiters],
    deadlineNs: Number.POSITIVE_INFINITY,
    onSignal: UNINTERRUPTIBLE,
    data: [],
    after: 'call',
    before,
    stall: t.waiter.stall,
  });
  if (slept === BLOCKED) return BLOCKED;
  leaveFault(t);
  return -EFAULT;
}

/** The call stopped at a page that a device is reading: that is what it is going to sleep on. */
export function sleepOnRequest(k: Kernel, t: Task): void {
  const { lockedBy } = k.mm.pageCache;
  t.waiter.source = lockedBy;
  t.waiter.stall = (lockedBy?.frames ?? []).reduce<number>(
    (stall, frame) => stall | stallOf(k.mm.frames.flags[frame]),
    0,
  ) as Stall;
}

/** What a call that moved `progress` bytes finds as its wait when it goes on after the fault. */
export function progressAt(t: Task, progress: number): Wait {
  return {
    queues: [],
    deadlineNs: t.wait?.deadlineNs ?? Number.POSITIVE_INFINITY,
    onSignal: UNINTERRUPTIBLE,
    data: [progress],
    woken: 'event',
  };
}

/** True while the task owes stores, or waits for a reader of its notices. */
export function owesWork(t: Task): boolean {
  return t.waiter.stores.length > 0 || t.waiter.notices.length > 0;
}

/**
 * Stores what is owed and lets go the notices that were read. 'waiting': the task sleeps, and `then` says what comes after;
 * 'done'; 'failed': an address went bad meanwhile, the rest is dropped.
 */
export function settle(k: Kernel, t: Task, then: 'result' | 'frame', result: number): 'done' | 'failed' | 'waiting' {
  const { waiter } = t;
  let outcome: 'done' | 'failed' = 'done';
  while (waiter.stores.length > 0) {
    const [{ space, address, bytes }] = waiter.stores;
    waiter.source = null;
    const isStored = k.mm.spaces.has(space) && copyToUserNow(k.mm, space, address, bytes) === bytes.length;
    if (!isStored && waiter.source !== null) {
      if (sleepThen(k, t, then, result)) return 'waiting';
      outcome = 'failed';
      waiter.stores.length = 0;
      break;
    }
    if (!isStored) outcome = 'failed';
    waiter.stores.shift();
  }
  while (waiter.notices.length > 0) {
    const [{ queue, isTaken }] = waiter.notices;
    if (!isTaken) {
      const slept = block(k, t, {
        queues: [queue],
        deadlineNs: Number.POSITIVE_INFINITY,
        onSignal: UNINTERRUPTIBLE,
        data: [result],
        after: then,
      });
      if (slept === BLOCKED) return 'waiting';
      waiter.notices.length = 0;
      break;
    }
    waiter.notices.shift();
  }
  return outcome;
}

function sleepThen(k: Kernel, t: Task, after: 'result' | 'frame', result: number): boolean {
  const { source } = t.waiter;
  if (source === null) return false;
  const slept = block(k, t, {
    queues: [source.waiters],
    deadlineNs: Number.POSITIVE_INFINITY,
    onSignal: UNINTERRUPTIBLE,
    data: [result],
    after,
  });
  if (slept !== BLOCKED) leaveFault(t);
  return slept === BLOCKED;
}

/** The task no longer waits for its fault. */
export function leaveFault(t: Task): void {
  t.waiter.source?.forget(t.waiter.tid);
  t.waiter.source = null;
  t.waiter.stall = STALL_NONE;
}

/**
 * What the task could not wait for inside the kernel it sleeps off on its way out (block-queue.ts): true while it does. Others run.
 */
export function sleepOffDebt(k: Kernel, t: Task): boolean {
  const { waiter } = t;
  if (waiter.owedUntilNs <= k.clock.nowNs) return false;
  const slept = block(k, t, {
    queues: [],
    deadlineNs: waiter.owedUntilNs,
    onSignal: UNINTERRUPTIBLE,
    data: [],
    after: 'debt',
    stall: waiter.owedStall,
  });
  waiter.owedUntilNs = 0;
  waiter.owedStall = STALL_NONE;
  return slept === BLOCKED;
}

/** A woken task that slept in a fault, or any woken system call, goes on. */
export function goOn(k: Kernel, t: Task): void {
  const wait = t.wait!;
  switch (wait.after ?? 'wait') {
    case 'wait':
      rerunSyscall(k, t);
      return;
    case 'debt':
      t.wait = null;
      return;
    case 'instruction':
      t.wait = null;
      leaveFault(t);
      return;
    case 'call':
      leaveFault(t);
      t.wait = wait.before ?? null;
      if (t.killed) finishCall(k, t, -EFAULT);
      else rerunSyscall(k, t);
      return;
    default:
      leaveFault(t);
      t.wait = null;
      finishOwing(k, t, wait.after === 'frame' ? 'frame' : 'result', wait.data[0]);
  }
}

/** Ends a call that has its result, or the setting up of a signal frame, as soon as nothing is owed. */
export function finishOwing(k: Kernel, t: Task, what: 'result' | 'frame', result: number): void {
  const settled = settle(k, t, what, result);
  if (settled === 'waiting') return;
  if (what === 'result') finishCall(k, t, settled === 'failed' ? -EFAULT : result);
  else if (settled === 'failed') forceSignal(k, t, siginfo(SIGSEGV, SI_KERNEL), 'fatal');
}
