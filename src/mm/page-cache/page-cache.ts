import { ENOMEM } from '../../abi/errno.ts';
import { assert } from '../../base/assert.ts';
import {
  EV_BALANCE_DIRTY,
  EV_DIRTY_FOLIO,
  EV_FILEMAP_ADD,
  EV_FILEMAP_DELETE,
  EV_LRU_ACTIVATE,
} from '../../base/event-kinds.ts';
import type { Vmstat } from '../../base/vmstat.ts';
import type { VirtualClock } from '../../machine/clock.ts';
import type { Ram } from '../../machine/ram.ts';
import { PAGE_SIZE, type Pfn } from '../../machine/units.ts';
import type { BlockQueue } from '../block/block-queue.ts';
import { type BlockRequest, PAGE_LOCKED } from '../block/request.ts';
import { ROOT_MEMCG } from '../memcg/memcg.ts';
import type { Memcgs } from '../memcg/memcgs.ts';
import type { FrameAllocator } from '../phys/alloc.ts';
import { type FrameTable, NO_FRAME } from '../phys/frame-table.ts';
import { __GFP_MEMALLOC, GFP_HIGHUSER_MOVABLE } from '../phys/gfp.ts';
import { PG_dirty, PG_locked, PG_pagecache, PG_readahead, PG_swapbacked, PG_uptodate } from '../phys/page-flags.ts';
import type { RefaultListener, UseListener } from '../phys/reclaimer.ts';
import type { KmemCache } from '../phys/slab.ts';
import { dropForced } from '../reclaim/forced.ts';
import type { ForcedWhy } from '../reclaim/why.ts';
import type { Rmap } from '../rmap/rmap.ts';
import { ShmemHugeSettings } from '../shmem/shmem-huge.ts';
import { cullPage } from '../shmem/shmem-lock.ts';
import { swapInShmem } from '../shmem/shmem-swap.ts';
import type { Swap } from '../swap/swap.ts';
import { DirtySettings, dirtyLimits } from './dirty-limits.ts';
import { FilePages, type PageBacking } from './file-pages.ts';
import { type ReadAhead, readMissingPage, readNextWindow } from './readahead.ts';
import { ShadowNodes } from './shadow-nodes.ts';
import { truncatePages } from './truncate.ts';
import { awaitWriteback, writebackPages } from './writeback.ts';

/** So many dirty pages are let be without a look at the limits (ratelimit_pages). */
const DIRTY_RATELIMIT_PAGES = 32;
const NS_PER_CENTISEC = 10_000_000;

export interface PageCacheOptions {
  readonly ram: Ram;
  readonly allocator: FrameAllocator;
  readonly rmap: Rmap;
  readonly nodes: KmemCache;
  /** By FilePages id; the table is shared with Rmap, which reads it. Empty at the start. */
  readonly files: (FilePages | null)[];
  readonly swap: Swap;
  readonly memcgs: Memcgs;
  readonly vmstat: Vmstat;
  readonly clock: VirtualClock;
  readonly io: BlockQueue;
}

/** Who makes large pages of shmem, where one may be; shmem/large-pages.ts implements it. */
export interface LargePageMaker {
  /** A write that ends there, or fallocate, is about to make the page at a hole. Where it makes a large one, that is found then. */
  addForWrite(file: FilePages, index: number, writeEndBytes: number): void;
}

/**
 * The page cache: every page of every file that is in memory, once (Linux: mm/filemap.c). Reads, writes and mappings of a file
 * meet in its frames.
 *
 *   hole --ensurePage--> clean --markDirty--> dirty --writeback--> clean --dropPage (truncate, shrink, evict)--> hole
 *
 * Invariants (checked by phys/check.ts):
 *  C1 file.findPage(index) = frame exactly when the frame has PG_pagecache, owner = file.id, index = index; or is the part at that
 *     index of a compound page whose head has these. Only shmem has such pages (shmem/large-pages.ts).
 *  C2 The cache holds one reference on each of its pages, a compound one too, each page-table entry one, whoever looks at a page one meanwhile.
 *  C3 PG_dirty and the index's dirty mark agree for files with a backing; nr_dirty counts those. Shmem pages have PG_dirty
 *     alone. A page is dirty or holds what the backing holds.
 *  C4 Backed files' pages are on the file LRU lists, shmem's (PG_swapbacked) on the anonymous ones.
 *  C5 nr_file_pages counts all frames of the cache, nr_shmem those of shmem, nr_shmem_thps those of huge pages of shmem.
 *  C6 Bytes of a page that lie past the end of its file are 0 when the page is read in, written back or extended over. Not of
 *     shmem, whose pages past the end keep what was stored there until it is truncated (6.18: shmem_setattr).
 */
