import type { Kernel } from './kernel.ts';
import type { Process } from './process.ts';

/** PID_MAX_DEFAULT, and where numbering goes on after it wrapped (RESERVED_PIDS). */
export const PID_MAX = 32768;
export const RESERVED_PIDS = 300;

/** alloc_pid: numbers rise and wrap; -1 when all are taken. A number that still names a group or session is not given out. */
export function allocPid(k: Kernel): number {
  for (let tried = 0; tried < PID_MAX; tried++) {
    k.lastPid = k.lastPid + 1 >= PID_MAX ? RESERVED_PIDS : k.lastPid + 1;
    if (!k.tasks.has(k.lastPid) && !isGroupOrSession(k, k.lastPid)) return k.lastPid;
  }
  return -1;
}

export function isGroupOrSession(k: Kernel, pid: number): boolean {
  for (const process of k.processes.values()) if (process.pgrp === pid || process.session === pid) return true;
  return false;
}

/** Any process of the group, or null. */
export function findGroup(k: Kernel, pgrp: number): Process | null {
  for (const process of k.processes.values()) if (process.pgrp === pgrp) return process;
  return null;
}
