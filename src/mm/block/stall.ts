import { PG_swapcache, PG_workingset } from '../phys/page-flags.ts';

/** Why a task sleeps, where that is not its own wish: bits (Linux: task->in_iowait, task->in_memstall). */
export const STALL_NONE = 0;
/** For a device (io_schedule). */
export const STALL_IO = 1;
/** For memory, as pressure counts it: reclaim, a page that was taken from it too early, throttling (psi_memstall_enter). */
export const STALL_MEMORY = 2;
/** For a page of swap, in use or not when it went: memory is short, though pressure does not count it. */
export const STALL_SWAP = 4;
export type Stall = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** What waiting for a page that is read is (folio_wait_bit_common, swap_read_folio): one that was in use when it went is a loss of memory. */
export function stallOf(flags: number): Stall {
  const ofSwap = (flags & PG_swapcache) !== 0 ? STALL_SWAP : STALL_NONE;
  const wasInUse = (flags & PG_workingset) !== 0 ? STALL_MEMORY : STALL_NONE;
  return (STALL_IO | ofSwap | wasInUse) as Stall;
}

/** Told when the task that runs begins and ends to work or wait for want of memory (psi_memstall_enter, psi_memstall_leave). */
export interface MemstallListener {
  enter(): void;
  leave(): void;
}
