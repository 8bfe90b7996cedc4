import { assert, panic } from '../../base/assert.ts';
import type { Pfn } from '../../machine/units.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import type { SwapStore } from './store.ts';

/** Slots are handed out in a row from one such stretch at a time (SWAPFILE_CLUSTER), so that what is swapped out together lies together. */
const CLUSTER_SLOTS = 512;

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
  /** Where slots are taken from first; absent: 1. */
  readonly firstSlot?: number;
}

/** What is known of a cluster's slots, by their place in it. */
export class ClusterRows {
  /** Entries that lead to each slot: of page tables and of shmem objects. */
  readonly counts = new Uint32Array(CLUSTER_SLOTS);
  /** The slot's page in the swap cache, or NO_FRAME. */
  readonly cached = new Int32Array(CLUSTER_SLOTS).fill(NO_FRAME);
  /** 1: the page is all zeroes, and nothing was written (the zeromap of 6.18). */
  readonly zeroes = new Uint8Array(CLUSTER_SLOTS);
  /** What the eviction of the slot's page left behind, or 0; goes with the page's return (the swap cache's shadow entries). */
  readonly shadows = new Float64Array(CLUSTER_SLOTS);
  /** Id of the memory cgroup that pays for the slot (swap_cgroup); 0: the root's. */
  readonly memcgs = new Uint16Array(CLUSTER_SLOTS);
  used = 0;
}

