import { EIO } from '../../abi/errno.ts';
import { SIGTTIN } from '../../abi/signal.ts';
import type { File } from '../../fs/file.ts';
import { TtyFile } from '../../fs/tty-file.ts';
import type { Kernel } from '../kernel.ts';
import { sendKernelSignalToGroup } from '../signals/send.ts';
import type { Task } from '../task.ts';
import { ERESTARTSYS } from '../wait-state.ts';

const SIG_IGN = 1;

/**
 * __tty_check_change (6.18, drivers/tty/tty_jobctrl.c): may the task use its terminal now? 0: yes. In the background its
 * group gets SIGTTIN or SIGTTOU and the call is run again afterwards; with the signal blocked or ignored a read is -EIO and
 * anything else goes on.
 */
export function checkTerminal(k: Kernel, t: Task, file: File, operation: 'read' | 'write' | 'change'): number {
  if (!(file instanceof TtyFile)) return 0;
  const answer = file.tty.checkJobControl(operation);
  if (answer === 0) return 0;
  const signo = operation === 'read' ? SIGTTIN : SIGTTIN + 1;
  if (t.sigmask.has(signo) || t.sighand?.actions[signo].handler === SIG_IGN) return operation === 'read' ? -EIO : 0;
  if (answer < 0) return answer;
  sendKernelSignalToGroup(k, t.process.pgrp, answer);
  return -ERESTARTSYS;
}
