import type { Vpn } from '../../machine/units.ts';
import type { KmemCache } from '../phys/slab.ts';
import type { KsmSlot } from './ksm-slots.ts';
import { NO_ROW, widened } from './row-tree.ts';

/** Where an item is, besides its space's list. */
export const IN_NO_TREE = 0;
export const IN_UNSTABLE_TREE = 1;
export const IN_STABLE_TREE = 2;

const FIRST_ROWS = 256;
/** rmap_age_t is an u8. */
export const MAX_AGE = 255;

/**
 * One row for each page that ksmd has looked at and that was anonymous then (struct ksm_rmap_item, mm/ksm.c): typed arrays, the
 * row is the identity, row 0 is none. Made and freed by the scan alone, so a row may outlive its page until the next scan.
 *
 *              first scan            same checksum twice, nobody alike          an equal page is found
 *   (no row) --------------> NO_TREE ---------------------------> UNSTABLE_TREE ----------------------> STABLE_TREE
 *                               ^  the next full scan takes it out  |                                        |
 *                               +-----------------------------------+   the page is written, moved, gone     |
 *                               +----------------------------------------------------------------------------+
 */
export class RmapItems {
  /** Rows in use (ksm_rmap_items). */
  count = 0;
  vpn: Float64Array;
  /** The space that the page is in. */
  slot: (KsmSlot | null)[] = [null];
  /** The next item of the space, by rising vpn. */
  listNext: Int32Array;
  place: Uint8Array;
  /** Of the page when it was last looked at. */
  checksum: Uint32Array;
  /** Scans that looked at it and did not merge it; further scans that pass it over (smart_scan). */
  age: Uint8Array;
  skips: Uint8Array;
  /** UNSTABLE_TREE: Ksm.generation of the tree that it was put into. */
  generation: Float64Array;
  /**
   * STABLE_TREE: the node, the neighbours in its list, the id of the AnonVma that it holds, and the linear page index there: what a
   * page's own owner and index would be.
   */
  node: Int32Array;
  next: Int32Array;
  prev: Int32Array;
  anonVma: Int32Array;
  index: Float64Array;
  private memory: Float64Array;
  private free: number[] = [];
  private rows = 1;
  private readonly cache: KmemCache;

  constructor(cache: KmemCache) {
    this.cache = cache;
    this.vpn = new Float64Array(1);
    this.listNext = new Int32Array(1);
    this.place = new Uint8Array(1);
    this.checksum = new Uint32Array(1);
    this.age = new Uint8Array(1);
    this.skips = new Uint8Array(1);
    this.generation = new Float64Array(1);
    this.node = new Int32Array(1);
    this.next = new Int32Array(1);
    this.prev = new Int32Array(1);
    this.anonVma = new Int32Array(1);
    this.index = new Float64Array(1);
    this.memory = new Float64Array(1);
  }

  /** Rows that the arrays have room for. */
  get capacity(): number {
    return this.vpn.length;
  }

  /** A new item in no tree and no list, or NO_ROW without memory. The arrays may be others afterwards. */
  alloc(slot: KsmSlot, vpn: Vpn): number {
    const memory = this.cache.alloc();
    if (memory === 0) return NO_ROW;
    const row = this.free.pop() ?? this.takeNewRow();
    this.memory[row] = memory;
    this.vpn[row] = vpn;
    this.slot[row] = slot;
    this.place[row] = IN_NO_TREE;
    this.checksum[row] = 0;
    this.age[row] = 0;
    this.skips[row] = 0;
    this.node[row] = NO_ROW;
    this.count++;
    slot.space.ksmRmapItems++;
    return row;
  }

  /** The item is in no tree and in no list. */
  release(row: number): void {
    const slot = this.slot[row] as KsmSlot;
    slot.space.ksmRmapItems--;
    this.slot[row] = null;
    this.cache.free(this.memory[row]);
    this.free.push(row);
    this.count--;
  }

  private takeNewRow(): number {
    if (this.rows === this.capacity) this.grow(Math.max(FIRST_ROWS, this.capacity * 2));
    return this.rows++;
  }

  private grow(rows: number): void {
    const widen = <T extends Uint8Array | Uint32Array | Float64Array>(array: T, wider: T): T => {
      wider.set(array);
      return wider;
    };
    this.vpn = widen(this.vpn, new Float64Array(rows));
    this.listNext = widened(this.listNext, rows);
    this.place = widen(this.place, new Uint8Array(rows));
    this.checksum = widen(this.checksum, new Uint32Array(rows));
    this.age = widen(this.age, new Uint8Array(rows));
    this.skips = widen(this.skips, new Uint8Array(rows));
    this.generation = widen(this.generation, new Float64Array(rows));
    this.node = widened(this.node, rows);
    this.next = widened(this.next, rows);
    this.prev = widened(this.prev, rows);
    this.anonVma = widened(this.anonVma, rows);
    this.index = widen(this.index, new Float64Array(rows));
    this.memory = widen(this.memory, new Float64Array(rows));
  }
}
