import type { Pfn } from '../../machine/units.ts';
import type { KmemCache } from './slab.ts';

/**
 * The allocator's and the slabs' way to those who count memory (memory cgroups). Nobody is asked of memory that the root's tasks
 * take: frames.memcg stays 0.
 */
export interface Charger {
  /** Memory that the running task takes is counted at all. */
  readonly isCounting: boolean;
  /** Charges a new block of the kernel's to the running task (__GFP_ACCOUNT). False: it may not have it. */
  chargeKernelBlock(frame: Pfn, order: number, gfp: number): boolean;
  /** A block that is charged goes; its frames' memcg is 0 afterwards. */
  unchargeBlock(frame: Pfn, pages: number): void;
  /** The same for an object of a cache that is accounted. */
  chargeObject(cache: KmemCache, slot: number, gfp: number): boolean;
  unchargeObject(cache: KmemCache, slot: number): void;
}
