import { unreachable } from '../base/assert.ts';
import { runFlusher } from './flusher.ts';
import { fireItimer } from './itimers.ts';
import type { Kernel } from './kernel.ts';
import { runKhugepaged } from './khugepaged.ts';
import { runKsmd } from './ksmd.ts';
import { firePosixTimer } from './posix-timers.ts';
import { firePsiTimer } from './psi/psi-watch.ts';
import { wakeTask } from './scheduler.ts';
import type { TimerEntry } from './timers.ts';

/** Acts on every timer whose time has come, in order. */
export function fireTimers(k: Kernel): void {
  for (;;) {
    const first = k.timers.peek();
    if (first === null || first.deadlineNs > k.clock.nowNs) return;
    k.timers.pop();
    fire(k, first);
  }
}

function fire(k: Kernel, entry: TimerEntry): void {
  switch (entry.kind) {
    case 'wait': {
      const task = k.tasks.get(entry.subject);
      if (task?.wait?.deadlineNs === entry.deadlineNs) wakeTask(k, task, 'timeout');
      return;
    }
    case 'itimer':
      fireItimer(k, entry);
      return;
    case 'posix':
      firePosixTimer(k, entry);
      return;
    case 'kthread':
    case 'khugepaged':
      fireKthread(k, entry);
      return;
    case 'disk':
      k.mm.block.endUntil(k.clock.nowNs);
      return;
    case 'psi':
      firePsiTimer(k, entry.subject, entry.detail, entry.deadlineNs);
      return;
    case 'queue':
      k.timerQueues.get(entry.subject)?.wakeAll();
      return;
    default:
      unreachable(entry.kind);
  }
}

/**
 * A thread of the kernel does its work: whoever runs has nothing to do with it, and pays for none of it. It has no space: what it takes
 * is charged to nobody.
 */
function fireKthread(k: Kernel, entry: TimerEntry): void {
  const { waiter, block, memcgs } = k.mm;
  const { debtor } = block;
  const { current, account } = memcgs;
  k.mm.waiter = null;
  block.debtor = null;
  memcgs.current = memcgs.root;
  memcgs.account = null;
  if (entry.kind === 'khugepaged') runKhugepaged(k, entry.deadlineNs);
  else if (entry.subject === k.kswapd.tid) k.kswapd.run();
  else if (entry.subject === k.ksmdTid) runKsmd(k, entry.deadlineNs);
  else runFlusher(k, entry.detail === 1 ? 'periodic' : 'too much');
  memcgs.current = current;
  memcgs.account = account;
  k.mm.waiter = waiter;
  block.debtor = debtor;
}

/** Drops entries of waits that ended early, once they are many: a loop of short polls would let the heap grow without end. */
export function pruneTimers(k: Kernel): void {
  if (k.timers.entries.length < k.timers.pruneAt) return;
  k.timers.retain(
    (entry) => entry.kind !== 'wait' || k.tasks.get(entry.subject)?.wait?.deadlineNs === entry.deadlineNs,
  );
}