export class PageCache {
  readonly ram: Ram;
  readonly allocator: FrameAllocator;
  readonly frames: FrameTable;
  readonly rmap: Rmap;
  readonly swap: Swap;
  readonly memcgs: Memcgs;
  readonly vmstat: Vmstat;
  readonly clock: VirtualClock;
  /** By id; index 0 is nobody. */
  readonly files: (FilePages | null)[];
  /** Did the last ensurePage wait for the backing? (Then a fault is a major one.) */
  lastEnsureWasMajor = false;
  readonly dirty = new DirtySettings();
  readonly shmemHuge: ShmemHugeSettings;
  /** null at boot, and without a memory manager. */
  largePages: LargePageMaker | null = null;
  readonly shadowNodes: ShadowNodes;
  /** Who is told of pages that come back after reclaim took them; null at boot. */
  refaults: RefaultListener | null = null;
  /** Who is told of reads and writes; null: nobody. */
  uses: UseListener | null = null;
  /** More is dirty than the flusher is to let be. */
  needsFlusher = false;
  /** After PAGE_LOCKED: what the page is locked by. */
  lockedBy: BlockRequest | null = null;
  readonly io: BlockQueue;
  private readonly nodes: KmemCache;
  private readonly freeIds: number[] = [];

  constructor(options: PageCacheOptions) {
    this.ram = options.ram;
    this.allocator = options.allocator;
    this.frames = options.allocator.frames;
    this.shmemHuge = new ShmemHugeSettings(this.frames);
    this.shadowNodes = new ShadowNodes(options.allocator.stat);
    this.rmap = options.rmap;
    this.swap = options.swap;
    this.memcgs = options.memcgs;
    this.nodes = options.nodes;
    this.files = options.files;
    this.files[0] = null;
    this.vmstat = options.vmstat;
    this.clock = options.clock;
    this.io = options.io;
  }

  /** The cached pages of a new inode. `null`: shmem, the pages are the storage. Ended by `evict`. */
  createFile(backing: PageBacking | null): FilePages {
    const id = this.freeIds.pop() ?? this.files.length;
    const file = new FilePages(id, backing === null ? 'shmem' : 'file', backing, this.nodes, this.shadowNodes);
    if (backing === null) file.shmemOwner = this.shmemHuge;
    this.files[id] = file;
    return file;
  }

  fileById(id: number): FilePages | null {
    return this.files[id] ?? null;
  }

  /**
   * The frame of a page, read in where it is missing, with one more reference for the caller; -ENOMEM, or the backing's error
   * (-EIO). `index` is below the end of file; shmem gets a zeroed page for a hole, and a page that was only allocated counts as
   * filled. 'around' is a fault's read-ahead, 'sequential' that of read(2), 'none' reads the one page. A page that is on its way
   * from the device is waited for; 'leave' answers PAGE_LOCKED for it, and `lockedBy` says what to sleep on.
   */
  ensurePage(
    file: FilePages,
    index: number,
    readAhead: ReadAhead = 'around',
    atLockedPage: 'wait' | 'leave' = 'wait',
  ): Pfn | number {
    this.lastEnsureWasMajor = false;
    const cached = file.pages.find(index);
    if (cached === NO_FRAME && file.backing === null)
      return file.swapped.has(index)
        ? swapInShmem(this, file, index, GFP_HIGHUSER_MOVABLE, atLockedPage)
        : this.addZeroedPage(file, index);
    if (cached === NO_FRAME) {
      this.lastEnsureWasMajor = true;
      const shadow = file.pages.shadowAt(index);
      if (shadow !== 0) this.refaults?.wanted(shadow);
      const read = readMissingPage(this, file, index, readAhead);
      return read < 0 ? read : this.awaitPage(read as Pfn, atLockedPage);
    }
    this.allocator.getFrame(cached as Pfn);
    const head = this.frames.headOf(cached as Pfn);
    if ((this.frames.flags[head] & PG_readahead) !== 0) readNextWindow(this, file, index, readAhead);
    if ((this.frames.flags[head] & PG_locked) !== 0) return this.awaitPage(cached as Pfn, atLockedPage);
    this.frames.flags[head] |= PG_uptodate;
    return cached;
  }

