import { ENOMEM, ENOSPC } from '../../abi/errno.ts';
import type { IoSink } from '../../base/io.ts';
import { COST_PAGE_ZERO_NS } from '../../machine/cost-model.ts';
import { PAGE_SIZE, type Pfn } from '../../machine/units.ts';
import type { MemoryManager } from '../memory-manager.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { PG_uptodate } from '../phys/page-flags.ts';
import { unmapFileRange } from '../rmap/unmap.ts';
import type { HugePool } from './huge-pool.ts';
import { ReservationMap } from './reservation-map.ts';
import { giveBackTo, type Subpool, takeFrom } from './subpool.ts';

/** When its pages are promised: by each mapping, or once, when it is made (S_PRIVATE: System V shared memory). */
export type ReserveTime = 'when-mapped' | 'when-made';

/** What an object needs of the memory manager. */
type HugetlbMemory = Pick<MemoryManager, 'ram' | 'frames' | 'alloc' | 'rmap' | 'clock' | 'hugetlb'>;

const ZEROES = new Uint8Array(PAGE_SIZE);

/**
 * The pages of a file of huge pages: of hugetlbfs, memfd, SysV shared memory, or without a name behind MAP_HUGETLB (Linux:
 * hugetlbfs_inode_info). `index` counts huge pages from the start of the file.
 *
 * `pages` is there for its size and its i_mmap alone; the huge pages are in `folios`, one reference each.
 *
 * Invariant H6: every page of `folios` is a member of `reservations` (reserved, or there).
 */
export class HugetlbObject {
  readonly pool: HugePool;
  readonly subpool: Subpool | null;
  readonly reserves: ReserveTime;
  readonly pages: FilePages;
  readonly folios = new Map<number, Pfn>();
  readonly reservations = new ReservationMap();
  private readonly mm: HugetlbMemory;

  /** `pages`: a file of the page cache without a backing, which the caller evicts after `destroy`. */
  constructor(
    mm: HugetlbMemory,
    pool: HugePool,
    subpool: Subpool | null,
    pages: FilePages,
    reserves: ReserveTime = 'when-mapped',
  ) {
    this.mm = mm;
    this.pool = pool;
    this.subpool = subpool;
    this.reserves = reserves;
    this.pages = pages;
    mm.hugetlb.objects.add(this);
  }

  get sizeBytes(): number {
    return this.pages.sizeBytes;
  }

  /** Promises the huge pages [from, end) to shared mappings (hugetlb_reserve_pages): 0 or -ENOMEM. */
  reserve(from: number, end: number): number {
    const missing = end - from - this.reservations.countIn(from, end);
    const result = reservePages(this.pool, this.subpool, missing);
    if (result === 0) this.reservations.addRange(from, end);
    return result;
  }

  /**
   * A page from the pool, its contents unknown and its one reference the caller's (alloc_hugetlb_folio): -ENOSPC where the pool has
   * none to give. `claim` says whether a reservation is there for it.
   */
  allocate(claim: 'reserved' | 'unreserved'): Pfn | number {
    let which = claim;
    if (claim === 'unreserved') {
      const own = takeFrom(this.subpool, 1);
      if (own < 0) return -ENOSPC;
      if (own === 0) which = 'reserved';
    }
    const frame = this.pool.allocate(which);
    if (frame === NO_FRAME) {
      giveBackTo(this.subpool, 1);
      return -ENOSPC;
    }
    this.mm.hugetlb.charge(frame as Pfn, this.subpool);
    return frame;
  }

  /** The page of the file, made and zeroed where it lacks; no reference is taken. -ENOSPC. The caller has looked at the size. */
  ensureFolio(index: number): Pfn | number {
    const there = this.folios.get(index);
    if (there !== undefined) return there;
    const frame = this.allocate(this.reservations.has(index) ? 'reserved' : 'unreserved');
    if (frame < 0) return frame;
    this.reservations.add(index);
    this.zero(frame as Pfn);
    this.mm.frames.owner[frame] = this.pages.id;
    this.mm.frames.index[frame] = index * this.pool.pages;
    this.folios.set(index, frame as Pfn);
    return frame;
  }

  /** A page that was made and could not be filled goes; the promise that was there for it is whole again. */
  forgetFolio(index: number, promise: 'reserved' | 'unreserved'): void {
    this.drop(index, index + 1);
    if (promise === 'reserved') this.reserve(index, index + 1);
  }

  zero(frame: Pfn): void {
    const { mm, pool } = this;
    for (let each = 0; each < pool.pages; each++) {
      mm.ram.beforeWrite((frame + each) as Pfn);
      mm.ram.zeroFrame((frame + each) as Pfn);
    }
    mm.frames.set(frame, PG_uptodate);
    mm.clock.charge(COST_PAGE_ZERO_NS * pool.pages);
  }

