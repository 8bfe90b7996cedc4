import { E2BIG, EFAULT, EINVAL } from '../../abi/errno.ts';
import { PTRACE_EVENT_VFORK_DONE } from '../../abi/ptrace.ts';
import {
  CLONE_CLEAR_SIGHAND_HIGH,
  CLONE_DETACHED,
  CLONE_INTO_CGROUP_HIGH,
  CLONE_NEWTIME,
  CLONE_PARENT,
  CLONE_PARENT_SETTID,
  CLONE_PIDFD,
  CLONE_SIGHAND,
  CLONE_THREAD,
  CLONE_VFORK,
  CSIGNAL,
} from '../../abi/sched.ts';
import { cgroupForClone } from '../cgroup/clone-into.ts';
import { type CloneRequest, cloneTask } from '../fork.ts';
import type { Kernel } from '../kernel.ts';
import { MAX_LEVEL } from '../pid-namespace.ts';
import { takePendingStop } from '../ptrace/stop.ts';
import type { Task } from '../task.ts';
import { readBytes } from '../user-structs.ts';
import { UNINTERRUPTIBLE } from '../wait-state.ts';
import { BLOCKED, type SyscallRow } from './row.ts';

/** Another task: clone and clone3 (kernel/fork.c, 6.18), with the wait of a vfork parent. */

function fork(k: Kernel, t: Task, request: CloneRequest): number {
  // A vfork parent that was woken: the child's tid waits in its data.
  if (t.wait !== null) return waitForVfork(k, t, t.wait.data[0]);
  const child = cloneTask(k, t, request);
  if (typeof child === 'number') return child;
  if ((request.flags & CLONE_VFORK) === 0) return child.tid;
  if (t.trace === null || t.trace.pending.length === 0) return waitForVfork(k, t, child.tid);
  // Its tracer hears of the child before it waits for it; then the call is run again.
  t.wait = {
    queues: [],
    deadlineNs: Number.POSITIVE_INFINITY,
    onSignal: UNINTERRUPTIBLE,
    data: [child.tid],
    woken: 'event',
  };
  takePendingStop(k, t);
  return BLOCKED;
}

/** wait_for_vfork_done: until the child has given up the shared space. */
function waitForVfork(k: Kernel, t: Task, child: number): number {
  if (k.tasks.get(child)?.vforkParent !== t.tid) {
    if (t.trace?.wants(PTRACE_EVENT_VFORK_DONE) === true)
      t.trace.pending.push({ code: PTRACE_EVENT_VFORK_DONE, message: child, kind: 'event' });
    return child;
  }
  const r = k.block(t, {
    queues: [],
    deadlineNs: Number.POSITIVE_INFINITY,
    onSignal: UNINTERRUPTIBLE,
    data: [child],
  });
  return r === BLOCKED ? r : child;
}

function clone(k: Kernel, t: Task, flags: number, stack: number, a2: number, a3: number, a4: number): number {
  const args: Record<string, number> = {};
  k.arch.cloneOrder.forEach((name, i) => {
    args[name] = [flags, stack, a2, a3, a4][i];
  });
  const low = flags >>> 0;
  if ((low & CLONE_PIDFD) !== 0 && (low & (CLONE_PARENT_SETTID | CLONE_DETACHED)) !== 0) return -EINVAL;
  return fork(k, t, {
    flags: (low & ~CSIGNAL) >>> 0,
    flagsHigh: 0,
    exitSignal: low & CSIGNAL,
    stack,
    parentTid: args['parentTid'],
    childTid: args['childTid'],
    tls: args['tls'],
    // The old call writes it where the parent's tid would go.
    pidfd: args['parentTid'],
  });
}

const INT_MAX = 0x7fff_ffff;
const CLONE_ARGS_SIZE_VER0 = 64;
const CLONE_ARGS_SIZE_VER2 = 88;

function clone3(k: Kernel, t: Task, address: number, size: number): number {
  if (size > 4096) return -E2BIG;
  if (size < CLONE_ARGS_SIZE_VER0) return -EINVAL;
  if (size > CLONE_ARGS_SIZE_VER2) {
    const tail = new Uint8Array(size - CLONE_ARGS_SIZE_VER2);
    if (readBytes(k, t, address + CLONE_ARGS_SIZE_VER2, tail) < 0) return -EFAULT;
    if (tail.some((byte) => byte !== 0)) return -E2BIG;
  }
  const bytes = new Uint8Array(CLONE_ARGS_SIZE_VER2);
  if (readBytes(k, t, address, bytes.subarray(0, Math.min(size, CLONE_ARGS_SIZE_VER2))) < 0) return -EFAULT;
  const view = new DataView(bytes.buffer);
  const u64 = (at: number): number => view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
  const flags = view.getUint32(0, true);
  const flagsHigh = view.getUint32(4, true);
  const exitSignal = u64(32);
  const stack = u64(40);
  const stackSize = u64(48);
  // copy_clone_args_from_user.
  const setTidAt = u64(64);
  const setTidCount = u64(72);
  if (setTidCount > MAX_LEVEL || (setTidAt === 0) !== (setTidCount === 0)) return -EINVAL;
  const setTid = new Int32Array(setTidCount);
  if (setTidCount > 0 && readBytes(k, t, setTidAt, new Uint8Array(setTid.buffer)) < 0) return -EFAULT;
  // clone3_args_valid.
  if (
    flagsHigh > (CLONE_CLEAR_SIGHAND_HIGH | CLONE_INTO_CGROUP_HIGH) ||
    (flags & (CLONE_DETACHED | (CSIGNAL & ~CLONE_NEWTIME))) !== 0
  )
    return -EINVAL;
  if (exitSignal > 64) return -EINVAL;
  if ((flags & (CLONE_THREAD | CLONE_PARENT)) !== 0 && exitSignal !== 0) return -EINVAL;
  if ((flags & CLONE_SIGHAND) !== 0 && (flagsHigh & CLONE_CLEAR_SIGHAND_HIGH) !== 0) return -EINVAL;
  const intoCgroup = (flagsHigh & CLONE_INTO_CGROUP_HIGH) !== 0;
  // copy_clone_args_from_user: the number must be one of a descriptor, and the struct long enough to have it.
  if (intoCgroup && (u64(80) > INT_MAX || size < CLONE_ARGS_SIZE_VER2)) return -EINVAL;
  if (stack === 0 ? stackSize > 0 : stackSize === 0) return -EINVAL;
  const cgroup = intoCgroup ? cgroupForClone(t, u64(80)) : null;
  if (typeof cgroup === 'number') return cgroup;
  return fork(k, t, {
    flags,
    flagsHigh,
    cgroup,
    exitSignal,
    stack: stack === 0 ? 0 : stack + stackSize,
    childTid: u64(16),
    parentTid: u64(24),
    tls: u64(56),
    pidfd: u64(8),
    setTid: [...setTid],
  });
}

export const cloneCalls: readonly SyscallRow[] = [
  {
    name: 'clone',
    args: ['ulong', 'ptr', 'ptr', 'ptr', 'ptr'],
    run: clone,
    returns: 'pid',
    support: 'partial',
    note: 'every namespace but CLONE_NEWCGROUP',
  },
  {
    name: 'clone3',
    args: ['ptr', 'size'],
    run: clone3,
    returns: 'pid',
    support: 'partial',
    note: 'as clone',
  },
];
