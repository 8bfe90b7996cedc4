import { EAGAIN, EDEADLK, EFAULT, EINVAL, ENOSYS, EPERM, ESRCH, ETIMEDOUT } from '../../abi/errno.ts';
import {
  FUTEX_BITSET_MATCH_ANY,
  FUTEX_CLOCK_REALTIME,
  FUTEX_CMD_MASK,
  FUTEX_CMP_REQUEUE,
  FUTEX_LOCK_PI,
  FUTEX_LOCK_PI2,
  FUTEX_OP_ADD,
  FUTEX_OP_ANDN,
  FUTEX_OP_OR,
  FUTEX_OP_SET,
  FUTEX_OP_XOR,
  FUTEX_OWNER_DIED,
  FUTEX_PRIVATE_FLAG,
  FUTEX_REQUEUE,
  FUTEX_TID_MASK,
  FUTEX_TRYLOCK_PI,
  FUTEX_UNLOCK_PI,
  FUTEX_WAIT,
  FUTEX_WAIT_BITSET,
  FUTEX_WAITERS,
  FUTEX_WAKE,
  FUTEX_WAKE_BITSET,
  FUTEX_WAKE_OP,
} from '../../abi/futex.ts';
import { CLOCK_MONOTONIC, CLOCK_REALTIME } from '../../abi/time.ts';
import { compareExchangeU32, readU32, writeU32 } from '../../mm/user-access.ts';
import { futexKey, wakeKey } from '../futex.ts';
import type { Kernel } from '../kernel.ts';
import { ownTid } from '../pid-namespace.ts';
import type { Task } from '../task.ts';
import { NS_PER_S, readLongs, writeLongs } from '../user-structs.ts';
import { ERESTART_RESTARTBLOCK, ERESTARTNOINTR, ERESTARTSYS } from '../wait-state.ts';
import { BLOCKED, type SyscallRow } from './row.ts';
import { deadlineOfPair } from './time.ts';

type Scope = 'private' | 'shared';

/** Virtual time of a timeout argument; Infinity without one; or -ERRNO. */
export function futexDeadline(
  k: Kernel,
  t: Task,
  address: number,
  kind: 'relative' | 'monotonic' | 'realtime',
): number {
  if (address === 0) return Number.POSITIVE_INFINITY;
  const pair = readLongs(k, t, address, 2);
  if (typeof pair === 'number') return -EFAULT;
  const [seconds, ns] = pair;
  if (seconds < 0 || ns < 0 || ns >= NS_PER_S) return -EINVAL;
  if (kind === 'relative') return k.clock.nowNs + seconds * NS_PER_S + ns;
  return Math.max(0, deadlineOfPair(k, kind === 'realtime' ? CLOCK_REALTIME : CLOCK_MONOTONIC, seconds, ns));
}

/** futex_wait: data[0] says that the task sleeps on the word already. */
function wait(
  k: Kernel,
  t: Task,
  address: number,
  expected: number,
  deadlineNs: number,
  bitset: number,
  scope: Scope,
): number {
  if (bitset === 0) return -EINVAL;
  if (t.wait !== null && t.wait.data.length > 0) {
    const stillThere = k.futexes.keyOf(t.tid);
    if (stillThere === null) return 0;
    k.futexes.removeTask(t.tid, stillThere);
    if (t.wait.woken === 'timeout') return -ETIMEDOUT;
    // futex_wait restarts through restart_syscall with the old deadline if it has one.
    if (t.wait.woken === 'signal') {
      if (deadlineNs === Number.POSITIVE_INFINITY) return -ERESTARTSYS;
      t.wait.data.length = 0;
      return -ERESTART_RESTARTBLOCK;
    }
  }
  const key = futexKey(k, t.space!, address, scope);
  if (typeof key === 'number') return key;
  const value = readU32(k.mm, t.space!, address);
  if (value < 0) return -EFAULT;
  if (value !== expected) return -EAGAIN;
  const onSignal = deadlineNs === Number.POSITIVE_INFINITY ? ERESTARTSYS : ERESTART_RESTARTBLOCK;
  const r = k.block(t, { queues: [], deadlineNs, onSignal, data: [1] });
  if (r === BLOCKED) k.futexes.add({ tid: t.tid, bitset, key });
  else if (r === -ERESTART_RESTARTBLOCK)
    t.wait = { queues: [], deadlineNs, onSignal, data: [], source: 'event', woken: 'signal' };
  return r;
}

