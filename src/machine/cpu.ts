import type { MissListener } from './miss-listener.ts';
import type { Access, Mmu, TranslationRoot } from './mmu.ts';
import type { CodeListener } from './ram.ts';
import type { Vaddr } from './units.ts';

/** Why `run` came back. */
export const TRAP_BUDGET = 0; // the instruction budget is used up, at a preemption point
export const TRAP_SYSCALL = 1;
export const TRAP_PAGE_FAULT = 2; // trapAddress, trapAccess
export const TRAP_ILLEGAL = 3; // trapAddress = pc
export const TRAP_BREAKPOINT = 4;
export const TRAP_MISALIGNED = 5; // an atomic that is not aligned: trapAddress, trapAccess
export type Trap = 0 | 1 | 2 | 3 | 4 | 5;

/**
 * One hart that runs user mode. Traps are precise: when `run` returns, every instruction before pc has retired, none after;
 * pc is that of the faulting instruction, or of the ecall itself (the kernel steps over it).
 * Deterministic: the same registers, memory and budget give the same trap at the same instruction count.
 */
export interface Cpu extends Mmu, CodeListener {
  /**
   * The live register file, as the architecture lays it out (see arch.registers); a task's saved registers have the same
   * length and layout. A view of the machine area.
   */
  readonly registers: Uint32Array;
  /** Address space that `run` uses. Cheap: TLB entries are tagged. */
  setSpace(root: TranslationRoot): void;
  /**
   * Runs until a trap. `budget` is in instructions, at least 1; preemption is tested only at taken backward branches, indirect
   * jumps and system calls, so slightly more may retire. `retired` tells.
   */
  run(budget: number): Trap;
  /** ns, added to the time of `retired` instructions where the program reads the time counter; whole, up to 2^53. The kernel sets it before `run`. */
  timeOffset: number;
  /** Instructions retired since power-on. Exact below 2^53. */
  readonly retired: number;
  /** Exact below 2^53, rounded above. */
  readonly trapAddress: Vaddr;
  /** The same, exact: low and high word. */
  readonly trapAddressWords: readonly [low: number, high: number];
  readonly trapAccess: Access;
  /** Breaks a load reservation (a context switch or trap return does). */
  clearReservation(): void;
  /** TLB refills from a walk since power-on, and walks' memory references. */
  readonly tlbMisses: number;
  readonly walkReferences: number;
  /** Who is told of each miss from now on; null: nobody. Not from within `run`. */
  setMissListener(listener: MissListener | null): void;
}
