import { panic } from '../../base/assert.ts';
import type { PagingFormat } from '../../machine/paging/format.ts';
import type { Pfn } from '../../machine/units.ts';
import type { FrameAllocator } from '../phys/alloc.ts';
import { HugePool } from './huge-pool.ts';
import type { HugetlbObject } from './hugetlb-object.ts';
import type { Subpool } from './subpool.ts';

/** The machine's pools of huge pages, one a size that the page tables can map (Linux: hstates). */
export class Hugetlb {
  /** Smallest first. */
  readonly pools: readonly HugePool[];
  /** Every object that lives: for invariants. */
  readonly objects = new Set<HugetlbObject>();
  readonly subpools = new Set<Subpool>();
  /** The mount whose share a page in use counts in, by the head's frame. */
  private readonly subpoolOf = new Map<Pfn, Subpool>();
  private readonly alloc: FrameAllocator;

  constructor(alloc: FrameAllocator, format: PagingFormat) {
    this.alloc = alloc;
    this.pools = format.hugeLevels.map((level) => new HugePool(alloc, level, format.bitsPerLevel * level));
    alloc.setHugeRelease(this);
  }

  /** default_hstate: what MAP_HUGETLB without a size means. */
  get defaultPool(): HugePool {
    return this.pools[0];
  }

  /** hstate_sizelog: 0 is the default; null where there is no such size. */
  poolOfShift(shift: number): HugePool | null {
    return shift === 0 ? this.defaultPool : this.poolOfBytes(2 ** shift);
  }

  poolOfBytes(bytes: number): HugePool | null {
    return this.pools.find((pool) => pool.sizeBytes === bytes) ?? null;
  }

  poolOfFrame(frame: Pfn): HugePool {
    const order = this.alloc.frames.order[frame];
    return this.pools.find((pool) => pool.order === order) ?? panic('mm/hugetlb/hugetlb.ts: a huge page has a pool');
  }

  /** The page counts in the share of a mount until it is free again. */
  charge(frame: Pfn, subpool: Subpool | null): void {
    if (subpool !== null) this.subpoolOf.set(frame, subpool);
  }

  /** For FrameAllocator.putFrame: the last reference to a page of a pool went (free_huge_folio). */
  releaseHuge(frame: Pfn): void {
    const pool = this.poolOfFrame(frame);
    const subpool = this.subpoolOf.get(frame);
    if (subpool !== undefined) {
      this.subpoolOf.delete(frame);
      // The mount keeps its claim: the page stays promised to it.
      if (subpool.giveBack(1) === 0) pool.reservedPages++;
    }
    pool.takeBack(frame);
  }

  /** The one mapping of a private page lets it go, and its VMA's reservation for it is whole again (restore_reserve). */
  putRestoring(frame: Pfn): void {
    this.subpoolOf.delete(frame);
    const pool = this.poolOfFrame(frame);
    this.alloc.putFrame(frame);
    pool.reservedPages++;
  }

  /** Pages of 4 KiB in all pools (hugetlb_total_pages). */
  get totalSmallPages(): number {
    return this.pools.reduce((sum, pool) => sum + pool.totalPages * pool.pages, 0);
  }
}
