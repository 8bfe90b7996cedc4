import { CLONE_NEWTIME } from '../abi/sched.ts';
import {
  CLOCK_BOOTTIME,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_MONOTONIC,
  CLOCK_MONOTONIC_COARSE,
  CLOCK_MONOTONIC_RAW,
} from '../abi/time.ts';
import type { Pfn } from '../machine/units.ts';
import type { SpecialMapping } from '../mm/vma.ts';
import { zapRange } from '../mm/zap.ts';
import type { Kernel } from './kernel.ts';
import { namespaceIno } from './namespace-ino.ts';
import type { Task } from './task.ts';
import type { UserNamespace } from './user-namespace.ts';
import { NS_PER_S } from './user-structs.ts';
import { buildTimeData } from './vdso-mapping.ts';

/** PROC_TIME_INIT_INO. */
const INITIAL_INO = 0xefff_fffa;

/** struct timespec64: ns from 0 to 999999999. */
export interface ClockOffset {
  seconds: number;
  ns: number;
}

/**
 * struct time_namespace (6.18, kernel/time/namespace.c): what is added to the clocks that count from boot.
 *
 * Invariants: T1 users is the number of tasks in it, of tasks whose children will be, and of open files of it; the first one has
 * one more. T2 its offsets change only while no task is in it (`frozen`), so the page that the vdso reads never does.
 */
export class TimeNamespace {
  readonly kind = 'time';
  readonly ino: number;
  readonly userNs: UserNamespace;
  readonly monotonic: ClockOffset = { seconds: 0, ns: 0 };
  readonly boottime: ClockOffset = { seconds: 0, ns: 0 };
  frozen = false;
  users = 1;
  /** The data pages of its programs' vdso, with its own page of times; null: nobody is in it yet, or the machine's own. */
  data: SpecialMapping | null = null;

  constructor(userNs: UserNamespace, ino = INITIAL_INO) {
    this.userNs = userNs;
    this.ino = ino;
    this.frozen = ino === INITIAL_INO;
  }

  retain(): void {
    this.users++;
  }

  release(k: Kernel): void {
    if (--this.users > 0) return;
    if (this.data !== null) k.mm.alloc.putFrame(this.data.frames[0] as Pfn);
    this.data = null;
  }

  offsetOf(clock: number): ClockOffset {
    switch (clock) {
      case CLOCK_MONOTONIC:
      case CLOCK_MONOTONIC_RAW:
      case CLOCK_MONOTONIC_COARSE:
        return this.monotonic;
      case CLOCK_BOOTTIME:
      case CLOCK_BOOTTIME_ALARM:
        return this.boottime;
      default:
        return NO_OFFSET;
    }
  }
}

const NO_OFFSET: ClockOffset = { seconds: 0, ns: 0 };

/** clone_time_ns: one user, the caller's; with the offsets of `from`. */
export function newTimeNamespace(k: Kernel, from: TimeNamespace, userNs: UserNamespace): TimeNamespace {
  const ns = new TimeNamespace(userNs, namespaceIno(k));
  Object.assign(ns.monotonic, from.monotonic);
  Object.assign(ns.boottime, from.boottime);
  return ns;
}

/** The namespace whose clocks the calling task reads. */
export function currentTime(k: Kernel): TimeNamespace {
  return k.current?.time ?? k.initialTime;
}

/** The children of `t` will be in `ns`; takes over the caller's use. */
export function setTimeForChildren(k: Kernel, t: Task, ns: TimeNamespace): void {
  const old = t.timeForChildren;
  t.timeForChildren = ns;
  old?.release(k);
}

/** Virtual time since boot as the calling task's CLOCK_BOOTTIME has it (timens_add_boottime_ns). */
export function sinceBoot(k: Kernel, ns: number): number {
  const { boottime } = currentTime(k);
  return ns + boottime.seconds * NS_PER_S + boottime.ns;
}

export function uptimeNs(k: Kernel): number {
  return sinceBoot(k, k.clock.nowNs);
}

/** A new task is where its maker's children are to be; with the maker's memory it stays with its clocks (copy_namespaces). */
export function inheritTime(k: Kernel, maker: Task, child: Task, flags: number): void {
  const ns = maker.timeForChildren!;
  if ((flags & CLONE_NEWTIME) !== 0) setTimeForChildren(k, child, newTimeNamespace(k, ns, child.cred.userNs));
  else {
    ns.retain();
    setTimeForChildren(k, child, ns);
  }
  const own = maker.time!;
  own.retain();
  child.time?.release(k);
  child.time = own;
  if (child.space !== maker.space) joinTime(k, child);
}

/** timens_on_fork, exec_task_namespaces: the task itself goes where its children would. Its memory is its own. */
export function joinTime(k: Kernel, t: Task): void {
  const ns = t.timeForChildren!;
  if (ns === t.time) return;
  ns.retain();
  t.time?.release(k);
  t.time = ns;
  ns.frozen = true;
  mapTimeData(k, t);
}

export function leaveTime(k: Kernel, t: Task): void {
  const { time, timeForChildren } = t;
  t.time = null;
  t.timeForChildren = null;
  time?.release(k);
  timeForChildren?.release(k);
}

/** What [vvar] is in the programs of a namespace. */
export function timeDataOf(k: Kernel, ns: TimeNamespace): SpecialMapping {
  const whole = k.vdso!.data;
  if (ns === k.initialTime) return whole;
  ns.data ??= { name: whole.name, frames: [buildTimeData(k, ns), ...whole.frames.slice(1)] };
  return ns.data;
}

/** vdso_join_timens: the program reads the times of its new namespace from now on. */
function mapTimeData(k: Kernel, t: Task): void {
  const { space } = t;
  if (space === null) return;
  const data = timeDataOf(k, t.time!);
  for (let vma = space.vmas.first(); vma !== null; vma = space.vmas.next(vma)) {
    if (vma.special?.name !== data.name) continue;
    zapRange(k.mm, vma, vma.startVpn, vma.endVpn);
    vma.special = data;
  }
}
