import { EFAULT, EINVAL, EPERM, ESRCH } from '../../abi/errno.ts';
import { SCHED_BATCH, SCHED_FIFO, SCHED_IDLE, SCHED_OTHER, SCHED_RESET_ON_FORK, SCHED_RR } from '../../abi/sched.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { readBytes, writeBytes, writeI32s, writeTimespecNs } from '../user-structs.ts';
import { row, type SyscallRow } from './row.ts';

/** Scheduling parameters are kept and shown; one CPU runs all in turn whatever they say. */
const find = (k: Kernel, t: Task, pid: number): Task | null => (pid === 0 ? t : (k.tasks.get(pid) ?? null));

const isRealtime = (policy: number): boolean => policy === SCHED_FIFO || policy === SCHED_RR;
const isPolicy = (policy: number): boolean =>
  policy === SCHED_OTHER || policy === SCHED_BATCH || policy === SCHED_IDLE || isRealtime(policy);

function sched_yield(k: Kernel, t: Task): number {
  t.sliceEndNs = k.clock.nowNs;
  return 0;
}

/** One CPU: number 0. */
function getaffinity(k: Kernel, t: Task, pid: number, size: number, address: number): number {
  if (size * 8 < 1 || size % k.arch.wordBytes !== 0) return -EINVAL;
  if (find(k, t, pid) === null) return -ESRCH;
  const bytes = new Uint8Array(k.arch.wordBytes);
  bytes[0] = 1;
  return writeBytes(k, t, address, bytes) < 0 ? -EFAULT : bytes.length;
}

function setaffinity(k: Kernel, t: Task, pid: number, size: number, address: number): number {
  const bytes = new Uint8Array(Math.min(size, k.arch.wordBytes));
  if (readBytes(k, t, address, bytes) < 0) return -EFAULT;
  if (find(k, t, pid) === null) return -ESRCH;
  return bytes.length > 0 && (bytes[0] & 1) !== 0 ? 0 : -EINVAL;
}

function getscheduler(k: Kernel, t: Task, pid: number): number {
  if (pid < 0) return -EINVAL;
  const target = find(k, t, pid);
  return target === null ? -ESRCH : target.policy + (target.resetOnFork ? SCHED_RESET_ON_FORK : 0);
}

function apply(k: Kernel, t: Task, pid: number, policy: number, priority: number): number {
  const target = find(k, t, pid);
  if (target === null) return -ESRCH;
  const kind = policy & ~SCHED_RESET_ON_FORK;
  if (!isPolicy(kind)) return -EINVAL;
  if (isRealtime(kind) ? priority < 1 || priority > 99 : priority !== 0) return -EINVAL;
  if (isRealtime(kind) && t.cred.euid !== 0) return -EPERM;
  target.policy = kind;
  target.rtPriority = priority;
  target.resetOnFork = (policy & SCHED_RESET_ON_FORK) !== 0;
  return 0;
}

function readPriority(k: Kernel, t: Task, address: number): number {
  const bytes = new Uint8Array(4);
  if (readBytes(k, t, address, bytes) < 0) return -EFAULT;
  return new DataView(bytes.buffer).getInt32(0, true) >>> 0;
}

function setscheduler(k: Kernel, t: Task, pid: number, policy: number, param: number): number {
  if (policy < 0 || param === 0 || pid < 0) return -EINVAL;
  const priority = readPriority(k, t, param);
  return priority < 0 ? priority : apply(k, t, pid, policy, priority);
}

function setparam(k: Kernel, t: Task, pid: number, param: number): number {
  if (param === 0 || pid < 0) return -EINVAL;
  const priority = readPriority(k, t, param);
  if (priority < 0) return priority;
  return apply(k, t, pid, find(k, t, pid)?.policy ?? 0, priority);
}

function getparam(k: Kernel, t: Task, pid: number, param: number): number {
  if (param === 0 || pid < 0) return -EINVAL;
  const target = find(k, t, pid);
  return target === null ? -ESRCH : writeI32s(k, t, param, [target.rtPriority]);
}

function rrInterval(k: Kernel, t: Task, pid: number, address: number): number {
  if (pid < 0) return -EINVAL;
  const target = find(k, t, pid);
  if (target === null) return -ESRCH;
  return writeTimespecNs(k, t, address, target.policy === SCHED_FIFO ? 0 : k.config.sliceNs);
}

const KEPT = 'kept; slices do not depend on it';
export const schedCalls: readonly SyscallRow[] = [
  row('sched_yield', [], sched_yield),
  row('sched_getaffinity', ['pid', 'uint', 'ptr'], getaffinity),
  row('sched_setaffinity', ['pid', 'uint', 'ptr'], setaffinity),
  row('sched_getscheduler', ['pid'], getscheduler),
  row('sched_setscheduler', ['pid', 'int', 'ptr'], setscheduler, KEPT),
  row('sched_getparam', ['pid', 'ptr'], getparam),
  row('sched_setparam', ['pid', 'ptr'], setparam, KEPT),
  row('sched_get_priority_max', ['int'], (_k, _t, policy) =>
    isRealtime(policy) ? 99 : isPolicy(policy) ? 0 : -EINVAL,
  ),
  row('sched_get_priority_min', ['int'], (_k, _t, policy) => (isRealtime(policy) ? 1 : isPolicy(policy) ? 0 : -EINVAL)),
  row('sched_rr_get_interval', ['pid', 'ptr'], rrInterval),
];
