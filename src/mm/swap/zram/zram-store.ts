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
export const ZRAM_NONE = 0;
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
  /** By slot: ZRAM_*, the object's bytes, and its handle or the word. */
  readonly kinds: Uint8Array;
  readonly lengths: Uint16Array;
  readonly handles: Uint32Array;
  private readonly words: Uint8Array;
  private readonly compressor = new Lz4Compressor();
  private readonly buffer = new Uint8Array(HUGE_CLASS_BYTES - 1);

  constructor(sizeBytes: number, ram: Ram, alloc: FrameAllocator) {
    const slots = Math.floor(sizeBytes / PAGE_SIZE);
    this.sizeBytes = slots * PAGE_SIZE;
    this.pool = new ZsPool(ram, alloc);
    this.kinds = new Uint8Array(slots);
    this.lengths = new Uint16Array(slots);
    this.handles = new Uint32Array(slots);
    this.words = new Uint8Array(slots * WORD_BYTES);
  }

  read(slot: number, into: Uint8Array): number {
    const kind = this.kinds[slot];
    if (kind === ZRAM_NONE) into.fill(0);
    else if (kind === ZRAM_SAME) fillWithWord(into, this.words.subarray(slot * WORD_BYTES, (slot + 1) * WORD_BYTES));
    else if (kind === ZRAM_HUGE) this.pool.load(this.handles[slot], into);
    else {
      const block = this.buffer.subarray(0, this.lengths[slot]);
      this.pool.load(this.handles[slot], block);
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
      this.kinds[slot] = ZRAM_SAME;
      this.words.set(from.subarray(0, WORD_BYTES), slot * WORD_BYTES);
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
    this.kinds[slot] = length === 0 ? ZRAM_HUGE : ZRAM_COMPRESSED;
    this.lengths[slot] = object.length;
    this.handles[slot] = handle;
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
    if (this.kinds[slot] === ZRAM_NONE) return;
    this.stats.notifyFree++;
    this.empty(slot);
  }

  costNs(): number {
    return COST_SWAP_MEMORY_NS;
  }

  /** Gives all frames back (zram_reset_device). */
  reset(): void {
    for (let slot = 0; slot < this.kinds.length; slot++) this.empty(slot);
  }

  private empty(slot: number): void {
    const { stats, kinds } = this;
    const kind = kinds[slot];
    if (kind === ZRAM_NONE) return;
    kinds[slot] = ZRAM_NONE;
    stats.pagesStored--;
    if (kind === ZRAM_SAME) {
      stats.samePages--;
      return;
    }
    if (kind === ZRAM_HUGE) stats.hugePages--;
    stats.comprDataBytes -= this.lengths[slot];
    this.lengths[slot] = 0;
    this.pool.free(this.handles[slot]);
  }
}
