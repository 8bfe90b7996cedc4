import type { Pfn } from '../../machine/units.ts';
import { NO_FRAME } from '../phys/frame-table.ts';

/** Frames in an order of a policy's own: a doubly linked list in two typed arrays. Oldest at the head. */
export class PageQueue {
  length = 0;
  private head: Pfn | -1 = NO_FRAME;
  private tail: Pfn | -1 = NO_FRAME;
  private readonly next: Int32Array;
  private readonly prev: Int32Array;
  private readonly listed: Uint8Array;

  constructor(frameCount: number) {
    this.next = new Int32Array(frameCount).fill(NO_FRAME);
    this.prev = new Int32Array(frameCount).fill(NO_FRAME);
    this.listed = new Uint8Array(frameCount);
  }

  get oldest(): Pfn | -1 {
    return this.head;
  }

  has(page: Pfn): boolean {
    return this.listed[page] !== 0;
  }

  /** As the youngest. */
  push(page: Pfn): void {
    if (this.listed[page] !== 0) return;
    this.listed[page] = 1;
    this.prev[page] = this.tail;
    this.next[page] = NO_FRAME;
    if (this.tail === NO_FRAME) this.head = page;
    else this.next[this.tail] = page;
    this.tail = page;
    this.length++;
  }

  remove(page: Pfn): void {
    if (this.listed[page] === 0) return;
    this.listed[page] = 0;
    const before = this.prev[page];
    const after = this.next[page];
    if (before === NO_FRAME) this.head = after as Pfn | -1;
    else this.next[before] = after;
    if (after === NO_FRAME) this.tail = before as Pfn | -1;
    else this.prev[after] = before;
    this.length--;
  }
}
