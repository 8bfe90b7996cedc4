import { SI_TIMER, SI_USER } from '../../abi/signal.ts';
import type { Kernel } from '../kernel.ts';
import { rearmAfterDelivery } from '../posix-timers.ts';
import type { Task } from '../task.ts';
import { SYNCHRONOUS_SIGNALS } from './defaults.ts';
import type { PendingSignals } from './pending.ts';
import { type Siginfo, siginfo } from './siginfo.ts';
import type { SigSet } from './sigset.ts';

/** dequeue_signal: the next signal that `mask` does not hold back, the task's own before the process's; null if none. */
export function dequeueSignal(k: Kernel, task: Task, mask: SigSet): Siginfo | null {
  const info = takeFrom(task.pending, mask) ?? takeFrom(task.process.shared, mask);
  if (info === null || info.code !== SI_TIMER) return info;
  return rearmAfterDelivery(k, task.process, info);
}

/** next_signal: synchronous faults first, then the lowest number. 0: none. */
function nextSignal(set: SigSet, mask: SigSet): number {
  const lo = (set.lo & ~mask.lo) >>> 0;
  const hi = (set.hi & ~mask.hi) >>> 0;
  const synchronous = (lo & SYNCHRONOUS_SIGNALS.lo) >>> 0;
  if (synchronous !== 0) return lowestBit(synchronous) + 1;
  if (lo !== 0) return lowestBit(lo) + 1;
  return hi === 0 ? 0 : lowestBit(hi) + 33;
}

const lowestBit = (word: number): number => 31 - Math.clz32(word & -word);

/** collect_signal. */
function takeFrom(pending: PendingSignals, mask: SigSet): Siginfo | null {
  const signo = nextSignal(pending.set, mask);
  if (signo === 0) return null;
  const at = pending.queue.findIndex((info) => info.signo === signo);
  if (at < 0) {
    pending.set.delete(signo);
    return siginfo(signo, SI_USER);
  }
  const [info] = pending.queue.splice(at, 1);
  if (!pending.queue.some((other) => other.signo === signo)) pending.set.delete(signo);
  return info;
}