function requeue(
  k: Kernel,
  t: Task,
  from: number,
  to: number,
  wakeCount: number,
  moveCount: number,
  expected: number | null,
  scope: Scope,
): number {
  if (wakeCount < 0 || moveCount < 0) return -EINVAL;
  const fromKey = futexKey(k, t.space!, from, scope);
  if (typeof fromKey === 'number') return fromKey;
  const toKey = futexKey(k, t.space!, to, scope);
  if (typeof toKey === 'number') return toKey;
  if (expected !== null) {
    const value = readU32(k.mm, t.space!, from);
    if (value < 0) return -EFAULT;
    if (value !== expected) return -EAGAIN;
  }
  const woken = wakeKey(k, fromKey, wakeCount);
  let moved = 0;
  const list = k.futexes.buckets.get(fromKey) ?? [];
  while (list.length > 0 && moved < moveCount) {
    const waiter = list.shift()!;
    waiter.key = toKey;
    k.futexes.add(waiter);
    moved++;
    if (fromKey === toKey && moved >= list.length + moved) break;
  }
  if (list.length === 0) k.futexes.buckets.delete(fromKey);
  return woken + moved;
}

function signed12(value: number): number {
  return (value << 20) >> 20;
}

/** futex_atomic_op_inuser and FUTEX_WAKE_OP. */
function wakeOp(
  k: Kernel,
  t: Task,
  address: number,
  count: number,
  count2: number,
  address2: number,
  encoded: number,
  scope: Scope,
): number {
  const key1 = futexKey(k, t.space!, address, scope);
  if (typeof key1 === 'number') return key1;
  const key2 = futexKey(k, t.space!, address2, scope);
  if (typeof key2 === 'number') return key2;
  const op = (encoded >>> 28) & 7;
  let argument = signed12((encoded >>> 12) & 0xfff);
  if ((encoded & 0x8000_0000) !== 0) argument = 1 << (argument & 31);
  const old = readU32(k.mm, t.space!, address2);
  if (old < 0) return -EFAULT;
  let next: number;
  if (op === FUTEX_OP_SET) next = argument;
  else if (op === FUTEX_OP_ADD) next = old + argument;
  else if (op === FUTEX_OP_OR) next = old | argument;
  else if (op === FUTEX_OP_ANDN) next = old & ~argument;
  else if (op === FUTEX_OP_XOR) next = old ^ argument;
  else return -ENOSYS;
  if (writeU32(k.mm, t.space!, address2, next >>> 0) < 0) return -EFAULT;
  const compareWith = signed12(encoded & 0xfff);
  const before = old | 0;
  const holds = [
    before === compareWith,
    before !== compareWith,
    before < compareWith,
    before <= compareWith,
    before > compareWith,
    before >= compareWith,
  ][(encoded >>> 24) & 15];
  if (holds === undefined) return -ENOSYS;
  const woken = wakeKey(k, key1, count);
  return holds ? woken + wakeKey(k, key2, count2) : woken;
}

/**
 * FUTEX_LOCK_PI and its kin: the lock word is the owner's tid. There are no priorities to inherit on a round-robin machine;
 * what remains is hand-over in order and the error checks (futex_lock_pi, futex_unlock_pi).
 */
function lockPi(k: Kernel, t: Task, address: number, deadlineNs: number, scope: Scope, mode: 'wait' | 'try'): number {
  const space = t.space!;
  if (t.wait !== null && t.wait.data.length > 0) {
    const key = k.futexes.keyOf(t.tid);
    if (key !== null) {
      k.futexes.removeTask(t.tid, key);
      if (t.wait.woken === 'timeout') return -ETIMEDOUT;
    } else {
      // Handed over by the owner: the word holds our tid.
      const value = readU32(k.mm, space, address);
      if (value >= 0 && (value & FUTEX_TID_MASK) >>> 0 === ownTid(t)) return 0;
    }
  }
  const key = futexKey(k, space, address, scope);
  if (typeof key === 'number') return key;
  for (;;) {
    const value = readU32(k.mm, space, address);
    if (value < 0) return -EFAULT;
    const owner = (value & FUTEX_TID_MASK) >>> 0;
    if (owner === ownTid(t)) return -EDEADLK;
    if (owner === 0) {
      const hasWaiters = (k.futexes.buckets.get(key)?.length ?? 0) > 0;
      const next = (ownTid(t) | (value & FUTEX_OWNER_DIED) | (hasWaiters ? FUTEX_WAITERS : 0)) >>> 0;
      const seen = compareExchangeU32(k.mm, space, address, value, next);
      if (seen < 0) return -EFAULT;
      if (seen === value) return 0;
      continue;
    }
    if (mode === 'try') return -EAGAIN;
    if (!k.tasks.has(t.pidNs.pidOf(owner))) return -ESRCH;
    const marked = (value | FUTEX_WAITERS) >>> 0;
    const seen = compareExchangeU32(k.mm, space, address, value, marked);
    if (seen < 0) return -EFAULT;
    if (seen !== value) continue;
    const r = k.block(t, { queues: [], deadlineNs, onSignal: ERESTARTNOINTR, data: [1] });
    if (r === BLOCKED) k.futexes.add({ tid: t.tid, bitset: FUTEX_BITSET_MATCH_ANY, key });
    return r;
  }
}

