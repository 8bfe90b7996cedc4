import { EAGAIN, EIDRM, ERANGE } from '../../abi/errno.ts';
import { IPC_NOWAIT, SEM_UNDO, SEMVMX } from '../../abi/ipc.ts';
import type { Kernel } from '../kernel.ts';
import { wakeTask } from '../scheduler.ts';
import type { Task } from '../task.ts';
import { IpcIds, type IpcObject, type IpcPerm } from './ipc-ids.ts';

/** struct sembuf. */
export interface SemOp {
  readonly num: number;
  readonly value: number;
  readonly flags: number;
}

/** A semop that sleeps (sem_queue): whoever changes a semaphore does its operations for it, in the order of coming. */
export interface SemWaiter {
  readonly id: number;
  readonly tid: number;
  readonly pid: number;
  readonly ops: readonly SemOp[];
  readonly undo: SemUndoList | null;
  /** The operation that holds it up: GETNCNT and GETZCNT count by it. */
  blockingNum: number;
  blockingValue: number;
}

/** What a sleeping semop keeps (Wait.data): its waiter's id, whether it is done, and then its result. */
export const WAITER_ID = 0;
export const WAITER_DONE = 1;
export const WAITER_RESULT = 2;

/**
 * sem_array: a set of semaphores (6.18, ipc/sem.c).
 *
 * Invariants: Q1 0 <= values[i] <= SEMVMX. Q2 No waiter's operations could all be done now (updateSet keeps it so).
 */
export class SemSet implements IpcObject {
  readonly perm: IpcPerm;
  readonly values: number[];
  /** Pid of the last operation on each. */
  readonly pids: number[];
  /** Seconds since the epoch. */
  otime = 0;
  ctime: number;
  waiters: SemWaiter[] = [];

  constructor(perm: IpcPerm, count: number, ctime: number) {
    this.perm = perm;
    this.values = new Array<number>(count).fill(0);
    this.pids = new Array<number>(count).fill(0);
    this.ctime = ctime;
  }
}

/** What a process (or those that share it, CLONE_SYSVSEM) is to take back at its end: by set id, an amount a semaphore. */
export class SemUndoList {
  readonly id: number;
  users = 1;
  readonly amounts = new Map<number, number[]>();

  constructor(id: number) {
    this.id = id;
  }
}

/** The semaphores of one IPC namespace, and its limits (kernel.sem: SEMMSL, SEMMNS, SEMOPM, SEMMNI). */
export class SemNamespace {
  readonly ids = new IpcIds<SemSet>();
  perSet = 32000;
  all = 1_024_000_000;
  opsPerCall = 500;
  maxSets = 32000;
  used = 0;
  lastUndoId = 0;
  lastWaiterId = 0;
  readonly undoLists = new Set<SemUndoList>();
}

export function newUndoList(sem: SemNamespace): SemUndoList {
  const list = new SemUndoList(++sem.lastUndoId);
  sem.undoLists.add(list);
  return list;
}

/** find_alloc_undo: the caller's list, with amounts for the set. */
export function ensureUndo(sem: SemNamespace, t: Task, set: SemSet): SemUndoList {
  t.semUndo ??= newUndoList(sem);
  const list = t.semUndo;
  const { id } = set.perm;
  if (!list.amounts.has(id)) list.amounts.set(id, new Array<number>(set.values.length).fill(0));
  return list;
}

/**
 * perform_atomic_semop: all of the operations or none. 0; -EAGAIN (IPC_NOWAIT); -ERANGE; 'wait' where it has to sleep, and then
 * `blocking` is the operation that it sleeps for.
 */
