import { E2BIG, EACCES, EAGAIN, EFAULT, EFBIG, EINTR, EINVAL, ENOSPC, ERANGE } from '../../abi/errno.ts';
import {
  GETALL,
  GETNCNT,
  GETPID,
  GETVAL,
  GETZCNT,
  IPC_INFO,
  IPC_RMID,
  IPC_SET,
  IPC_STAT,
  SEM_INFO,
  SEM_STAT,
  SEM_STAT_ANY,
  SEM_UNDO,
  SEMVMX,
  SETALL,
  SETVAL,
} from '../../abi/ipc.ts';
import { checkIpcOwner, checkIpcPerm, lookupKey, newPerm, updateIpcPerm } from '../ipc/ipc-ids.ts';
import {
  ensureUndo,
  forgetUndo,
  performOps,
  removeSet,
  type SemOp,
  SemSet,
  type SemWaiter,
  sleepersOn,
  updateSet,
  WAITER_DONE,
  WAITER_ID,
  WAITER_RESULT,
} from '../ipc/sem.ts';
import { decodePerm, permBytes, WordWriter } from '../ipc/structs.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { readBytes, readTimespecNs, writeBytes } from '../user-structs.ts';
import { BLOCKED, type SyscallRow } from './row.ts';
import { ipcOf } from './user.ts';

/** System V semaphores (6.18, ipc/sem.c). */

function semget(k: Kernel, t: Task, key: number, count: number, flags: number): number {
  const { sem: ns, userNs } = ipcOf(t);
  if (count < 0 || count > ns.perSet) return -EINVAL;
  const found = lookupKey(ns.ids, t.cred, key, flags, (set) => (count > set.values.length ? -EINVAL : 0));
  if (found !== null) return found;
  if (count === 0) return -EINVAL;
  if (ns.used + count > ns.all) return -ENOSPC;
  const id = ns.ids.add(new SemSet(newPerm(key, flags, t.cred, userNs), count, k.realTime().seconds), ns.maxSets);
  if (id >= 0) ns.used += count;
  return id;
}

const semop = (k: Kernel, t: Task, id: number, address: number, count: number): number =>
  operate(k, t, id, address, count, 0);
const semtimedop = (k: Kernel, t: Task, id: number, address: number, count: number, timeout: number): number =>
  operate(k, t, id, address, count, timeout);

/** do_semtimedop. A sleeper finds its result in its waiter; whoever changed the set has done its operations. */
function operate(k: Kernel, t: Task, id: number, address: number, count: number, timeout: number): number {
  if (t.wait !== null) return goOn(k, t, id);
  const ns = ipcOf(t).sem;
  const timeoutNs = timeout === 0 ? Number.POSITIVE_INFINITY : readTimespecNs(k, t, timeout);
  if (timeoutNs === -EFAULT) return -EFAULT;
  if (count > ns.opsPerCall) return -E2BIG;
  if (count < 1 || id < 0) return -EINVAL;
  const ops = readOps(k, t, address, count);
  if (typeof ops === 'number') return ops;
  if (timeoutNs < 0) return timeoutNs;
  const set = ns.ids.find(id);
  if (set === null) return -EINVAL;
  if (ops.some((op) => op.num >= set.values.length)) return -EFBIG;
  const isChange = ops.some((op) => op.value !== 0);
  if (checkIpcPerm(t.cred, set.perm, isChange ? 0o222 : 0o444) < 0) return -EACCES;
  const undo = ops.some((op) => (op.flags & SEM_UNDO) !== 0) ? ensureUndo(ns, t, set) : null;
  const { result, blocking } = performOps(set, ops, undo, t.tgid);
  if (result !== 'wait') {
    if (result === 0) {
      set.otime = k.realTime().seconds;
      if (isChange) updateSet(k, set);
    }
    return result;
  }
  const waiter: SemWaiter = {
    id: ++ns.lastWaiterId,
    tid: t.tid,
    pid: t.tgid,
    ops,
    undo,
    blockingNum: blocking!.num,
    blockingValue: blocking!.value,
  };
  set.waiters.push(waiter);
  const slept = k.block(t, {
    queues: [],
    deadlineNs: k.clock.nowNs + timeoutNs,
    onSignal: EINTR,
    data: [waiter.id, 0, 0],
  });
  if (slept !== BLOCKED) set.waiters.pop();
  return slept;
}

