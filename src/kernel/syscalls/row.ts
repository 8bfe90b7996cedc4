import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';

/**
 * How one argument is decoded from its registers; all kinds decode to plain numbers.
 *   int fd sig            signed 32 bits
 *   pid                   the same; below 0 a group. In a pid namespace the number is changed to that of the first
 *   uint mode flags:*     unsigned 32 bits
 *   long off              signed 64 bits
 *   ulong size ptr path   unsigned 64 bits (exact below 2^53; what is above is no address and no size anyway)
 */
export type ArgKind =
  | 'int'
  | 'fd'
  | 'pid'
  | 'sig'
  | 'uint'
  | 'mode'
  | `flags:${string}`
  | 'long'
  | 'off'
  | 'ulong'
  | 'size'
  | 'ptr'
  | 'path';

export type ArgWidth = 'i32' | 'u32' | 'i64' | 'u64';

function widthOf(kind: ArgKind): ArgWidth {
  switch (kind) {
    case 'int':
    case 'fd':
    case 'pid':
    case 'sig':
      return 'i32';
    case 'long':
    case 'off':
      return 'i64';
    case 'ulong':
    case 'size':
    case 'ptr':
    case 'path':
      return 'u64';
    default:
      return 'u32';
  }
}

/** Of all six registers; those behind the row's arguments as they are. */
export function argWidthsOf(row: SyscallRow): readonly ArgWidth[] {
  return ALL_U64.map((width, i) => (i < row.args.length ? widthOf(row.args[i]) : width));
}

export const ALL_U64: readonly ArgWidth[] = ['u64', 'u64', 'u64', 'u64', 'u64', 'u64'];

/**
 * The body of a system call: a number >= 0, -ERRNO, -ERESTART*, or BLOCKED (what `k.block` returns when the task now sleeps).
 *
 * Blocking: `return k.block(t, {queues, deadlineNs, onSignal, data})`. When the task is woken the SAME function runs again with
 * the same arguments and finds `t.wait !== null`: its `data`, its `deadlineNs`, and `woken` ('event', 'timeout' or 'signal').
 * With 'signal' it simply tries again; should it still have to wait, `k.block` returns -onSignal in place of BLOCKED. On any
 * result but BLOCKED the dispatcher clears `t.wait`. On the first run `t.wait` is null.
 */
export type SyscallRun = (
  k: Kernel,
  t: Task,
  a0: number,
  a1: number,
  a2: number,
  a3: number,
  a4: number,
  a5: number,
) => number;

/** The task sleeps; no result yet. Not an errno and not a possible result. */
export const BLOCKED = -0x4000_0000;
/** The call set the registers itself (rt_sigreturn, execve): nothing is written to the result register. */
export const NO_RESULT = -0x4000_0001;

/** One system call: docs/syscalls.md is generated from these. The number comes from the architecture, by name. */
export interface SyscallRow {
  readonly name: string;
  readonly args: readonly ArgKind[];
  /** null: not there, answers -ENOSYS, is counted. */
  readonly run: SyscallRun | null;
  readonly support: 'full' | 'partial' | 'absent';
  /** What is missing or worth knowing; '' if nothing. */
  readonly note: string;
  /** The result is the number of a process: the caller sees it by the numbers of its namespace. */
  readonly returns?: 'pid';
}

/** A row as most are: full without a note, with one partial. */
export function row(name: string, args: SyscallRow['args'], run: SyscallRun, note = ''): SyscallRow {
  return { name, args, run, support: note === '' ? 'full' : 'partial', note };
}