/**
 * One swap area (Linux: struct swap_info_struct): a map of its slots, which takes memory where slots are in use: a cluster without
 * any has no rows.
 *
 *   free --takeSlot--> cached, count 0 --addEntry--> count > 0 --dropEntry--> free, once it is neither counted nor cached
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
  usedSlots = 0;
  /** swapoff clears it: nothing new comes in (SWP_WRITEOK). */
  isWritable = true;
  /** The header and what mkswap found broken (SWAP_MAP_BAD). Never free, never counted. */
  private readonly bad: ReadonlySet<number>;
  /** Clusters with a slot in use, and the one that slots are taken from. */
  private readonly clusters = new Map<number, ClusterRows>();
  /** Below it each cluster has rows, or is not whole even if all of it is free. */
  private lowestWhole = 0;
  private cluster: number;
  private next: number;

  constructor(options: SwapAreaOptions) {
    const { slotCount, badSlots } = options;
    this.type = options.type;
    this.path = options.path;
    this.kind = options.kind;
    this.priority = options.priority;
    this.store = options.store;
    this.slotCount = slotCount;
    this.bad = new Set([0, ...badSlots]);
    this.pageCount = slotCount - this.bad.size;
    this.next = options.firstSlot ?? 1;
    this.cluster = Math.floor(this.next / CLUSTER_SLOTS);
  }

  isFree(slot: number): boolean {
    return !this.isBad(slot) && this.countOf(slot) === 0 && this.cachedOf(slot) === NO_FRAME;
  }

  isBad(slot: number): boolean {
    return this.bad.has(slot);
  }

  /** Entries that lead to the slot: of page tables and of shmem objects. */
  countOf(slot: number): number {
    return this.find(slot)?.counts[slot % CLUSTER_SLOTS] ?? 0;
  }

  /** The slot's page in the swap cache, or NO_FRAME. */
  cachedOf(slot: number): Pfn | -1 {
    return (this.find(slot)?.cached[slot % CLUSTER_SLOTS] ?? NO_FRAME) as Pfn | -1;
  }

  /** The page is all zeroes, and nothing was written. */
  isZero(slot: number): boolean {
    return this.find(slot)?.zeroes[slot % CLUSTER_SLOTS] === 1;
  }

  shadowOf(slot: number): number {
    return this.find(slot)?.shadows[slot % CLUSTER_SLOTS] ?? 0;
  }

  /** Id of the memory cgroup that pays for the slot. */
  memcgOf(slot: number): number {
    return this.find(slot)?.memcgs[slot % CLUSTER_SLOTS] ?? 0;
  }

  /** Of a slot in use, as all that follow. */
  addEntry(slot: number): void {
    this.rowsOf(slot).counts[slot % CLUSTER_SLOTS]++;
  }

  /** The entries that are left. */
  dropEntry(slot: number): number {
    return --this.rowsOf(slot).counts[slot % CLUSTER_SLOTS];
  }

  setCached(slot: number, frame: Pfn | -1): void {
    this.rowsOf(slot).cached[slot % CLUSTER_SLOTS] = frame;
  }

  setContent(slot: number, content: 'zeroes' | 'stored'): void {
    this.rowsOf(slot).zeroes[slot % CLUSTER_SLOTS] = content === 'zeroes' ? 1 : 0;
  }

  setShadow(slot: number, shadow: number): void {
    this.rowsOf(slot).shadows[slot % CLUSTER_SLOTS] = shadow;
  }

  setMemcg(slot: number, id: number): void {
    this.rowsOf(slot).memcgs[slot % CLUSTER_SLOTS] = id;
  }

  /** The slots in use now, in order; the caller may give them back meanwhile. */
  slotsInUse(): number[] {
    const found: number[] = [];
    for (const [number, rows] of [...this.clusters].sort(([a], [b]) => a - b))
      for (let at = 0; at < CLUSTER_SLOTS; at++)
        if (rows.counts[at] !== 0 || rows.cached[at] !== NO_FRAME) found.push(number * CLUSTER_SLOTS + at);
    return found;
  }

  /** A free slot, which holds the page of `frame` from now on: the next one of the cluster in use, then of one that is wholly free; 0: full. */
  takeSlot(frame: Pfn): number {
    if (this.usedSlots === this.pageCount) return 0;
    for (;;) {
      const end = this.endOf(this.cluster);
      while (this.next < end && !this.isFree(this.next)) this.next++;
      if (this.next < end) break;
      this.goTo(this.findCluster());
    }
    const slot = this.next++;
    let rows = this.clusters.get(this.cluster);
    if (rows === undefined) {
      rows = new ClusterRows();
      this.clusters.set(this.cluster, rows);
    }
    rows.cached[slot % CLUSTER_SLOTS] = frame;
    rows.used++;
    this.usedSlots++;
    return slot;
  }

  /** The slot is neither counted nor cached any more. */
  giveSlot(slot: number): void {
    assert(this.isFree(slot), 'mm/swap/area.ts: W1 a slot that is given back is not in use');
    const rows = this.rowsOf(slot);
    rows.zeroes[slot % CLUSTER_SLOTS] = 0;
    rows.shadows[slot % CLUSTER_SLOTS] = 0;
    this.store.discard(slot);
    this.usedSlots--;
    rows.used--;
    this.dropRows(Math.floor(slot / CLUSTER_SLOTS));
  }

  /** What is broken of W3, or null. */
  findBroken(): string | null {
    for (const [number, rows] of this.clusters) {
      let used = 0;
      for (let at = 0; at < CLUSTER_SLOTS; at++) {
        if (rows.counts[at] > 0 || rows.cached[at] !== NO_FRAME) used++;
        else if (rows.zeroes[at] !== 0 || rows.shadows[at] !== 0) return 'nothing is known of the page of a free slot';
        else if (rows.memcgs[at] !== 0) return 'nobody pays for a free slot (G2)';
      }
      if (used !== rows.used) return 'a cluster counts its slots in use';
      if (used === 0 && number !== this.cluster) return 'a cluster without a slot in use has no rows';
    }
    for (let number = 0; number < this.lowestWhole; number++)
      if (!this.clusters.has(number) && this.usableIn(number) === CLUSTER_SLOTS)
        return 'the lowest cluster that is wholly free';
    return null;
  }

  private find(slot: number): ClusterRows | undefined {
    return this.clusters.get(Math.floor(slot / CLUSTER_SLOTS));
  }

  private rowsOf(slot: number): ClusterRows {
    return this.find(slot) ?? panic('mm/swap/area.ts: W3 a slot in use has rows');
  }

  private endOf(number: number): number {
    return Math.min(this.slotCount, (number + 1) * CLUSTER_SLOTS);
  }

  /** Slots of the cluster that are not bad. */
  private usableIn(number: number): number {
    const start = number * CLUSTER_SLOTS;
    let usable = this.endOf(number) - start;
    for (const slot of this.bad) if (slot >= start && slot < start + CLUSTER_SLOTS) usable--;
    return usable;
  }

  /** Slots are taken from another cluster from now on. */
  private goTo(number: number): void {
    const last = this.cluster;
    this.cluster = number;
    this.next = number * CLUSTER_SLOTS;
    this.dropRows(last);
  }

  private dropRows(number: number): void {
    if (number === this.cluster || this.clusters.get(number)?.used !== 0) return;
    this.clusters.delete(number);
    this.lowestWhole = Math.min(this.lowestWhole, number);
  }

  /** The lowest cluster that is wholly free, or the next one with a free slot. */
  private findCluster(): number {
    const count = Math.ceil(this.slotCount / CLUSTER_SLOTS);
    while (this.lowestWhole < count && !this.isWhole(this.lowestWhole)) this.lowestWhole++;
    const { cluster, lowestWhole } = this;
    const isOwnWhole = this.clusters.get(cluster)?.used === 0 && this.usableIn(cluster) === CLUSTER_SLOTS;
    if (isOwnWhole && cluster < lowestWhole) return cluster;
    if (lowestWhole < count) return lowestWhole;
    for (let step = 1; step <= count; step++) {
      const at = (cluster + step) % count;
      if ((this.clusters.get(at)?.used ?? 0) < this.usableIn(at)) return at;
    }
    return cluster;
  }

  private isWhole(number: number): boolean {
    return !this.clusters.has(number) && this.usableIn(number) === CLUSTER_SLOTS;
  }
}