function unlockPi(k: Kernel, t: Task, address: number, scope: Scope): number {
  const space = t.space!;
  const key = futexKey(k, space, address, scope);
  if (typeof key === 'number') return key;
  const value = readU32(k.mm, space, address);
  if (value < 0) return -EFAULT;
  if ((value & FUTEX_TID_MASK) >>> 0 !== ownTid(t)) return -EPERM;
  const heir = k.futexes.buckets.get(key)?.[0];
  const more = (k.futexes.buckets.get(key)?.length ?? 0) > 1;
  const next = heir === undefined ? 0 : (ownTid(k.tasks.get(heir.tid)!) | (more ? FUTEX_WAITERS : 0)) >>> 0;
  if (writeU32(k.mm, space, address, next) < 0) return -EFAULT;
  if (heir !== undefined) wakeKey(k, key, 1);
  return 0;
}

function futex(
  k: Kernel,
  t: Task,
  address: number,
  op: number,
  value: number,
  timeout: number,
  address2: number,
  value3: number,
): number {
  const command = op & FUTEX_CMD_MASK;
  const scope: Scope = (op & FUTEX_PRIVATE_FLAG) !== 0 ? 'private' : 'shared';
  const isRealtime = (op & FUTEX_CLOCK_REALTIME) !== 0;
  if (isRealtime && command !== FUTEX_WAIT_BITSET && command !== FUTEX_LOCK_PI2) return -ENOSYS;
  if (address % 4 !== 0) return -EINVAL;
  if (address >= 2 ** 63) return -EFAULT;
  const count2 = timeout | 0;
  switch (command) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET: {
      const kind = command === FUTEX_WAIT ? 'relative' : isRealtime ? 'realtime' : 'monotonic';
      const deadlineNs = t.wait === null ? futexDeadline(k, t, timeout, kind) : t.wait.deadlineNs;
      if (deadlineNs < 0) return deadlineNs;
      return wait(k, t, address, value, deadlineNs, command === FUTEX_WAIT ? FUTEX_BITSET_MATCH_ANY : value3, scope);
    }
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET: {
      const bitset = command === FUTEX_WAKE ? FUTEX_BITSET_MATCH_ANY : value3;
      if (bitset === 0) return -EINVAL;
      const key = futexKey(k, t.space!, address, scope);
      return typeof key === 'number' ? key : wakeKey(k, key, Math.max(1, value | 0), bitset);
    }
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
      if (address2 % 4 !== 0) return -EINVAL;
      return requeue(k, t, address, address2, value | 0, count2, command === FUTEX_REQUEUE ? null : value3, scope);
    case FUTEX_WAKE_OP:
      if (address2 % 4 !== 0) return -EINVAL;
      return wakeOp(k, t, address, value | 0, count2, address2, value3, scope);
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2: {
      const kind = command === FUTEX_LOCK_PI || isRealtime ? 'realtime' : 'monotonic';
      const deadlineNs = t.wait === null ? futexDeadline(k, t, timeout, kind) : t.wait.deadlineNs;
      return deadlineNs < 0 ? deadlineNs : lockPi(k, t, address, deadlineNs, scope, 'wait');
    }
    case FUTEX_TRYLOCK_PI:
      return lockPi(k, t, address, Number.POSITIVE_INFINITY, scope, 'try');
    case FUTEX_UNLOCK_PI:
      return unlockPi(k, t, address, scope);
    default:
      return -ENOSYS;
  }
}

const ROBUST_HEAD_WORDS = 3;

function setRobustList(k: Kernel, t: Task, head: number, size: number): number {
  if (size !== ROBUST_HEAD_WORDS * k.arch.wordBytes) return -EINVAL;
  t.robustListHead = head;
  return 0;
}

function getRobustList(k: Kernel, t: Task, pid: number, headAddress: number, sizeAddress: number): number {
  const target = pid === 0 ? t : k.tasks.get(pid);
  if (target === undefined) return -ESRCH;
  if (writeLongs(k, t, sizeAddress, [ROBUST_HEAD_WORDS * k.arch.wordBytes]) < 0) return -EFAULT;
  return writeLongs(k, t, headAddress, [target.robustListHead]);
}

export const futexCalls: readonly SyscallRow[] = [
  {
    name: 'futex',
    args: ['ptr', 'int', 'uint', 'ptr', 'ptr', 'uint'],
    run: futex,
    support: 'partial',
    note: 'PI locks without priorities; no WAIT_REQUEUE_PI, CMP_REQUEUE_PI',
  },
  { name: 'set_robust_list', args: ['ptr', 'size'], run: setRobustList, support: 'full', note: '' },
  { name: 'get_robust_list', args: ['pid', 'ptr', 'ptr'], run: getRobustList, support: 'full', note: '' },
];