function goOn(k: Kernel, t: Task, id: number): number {
  const { data, woken, deadlineNs } = t.wait!;
  if (data[WAITER_DONE] === 1) return data[WAITER_RESULT];
  const result = woken === 'timeout' ? -EAGAIN : k.block(t, { queues: [], deadlineNs, onSignal: EINTR, data });
  if (result === BLOCKED) return result;
  const set = ipcOf(t).sem.ids.find(id);
  if (set !== null) set.waiters = set.waiters.filter((waiter) => waiter.id !== data[WAITER_ID]);
  return result;
}

function readOps(k: Kernel, t: Task, address: number, count: number): SemOp[] | number {
  const bytes = new Uint8Array(count * 6);
  if (readBytes(k, t, address, bytes) < 0) return -EFAULT;
  const view = new DataView(bytes.buffer);
  const ops: SemOp[] = [];
  for (let at = 0; at < bytes.length; at += 6) {
    const flags = view.getUint16(at + 4, true);
    ops.push({ num: view.getUint16(at, true), value: view.getInt16(at + 2, true), flags });
  }
  return ops;
}

/** The argument is a union: a number, or an address. */
function semctl(k: Kernel, t: Task, id: number, num: number, command: number, arg: number): number {
  if (id < 0) return -EINVAL;
  switch (command) {
    case IPC_INFO:
    case SEM_INFO:
      return showLimits(k, t, command, arg);
    case IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY:
      return showSet(k, t, id, command, arg);
    case GETALL:
    case GETVAL:
    case GETPID:
    case GETNCNT:
    case GETZCNT:
    case SETALL:
      return readSet(k, t, id, num, command, arg);
    case SETVAL:
      return setValue(k, t, id, num, arg);
    case IPC_SET:
    case IPC_RMID:
      return changeSet(k, t, id, command, arg);
    default:
      return -EINVAL;
  }
}

/** struct seminfo; semusz and semaem are what is in use for SEM_INFO. */
function showLimits(k: Kernel, t: Task, command: number, address: number): number {
  const { ids, perSet, all, opsPerCall, maxSets, used } = ipcOf(t).sem;
  const isUse = command === SEM_INFO;
  // SEMMAP and SEMMNU are SEMMNS, SEMUME is SEMOPM, SEMUSZ 20, SEMAEM SEMVMX.
  const info = new WordWriter(40, 4).int(
    1_024_000_000,
    maxSets,
    all,
    1_024_000_000,
    perSet,
    opsPerCall,
    500,
    isUse ? ids.count : 20,
    SEMVMX,
    isUse ? used : SEMVMX,
  );
  return writeBytes(k, t, address, info.bytes) < 0 ? -EFAULT : ids.highestIndex;
}

function showSet(k: Kernel, t: Task, id: number, command: number, address: number): number {
  const { ids } = ipcOf(t).sem;
  const set = command === IPC_STAT ? ids.find(id) : ids.at(id);
  if (set === null) return -EINVAL;
  if (command !== SEM_STAT_ANY && checkIpcPerm(t.cred, set.perm, 0o444) < 0) return -EACCES;
  const { wordBytes } = k.arch;
  const bytes = new WordWriter(permBytes(wordBytes) + wordBytes * 5, wordBytes)
    .perm(set.perm, t.cred.userNs)
    .long(set.otime, set.ctime, set.values.length, 0, 0).bytes;
  if (writeBytes(k, t, address, bytes) < 0) return -EFAULT;
  return command === IPC_STAT ? 0 : set.perm.id;
}