  /** ftruncate to a multiple of the page size (hugetlb_vmtruncate): what lies beyond is unmapped everywhere and goes. */
  truncate(sizeBytes: number): void {
    this.pages.sizeBytes = sizeBytes;
    this.drop(Math.ceil(sizeBytes / this.pool.sizeBytes), Number.MAX_SAFE_INTEGER);
  }

  /**
   * A hole in [startBytes, endBytes): whole huge pages go, from private mappings too; the rests of those at both ends are zeroed
   * (hugetlbfs_punch_hole).
   */
  punchHole(startBytes: number, endBytes: number): void {
    const size = this.pool.sizeBytes;
    const first = Math.ceil(startBytes / size);
    const end = Math.floor(endBytes / size);
    if (first > end) {
      this.zeroPart(startBytes, endBytes);
      return;
    }
    if (startBytes < first * size) this.zeroPart(startBytes, first * size);
    if (first < end) this.drop(first, end, 'pages');
    if (endBytes > end * size) this.zeroPart(end * size, endBytes);
  }

  /** fallocate (hugetlbfs_fallocate): the pages that the range touches are there; -ENOSPC, and those that were made stay. */
  fill(startBytes: number, endBytes: number): number {
    const end = Math.ceil(endBytes / this.pool.sizeBytes);
    for (let index = Math.floor(startBytes / this.pool.sizeBytes); index < end; index++) {
      const frame = this.ensureFolio(index);
      if (frame < 0) return frame;
    }
    return 0;
  }

  /** read(2) (hugetlbfs_read_iter): holes are zeroes. Bytes moved; short at the end of file or on a bad address. */
  readInto(positionBytes: number, sink: IoSink): number {
    const { ram } = this.mm;
    let done = 0;
    while (sink.remaining > 0) {
      const position = positionBytes + done;
      const offset = position % PAGE_SIZE;
      const want = Math.min(PAGE_SIZE - offset, this.sizeBytes - position, sink.remaining);
      if (want <= 0) break;
      const frame = this.folios.get(Math.floor(position / this.pool.sizeBytes));
      const within = Math.floor((position % this.pool.sizeBytes) / PAGE_SIZE);
      const base = frame === undefined ? 0 : ram.offsetOf((frame + within) as Pfn) + offset;
      const moved = sink.put(frame === undefined ? ZEROES.subarray(0, want) : ram.u8.subarray(base, base + want));
      done += moved;
      if (moved < want) break;
    }
    return done;
  }

  /** No VMA maps it and nobody opens it any more: its pages and promises go back. */
  destroy(): void {
    this.drop(0, Number.MAX_SAFE_INTEGER);
    this.mm.hugetlb.objects.delete(this);
  }

  /** remove_inode_hugepages and hugetlb_unreserve_pages. 'pages': what is promised and not there stays promised. */
  private drop(from: number, end: number, what: 'all' | 'pages' = 'all'): void {
    const { mm, pool } = this;
    unmapFileRange(
      mm.rmap,
      this.pages,
      from * pool.pages,
      Math.min(end * pool.pages, Number.MAX_SAFE_INTEGER),
      'even_cows',
    );
    let freed = 0;
    let promised = 0;
    for (const [index, frame] of this.folios) {
      if (index < from || index >= end) continue;
      this.folios.delete(index);
      freed++;
      if (what === 'pages') promised += this.reservations.deleteRange(index, index + 1);
      mm.alloc.putFrame(frame);
    }
    if (what === 'all') promised = this.reservations.deleteRange(from, end);
    unreservePages(pool, this.subpool, promised - freed);
  }

  private zeroPart(startBytes: number, endBytes: number): void {
    const { ram } = this.mm;
    const frame = this.folios.get(Math.floor(startBytes / this.pool.sizeBytes));
    if (frame === undefined) return;
    let at = startBytes;
    while (at < endBytes) {
      const each = (frame + Math.floor((at % this.pool.sizeBytes) / PAGE_SIZE)) as Pfn;
      const offset = at % PAGE_SIZE;
      const count = Math.min(PAGE_SIZE - offset, endBytes - at);
      ram.beforeWrite(each);
      ram.u8.fill(0, ram.offsetOf(each) + offset, ram.offsetOf(each) + offset + count);
      at += count;
    }
  }
}

/** Promises `pages` to an object or a private VMA: 0 or -ENOMEM. */
export function reservePages(pool: HugePool, subpool: Subpool | null, pages: number): number {
  const own = takeFrom(subpool, pages);
  if (own < 0) return -ENOMEM;
  const result = pool.reserve(own);
  if (result < 0) {
    const back = giveBackTo(subpool, pages);
    // What the mount keeps of it stays promised to the mount.
    if (back < own) pool.reserve(back - own);
  }
  return result;
}

/** The promises of `pages` that were not used are taken back. */
export function unreservePages(pool: HugePool, subpool: Subpool | null, pages: number): void {
  if (pages > 0) pool.reserve(-giveBackTo(subpool, pages));
}
