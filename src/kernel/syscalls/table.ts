import { capabilityCalls } from './capability.ts';
import { cloneCalls } from './clone.ts';
import { futexCalls } from './futex.ts';
import { futexWaitvCalls } from './futex-waitv.ts';
import { idCalls } from './ids.ts';
import { inotifyCalls } from './inotify.ts';
import { limitCalls } from './limits.ts';
import { membarrierCalls } from './membarrier.ts';
import { mempolicyCalls } from './mempolicy.ts';
import { mountCalls } from './mount.ts';
import { msgCalls } from './msg.ts';
import { namespaceCalls } from './namespace.ts';
import { pidfdCalls } from './pidfd.ts';
import { prctlCalls } from './prctl.ts';
import { processCalls } from './process.ts';
import { ptraceCalls } from './ptrace.ts';
import { remoteMemoryCalls } from './remote-memory.ts';
import type { SyscallRow } from './row.ts';
import { schedCalls } from './sched.ts';
import { semCalls } from './sem.ts';
import { shmCalls } from './shm.ts';
import { signalCalls } from './signal.ts';
import { signalfdCalls } from './signalfd.ts';
import { swapCalls } from './swap.ts';
import { sysCalls } from './sys-calls.ts';
import { timeCalls } from './time.ts';
import { timerfdCalls } from './timerfd.ts';
import { waitCalls } from './wait.ts';

/** Every system call that the kernel knows. A name stands here once. */
export const ALL_CALLS: readonly SyscallRow[] = [
  ...processCalls,
  ...cloneCalls,
  ...waitCalls,
  ...prctlCalls,
  ...idCalls,
  ...capabilityCalls,
  ...limitCalls,
  ...signalCalls,
  ...signalfdCalls,
  ...timeCalls,
  ...timerfdCalls,
  ...inotifyCalls,
  ...futexCalls,
  ...futexWaitvCalls,
  ...schedCalls,
  ...membarrierCalls,
  ...mempolicyCalls,
  ...mountCalls,
  ...namespaceCalls,
  ...swapCalls,
  ...pidfdCalls,
  ...remoteMemoryCalls,
  ...shmCalls,
  ...semCalls,
  ...msgCalls,
  ...ptraceCalls,
  ...sysCalls,
];
