import { LRU_GEN_CORE, LRU_GEN_MM_WALK, LRU_GEN_NONLEAF_YOUNG } from '../../../abi/lru-gen.ts';

/** What can be set of mglru while the machine runs, one for all lruvecs (6.18: lru_gen_caps and lru_gen_min_ttl, mm/vmscan.c). */
export class LruGen {
  /** LRU_GEN_*, as they were set: the machine may lack what a bit is about. Reclaim.setLruGenCaps changes them. */
  caps = LRU_GEN_CORE | LRU_GEN_MM_WALK | LRU_GEN_NONLEAF_YOUNG;
  /** What was used in so many milliseconds is not to be evicted; 0: no such limit. */
  minTtlMs = 0;

  /** lru_gen_enabled: with the main switch off pages are on two lists. */
  get isOn(): boolean {
    return (this.caps & LRU_GEN_CORE) !== 0;
  }

  /** should_walk_mmu: the machine sets ACCESSED by itself. */
  get walksTables(): boolean {
    return (this.caps & LRU_GEN_MM_WALK) !== 0;
  }

  /**
   * What acts, as `enabled` shows it. LRU_GEN_NONLEAF_YOUNG never does: there is no ACCESSED bit in entries that lead to tables
   * (arch_has_hw_nonleaf_pmd_young; Privileged Architecture, 4.3.1).
   */
  get activeCaps(): number {
    return this.caps & (LRU_GEN_CORE | LRU_GEN_MM_WALK);
  }
}
