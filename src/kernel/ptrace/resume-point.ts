import { SI_KERNEL } from '../../abi/signal.ts';
import { unreachable } from '../../base/assert.ts';
import { exitTask } from '../exit.ts';
import type { Kernel } from '../kernel.ts';
import { actOnSignal } from '../signals/deliver.ts';
import { sendToTask, userInfo } from '../signals/send.ts';
import { siginfo } from '../signals/siginfo.ts';
import { enterTracedCall } from '../syscalls/dispatch.ts';
import type { Task } from '../task.ts';
import { takePendingStop } from './stop.ts';

/** A task that had stopped for its tracer runs again: it goes on where it was. */
export function resumeAtPoint(k: Kernel, t: Task): void {
  const point = t.stopPoint!;
  const signo = t.stopSignal;
  t.stopPoint = null;
  t.stopSignal = 0;
  if (point.kind !== 'exit' && (t.killed || t.process.groupExit)) {
    t.trace?.pending.splice(0);
    return;
  }
  switch (point.kind) {
    case 'signal': {
      if (signo === 0) return;
      // ptrace_signal: another signal than the one that it stopped for comes from the tracer.
      const tracer = t.trace?.tracer ?? t;
      const info = signo === point.info.signo ? point.info : userInfo(tracer, signo);
      if (t.sigmask.has(signo)) sendToTask(k, t, info);
      else actOnSignal(k, t, info);
      return;
    }
    case 'call-enter':
      if (signo !== 0) sendToTask(k, t, siginfo(signo, SI_KERNEL));
      enterTracedCall(k, t);
      return;
    case 'call-exit':
      if (signo !== 0) sendToTask(k, t, siginfo(signo, SI_KERNEL));
      return;
    case 'event':
      // A call that is not done yet is run again by its wait; the others may have another stop due.
      if (t.wait === null) takePendingStop(k, t);
      return;
    case 'trap':
      return;
    case 'exit':
      exitTask(k, t, point.status);
      return;
    default:
      unreachable(point);
  }
}