  /**
   * The page, whose reference is the caller's, as soon as it is no longer on its way from the device: at once, at the caller's
   * expense; or, with 'leave', PAGE_LOCKED without the reference: `lockedBy` is what the caller is to sleep on.
   */
  private awaitPage(frame: Pfn, atLockedPage: 'wait' | 'leave'): Pfn | number {
    const request = this.io.requestOf(frame);
    if (request === null || (this.frames.flags[frame] & PG_locked) === 0) return frame;
    if (atLockedPage === 'wait') {
      this.io.finishHere(request);
      return frame;
    }
    this.lockedBy = request;
    this.allocator.putFrame(frame);
    return PAGE_LOCKED;
  }

  /**
   * fallocate of a page of shmem (SGP_FALLOC, 6.18): a hole gets a page that nobody has filled yet, so that mincore, read and
   * SEEK_DATA take it for a hole and a fault nearby does not map it. The index behind it, which is further away where the page is a
   * large one (the request ends at `endBytes`), or -ENOMEM.
   */
  allocatePage(file: FilePages, index: number, endBytes: number): number {
    const isNew = !file.has(index);
    if (isNew) this.largePages?.addForWrite(file, index, endBytes);
    const frame = this.ensurePage(file, index);
    if (frame < 0) return frame;
    const head = this.frames.headOf(frame as Pfn);
    this.markDirty(head);
    if (isNew) this.frames.flags[head] &= ~PG_uptodate;
    const next = this.frames.index[head] + this.frames.pagesOf(head);
    this.allocator.putFrame(head);
    return next;
  }

  /** Whether the page is in memory and filled (filemap_get_folio, folio_test_uptodate). */
  isFilled(file: FilePages, index: number): boolean {
    const frame = file.pages.find(index);
    return frame !== NO_FRAME && (this.frames.flags[this.frames.headOf(frame)] & PG_uptodate) !== 0;
  }

  /** Whether the file has bytes there that somebody wrote or may have: in memory and filled, or in swap (folio_seek_hole_data). */
  hasData(file: FilePages, index: number): boolean {
    return this.isFilled(file, index) || file.swapped.has(index);
  }

  /** A new zeroed page at a hole, its reference the caller's; -ENOMEM. It counts as up to date. */
  addZeroedPage(file: FilePages, index: number): Pfn | number {
    const frame = this.allocator.allocFrame(GFP_HIGHUSER_MOVABLE);
    if (frame === NO_FRAME) return -ENOMEM;
    this.ram.zeroFrame(frame as Pfn);
    if (this.addPage(file, index, frame as Pfn, 'new')) return frame;
    this.allocator.putFrame(frame as Pfn);
    return -ENOMEM;
  }

  /**
   * Enters a filled frame, or the head of a compound page with all of it (filemap_add_folio); the cache takes a reference of its own. It is charged to the running task's memory
   * cgroup. False when there is no memory for the index, or no room for the charge. 'new': its contents are about to be written
   * whole, so that it is not the page which reclaim took (__GFP_WRITE).
   */
  addPage(
    file: FilePages,
    index: number,
    frame: Pfn,
    contents: 'old' | 'new' = 'old',
    gfp: number = GFP_HIGHUSER_MOVABLE,
  ): boolean {
    const { frames } = this;
    // One that comes from swap, or from somebody's copy, is paid for.
    const isPaid = frames.memcg[frame] !== ROOT_MEMCG;
    if (!isPaid && !this.memcgs.chargePage(frame, this.memcgs.current, gfp)) return false;
    const shadow = contents === 'old' ? file.pages.shadowAt(index) : 0;
    const count = frames.pagesOf(frame);
    if (!file.pages.insertRun(index, frame, count)) return false;
    this.allocator.getFrame(frame);
    frames.flags[frame] |= PG_pagecache | PG_uptodate | (file.kind === 'shmem' ? PG_swapbacked : 0);
    frames.owner[frame] = file.id;
    frames.index[frame] = index;
    this.countPage(file, frame, count);
    if (shadow !== 0) this.refaults?.refaulted(frame, shadow);
    this.allocator.lru.add(frame);
    if (file.isUnevictable) cullPage(this, frame);
    return true;
  }

