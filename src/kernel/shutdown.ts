import { assert } from '../base/assert.ts';
import { exitTask, releaseProcess } from './exit.ts';
import { dropIpc, leaveIpc } from './ipc/namespace.ts';
import type { Kernel } from './kernel.ts';
import { leaveMounts } from './mount-namespace.ts';
import { letGoOfSwap } from './swap-files.ts';
import { freeVdso } from './vdso-mapping.ts';

/**
 * Ends all that lives (as SIGKILL would), the kernel's own tasks last, and gives back every slot and frame of the kernel. The
 * machine does not run again. File systems are vfs.shutdown's.
 */
export function shutdownKernel(k: Kernel): void {
  endAllProcesses(k);
  for (const process of [...k.processes.values()].reverse()) {
    for (const thread of process.threads) {
      leaveIpc(k, thread);
      leaveMounts(k, thread);
      const { sighand } = thread;
      thread.sighand = null;
      if (sighand !== null && --sighand.users === 0) k.caches.sighand.free(sighand.slot);
    }
    releaseProcess(k, process);
  }
  k.mm.block.drain();
  k.runQueue.length = 0;
  k.wakeList.tids.length = 0;
  dropIpc(k, k.initialIpc);
  assert(k.ipcNamespaces.size === 0, 'kernel/ipc/namespace.ts: N1 nobody is in an IPC namespace after the end');
  k.cgroups.shutdown();
  letGoOfSwap(k);
  freeVdso(k);
}

/** Every user and driven process ends as by SIGKILL and is reaped. */
export function endAllProcesses(k: Kernel): void {
  for (const task of [...k.tasks.values()]) {
    if (task.kind === 'kthread' || task.state === 'Z' || task.state === 'X') continue;
    task.process.groupExit = true;
    task.process.groupExitCode = 9;
    exitTask(k, task, 9);
  }
  for (const process of [...k.processes.values()]) {
    if (process.leader.kind !== 'kthread' && k.processes.has(process.pid)) releaseProcess(k, process);
  }
  k.drivenProcesses = 0;
}
