import { assert } from '../../base/assert.ts';
import type { Pfn } from '../../machine/units.ts';
import { type FrameTable, NO_FRAME } from './frame-table.ts';

/**
 * A doubly linked list of frames, its links in FrameTable.next and prev: no object per page. A frame is on one list at a
 * time (invariant F3); the lists cannot tell, so their owner marks membership with a flag bit.
 */
export class FrameList {
  head: Pfn | -1 = NO_FRAME;
  tail: Pfn | -1 = NO_FRAME;
  length = 0;
  private readonly next: Int32Array;
  private readonly prev: Int32Array;

  constructor(frames: FrameTable) {
    this.next = frames.next;
    this.prev = frames.prev;
  }

  pushFront(frame: Pfn): void {
    const { head } = this;
    this.next[frame] = head;
    this.prev[frame] = NO_FRAME;
    if (head === NO_FRAME) this.tail = frame;
    else this.prev[head] = frame;
    this.head = frame;
    this.length++;
  }

  pushBack(frame: Pfn): void {
    const { tail } = this;
    this.prev[frame] = tail;
    this.next[frame] = NO_FRAME;
    if (tail === NO_FRAME) this.head = frame;
    else this.next[tail] = frame;
    this.tail = frame;
    this.length++;
  }

  /** The frame must be on this list. */
  remove(frame: Pfn): void {
    const next = this.next[frame];
    const prev = this.prev[frame];
    if (prev === NO_FRAME) this.head = next as Pfn | -1;
    else this.next[prev] = next;
    if (next === NO_FRAME) this.tail = prev as Pfn | -1;
    else this.prev[next] = prev;
    this.next[frame] = NO_FRAME;
    this.prev[frame] = NO_FRAME;
    this.length--;
    assert(this.length >= 0, 'mm/phys/frame-list.ts: a frame is removed from the list that it is on');
  }

  popFront(): Pfn | -1 {
    const { head } = this;
    if (head !== NO_FRAME) this.remove(head as Pfn);
    return head;
  }

  /** The frame after `frame`, towards the tail. */
  after(frame: Pfn): Pfn | -1 {
    return this.next[frame] as Pfn | -1;
  }

  before(frame: Pfn): Pfn | -1 {
    return this.prev[frame] as Pfn | -1;
  }
}
