import { READ_IMPLIES_EXEC } from '../abi/personality.ts';
import { TRAP_BUDGET } from '../machine/cpu.ts';
import { KSM_RUN_STOP } from '../mm/ksm/ksm.ts';
import { addUserTime } from './cgroup/cpu-stat.ts';
import { payForOverHigh } from './cgroup/over-high.ts';
import { finishOwing, goOn, owesWork, sleepOffDebt } from './fault-wait.ts';
import { armFlusher } from './flusher.ts';
import { checkCpuTimers, cpuTimeLeftNs } from './itimers.ts';
import { sendTerminalSignals } from './job-control.ts';
import type { Kernel } from './kernel.ts';
import { armKhugepaged } from './khugepaged.ts';
import { armKsmd } from './ksmd.ts';
import { feedPsi } from './psi/psi-feed.ts';
import { resumeAtPoint } from './ptrace/resume-point.ts';
import { drainWakeList, makeRunnable, pickNext, switchTo, useSpaceOf, wakeInputWaiters } from './scheduler.ts';
import { handleSignals } from './signals/deliver.ts';
import { hasPendingSignal } from './signals/pending-test.ts';
import type { Task } from './task.ts';
import { fireTimers, pruneTimers } from './timer-fire.ts';
import { handleTrap } from './trap.ts';

/** Whichever comes first ends `run`; undefined: no such limit. */
export interface RunLimits {
  /** Instructions from now on, those that trap counted too (a program can trap for ever and retire none); slightly more may run. */
  readonly instructions?: number;
  /** Virtual time since boot. */
  readonly untilNs?: number;
  /**
   * When all sleep and only a timer can wake one: 'skip' (default) moves virtual time there at once; 'wait' returns
   * 'idle-timer', for a host that lets the time pass (a person at a terminal, the host's clock).
   */
  readonly idle?: 'skip' | 'wait';
}

/** What a replay asks besides. */
export interface RunPart {
  /** 'later': this is no first part of a run that is cut into parts, so input is not looked for now. */
  readonly part?: 'first' | 'later';
  /** Asked after each trap: true ends the run as a limit does. */
  readonly stopWhen?: () => boolean;
}

/**
 *   exited      every program has ended
 *   idle-input  nothing can run until input comes from outside (or somebody sends a signal)
 *   idle-timer  nothing can run before a timer fires or input comes (with `idle: 'wait'` only)
 *   budget      a limit was reached; call again to go on
 */
export type RunStatus = 'exited' | 'idle-input' | 'idle-timer' | 'budget';

/** The most instructions in one go, so that wake-ups by events are never late by more than a millisecond of virtual time. */
const MAX_BUDGET = 1_000_000;
/**
 * Timers in a row that nobody runs after, before a call with a limit comes back: a timer of microseconds whose signal is
 * ignored would keep the caller for ever, though no instruction retires. A guess: some milliseconds of the host.
 */
const MAX_IDLE_STEPS = 10_000;

/**
 * The run loop (docs/page-fault.md): pick a task, run it until a trap, act on the trap, return to user mode through signals.
 * Everything that happens is a function of virtual time and of what came in through Environment (decision D3).
 */
export function runMachine(k: Kernel, limits: RunLimits & RunPart): RunStatus {
  const { block } = k.mm;
  block.mode = 'goes on';
  block.debtor = k.mm.waiter;
  const status = runUntil(k, limits);
  block.mode = 'waits';
  block.debtor = null;
  return status;
}

function runUntil(k: Kernel, limits: RunLimits & RunPart): RunStatus {
  const stopIssued = issued(k) + (limits.instructions ?? Number.POSITIVE_INFINITY);
  const untilNs = limits.untilNs ?? Number.POSITIVE_INFINITY;
  const stopWhen = limits.stopWhen ?? never;
  let idleSteps = 0;
  if (limits.part !== 'later') takeInput(k);
  // A machine that TypeScript drives runs nothing else.
  if (k.mm.ksm.run !== KSM_RUN_STOP) armKsmd(k);
  for (;;) {
    fireTimers(k);
    drainWakeList(k);
    if (k.liveProcesses <= k.drivenProcesses) return 'exited';
    if (issued(k) >= stopIssued || k.clock.nowNs >= untilNs || stopWhen()) return 'budget';
    const task = pickNext(k);
    if (task === null) {
      if (takeInput(k)) continue;
      const next = Math.min(k.timers.nextDeadlineNs, untilNs);
      if (next === Number.POSITIVE_INFINITY) return 'idle-input';
      if (untilNs === Number.POSITIVE_INFINITY && waitsForScannersAlone(k)) return 'idle-input';
      // A person waits for sleeps of programs, not for devices that nobody has.
      if (limits.idle === 'wait' && k.timers.peek()?.kind !== 'disk' && k.stalls.idleCause === 'idle')
        return 'idle-timer';
      k.clock.skipTo(next, k.stalls.idleCause);
      k.loadAverage.sample(k.clock.nowNs, k.stalls.io);
      if (++idleSteps >= MAX_IDLE_STEPS && limits.instructions !== undefined) return 'budget';
      continue;
    }
    idleSteps = 0;
    switchTo(k, task);
    // A caller's limit is no event of the machine: the slice that it cut goes on, so that scheduling does not depend on it.
    if (k.cutSliceTid !== task.tid) task.sliceEndNs = k.clock.nowNs + k.config.sliceNs;
    k.cutSliceTid = 0;
    k.running = task;
    feedPsi(k, task);
    k.mm.faultAccount = task;
    k.mm.memcgs.current = task.cgroup.memcg;
    k.mm.memcgs.account = task;
    if (task.space !== null) task.space.readImpliesExec = (task.personality & READ_IMPLIES_EXEC) !== 0;
    runSlice(k, task, stopIssued, untilNs, stopWhen);
    k.running = null;
    feedPsi(k, task);
    k.mm.faultAccount = null;
    k.mm.memcgs.current = k.mm.memcgs.root;
    k.mm.memcgs.account = null;
    if (k.cutSliceTid !== 0) continue;
    if (task.state === 'R' && !task.queued) makeRunnable(k, task);
    armFlusher(k);
    armKhugepaged(k);
    pruneTimers(k);
  }
}