export function performOps(
  set: SemSet,
  ops: readonly SemOp[],
  undo: SemUndoList | null,
  pid: number,
): { result: number | 'wait'; blocking: SemOp | null } {
  const values = new Map<number, number>();
  const amounts = undo?.amounts.get(set.perm.id) ?? null;
  const taken = new Map<number, number>();
  for (const op of ops) {
    const before = values.get(op.num) ?? set.values[op.num];
    const after = before + op.value;
    if ((op.value === 0 && before !== 0) || after < 0) {
      if ((op.flags & IPC_NOWAIT) !== 0) return { result: -EAGAIN, blocking: null };
      return { result: 'wait', blocking: op };
    }
    if (after > SEMVMX) return { result: -ERANGE, blocking: null };
    if ((op.flags & SEM_UNDO) !== 0 && amounts !== null) {
      const amount = (taken.get(op.num) ?? amounts[op.num]) - op.value;
      if (amount < -SEMVMX - 1 || amount > SEMVMX) return { result: -ERANGE, blocking: null };
      taken.set(op.num, amount);
    }
    values.set(op.num, after);
  }
  for (const op of ops) set.pids[op.num] = pid;
  for (const [num, value] of values) set.values[num] = value;
  if (amounts !== null) for (const [num, amount] of taken) amounts[num] = amount;
  return { result: 0, blocking: null };
}

const alters = (ops: readonly SemOp[]): boolean => ops.some((op) => op.value !== 0);

/** Those that sleep on the set now (GETNCNT, GETZCNT). One whose task waits for something else, or is gone, was killed. */
export function sleepersOn(k: Kernel, set: SemSet): SemWaiter[] {
  return set.waiters.filter(({ id, tid }) => k.tasks.get(tid)?.wait?.data[WAITER_ID] === id);
}

/** Its call returns `result` when it runs again. */
function finish(k: Kernel, set: SemSet, waiter: SemWaiter, result: number): void {
  set.waiters.splice(set.waiters.indexOf(waiter), 1);
  const task = k.tasks.get(waiter.tid)!;
  const { data } = task.wait!;
  data[WAITER_DONE] = 1;
  data[WAITER_RESULT] = result;
  wakeTask(k, task, 'event');
}

/** do_smart_update: values have changed; does what sleepers wait for, those that wait for zero first, until nothing more can be done. */
export function updateSet(k: Kernel, set: SemSet): void {
  for (let isDone = false; !isDone; ) {
    isDone = true;
    const sleepers = sleepersOn(k, set);
    for (const waiter of [
      ...sleepers.filter(({ ops }) => !alters(ops)),
      ...sleepers.filter(({ ops }) => alters(ops)),
    ]) {
      const { result, blocking } = performOps(set, waiter.ops, waiter.undo, waiter.pid);
      if (result === 'wait') {
        waiter.blockingNum = blocking!.num;
        waiter.blockingValue = blocking!.value;
        continue;
      }
      if (result === 0) set.otime = k.realTime().seconds;
      finish(k, set, waiter, result);
      if (!alters(waiter.ops) || result !== 0) continue;
      isDone = false;
      break;
    }
  }
  set.waiters = sleepersOn(k, set);
}

/** freeary: everybody who sleeps gets -EIDRM; nothing of the set is to be undone. */
export function removeSet(k: Kernel, ns: SemNamespace, set: SemSet): void {
  ns.ids.remove(set);
  ns.used -= set.values.length;
  for (const list of ns.undoLists) list.amounts.delete(set.perm.id);
  for (const waiter of sleepersOn(k, set)) finish(k, set, waiter, -EIDRM);
  set.waiters = [];
}

/** SETVAL and SETALL: what was to be undone of a semaphore is forgotten. */
export function forgetUndo(ns: SemNamespace, set: SemSet, nums: readonly number[]): void {
  for (const list of ns.undoLists) {
    const amounts = list.amounts.get(set.perm.id);
    if (amounts !== undefined) for (const num of nums) amounts[num] = 0;
  }
}

/** exit_sem, while the task is in its namespace still: the last that shares the list takes everything back, never below 0 or above SEMVMX. */
export function exitSem(k: Kernel, t: Task): void {
  const list = t.semUndo;
  t.semUndo = null;
  if (list === null || --list.users > 0) return;
  const ns = t.ipc!.sem;
  ns.undoLists.delete(list);
  for (const [id, amounts] of list.amounts) {
    const set = ns.ids.find(id);
    if (set === null) continue;
    amounts.forEach((amount, num) => {
      if (amount === 0) return;
      set.values[num] = Math.min(SEMVMX, Math.max(0, set.values[num] + amount));
      set.pids[num] = t.tgid;
    });
    if (amounts.some((amount) => amount !== 0)) {
      set.otime = k.realTime().seconds;
      updateSet(k, set);
    }
  }
}