  /**
   * A large page of shmem, filled and charged, takes the place of all pages that there are from `index` on, of which the caller has a
   * reference each, and which nobody maps (collapse_file). False without memory for the index: nothing has changed.
   */
  replaceByLarge(file: FilePages, index: number, head: Pfn): boolean {
    const { frames } = this;
    const count = frames.pagesOf(head);
    const holes: number[] = [];
    for (let i = 0; i < count; i++) {
      if (file.pages.find(index + i) !== NO_FRAME) continue;
      if (!file.pages.insert(index + i, (head + i) as Pfn)) {
        for (const hole of holes) file.pages.remove(index + hole);
        return false;
      }
      holes.push(i);
    }
    for (let i = 0; i < count; i++) {
      const old = file.pages.find(index + i) as Pfn;
      if (old === head + i) continue;
      // The last of an old page's frames is its end.
      file.pages.replace(index + i, (head + i) as Pfn);
      const oldHead = frames.headOf(old);
      if (old === oldHead + frames.pagesOf(oldHead) - 1) this.leaveFile(file, oldHead);
    }
    this.allocator.getFrame(head);
    frames.flags[head] |= PG_pagecache | PG_uptodate | PG_swapbacked;
    frames.owner[head] = file.id;
    frames.index[head] = index;
    this.countPage(file, head, count);
    this.allocator.lru.add(head);
    if (file.isUnevictable) cullPage(this, head);
    return true;
  }

  /** The page is in no index any more: the cache's reference goes. */
  private leaveFile(file: FilePages, head: Pfn): void {
    const { frames } = this;
    frames.flags[head] &= ~(PG_pagecache | PG_dirty);
    frames.owner[head] = 0;
    this.countPage(file, head, -frames.pagesOf(head));
    this.allocator.putFrame(head);
  }

  /** C5 (shmem_update_stats); each frame is an event. */
  private countPage(file: FilePages, head: Pfn, frames: number): void {
    const { stat, events } = this.allocator;
    const index = this.frames.index[head];
    if (events.enabled[EV_FILEMAP_ADD] !== 0)
      for (let i = 0; i < frames; i++) events.emit(EV_FILEMAP_ADD, head + i, file.id, index + i);
    if (events.enabled[EV_FILEMAP_DELETE] !== 0)
      for (let i = 0; i < -frames; i++) events.emit(EV_FILEMAP_DELETE, head + i, file.id, index + i);
    stat.nr_file_pages += frames;
    if (file.kind !== 'shmem') return;
    stat.nr_shmem += frames;
    if (this.frames.order[head] === this.shmemHuge.pmdOrder) stat.nr_shmem_thps += frames;
  }

  /** The page's contents differ from the backing's (folio_mark_dirty). Frames that are not the cache's are left alone. */
  markDirty(part: Pfn): void {
    const { frames } = this;
    const frame = frames.headOf(part);
    if ((frames.flags[frame] & (PG_dirty | PG_pagecache)) !== PG_pagecache) return;
    frames.flags[frame] |= PG_dirty;
    const file = this.fileOf(frame);
    if (file.backing === null) return;
    if (file.pages.next(0, 'dirty') < 0) file.dirtiedAtNs = this.clock.nowNs;
    file.pages.markDirty(frames.index[frame]);
    this.allocator.stat.nr_dirty++;
    this.allocator.stat.nr_dirtied++;
    const { events } = this.allocator;
    if (events.enabled[EV_DIRTY_FOLIO] !== 0) events.emit(EV_DIRTY_FOLIO, frame, file.id, frames.index[frame]);
  }

  /** The page is about to be written, or dropped unwritten: no longer dirty (folio_cancel_dirty). */
  clearDirty(frame: Pfn): void {
    const { frames } = this;
    if ((frames.flags[frame] & PG_dirty) === 0) return;
    frames.flags[frame] &= ~PG_dirty;
    const file = this.fileOf(frame);
    if (file.backing === null) return;
    file.pages.clearDirty(frames.index[frame]);
    this.allocator.stat.nr_dirty--;
  }

  /** A use that reclaim should know of (folio_mark_accessed). */
  markAccessed(frame: Pfn): void {
    const head = this.frames.headOf(frame);
    if (!this.allocator.lru.markAccessed(head)) return;
    const pages = this.frames.pagesOf(head);
    this.vmstat.pgactivate += pages;
    const { events } = this.allocator;
    if (events.enabled[EV_LRU_ACTIVATE] !== 0) events.emit(EV_LRU_ACTIVATE, head, pages);
  }