/** semctl_main. */
function readSet(k: Kernel, t: Task, id: number, num: number, command: number, address: number): number {
  const set = ipcOf(t).sem.ids.find(id);
  if (set === null) return -EINVAL;
  if (checkIpcPerm(t.cred, set.perm, command === SETALL ? 0o222 : 0o444) < 0) return -EACCES;
  const { values } = set;
  if (command === GETALL) {
    const bytes = new WordWriter(values.length * 2, 4).short(...values).bytes;
    return writeBytes(k, t, address, bytes) < 0 ? -EFAULT : 0;
  }
  if (command === SETALL) return setAll(k, t, set, address);
  if (num < 0 || num >= values.length) return -EINVAL;
  switch (command) {
    case GETVAL:
      return values[num];
    case GETPID:
      return set.pids[num];
    default: {
      const wants = command === GETNCNT ? (value: number) => value < 0 : (value: number) => value === 0;
      return sleepersOn(k, set).filter((each) => each.blockingNum === num && wants(each.blockingValue)).length;
    }
  }
}

function setAll(k: Kernel, t: Task, set: SemSet, address: number): number {
  const bytes = new Uint8Array(set.values.length * 2);
  if (readBytes(k, t, address, bytes) < 0) return -EFAULT;
  const wanted = [...new Uint16Array(bytes.buffer)];
  if (wanted.some((value) => value > SEMVMX)) return -ERANGE;
  wanted.forEach((value, num) => {
    set.values[num] = value;
    set.pids[num] = t.tgid;
  });
  forgetUndo(ipcOf(t).sem, set, [...set.values.keys()]);
  set.ctime = k.realTime().seconds;
  updateSet(k, set);
  return 0;
}

/** semctl_setval: the value is an int, in the low half of the argument. */
function setValue(k: Kernel, t: Task, id: number, num: number, arg: number): number {
  const value = (arg % 2 ** 32) | 0;
  if (value < 0 || value > SEMVMX) return -ERANGE;
  const set = ipcOf(t).sem.ids.find(id);
  if (set === null || num < 0 || num >= set.values.length) return -EINVAL;
  if (checkIpcPerm(t.cred, set.perm, 0o222) < 0) return -EACCES;
  forgetUndo(ipcOf(t).sem, set, [num]);
  set.values[num] = value;
  set.pids[num] = t.tgid;
  set.ctime = k.realTime().seconds;
  updateSet(k, set);
  return 0;
}

/** semctl_down. */
function changeSet(k: Kernel, t: Task, id: number, command: number, address: number): number {
  const bytes = new Uint8Array(permBytes(k.arch.wordBytes));
  if (command === IPC_SET && readBytes(k, t, address, bytes) < 0) return -EFAULT;
  const set = ipcOf(t).sem.ids.find(id);
  if (set === null) return -EINVAL;
  const allowed = checkIpcOwner(t.cred, set.perm);
  if (allowed < 0) return allowed;
  if (command === IPC_RMID) {
    removeSet(k, ipcOf(t).sem, set);
    return 0;
  }
  const changed = updateIpcPerm(t.cred, set.perm, decodePerm(bytes));
  if (changed === 0) set.ctime = k.realTime().seconds;
  return changed;
}

const full = { support: 'full', note: '' } as const;
export const semCalls: readonly SyscallRow[] = [
  { name: 'semget', args: ['int', 'int', 'int'], run: semget, ...full },
  { name: 'semop', args: ['int', 'ptr', 'uint'], run: semop, ...full },
  { name: 'semtimedop', args: ['int', 'ptr', 'uint', 'ptr'], run: semtimedop, ...full },
  { name: 'semctl', args: ['int', 'int', 'int', 'ulong'], run: semctl, ...full },
];
