import type { Pfn } from '../units.ts';
import type { PagingFormat } from './format.ts';

const P = 1;
const RW = 2;
const US = 4;
const A = 32;
const D = 64;
const PS = 128;
const G = 256;
const AVL1 = 1024;

/**
 * The i386's two-level format (Intel SDM volume 3, 5.3: 32-bit paging, without PAE): 10 + 10 + 12 bits, entries of four bytes,
 * 32-bit virtual addresses. What is present can be read and executed: READ and EXEC are 0. User pages are the lower 3 GiB, as
 * Linux splits the space (PAGE_OFFSET 0xc0000000).
 *
 *   31        12  11..9  8   7    6   5   4    3    2    1    0
 *   frame         AVL    G   PS   D   A   PCD  PWT  US   RW   P
 *
 * Not present, Linux's own (arch/x86/include/asm/pgtable-2level.h): G is a page without rights, else a swap entry has
 *
 *   31     9  8   7   6    5    1  0
 *   offset    0   E   wp   type    P=0
 */
export const i386: PagingFormat = {
  name: 'i386',
  levels: 2,
  bitsPerLevel: 10,
  entryBytes: 4,
  hugeLevels: [1],
  userPages: 0xc0000,
  PRESENT: P,
  READ: 0,
  WRITE: RW,
  EXEC: 0,
  USER: US,
  ACCESSED: A,
  DIRTY: D,
  SOFT0: G,
  SOFT1: AVL1,
  SWAP_EXCLUSIVE: PS,
  SWAP_UFFD_WP: D,
  swapOffsets: 2 ** 23,
  makeLeaf: (frame, flags) => frame * 4096 + flags,
  makeHugeLeaf: (frame, flags) => frame * 4096 + flags + PS,
  // _PAGE_TABLE: the leaf alone decides. A and D as Linux sets them, so that the walk writes nothing here.
  makeTable: (frame) => frame * 4096 + (P | RW | US | A | D),
  // A table's entry and a leaf's look alike, but for PS of a 4 MiB page: below the directory all entries are leaves.
  isLeaf: (entry) => (entry & PS) !== 0,
  frameOf: (entry) => Math.floor(entry / 4096) as Pfn,
  makeSwap: (type, offset) => offset * 512 + type * 2,
  swapTypeOf: (entry) => (entry >>> 1) & 31,
  swapOffsetOf: (entry) => entry >>> 9,
  permissionFlags(prot) {
    if ((prot & 7) === 0) return 0;
    return P | US | ((prot & 2) !== 0 ? RW : 0);
  },
};
