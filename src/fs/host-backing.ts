import { EIO } from '../abi/errno.ts';
import type { HostFiles } from '../machine/environment.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import type { PageBacking } from '../mm/page-cache/file-pages.ts';

/** Bytes read at a time when a file is rescued. */
const CHUNK_BYTES = 1 << 16;

/** Who knows where the file is: its inode. */
export interface HostPlace {
  /** null: it has no name any more. */
  hostPath(): string | null;
  /** The host did not take a page. */
  noteWriteError(error: number): void;
}

/** The store behind a file of an `rw` mount: the host's file, or, once its last name is gone, the bytes kept of it. */
export class HostBacking implements PageBacking {
  sizeBytes: number;
  /** Size of the host's file as far as we know: behind it the guest has a size that no write has reached yet. */
  private hostBytes: number;
  /** The host has bytes that it may still lose with its power. */
  isUnsafe = false;
  private orphan: Map<number, Uint8Array> | null = null;
  private readonly host: HostFiles;
  private readonly place: HostPlace;

  constructor(host: HostFiles, place: HostPlace, sizeBytes: number) {
    this.host = host;
    this.place = place;
    this.sizeBytes = sizeBytes;
    this.hostBytes = sizeBytes;
  }

  readPage(index: number, into: Uint8Array): number {
    const want = Math.min(PAGE_SIZE, Math.max(0, this.sizeBytes - index * PAGE_SIZE));
    if (this.orphan !== null) {
      const own = this.orphan.get(index);
      into.fill(0);
      if (own !== undefined) into.set(own);
      return want;
    }
    const path = this.place.hostPath();
    if (path === null) return -EIO;
    const count = this.host.read(path, index * PAGE_SIZE, into.subarray(0, want));
    if (count < 0) return count;
    into.fill(0, count);
    return want;
  }

  readPages(index: number, into: Uint8Array): number {
    const path = this.place.hostPath();
    if (this.orphan !== null || path === null) return this.readPage(index, into.subarray(0, PAGE_SIZE));
    const want = Math.min(into.length, Math.max(0, this.sizeBytes - index * PAGE_SIZE));
    const count = this.host.read(path, index * PAGE_SIZE, into.subarray(0, want));
    if (count < 0) return count;
    into.fill(0, count);
    return want;
  }

  writePage(index: number, from: Uint8Array, lengthBytes: number): number {
    if (this.orphan !== null) {
      this.orphan.set(index, from.slice(0, lengthBytes));
      return lengthBytes;
    }
    const path = this.place.hostPath();
    if (path === null) return -EIO;
    const result = this.host.write(path, index * PAGE_SIZE, from.subarray(0, lengthBytes));
    if (result >= 0) this.isUnsafe = true;
    if (result >= 0) this.hostBytes = Math.max(this.hostBytes, index * PAGE_SIZE + lengthBytes);
    return result;
  }

  writePages(index: number, bytes: Uint8Array): number {
    if (this.orphan === null) return this.writePage(index, bytes, bytes.length);
    for (let at = 0; at < bytes.length; at += PAGE_SIZE) {
      const page = bytes.subarray(at, at + PAGE_SIZE);
      this.writePage(index + at / PAGE_SIZE, page, page.length);
    }
    return bytes.length;
  }

  noteWriteError(error: number): void {
    this.place.noteWriteError(error);
  }

  /** A file that grew by a truncate, or by pages that were never written: the host's gets the same length. */
  extendHost(): number {
    const path = this.place.hostPath();
    if (this.orphan !== null || path === null || this.hostBytes >= this.sizeBytes) return 0;
    const result = this.host.truncate(path, this.sizeBytes);
    if (result < 0) return result;
    this.hostBytes = this.sizeBytes;
    this.isUnsafe = true;
    return result;
  }

  /** Keeps the bytes of a file that is about to be deleted. 0 or the host's error. */
  makeOrphan(): number {
    const path = this.place.hostPath();
    if (path === null || this.orphan !== null) return 0;
    const kept = new Map<number, Uint8Array>();
    const chunk = new Uint8Array(CHUNK_BYTES);
    for (let at = 0; at < this.hostBytes; at += CHUNK_BYTES) {
      const count = this.host.read(path, at, chunk);
      if (count < 0) return count;
      for (let start = 0; start < count; start += PAGE_SIZE)
        kept.set((at + start) / PAGE_SIZE, chunk.slice(start, Math.min(count, start + PAGE_SIZE)));
      if (count < CHUNK_BYTES) break;
    }
    this.orphan = kept;
    return 0;
  }

  undoOrphan(): void {
    this.orphan = null;
  }

  /** A truncate, done on the host by the caller. */
  cutOrphanAt(sizeBytes: number): void {
    this.hostBytes = sizeBytes;
    if (this.orphan === null) return;
    for (const [index, bytes] of this.orphan) {
      if (index * PAGE_SIZE >= sizeBytes) this.orphan.delete(index);
      else if (index * PAGE_SIZE + bytes.length > sizeBytes)
        this.orphan.set(index, bytes.slice(0, sizeBytes - index * PAGE_SIZE));
    }
  }
}