  /**
   * Takes a page, all of a compound one, out of the cache with its reference (filemap_remove_folio). It is unmapped; unwritten changes are lost. `shadow`: it
   * goes for want of memory, and this stays in its place.
   */
  dropPage(frame: Pfn, shadow = 0): void {
    const { frames } = this;
    const count = frames.pagesOf(frame);
    assert((frames.flags[frame] & PG_pagecache) !== 0, 'mm/page-cache/page-cache.ts: a dropped page is in the cache');
    assert(frames.mappingsOfPage(frame) === 0, 'mm/page-cache/page-cache.ts: a dropped page is not mapped');
    const file = this.fileOf(frame);
    this.clearDirty(frame);
    for (let i = 0; i < count; i++) file.pages.remove(frames.index[frame] + i, shadow);
    // PG_active stays: it says which LRU list the page is on until it is freed.
    this.leaveFile(file, frame);
  }

  /**
   * Writes the dirty pages of [startIndex, endIndex) back and waits for them (filemap_write_and_wait_range); 0, or the first error.
   * Mappings fault again on a store.
   */
  writeback(file: FilePages, startIndex = 0, endIndex = Number.MAX_SAFE_INTEGER): number {
    const result = writebackPages(this, file, startIndex, endIndex, 'all');
    awaitWriteback(this, file, startIndex, endIndex);
    return result;
  }

  /** Waits for what is on its way to the disk, and begins nothing (filemap_fdatawait_range). */
  awaitWriteback(file: FilePages, startIndex: number, endIndex: number): void {
    awaitWriteback(this, file, startIndex, endIndex);
  }

  /** The same without waiting: for the sake of memory, not of the disk (filemap_fdatawrite). */
  startWriteback(file: FilePages, startIndex = 0, endIndex = Number.MAX_SAFE_INTEGER): number {
    return writebackPages(this, file, startIndex, endIndex, 'none');
  }

  /**
   * balance_dirty_pages: after a write, or a store that made a page dirty. Beyond the lower limit the flusher is asked to write; half
   * way between the two the writer waits until so much is on the disk that it may go on.
   */
  balanceDirty(): void {
    const { nr_dirty, nr_writeback } = this.allocator.stat;
    const pending = nr_dirty + nr_writeback;
    if (pending <= DIRTY_RATELIMIT_PAGES && this.dirty.backgroundBytes === 0 && this.dirty.bytes === 0) return;
    const { threshold, background } = dirtyLimits(this.allocator, this.dirty);
    if (pending <= background) return;
    if (nr_dirty > background) this.needsFlusher = true;
    const freeRun = Math.floor((threshold + background) / 2);
    if (pending <= freeRun) return;
    const { events } = this.allocator;
    if (events.enabled[EV_BALANCE_DIRTY] !== 0)
      events.emit(EV_BALANCE_DIRTY, nr_dirty, nr_writeback, background, threshold);
    this.writebackUntil(freeRun);
    this.io.waitForWrites(freeRun - this.allocator.stat.nr_dirty);
  }

  /** wb_writeback beyond the background limit: what has been dirty for longest first, until `pages` are left. */
  writebackUntil(pages: number): void {
    const dirty = this.files.filter((file) => file !== null && file.pages.next(0, 'dirty') >= 0) as FilePages[];
    dirty.sort((a, b) => a.dirtiedAtNs - b.dirtiedAtNs);
    for (const file of dirty) {
      if (this.allocator.stat.nr_dirty <= pages) return;
      this.startWriteback(file);
    }
  }

  /** The flusher's turn (wb_do_writeback): files that have been dirty for too long, and where there is too much, more. */
  flush(): void {
    this.needsFlusher = false;
    const dirtyBefore = this.clock.nowNs - this.dirty.expireCentisecs * NS_PER_CENTISEC;
    for (const file of this.files) {
      if (file === null || file.backing === null || file.dirtiedAtNs > dirtyBefore) continue;
      if (file.pages.next(0, 'dirty') >= 0) this.startWriteback(file);
    }
    const { background } = dirtyLimits(this.allocator, this.dirty);
    if (this.allocator.stat.nr_dirty > background) this.writebackUntil(background);
  }

