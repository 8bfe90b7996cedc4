import { ErrorSequence } from '../../base/error-sequence.ts';
import type { DiskPlace } from '../../machine/disk-layout.ts';
import { type Pfn, pagesOf } from '../../machine/units.ts';
import type { KmemCache } from '../phys/slab.ts';
import { IntervalTree } from '../rmap/interval-tree.ts';
import type { RmapVma } from '../rmap/rmap-vma.ts';
import type { SharedPolicy } from '../shared-policy.ts';
import type { ShmemOwner } from '../shmem/shmem-huge.ts';
import type { SwapEntry } from '../swap/entry.ts';
import { PageIndex } from './page-index.ts';
import type { ShadowNodes } from './shadow-nodes.ts';

/**
 * Where the pages of a file come from and go to. Synchronous; what it takes in virtual time is the block layer's (block/), the
 * implementation charges nothing.
 */
export interface PageBacking {
  /** Where it lies on the disk; made and read by BlockQueue. */
  diskPlace?: DiskPlace;
  /** Length of the file (i_size). The page cache raises it as a write goes past the end, the file system sets it otherwise. */
  sizeBytes: number;
  /** Fills `into` (4096 bytes) from byte index * 4096 on. Bytes given, short at the end of file, or -ERRNO. */
  readPage(index: number, into: Uint8Array): number;
  /** The same for several pages in a row (`into.length` is a multiple of 4096): one request. */
  readPages?(index: number, into: Uint8Array): number;
  /** Stores the first `lengthBytes` of `from` at byte index * 4096. 0 or more, or -ERRNO (-ENOSPC, -EIO). */
  writePage(index: number, from: Uint8Array, lengthBytes: number): number;
  /** The same for pages in a row, `bytes` from byte index * 4096 on: all of them, or an error, with which any may be stored. */
  writePages?(index: number, bytes: Uint8Array): number;
  /** A page could not be written; whether a program is told, only fsync knows. */
  noteWriteError?(error: number): void;
}

/**
 * The cached pages of one file (Linux: struct address_space). Made by PageCache.createFile or shmem.ts; ended by
 * PageCache.evict. `pages` is written by PageCache alone, `i_mmap` by Rmap alone.
 *
 * Invariants: mm/page-cache/page-cache.ts C1 to C5.
 */
export class FilePages {
  readonly id: number;
  /** 'shmem': no backing, the pages are the storage: while the object lives they leave memory for swap alone. */
  readonly kind: 'file' | 'shmem';
  readonly backing: PageBacking | null;
  readonly pages: PageIndex;
  /** Shmem: pages that are in a swap area instead, by index; each of them counts in its slot (swap/README.md W1). */
  readonly swapped = new Map<number, SwapEntry>();
  /** VMAs that map the file, by their range of page offsets. */
  readonly i_mmap = new IntervalTree<RmapVma>();
  /** Errors of write-back, which every open file is told once (wb_err). */
  readonly writebackErrors = new ErrorSequence();
  /** A mapping has stored into it: when it is closed, it is to be safe on the host. */
  wasStoredTo = false;
  /**
   * The last read-ahead window, in pages, and how much of its end is read before it is asked for (struct file_ra_state; Linux has
   * one an open file).
   */
  readAheadStart = 0;
  readAheadPages = 0;
  readAheadAsync = 0;
  /** When it became dirty after it was clean (dirtied_when). */
  dirtiedAtNs = 0;
  /** SHM_LOCK: its pages stay in memory (AS_UNEVICTABLE). */
  isUnevictable = false;
  /** Of shmem: who says whether it may have large pages. */
  shmemOwner: ShmemOwner | null = null;
  /** Of shmem: the page behind what fallocate has made, maybe past the size (shmem_inode_info.fallocend). */
  fallocEnd = 0;
  /** mbind's, where memory is shared; null until the first. */
  policies: SharedPolicy | null = null;
  private ownSizeBytes = 0;

  constructor(
    id: number,
    kind: 'file' | 'shmem',
    backing: PageBacking | null,
    nodes: KmemCache,
    shadowNodes: ShadowNodes,
  ) {
    this.id = id;
    this.kind = kind;
    this.backing = backing;
    this.pages = new PageIndex(nodes, shadowNodes);
  }

  /** mapping_set_error. */
  noteWritebackError(error: number): void {
    this.writebackErrors.note(error);
    this.backing?.noteWriteError?.(error);
  }

  get sizeBytes(): number {
    return this.backing === null ? this.ownSizeBytes : this.backing.sizeBytes;
  }

  set sizeBytes(bytes: number) {
    if (this.backing === null) this.ownSizeBytes = bytes;
    else this.backing.sizeBytes = bytes;
  }

  /** The cached frame at a page index, a part of a large page too, or NO_FRAME. No reference is taken. */
  findPage(index: number): Pfn | -1 {
    return this.pages.find(index);
  }

  /** The page behind those that are its own: by its size, or by what fallocate has promised (shmem_fallocend). */
  get endPage(): number {
    return Math.max(pagesOf(this.sizeBytes), this.fallocEnd);
  }

  /** Is there a page, in memory or in swap? */
  has(index: number): boolean {
    return this.pages.find(index) >= 0 || this.swapped.has(index);
  }

  /** Pages that there are, in memory or in swap. */
  get pageCount(): number {
    return this.pages.count + this.swapped.size;
  }
}
