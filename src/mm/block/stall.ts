import { PG_workingset } from '../phys/page-flags.ts';

/** Why a task sleeps, where that is not its own wish: bits (Linux: task->in_iowait, task->in_memstall). */
export const STALL_NONE = 0;
/** For a device (io_schedule). */
export const STALL_IO = 1;
/** For memory: reclaim, a page that was taken from it too early, throttling (psi_memstall_enter). */
export const STALL_MEMORY = 2;
export type Stall = 0 | 1 | 2 | 3;

/** What waiting for a page that is read is (folio_wait_bit_common, swap_read_folio): one that was in use when it went is a loss of memory. */
export function stallOf(flags: number): Stall {
  return (flags & PG_workingset) !== 0 ? 3 : STALL_IO;
}