  /** sync(2): every file; 0 or the first error. */
  writebackAll(): number {
    let first = 0;
    for (const file of this.files) {
      if (file === null || file.backing === null) continue;
      const result = this.writeback(file);
      if (result < 0 && first === 0) first = result;
    }
    return first;
  }

  /**
   * The file ends at `newSizeBytes` from now on (truncate_setsize): sets the size, unmaps everything beyond (private copies
   * too), drops the pages, zeroes the rest of the last one. Growing changes only the size.
   */
  truncate(file: FilePages, newSizeBytes: number): void {
    const oldSizeBytes = file.sizeBytes;
    file.sizeBytes = newSizeBytes;
    if (newSizeBytes > oldSizeBytes) this.zeroPastEnd(file, oldSizeBytes);
    else if (newSizeBytes < oldSizeBytes || file.kind === 'shmem') truncatePages(this, file, newSizeBytes);
  }

  /** Before a file grows past `endBytes`: stores through a mapping behind the old end must not show up (C6). */
  zeroPastEnd(file: FilePages, endBytes: number): void {
    const offset = endBytes % PAGE_SIZE;
    if (offset === 0 || file.kind === 'shmem') return;
    const frame = this.findInMemory(file, Math.floor(endBytes / PAGE_SIZE));
    if (frame !== NO_FRAME) this.zeroTail(frame, offset);
  }

  /**
   * The page's frame, without a reference, or NO_FRAME at a hole. One of shmem that is in swap is read, from the last reserves:
   * a part of it is to become zeroes (shmem_get_partial_folio).
   */
  findInMemory(file: FilePages, index: number): Pfn | -1 {
    const frame = file.pages.find(index);
    if (frame !== NO_FRAME || !file.swapped.has(index)) return frame;
    const read = swapInShmem(this, file, index, GFP_HIGHUSER_MOVABLE | __GFP_MEMALLOC);
    if (read < 0) return NO_FRAME;
    this.allocator.putFrame(read as Pfn);
    return read as Pfn;
  }

  zeroTail(frame: Pfn, offset: number): void {
    this.ram.beforeWrite(frame);
    const start = this.ram.offsetOf(frame);
    this.ram.u8.fill(0, start + offset, start + PAGE_SIZE);
  }

  /** Drops the clean unmapped pages of a file (invalidate_mapping_pages); how many. Shmem has none that can go. `why` is told of, if given. */
  invalidate(file: FilePages, why: ForcedWhy | null = null): number {
    if (file.backing === null) return 0;
    let dropped = 0;
    for (let index = file.pages.next(0, 'any'); index >= 0; index = file.pages.next(index + 1, 'any')) {
      const frame = file.pages.find(index) as Pfn;
      if (!this.isDroppable(frame)) continue;
      if (why === null) this.dropPage(frame);
      else dropForced(this, frame, why);
      dropped++;
    }
    return dropped;
  }

  /** /proc/sys/vm/drop_caches, 1: every clean unmapped page; how many. */
  invalidateAll(): number {
    this.vmstat.drop_pagecache++;
    return this.files.reduce((sum, file) => (file === null ? sum : sum + this.invalidate(file, 'drop_caches')), 0);
  }

  /** Clean, unmapped and held by nobody but the cache: nor by a device. */
  isDroppable(frame: Pfn): boolean {
    const { frames } = this;
    return (frames.flags[frame] & PG_dirty) === 0 && frames.mapcount[frame] === 0 && frames.refcount[frame] === 1;
  }

  /**
   * The inode goes (truncate_inode_pages_final): all its pages are dropped, dirty ones unwritten, and `file` ends. No VMA maps
   * it any more.
   */
  evict(file: FilePages): void {
    assert(file.i_mmap.isEmpty, 'mm/page-cache/page-cache.ts: a file that is evicted is not mapped');
    assert(this.files[file.id] === file, 'mm/page-cache/page-cache.ts: a file is evicted once');
    truncatePages(this, file, 0);
    this.files[file.id] = null;
    this.freeIds.push(file.id);
  }

  private fileOf(frame: Pfn): FilePages {
    const file = this.files[this.frames.owner[frame]];
    assert(file !== null && file !== undefined, 'mm/page-cache/page-cache.ts: C1 a page of the cache has a file');
    return file;
  }
}
