import type { LayoutConstants } from '../../machine/address-layout.ts';
import type { PagingFormat } from '../../machine/paging/format.ts';
import { sv39 } from '../../machine/paging/sv39.ts';
import { sv48 } from '../../machine/paging/sv48.ts';
import { sv57 } from '../../machine/paging/sv57.ts';
import { PAGE_SIZE, roundUpToPage, vaddr, vpn } from '../../machine/units.ts';

/**
 * riscv64's user address space (Linux 6.18, arch/riscv/include/asm/{processor,elf,pgtable}.h). The stack, mmap and programs
 * stay within DEFAULT_MAP_WINDOW: 2^38 under Sv39, 2^47 under Sv48 and Sv57 (MMAP_VA_BITS is 48 at most). What lies above is
 * given only where a hint or MAP_FIXED asks for it, or when the bottom-up search finds no hole below
 * (arch_get_mmap_end is STACK_TOP_MAX, arch_get_mmap_base the base, whatever the hint, since 6.12).
 */
function layoutOf(taskBytes: number, windowBytes: number): LayoutConstants {
  return {
    taskSize: vpn(taskBytes / PAGE_SIZE),
    stackTop: vpn(windowBytes / PAGE_SIZE),
    unmappedBase: vpn(roundUpToPage(Math.floor(windowBytes / 3)) / PAGE_SIZE),
    elfEtDynBase: vaddr(Math.floor(windowBytes / 3) * 2),
    mmapRndBits: 18,
    stackRndPages: 0x40000,
    brkRndBytes: 2 ** 30,
  };
}

/**
 * Sv57's user half is 2^56 bytes; here it ends at 2^53, the last byte address that a number holds exactly. A program meets
 * the difference only with a hint (not taken, as one above TASK_SIZE) or MAP_FIXED (ENOMEM) from 8 PiB on. So every address that is
 * mapped is exact, down to the byte, in each register, pointer and system call; one above is never mapped, and rounding it cannot
 * bring it below.
 */
const SV57_TASK_BYTES = 2 ** 53;

/** The formats a riscv64 machine can have (satp.MODE 8, 9, 10) and what Linux makes of them. */
export const RISCV64_PAGING = {
  sv39: { format: sv39, layout: layoutOf(2 ** 38, 2 ** 38) },
  sv48: { format: sv48, layout: layoutOf(2 ** 47, 2 ** 47) },
  sv57: { format: sv57, layout: layoutOf(SV57_TASK_BYTES, 2 ** 47) },
} as const satisfies Record<string, { format: PagingFormat; layout: LayoutConstants }>;
export type Riscv64Paging = keyof typeof RISCV64_PAGING;
