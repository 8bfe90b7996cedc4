import type { AddressSpace } from '../address-space.ts';
import { NO_ROW } from './row-tree.ts';

/**
 * A space that ksmd scans (struct ksm_mm_slot), in a ring with a head that is no space. It stays after the space has ended, until
 * ksmd has freed its items.
 */
export class KsmSlot {
  readonly space: AddressSpace;
  /** Object in the ksm_mm_slot slab. */
  readonly memory: number;
  /** The first of the space's items. */
  firstItem = NO_ROW;
  /** The space has ended: nothing of it may be looked at (ksm_test_exit). */
  hasEnded = false;
  next: KsmSlot | null = null;
  prev: KsmSlot | null = null;

  constructor(space: AddressSpace, memory: number) {
    this.space = space;
    this.memory = memory;
  }
}

/** The slots in the order of the scan; null stands for the head of the ring (ksm_mm_head). */
export class KsmSlots {
  first: KsmSlot | null = null;
  private last: KsmSlot | null = null;

  /** Before `at` in the ring; before the head is the end (list_add_tail). */
  addBefore(slot: KsmSlot, at: KsmSlot | null): void {
    const before = at === null ? this.last : at.prev;
    slot.prev = before;
    slot.next = at;
    if (before === null) this.first = slot;
    else before.next = slot;
    if (at === null) this.last = slot;
    else at.prev = slot;
  }

  /** Behind `at` in the ring; behind the head is the front (list_add). */
  addBehind(slot: KsmSlot, at: KsmSlot | null): void {
    this.addBefore(slot, at === null ? this.first : at.next);
  }

  remove(slot: KsmSlot): void {
    if (slot.prev === null) this.first = slot.next;
    else slot.prev.next = slot.next;
    if (slot.next === null) this.last = slot.prev;
    else slot.next.prev = slot.prev;
    slot.prev = null;
    slot.next = null;
  }
}
