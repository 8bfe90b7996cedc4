import { EINTR } from '../abi/errno.ts';
import { EV_SCHED_SWITCH } from '../base/event-kinds.ts';
import { COST_CONTEXT_SWITCH_NS } from '../machine/cost-model.ts';
import { STALL_NONE } from '../mm/block/stall.ts';
import type { Kernel } from './kernel.ts';
import { feedPsi } from './psi/psi-feed.ts';
import { applyMmLimits } from './rlimits.ts';
import { hasPendingSignal } from './signals/pending-test.ts';
import { setStall } from './stalls.ts';
import { BLOCKED } from './syscalls/row.ts';
import type { Task } from './task.ts';
import { UNINTERRUPTIBLE, type Wait, type WaitRequest } from './wait-state.ts';

/**
 * Who runs: round-robin on virtual time. The run queue holds each runnable task but the running one once; the first woken
 * runs first. There is no preemption by a wake-up: a slice ends by blocking or by its time (decision D3: the order is a
 * function of virtual time alone).
 */
export function makeRunnable(k: Kernel, task: Task): void {
  task.state = 'R';
  feedPsi(k, task);
  if (task.queued || task === k.running) return;
  task.queued = true;
  k.runQueue.push(task.tid);
}

export function block(k: Kernel, task: Task, request: WaitRequest): number {
  if (request.onSignal === UNINTERRUPTIBLE) {
    if (task.killed) return -EINTR;
  } else if (hasPendingSignal(task)) return -request.onSignal;
  const wait: Wait = {
    queues: request.queues,
    deadlineNs: request.deadlineNs,
    onSignal: request.onSignal,
    data: request.data,
    source: request.source ?? 'event',
    after: request.after,
    before: request.before,
    woken: 'no',
  };
  task.wait = wait;
  task.state = request.onSignal === UNINTERRUPTIBLE ? 'D' : 'S';
  task.nvcsw++;
  setStall(k, task, request.stall ?? STALL_NONE);
  feedPsi(k, task);
  for (const queue of request.queues) queue.add(task.tid);
  if (request.deadlineNs !== Number.POSITIVE_INFINITY) k.timers.add(request.deadlineNs, 'wait', task.tid, 0);
  return BLOCKED;
}

/** The sleeping call will run again. Waking a task that does not sleep does nothing. */
export function wakeTask(k: Kernel, task: Task, why: 'event' | 'timeout' | 'signal'): void {
  const { wait } = task;
  if (wait === null || wait.woken !== 'no') return;
  wait.woken = why;
  setStall(k, task, STALL_NONE);
  for (const queue of wait.queues) queue.remove(task.tid);
  makeRunnable(k, task);
}

/** Wakes those whom events have reached since the last time, in the order of the events. */
export function drainWakeList(k: Kernel): void {
  const { tids } = k.wakeList;
  if (tids.length === 0) return;
  for (let i = 0; i < tids.length; i++) {
    const task = k.tasks.get(tids[i]);
    if (task !== undefined) wakeTask(k, task, 'event');
  }
  // Not `length = 0`: that gives the array's store back, and the next wake-up makes a new one.
  while (tids.length > 0) tids.pop();
}

/** Tasks whose wait only outside input can end try again (input may have come). */
export function wakeInputWaiters(k: Kernel): void {
  for (const task of k.tasks.values()) if (task.wait?.source === 'input') wakeTask(k, task, 'event');
}

/** The next task to run, taken off the queue, or null. */
export function pickNext(k: Kernel): Task | null {
  for (;;) {
    const tid = k.runQueue.shift();
    if (tid === undefined) return null;
    const task = k.tasks.get(tid);
    if (task === undefined) continue;
    task.queued = false;
    if (task.state === 'R') return task;
    feedPsi(k, task);
  }
}

/** context_switch: the CPU's registers and space become the task's. A kernel thread borrows the space that is there. */
export function switchTo(k: Kernel, next: Task): void {
  const previous = k.current;
  if (previous === next) return;
  if (k.events.enabled[EV_SCHED_SWITCH] !== 0) k.events.emit(EV_SCHED_SWITCH, previous?.tid ?? 0, next.tid);
  if (previous !== null) {
    previous.registers.set(k.cpu.registers);
    k.contextSwitches++;
    k.clock.charge(COST_CONTEXT_SWITCH_NS);
  }
  k.cpu.registers.set(next.registers);
  k.cpu.clearReservation();
  k.current = next;
  k.mm.waiter = next.kind === 'user' ? next.waiter : null;
  k.mm.block.debtor = k.mm.waiter;
  k.events.currentPid = next.tid;
  k.events.currentIp = 0;
  useSpaceOf(k, next);
  // Who shares a space may have other rights and limits: rlimit() and capable() ask the current task.
  if (next.space !== null) applyMmLimits(next.process, next.space, next.cred);
}

export function useSpaceOf(k: Kernel, task: Task): void {
  if (task.space === null || task.space === k.activeSpace) return;
  k.activeSpace = task.space;
  k.mm.activeSpace = task.space;
  k.cpu.setSpace(task.space);
}

/** The task left the CPU for good or its space is about to go. */
export function leaveCpu(k: Kernel, task: Task): void {
  if (k.current !== task) return;
  k.current = null;
  k.mm.waiter = null;
  k.mm.block.debtor = null;
  k.events.currentPid = 0;
}
