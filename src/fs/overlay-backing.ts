import { ENOSPC } from '../abi/errno.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import type { PageBacking } from '../mm/page-cache/file-pages.ts';
import type { LowerFile } from './overlay-inode.ts';
import type { OverlaySuperblock } from './overlay-superblock.ts';

/**
 * The store behind an overlay's file: pages that the guest wrote, over the bytes of the host's file. It stands for a disk: it is
 * kept outside of guest RAM, the page cache in front of it is real.
 *
 * Invariants:
 *  B1 written: a page index is there from the moment a write is admitted (its place is paid for); null until written back.
 *  B2 The host's bytes are seen below lowerBytes only, which never grows: what a truncate cut off stays away.
 */
export class OverlayBacking implements PageBacking {
  sizeBytes: number;
  private readonly superblock: OverlaySuperblock;
  private readonly lower: LowerFile | null;
  private lowerBytes: number;
  private readonly written = new Map<number, Uint8Array | null>();

  constructor(superblock: OverlaySuperblock, lower: LowerFile | null) {
    this.superblock = superblock;
    this.lower = lower;
    this.sizeBytes = lower?.stat.size ?? 0;
    this.lowerBytes = this.sizeBytes;
  }

  readPage(index: number, into: Uint8Array): number {
    const own = this.written.get(index);
    const end = Math.min(PAGE_SIZE, Math.max(0, this.sizeBytes - index * PAGE_SIZE));
    if (own !== undefined && own !== null) {
      into.set(own);
      into.fill(0, own.length);
      return end;
    }
    const fromHost = Math.min(end, Math.max(0, this.lowerBytes - index * PAGE_SIZE));
    if (this.lower === null || fromHost === 0) {
      into.fill(0);
      return end;
    }
    const count = this.superblock.host.read(this.lower.path, index * PAGE_SIZE, into.subarray(0, fromHost));
    if (count < 0) return count;
    into.fill(0, count);
    return end;
  }

  readPages(index: number, into: Uint8Array): number {
    const pages = into.length / PAGE_SIZE;
    let isHostOnly = this.lower !== null && (index + pages) * PAGE_SIZE <= this.lowerBytes;
    for (let i = 0; isHostOnly && i < pages; i++) if (this.written.has(index + i)) isHostOnly = false;
    if (isHostOnly) {
      const count = this.superblock.host.read(this.lower!.path, index * PAGE_SIZE, into);
      if (count >= 0) into.fill(0, count);
      return count < 0 ? count : into.length;
    }
    let total = 0;
    for (let i = 0; i < pages; i++) {
      const count = this.readPage(index + i, into.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE));
      if (count < 0) return i === 0 ? count : total;
      total += count;
      if (count < PAGE_SIZE) break;
    }
    return total;
  }

  writePage(index: number, from: Uint8Array, lengthBytes: number): number {
    this.pay(index);
    this.written.set(index, from.slice(0, lengthBytes));
    return lengthBytes;
  }

  /** Pays for the pages of a range: bytes from `pos` on that have room, -ENOSPC for none. */
  reserve(pos: number, lengthBytes: number): number {
    const first = Math.floor(pos / PAGE_SIZE);
    const end = Math.ceil((pos + lengthBytes) / PAGE_SIZE);
    for (let index = first; index < end; index++) {
      if (this.written.has(index)) continue;
      if (this.superblock.usedPages >= this.superblock.limitPages) {
        return index * PAGE_SIZE <= pos ? -ENOSPC : index * PAGE_SIZE - pos;
      }
      this.pay(index);
    }
    return lengthBytes;
  }

  /** Pages that have a place: the host's and those written; holes have none. */
  countPages(): number {
    const lowerPages = Math.ceil(this.lowerBytes / PAGE_SIZE);
    let count = lowerPages;
    for (const index of this.written.keys()) if (index >= lowerPages) count++;
    return count;
  }

  /** The page has bytes: the host's, which has no holes that we know of, or what was written back. */
  hasPage(index: number): boolean {
    const own = this.written.get(index);
    if (own === undefined || own === null) return index * PAGE_SIZE < this.lowerBytes;
    return own.length > 0;
  }

  /** The first page from `index` on that has bytes, or -1. */
  nextPage(index: number): number {
    for (let at = index; at * PAGE_SIZE < this.lowerBytes; at++) if (this.hasPage(at)) return at;
    let next = -1;
    for (const at of this.written.keys()) if (at >= index && (next < 0 || at < next) && this.hasPage(at)) next = at;
    return next;
  }

  private pay(index: number): void {
    if (this.written.has(index)) return;
    this.written.set(index, null);
    this.superblock.usedPages++;
  }

  /** The size has become `sizeBytes`: pages behind it are given back. */
  cutAt(sizeBytes: number): void {
    this.lowerBytes = Math.min(this.lowerBytes, sizeBytes);
    for (const index of this.written.keys()) if (index * PAGE_SIZE >= sizeBytes) this.giveBack(index);
  }

  /** Whole pages [first, end) read as zeroes from now on. 0 or -ENOSPC. */
  punch(first: number, end: number): number {
    for (let index = first; index < end; index++) {
      if (index * PAGE_SIZE >= this.lowerBytes) this.giveBack(index);
      else {
        const room = this.reserve(index * PAGE_SIZE, 1);
        if (room < 0) return room;
        this.written.set(index, new Uint8Array(0));
      }
    }
    return 0;
  }

  private giveBack(index: number): void {
    if (this.written.delete(index)) this.superblock.usedPages--;
  }

  free(): void {
    this.superblock.usedPages -= this.written.size;
    this.written.clear();
  }
}