const never = (): boolean => false;

/** Instructions retired and traps: it rises with everything that the machine does. */
export function issued(k: Kernel): number {
  return k.cpu.retired + k.traps;
}

/** What the host's input has now; true if somebody may go on because of it. */
function takeInput(k: Kernel): boolean {
  const came = k.vfs.pumpInput();
  if (came) wakeInputWaiters(k);
  sendTerminalSignals(k);
  drainWakeList(k);
  return came;
}

/** Until the task leaves the CPU, or a limit is reached; then it is at the right place of the run queue. */
function runSlice(k: Kernel, t: Task, stopIssued: number, untilNs: number, stopWhen: () => boolean): void {
  const { clock } = k;
  // Instructions retire in `run` alone.
  let before = clock.retiredNs;
  for (;;) {
    if (!returnToUser(k, t)) return;
    const left =
      Math.min(t.sliceEndNs, k.timers.nextDeadlineNs, untilNs, k.loadAverage.nextNs) - (before + clock.chargedNs);
    const budget = Math.min(
      MAX_BUDGET,
      clock.instructionsUntil(Math.min(left, cpuTimeLeftNs(t.process)), before),
      stopIssued - issued(k),
    );
    // The time counter shows virtual time: what the vdso reads is what the system call would say.
    k.cpu.timeOffset = clock.chargedNs;
    const trap = k.cpu.run(Math.max(1, budget));
    const after = clock.retiredNs;
    addUserTime(t, after - before);
    before = after;
    // That its budget is over is no event of the machine: a run that is cut into pieces has as many traps.
    if (trap !== TRAP_BUDGET) k.traps++;
    handleTrap(k, t, trap);
    let now = after + clock.chargedNs;
    if (now >= k.loadAverage.nextNs) k.loadAverage.sample(now, k.runQueue.length + 1);
    checkCpuTimers(k, t);
    if (k.afterTrap !== null) k.afterTrap();
    if (k.mm.ksm.run !== KSM_RUN_STOP) armKsmd(k);
    sendTerminalSignals(k);
    if (now >= k.timers.nextDeadlineNs) {
      fireTimers(k);
      now = clock.nowNs;
    }
    drainWakeList(k);
    if (t.state !== 'R') return;
    if (now >= t.sliceEndNs) {
      if (k.runQueue.length > 0) {
        t.nivcsw++;
        t.queued = true;
        k.runQueue.push(t.tid);
        return;
      }
      t.sliceEndNs = now + k.config.sliceNs;
    }
    if (issued(k) >= stopIssued || now >= untilNs || stopWhen()) {
      t.queued = true;
      k.runQueue.unshift(t.tid);
      k.cutSliceTid = t.tid;
      return;
    }
  }
}

/** Finishes a woken system call and acts on signals; false when the task cannot run user code now. */
function returnToUser(k: Kernel, t: Task): boolean {
  while (t.state === 'R') {
    if (t.stopPoint !== null) {
      resumeAtPoint(k, t);
      continue;
    }
    if (t.wait !== null) {
      goOn(k, t);
      continue;
    }
    if (t.waiter.owedUntilNs > 0 && sleepOffDebt(k, t)) return false;
    if (t.restartResult === 0 && t.savedMask === null && !hasPendingSignal(t)) {
      if (t.pagesOverHigh > 0) {
        payForOverHigh(k, t);
        continue;
      }
      useSpaceOf(k, t);
      return true;
    }
    handleSignals(k, t);
    if (t.state === 'R' && owesWork(t)) finishOwing(k, t, 'frame', 0);
  }
  return false;
}

/** Is nothing to come but scans of memory? Then nobody runs before there is input: time stands still until the host has some. */
function waitsForScannersAlone(k: Kernel): boolean {
  return k.timers.entries.every(
    ({ kind, subject }) => kind === 'khugepaged' || (kind === 'kthread' && subject === k.ksmdTid),
  );
}
