import type { Pfn } from '../units.ts';
import type { PagingFormat } from './format.ts';

const V = 1;
const R = 2;
const W = 4;
const X = 8;
const U = 16;
const A = 64;
const D = 128;
const G = 32;
const FRAME_UNIT = 1024; // the frame number starts at bit 10

const SWAP_TYPE_UNIT = 128;
const SWAP_OFFSET_UNIT = 4096;

/**
 * RISC-V's Sv39, Sv48 and Sv57 (privileged specification 20240411, chapters 12.4 to 12.6): they differ in levels only.
 * What is not present is Linux's own (6.18, arch/riscv/include/asm/pgtable.h): a page without rights has G, a swap entry is
 *
 *   63        12  11    7   6   5   4        1   0
 *   offset        type      E   0   wp  0    0   V=0
 *
 * whose offset has 52 bits. The kernel's own have 32: struct swap_info_struct counts slots in an unsigned int.
 */
export function svFormat(name: string, levels: 3 | 4 | 5): PagingFormat {
  return {
    name,
    levels,
    bitsPerLevel: 9,
    entryBytes: 8,
    // The hardware has 512 GiB and 256 TiB pages too, where it has the levels; Linux uses PMD and PUD leaves.
    hugeLevels: [1, 2],
    userPages: 2 ** (9 * levels - 1),
    PRESENT: V,
    READ: R,
    WRITE: W,
    EXEC: X,
    USER: U,
    ACCESSED: A,
    DIRTY: D,
    SOFT0: G,
    SOFT1: 512,
    SWAP_EXCLUSIVE: A,
    SWAP_UFFD_WP: U,
    swapOffsets: 2 ** 32,
    makeLeaf: (frame, flags) => frame * FRAME_UNIT + flags,
    // R or X tells a leaf from a table at every level.
    makeHugeLeaf: (frame, flags) => frame * FRAME_UNIT + flags,
    makeTable: (frame) => frame * FRAME_UNIT + V,
    isLeaf: (entry) => (entry & (R | X)) !== 0,
    frameOf: (entry) => Math.floor(entry / FRAME_UNIT) as Pfn,
    makeSwap: (type, offset) => offset * SWAP_OFFSET_UNIT + type * SWAP_TYPE_UNIT,
    swapTypeOf: (entry) => (entry >>> 7) & 31,
    swapOffsetOf: (entry) => Math.floor(entry / SWAP_OFFSET_UNIT),
    permissionFlags(prot) {
      // Write without read is a reserved encoding; Linux's protection_map gives such a page read as well.
      if ((prot & 7) === 0) return 0;
      const write = (prot & 2) !== 0 ? R | W : 0;
      return V | U | write | ((prot & 1) !== 0 ? R : 0) | ((prot & 4) !== 0 ? X : 0);
    },
  };
}
