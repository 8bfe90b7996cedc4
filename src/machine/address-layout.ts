import type { Vaddr, Vpn } from './units.ts';

/** What an architecture fixes of the layout; arch/ provides one, system.ts hands it over. All in pages unless said. */
export interface LayoutConstants {
  /** TASK_SIZE. */
  readonly taskSize: Vpn;
  /** STACK_TOP: where an unrandomised stack ends. */
  readonly stackTop: Vpn;
  /** TASK_UNMAPPED_BASE of the legacy layout. */
  readonly unmappedBase: Vpn;
  /** ELF_ET_DYN_BASE in bytes. */
  readonly elfEtDynBase: Vaddr;
  /** mmap_rnd_bits. */
  readonly mmapRndBits: number;
  /** STACK_RND_MASK + 1. */
  readonly stackRndPages: number;
  /** arch_randomize_brk's range in bytes. */
  readonly brkRndBytes: number;
}
