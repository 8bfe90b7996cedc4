import type { Access, TranslationRoot } from './mmu.ts';
import type { Vaddr } from './units.ts';

/**
 * Told of each miss of the TLB that a walk refills: Cpu.tlbMisses rises by the sum of what `missed` is told.
 *
 * Costs nothing while nobody listens; a listener makes each miss of the program's leave the translated code and come back, which changes
 * no result. It must not touch memory or tables.
 */
export interface MissListener {
  /**
   * The program's next instruction misses at the address, or the kernel has, and may fault there: the registers are as before the
   * instruction. Returns what `missed` is told.
   */
  missing(root: TranslationRoot, address: Vaddr, access: Access, mode: 'user' | 'kernel'): number;
  /** It was so many misses; without this call it was a fault. */
  missed(which: number, count: number): void;
}
