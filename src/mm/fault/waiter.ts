import type { WaitQueue } from '../../base/wait-queue.ts';
import type { AddressSpace } from '../address-space.ts';
import type { StallDebtor } from '../block/block-queue.ts';
import type { Stall } from '../block/stall.ts';

/** What a fault waits for: a userfaultfd, or a request to a device (block/request.ts). */
export interface FaultSource {
  /** Who waits. A tid stands in it from handleFault's FAULT_BLOCKED on until it is woken or gives up. */
  readonly waiters: WaitQueue;
  /** The task no longer waits (a signal came, or it ended). */
  forget(tid: number): void;
}

/** A store of the kernel into user memory that met such a fault: bytes that the program is owed before its call returns. */
export interface OwedStore {
  readonly space: AddressSpace;
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** Something that a call has told others, and that they must have taken note of before the call returns. */
export interface OwedNotice {
  readonly queue: WaitQueue;
  isTaken: boolean;
}

/**
 * Who makes the faults of a moment (mm.waiter, Linux's `current`), and what they leave it to wait for. Plain data (D4).
 *
 *   handleFault answers FAULT_BLOCKED: `source` says what the task must sleep on before it tries again. A fault of its own
 *     instructions: the instruction runs again. A fault of the kernel that reads for it: the system call ends with -EFAULT
 *     and runs again from where it was. A fault of the kernel that writes: the bytes are owed (`stores`), the call goes on,
 *     and its result waits until they are stored.
 *   An operation tells a userfaultfd (fork, mremap, munmap, madvise): `notices`; the call's result waits for them.
 *
 * Without a waiter no fault blocks: it answers FAULT_BUS, as a fault that may not sleep does (no FAULT_FLAG_ALLOW_RETRY).
 */
export class FaultWaiter implements StallDebtor {
  readonly tid: number;
  source: FaultSource | null = null;
  /** How it sleeps on `source`. */
  stall: Stall = 0;
  /** The page whose fault left for a device and is to be tried again (FAULT_FLAG_TRIED); -1: none. */
  triedPage = -1;
  owedUntilNs = 0;
  owedStall: Stall = 0;
  readonly stores: OwedStore[] = [];
  readonly notices: OwedNotice[] = [];

  constructor(tid: number) {
    this.tid = tid;
  }
}

/** Who is asked when a fault of the kernel in user memory finds none (pagefault_out_of_memory, __alloc_pages_may_oom). */
export interface OomKiller {
  /** True: another process was killed and its memory is free, so try again. */
  makeRoom(): boolean;
}
