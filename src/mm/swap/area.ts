import { assert } from '../../base/assert.ts';
import type { Pfn } from '../../machine/units.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import type { SwapStore } from './store.ts';

/** Slots are handed out in a row from one such stretch at a time (SWAPFILE_CLUSTER), so that what is swapped out together lies together. */
const CLUSTER_SLOTS = 512;
/** SWAP_MAP_BAD: the header and what mkswap found broken. Never free, never counted. */
const SLOT_BAD = 0xffff_ffff;

export interface SwapAreaOptions {
  readonly type: number;
  /** What /proc/swaps shows. */
  readonly path: string;
  readonly kind: 'file' | 'partition';
  readonly priority: number;
  readonly store: SwapStore;
  /** Slots, the header's among them. */
  readonly slotCount: number;
  readonly badSlots: readonly number[];
}

/**
 * One swap area (Linux: struct swap_info_struct): a map of its slots.
 *
 *   free --takeSlot--> cached, count 0 --dup (an entry)--> count > 0 --drop--> free, once it is neither counted nor cached
 *
 * Invariants (checked by swap/check-swap.ts): W1 to W3 in README.md. Written by Swap alone.
 */
export class SwapArea {
  readonly type: number;
  readonly path: string;
  readonly kind: 'file' | 'partition';
  readonly priority: number;
  readonly store: SwapStore;
  readonly slotCount: number;
  /** Slots that can hold a page. */
  readonly pageCount: number;
  /** Entries that lead to each slot: of page tables and of shmem objects. */
  readonly counts: Uint32Array;
  /** The slot's page in the swap cache, or NO_FRAME. */
  readonly cached: Int32Array;
  /** 1: the page is all zeroes, and nothing was written (the zeromap of 6.18). */
  readonly zeroes: Uint8Array;
  /** What the eviction of the slot's page left behind, or 0; goes with the page's return (the swap cache's shadow entries). */
  readonly shadows: Float64Array;
  /** Id of the memory cgroup that pays for the slot (swap_cgroup); 0: the root's. */
  readonly memcgs: Uint16Array;
  usedSlots = 0;
  /** swapoff clears it: nothing new comes in (SWP_WRITEOK). */
  isWritable = true;
  private readonly freeIn: Uint16Array;
  private cluster = 0;
  private next = 1;

  constructor(options: SwapAreaOptions) {
    const { slotCount, badSlots } = options;
    this.type = options.type;
    this.path = options.path;
    this.kind = options.kind;
    this.priority = options.priority;
    this.store = options.store;
    this.slotCount = slotCount;
    this.counts = new Uint32Array(slotCount);
    this.cached = new Int32Array(slotCount).fill(NO_FRAME);
    this.zeroes = new Uint8Array(slotCount);
    this.shadows = new Float64Array(slotCount);
    this.memcgs = new Uint16Array(slotCount);
    this.freeIn = new Uint16Array(Math.ceil(slotCount / CLUSTER_SLOTS));
    let bad = 0;
    for (const slot of [0, ...badSlots]) {
      if (this.counts[slot] === SLOT_BAD) continue;
      this.counts[slot] = SLOT_BAD;
      bad++;
    }
    this.pageCount = slotCount - bad;
    for (let slot = 0; slot < slotCount; slot++)
      if (this.counts[slot] === 0) this.freeIn[Math.floor(slot / CLUSTER_SLOTS)]++;
  }

  isFree(slot: number): boolean {
    return this.counts[slot] === 0 && this.cached[slot] === NO_FRAME;
  }

  isBad(slot: number): boolean {
    return this.counts[slot] === SLOT_BAD;
  }

  /** A free slot, which holds the page of `frame` from now on: the next one of the cluster in use, then of one that is wholly free; 0: full. */
  takeSlot(frame: Pfn): number {
    if (this.usedSlots === this.pageCount) return 0;
    for (;;) {
      const end = Math.min(this.slotCount, (this.cluster + 1) * CLUSTER_SLOTS);
      while (this.next < end && !this.isFree(this.next)) this.next++;
      if (this.next < end) break;
      this.cluster = this.findCluster();
      this.next = this.cluster * CLUSTER_SLOTS;
    }
    const slot = this.next++;
    this.cached[slot] = frame;
    this.usedSlots++;
    this.freeIn[this.cluster]--;
    return slot;
  }

  /** The slot is neither counted nor cached any more. */
  giveSlot(slot: number): void {
    assert(this.isFree(slot), 'mm/swap/area.ts: W1 a slot that is given back is not in use');
    this.zeroes[slot] = 0;
    this.shadows[slot] = 0;
    this.store.discard(slot);
    this.usedSlots--;
    this.freeIn[Math.floor(slot / CLUSTER_SLOTS)]++;
  }

  /** What is broken of W3, or null. */
  findBroken(): string | null {
    const free = new Uint16Array(this.freeIn.length);
    for (let slot = 0; slot < this.slotCount; slot++) if (this.isFree(slot)) free[Math.floor(slot / CLUSTER_SLOTS)]++;
    return free.every((count, at) => count === this.freeIn[at]) ? null : 'a cluster counts its free slots';
  }

  private findCluster(): number {
    const { freeIn } = this;
    const whole = freeIn.indexOf(CLUSTER_SLOTS);
    if (whole >= 0) return whole;
    const count = freeIn.length;
    for (let step = 1; step <= count; step++) {
      const at = (this.cluster + step) % count;
      if (freeIn[at] > 0) return at;
    }
    return this.cluster;
  }
}
