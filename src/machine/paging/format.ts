import type { Pfn } from '../units.ts';

/**
 * A page-table format as the hardware defines it. A machine has at most 2^20 frames, so the frame number and flags of what maps
 * memory fit the low 32 bits of every format; the high word, where there is one, is zero, but of a swap entry, whose offset goes on
 * there. Entries are handled as numbers: flags are in the low word, which is all that `&` sees, and all that it leaves. A flag that
 * the format lacks is 0.
 *
 * A non-present entry whose value is not 0 is software's; the hardware ignores all but PRESENT. With SOFT0 it maps a frame that
 * no access may reach; without it is a swap entry: a type below 32 and an offset below swapOffsets, and two flags.
 */
export interface PagingFormat {
  readonly name: string;
  /** Levels of the walk, 2 to 5; level 0 is the leaf table of 4 KiB pages. */
  readonly levels: number;
  /** log2 of entries in one table, the same at every level. */
  readonly bitsPerLevel: number;
  readonly entryBytes: 4 | 8;
  /** Levels above 0 at which an entry can map memory itself (a superpage of 2^(bitsPerLevel * level) pages), lowest first. */
  readonly hugeLevels: readonly number[];
  /** User virtual pages: Vpn in [0, userPages). */
  readonly userPages: number;

  readonly PRESENT: number;
  readonly READ: number;
  readonly WRITE: number;
  readonly EXEC: number;
  readonly USER: number;
  readonly ACCESSED: number;
  readonly DIRTY: number;
  /** Two bits that the hardware leaves to software: in a swap entry SOFT0 is clear. */
  readonly SOFT0: number;
  readonly SOFT1: number;
  /** Two bits of a swap entry: one entry alone leads to the slot; a write to the page is userfaultfd's to allow. */
  readonly SWAP_EXCLUSIVE: number;
  readonly SWAP_UFFD_WP: number;

  /** Offsets that a swap entry has room for; at most 2^32. */
  readonly swapOffsets: number;

  /** A present leaf entry; `flags` is an or of the constants above and must include PRESENT. */
  makeLeaf(frame: Pfn, flags: number): number;
  /** The same at one of hugeLevels; `frame` is aligned to the superpage. */
  makeHugeLeaf(frame: Pfn, flags: number): number;
  /** A present entry that points to the next lower table. */
  makeTable(frame: Pfn): number;
  /** Of a present entry above level 0: does it map memory, rather than a table? */
  isLeaf(entry: number): boolean;
  frameOf(entry: number): Pfn;
  /** A swap entry without flags (Linux: __swp_entry). */
  makeSwap(type: number, offset: number): number;
  /** Of a swap entry. */
  swapTypeOf(entry: number): number;
  swapOffsetOf(entry: number): number;
  /** Flags of `mmap`'s prot (1 read, 2 write, 4 exec) as this format's permission bits, PRESENT and USER included; 0 prot gives no PRESENT. */
  permissionFlags(prot: number): number;
}
