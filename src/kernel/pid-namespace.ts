import { ENOMEM } from '../abi/errno.ts';
import type { Kernel } from './kernel.ts';
import { namespaceIno } from './namespace-ino.ts';
import { isGroupOrSession, PID_MAX, RESERVED_PIDS } from './pid.ts';
import type { Process } from './process.ts';
import type { Task } from './task.ts';
import type { UserNamespace } from './user-namespace.ts';

/** PROC_PID_INIT_INO. */
const INITIAL_INO = 0xefff_fffc;
/** MAX_PID_NS_LEVEL. */
export const MAX_LEVEL = 32;
/** What a number that names nobody is called in the first namespace: nobody either. */
const NOBODY = 0x7fff_ffff;

/**
 * struct pid_namespace (6.18, kernel/pid_namespace.c): numbers of its own for its tasks, and those of the namespaces in it. In
 * the kernel a task, a group and a session go by their number in the first namespace; numbers are changed where they pass
 * between the kernel and a program.
 *
 * Invariant P1: local and global are inverse, of the tasks in it and the groups and sessions that some of them are in.
 */
export class PidNamespace {
  readonly kind = 'pid';
  readonly ino: number;
  readonly parent: PidNamespace | null;
  readonly level: number;
  readonly userNs: UserNamespace;
  /** Its first process, which orphans go to; null before there is one. */
  reaper: Process | null = null;
  /** The first process has ended: no other begins (PIDNS_ADDING is gone). */
  isClosed = false;
  private readonly local = new Map<number, number>();
  private readonly global = new Map<number, number>();
  private lastNumber = 0;

  constructor(parent: PidNamespace | null, userNs: UserNamespace, ino = INITIAL_INO) {
    this.parent = parent;
    this.userNs = userNs;
    this.level = parent === null ? 0 : parent.level + 1;
    this.ino = ino;
  }

  /** Nothing outside of the heap belongs to it: whoever has it may forget it. */
  retain(): void {}
  release(_k: Kernel): void {}

  /** pid_nr_ns: the number of a task, group or session here; 0 where it is not seen. */
  numberOf(pid: number): number {
    return this.parent === null ? pid : (this.local.get(pid) ?? 0);
  }

  /** find_pid_ns, as a number of the first namespace. */
  pidOf(number: number): number {
    return this.parent === null ? number : (this.global.get(number) ?? NOBODY);
  }

  /** Of numbers below 0 too: groups. 0 and -1 mean what they mean. */
  pidOfArgument(number: number): number {
    if (number > 0) return this.pidOf(number);
    return number < -1 && number !== -0x8000_0000 ? -this.pidOf(-number) : number;
  }

  /** Does the number name somebody here? */
  isTaken(k: Kernel, number: number): boolean {
    if (this.parent === null) return k.tasks.has(number) || isGroupOrSession(k, number);
    this.forgetUnused(k);
    return this.global.has(number);
  }

  /** alloc_pid at this level; `wanted` 0: the next free number. */
  add(k: Kernel, pid: number, wanted: number): void {
    this.forgetUnused(k);
    if (wanted > 0) {
      this.local.set(pid, wanted);
      this.global.set(wanted, pid);
      return;
    }
    do this.lastNumber = this.lastNumber + 1 >= PID_MAX ? RESERVED_PIDS : this.lastNumber + 1;
    while (this.global.has(this.lastNumber));
    this.local.set(pid, this.lastNumber);
    this.global.set(this.lastNumber, pid);
  }

  /** free_pid of those that name no task, group or session any more. */
  private forgetUnused(k: Kernel): void {
    for (const [pid, number] of this.local) {
      if (k.tasks.has(pid) || isGroupOrSession(k, pid)) continue;
      this.local.delete(pid);
      this.global.delete(number);
    }
  }
}

/** create_pid_namespace. */
export function newPidNamespace(k: Kernel, parent: PidNamespace, userNs: UserNamespace): PidNamespace {
  return new PidNamespace(parent, userNs, namespaceIno(k));
}

/**
 * alloc_pid: the task gets a number in its namespace and in each around it, the `wanted` ones from its own outwards; -ENOMEM in one
 * that is closed.
 */
export function numberTask(k: Kernel, t: Task, ns: PidNamespace, wanted: readonly number[]): number {
  if (ns.isClosed) return -ENOMEM;
  t.pidNs = ns;
  for (let each = ns; each.parent !== null; each = each.parent) each.add(k, t.tid, wanted[ns.level - each.level] ?? 0);
  if (ns.parent !== null) ns.reaper ??= t.process;
  return 0;
}

/** Is `inner` this namespace or one in it (pidns_is_ancestor)? */
export function isWithin(inner: PidNamespace, outer: PidNamespace): boolean {
  for (let each: PidNamespace | null = inner; each !== null; each = each.parent) if (each === outer) return true;
  return false;
}

/** Signals that it did not ask for do not reach it (SIGNAL_UNKILLABLE). */
export function isReaper(process: Process): boolean {
  const ns = process.leader.pidNs;
  return ns.parent !== null && ns.reaper === process;
}

/** task_pid_vnr: how `t` itself is called in its own namespace. */
export function ownTid(t: Task): number {
  return t.pidNs.numberOf(t.tid);
}

/** Numbers of a task, group or session from `outermost` to the namespace of `t`, as the NS lines of status show them. */
export function numbersOf(t: Task, pid: number, outermost: PidNamespace): string {
  const numbers: number[] = [];
  for (let ns: PidNamespace | null = t.pidNs; ns !== outermost.parent && ns !== null; ns = ns.parent)
    numbers.unshift(ns.numberOf(pid));
  return numbers.join('\t');
}
