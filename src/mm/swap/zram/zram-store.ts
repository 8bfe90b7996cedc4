import { EIO } from '../../../abi/errno.ts';
import { COST_SWAP_MEMORY_NS } from '../../../machine/cost-model.ts';
import type { Ram } from '../../../machine/ram.ts';
import { PAGE_SIZE } from '../../../machine/units.ts';
import type { FrameAllocator } from '../../phys/alloc.ts';
import { fillWithWord, isSameFilled, type SwapStore, WORD_BYTES } from '../store.ts';
import { Lz4Compressor, lz4Decompress } from './lz4.ts';
import { HUGE_CLASS_BYTES } from './size-classes.ts';
import { ZsPool } from './zs-pool.ts';

/** What a slot has. */
const ZRAM_NONE = 0;
/** One word, over and over, which stands in place of the handle (ZRAM_SAME). */
export const ZRAM_SAME = 1;
export const ZRAM_COMPRESSED = 2;
/** A page that does not get much smaller, as it is (ZRAM_HUGE). */
export const ZRAM_HUGE = 3;

/** What mm_stat shows besides the pool's frames (struct zram_stats). */
export interface ZramStats {
  pagesStored: number;
  /** Bytes that the objects have, before they are rounded up to their classes. */
  comprDataBytes: number;
  samePages: number;
  hugePages: number;
  hugePagesSince: number;
  /** The most frames that there were. */
  maxUsedPages: number;
  failedReads: number;
  failedWrites: number;
  notifyFree: number;
}

/** Slots whose rows are made together, once one of them is written. */
const ROW_SLOTS = 512;

/** What slots have, by their place in it. */
export class SlotRows {
  /** ZRAM_*, the object's bytes, and its handle or the word. */
  readonly kinds = new Uint8Array(ROW_SLOTS);
  readonly lengths = new Uint16Array(ROW_SLOTS);
  readonly handles = new Uint32Array(ROW_SLOTS);
  readonly words = new Uint8Array(ROW_SLOTS * WORD_BYTES);
  used = 0;
}

/**
 * A disk of compressed pages in the machine's own memory (Linux: drivers/block/zram, 6.18), with lz4: to swap a page out takes part
 * of a frame. It fails with -ENOMEM where no frame is left for that.
 *
 * Invariants (check-zram.ts): Z4 each handle leads to an object in use, and each object has one. Z5 the stats count the slots.
 */
export class ZramStore implements SwapStore {
  readonly speed = 'synchronous';
  readonly sizeBytes: number;
  readonly pool: ZsPool;
  readonly stats: ZramStats = {
    pagesStored: 0,
    comprDataBytes: 0,
    samePages: 0,
    hugePages: 0,
    hugePagesSince: 0,
    maxUsedPages: 0,
    failedReads: 0,
    failedWrites: 0,
    notifyFree: 0,
  };
  /** Where a slot has something: by slot / ROW_SLOTS. */
  private readonly rows = new Map<number, SlotRows>();
  private readonly compressor = new Lz4Compressor();
  private readonly buffer = new Uint8Array(HUGE_CLASS_BYTES - 1);

  constructor(sizeBytes: number, ram: Ram, alloc: FrameAllocator) {
    this.sizeBytes = Math.floor(sizeBytes / PAGE_SIZE) * PAGE_SIZE;
    this.pool = new ZsPool(ram, alloc);
  }

  read(slot: number, into: Uint8Array): number {
    const rows = this.rows.get(Math.floor(slot / ROW_SLOTS));
    const at = slot % ROW_SLOTS;
    const kind = rows?.kinds[at] ?? ZRAM_NONE;
    if (rows === undefined || kind === ZRAM_NONE) into.fill(0);
    else if (kind === ZRAM_SAME) fillWithWord(into, rows.words.subarray(at * WORD_BYTES, (at + 1) * WORD_BYTES));
    else if (kind === ZRAM_HUGE) this.pool.load(rows.handles[at], into);
    else {
      const block = this.buffer.subarray(0, rows.lengths[at]);
      this.pool.load(rows.handles[at], block);
      if (lz4Decompress(block, into) !== PAGE_SIZE) {
        this.stats.failedReads++;
        return -EIO;
      }
    }
    return 0;
  }

  /** zram_write_page. What the slot had stays where the new page finds no room. */
  write(slot: number, from: Uint8Array): number {
    const { stats } = this;
    if (isSameFilled(from)) {
      this.empty(slot);
      const rows = this.fill(slot, ZRAM_SAME);
      rows.words.set(from.subarray(0, WORD_BYTES), (slot % ROW_SLOTS) * WORD_BYTES);
      stats.samePages++;
      stats.pagesStored++;
      return 0;
    }
    const length = this.compressor.compress(from, this.buffer);
    const object = length === 0 ? from : this.buffer.subarray(0, length);
    const handle = this.pool.store(object);
    if (handle < 0) {
      stats.failedWrites++;
      return handle;
    }
    stats.maxUsedPages = Math.max(stats.maxUsedPages, this.pool.frameCount);
    this.empty(slot);
    const rows = this.fill(slot, length === 0 ? ZRAM_HUGE : ZRAM_COMPRESSED);
    rows.lengths[slot % ROW_SLOTS] = object.length;
    rows.handles[slot % ROW_SLOTS] = handle;
    if (length === 0) {
      stats.hugePages++;
      stats.hugePagesSince++;
    }
    stats.comprDataBytes += object.length;
    stats.pagesStored++;
    return 0;
  }

  /** zram_slot_free_notify. */
  discard(slot: number): void {
    if (this.empty(slot)) this.stats.notifyFree++;
  }

  costNs(): number {
    return COST_SWAP_MEMORY_NS;
  }

  /** Gives all frames back (zram_reset_device). */
  reset(): void {
    const slots: number[] = [];
    this.forEachSlot((slot) => slots.push(slot));
    for (const slot of slots) this.empty(slot);
  }

  /** The slots that have something; of a ZRAM_SAME there is no object. */
  forEachSlot(visit: (slot: number, kind: number, lengthBytes: number, handle: number) => void): void {
    for (const [number, { kinds, lengths, handles }] of this.rows)
      for (let at = 0; at < ROW_SLOTS; at++)
        if (kinds[at] !== ZRAM_NONE) visit(number * ROW_SLOTS + at, kinds[at], lengths[at], handles[at]);
  }

  /** An empty slot has something of the kind now. */
  private fill(slot: number, kind: number): SlotRows {
    const number = Math.floor(slot / ROW_SLOTS);
    let rows = this.rows.get(number);
    if (rows === undefined) {
      rows = new SlotRows();
      this.rows.set(number, rows);
    }
    rows.kinds[slot % ROW_SLOTS] = kind;
    rows.used++;
    return rows;
  }

  /** False: it was empty. */
  private empty(slot: number): boolean {
    const { stats } = this;
    const rows = this.rows.get(Math.floor(slot / ROW_SLOTS));
    const at = slot % ROW_SLOTS;
    const kind = rows?.kinds[at] ?? ZRAM_NONE;
    if (rows === undefined || kind === ZRAM_NONE) return false;
    stats.pagesStored--;
    if (kind === ZRAM_SAME) stats.samePages--;
    else {
      if (kind === ZRAM_HUGE) stats.hugePages--;
      stats.comprDataBytes -= rows.lengths[at];
      this.pool.free(rows.handles[at]);
    }
    rows.kinds[at] = ZRAM_NONE;
    if (--rows.used === 0) this.rows.delete(Math.floor(slot / ROW_SLOTS));
    return true;
  }
}
