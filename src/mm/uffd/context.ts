import {
  UFFD_EVENT_PAGEFAULT,
  UFFD_FEATURE_EXACT_ADDRESS,
  UFFD_FEATURE_WP_ASYNC,
  UFFD_FEATURE_WP_UNPOPULATED,
} from '../../abi/userfaultfd.ts';
import type { WaitQueue } from '../../base/wait-queue.ts';
import type { AddressSpace } from '../address-space.ts';
import type { FaultSource, OwedNotice } from '../fault/waiter.ts';

/** A task asleep in a page fault (Linux: struct userfaultfd_wait_queue with UFFD_EVENT_PAGEFAULT). */
export interface SleepingFault {
  readonly tid: number;
  /** What the message says, and what a wake-up's range must hold: the page's address, or the exact one. */
  readonly address: number;
  /** UFFD_PAGEFAULT_FLAG_* */
  readonly flags: number;
}

/** A message that is no fault. Addresses and lengths in bytes; `forked` is the child's context. */
export interface UffdEvent {
  readonly event: number;
  readonly words: readonly number[];
  readonly forked: UffdContext | null;
  readonly notice: OwedNotice | null;
}

export type UffdMessage = { readonly event: typeof UFFD_EVENT_PAGEFAULT; readonly fault: SleepingFault } | UffdEvent;

/**
 * What stands behind a userfaultfd descriptor (struct userfaultfd_ctx): the space that it watches, who sleeps, what is unread.
 *
 *   fault --sleepOn--> pending --takeMessage (read)--> seen --wake--> gone
 *                         +------------wake---------------------------^
 *
 * Invariants (checked by invariants.ts):
 *  U1 A VMA has uffd !== null exactly if its flags have one of VM_UFFD_*; then uffd.space is its space and it is not released.
 *  U2 A tid stands at most once in pending and seen together, and stands in `waiters` as long.
 */
export class UffdContext implements FaultSource {
  readonly space: AddressSpace;
  /** Faults of the kernel are refused (UFFD_USER_MODE_ONLY). */
  readonly mode: 'any' | 'user';
  /** 0 until the handshake; then what was asked for and UFFD_FEATURE_INITIALIZED. Unsigned. */
  features = 0;
  isReleased = false;
  /** Oldest first. */
  readonly pending: SleepingFault[] = [];
  readonly seen: SleepingFault[] = [];
  readonly events: UffdEvent[] = [];
  readonly waiters: WaitQueue;
  /** Whose calls wait for a message to be read. */
  readonly eventWaiters: WaitQueue;
  /** Readers and pollers of the descriptor. */
  readonly readers: WaitQueue;

  constructor(space: AddressSpace, mode: 'any' | 'user', queue: WaitQueue) {
    this.space = space;
    this.mode = mode;
    this.waiters = queue;
    this.eventWaiters = queue.sibling();
    this.readers = queue.sibling();
  }

  has(feature: number): boolean {
    return (this.features & feature) !== 0;
  }

  get isAsync(): boolean {
    return this.has(UFFD_FEATURE_WP_ASYNC);
  }

  get protectsUnpopulated(): boolean {
    return this.has(UFFD_FEATURE_WP_UNPOPULATED);
  }

  get tellsExactAddress(): boolean {
    return this.has(UFFD_FEATURE_EXACT_ADDRESS);
  }

  /** mmap_changing: an event waits to be read, so that what it says of the mappings is not yet known to the reader. */
  get isMappingChanging(): boolean {
    return this.events.length > 0;
  }

  sleepOn(fault: SleepingFault): void {
    this.forget(fault.tid);
    this.pending.push(fault);
    this.readers.wakeAll();
  }

  forget(tid: number): void {
    for (const list of [this.pending, this.seen]) {
      const at = list.findIndex((fault) => fault.tid === tid);
      if (at >= 0) list.splice(at, 1);
    }
  }

  post(event: UffdEvent): void {
    this.events.push(event);
    this.readers.wakeAll();
  }

  /** The next message, faults before events; null when there is none (userfaultfd_ctx_read). */
  takeMessage(): UffdMessage | null {
    const fault = this.pending.shift();
    if (fault !== undefined) {
      this.seen.push(fault);
      return { event: UFFD_EVENT_PAGEFAULT, fault };
    }
    const event = this.events.shift();
    if (event === undefined) return null;
    this.take(event);
    return event;
  }

  private take({ notice }: UffdEvent): void {
    if (notice === null) return;
    notice.isTaken = true;
    this.eventWaiters.wakeAll();
  }

  /** Those who sleep on an address in the range run again (wake_userfault). */
  wake(startBytes: number, lengthBytes: number): void {
    const inRange = (fault: SleepingFault): boolean =>
      fault.address >= startBytes && fault.address < startBytes + lengthBytes;
    for (const list of [this.seen, this.pending]) {
      for (const fault of list.filter(inRange)) {
        list.splice(list.indexOf(fault), 1);
        this.waiters.wake(fault.tid);
      }
    }
  }

  /** userfaultfd_release, after no VMA has the context any more: all who wait run again, and it is the end of the file. */
  release(): void {
    this.isReleased = true;
    this.pending.length = 0;
    this.seen.length = 0;
    for (const event of this.events.splice(0)) this.take(event);
    this.waiters.wakeAll();
    this.readers.wakeAll();
  }
}
