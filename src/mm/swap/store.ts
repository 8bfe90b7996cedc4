import { EIO } from '../../abi/errno.ts';
import { COST_SWAP_MEMORY_NS } from '../../machine/cost-model.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import type { PageBacking } from '../page-cache/file-pages.ts';

/** Where the pages of a swap area are. Slots are numbered from the area's first page, its header, which is slot 0. */
export interface SwapStore {
  /**
   * 'synchronous' is as quick as memory (SWP_SYNCHRONOUS_IO): a page that one entry alone leads to is read without the swap cache,
   * and nothing is read ahead.
   */
  readonly speed: 'synchronous' | 'device';
  /** Where it lies on the disk, whose time each access takes (block/); absent: not there, and `costNs` is what it takes. */
  readonly backing?: PageBacking;
  /** Bytes of the area, header included. */
  readonly sizeBytes: number;
  /** Fills `into`, 4096 bytes. 0 or -ERRNO. */
  read(slot: number, into: Uint8Array): number;
  /** Keeps a copy of `from`, 4096 bytes. 0 or -ERRNO. */
  write(slot: number, from: Uint8Array): number;
  /** The slot is free: its bytes are not wanted any more. */
  discard(slot: number): void;
  /** What an access costs where no disk is asked. */
  costNs(): number;
}

/**
 * Memory of the host that is none of the guest's, as a RAM disk: `--swap SIZE`. A page of one repeated 8-byte word costs that
 * word (zram's same-filled pages).
 */
export class MemoryStore implements SwapStore {
  readonly speed = 'synchronous';
  readonly sizeBytes: number;
  private readonly pages = new Map<number, Uint8Array>();

  constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes;
  }

  read(slot: number, into: Uint8Array): number {
    const kept = this.pages.get(slot);
    if (kept === undefined) into.fill(0);
    else if (kept.length === WORD_BYTES) fillWithWord(into, kept);
    else into.set(kept);
    return 0;
  }

  write(slot: number, from: Uint8Array): number {
    this.pages.set(slot, from.slice(0, isSameFilled(from) ? WORD_BYTES : PAGE_SIZE));
    return 0;
  }

  discard(slot: number): void {
    this.pages.delete(slot);
  }

  costNs(): number {
    return COST_SWAP_MEMORY_NS;
  }

  /** Bytes that the pages take in memory (zram's mem_used, without what the map costs). */
  get keptBytes(): number {
    let sum = 0;
    for (const page of this.pages.values()) sum += page.length;
    return sum;
  }
}

/** What a same-filled page repeats: an unsigned long. */
export const WORD_BYTES = 8;

/** page_same_filled (6.18, drivers/block/zram). */
export function isSameFilled(page: Uint8Array): boolean {
  for (let at = WORD_BYTES; at < PAGE_SIZE; at++) if (page[at] !== page[at - WORD_BYTES]) return false;
  return true;
}

export function fillWithWord(page: Uint8Array, word: Uint8Array): void {
  for (let at = 0; at < PAGE_SIZE; at += WORD_BYTES) page.set(word, at);
}

/** A file that was made with mkswap: its bytes go to the file's store, past the page cache (swap_activate, swap_rw). */
export class FileStore implements SwapStore {
  readonly speed = 'device';
  readonly backing: PageBacking;

  constructor(backing: PageBacking) {
    this.backing = backing;
  }

  get sizeBytes(): number {
    return this.backing.sizeBytes;
  }

  read(slot: number, into: Uint8Array): number {
    const given = this.backing.readPage(slot, into);
    return given < 0 ? given : given < PAGE_SIZE ? -EIO : 0;
  }

  write(slot: number, from: Uint8Array): number {
    return Math.min(0, this.backing.writePage(slot, from, PAGE_SIZE));
  }

  discard(): void {}

  costNs(): number {
    return 0;
  }
}
