import { exitTask } from './exit.ts';
import type { Kernel } from './kernel.ts';
import { unlinkTracee } from './ptrace/attach.ts';
import type { Task } from './task.ts';

/**
 * de_thread: execve leaves one thread. The others end at once (on one CPU none of them is running); if the caller is not the
 * leader it takes over the leader's tid, so that the process keeps its pid.
 */
export function deThread(k: Kernel, t: Task): void {
  const { process } = t;
  for (const thread of [...process.threads]) {
    if (thread !== t && thread.state !== 'Z' && thread.state !== 'X') exitTask(k, thread, 0);
  }
  const old = process.leader;
  if (old === t) return;
  // The old leader is a zombie thread now: what is left of it is its tid, which the caller takes.
  const at = process.threads.indexOf(old);
  if (at >= 0) process.threads.splice(at, 1);
  process.utimeNs += old.utimeNs;
  process.stimeNs += old.stimeNs;
  process.minflt += old.minflt;
  process.swapIns += old.swapIns;
  process.majflt += old.majflt;
  process.nvcsw += old.nvcsw;
  process.nivcsw += old.nivcsw;
  unlinkTracee(old);
  old.state = 'X';
  k.tasks.delete(t.tid);
  k.caches.pid.free(t.pidSlot);
  k.caches.task.free(old.slot);
  t.tid = old.tid;
  t.waiter = old.waiter;
  if (k.current === t) {
    k.mm.waiter = t.waiter;
    k.mm.block.debtor = t.waiter;
  }
  t.pidSlot = old.pidSlot;
  t.exitSignal = old.exitSignal;
  k.tasks.set(t.tid, t);
  k.events.currentPid = t.tid;
  process.leader = t;
}
