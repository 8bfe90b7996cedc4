import type { PagingFormat } from '../machine/paging/format.ts';
import type { Pfn } from '../machine/units.ts';
import type { AccessRules } from './access-rules.ts';
import { type SwapEntry, swapEntry, swapOffsetOf, swapTypeOf } from './swap/entry.ts';
import { VM_EXEC, VM_READ, VM_WRITE } from './vm-flags.ts';

/**
 * What a marker says of a page that has no frame, one or several (Linux 6.18: PTE_MARKER_*, include/linux/swapops.h): a write
 * is userfaultfd's to allow, any access is SIGBUS, any access is SIGSEGV.
 */
export const MARKER_UFFD_WP = 1;
export const MARKER_POISONED = 2;
export const MARKER_GUARD = 4;
/** The type of a swap entry that is a marker (SWP_PTE_MARKER); areas have the types below MAX_SWAPFILES (swap/entry.ts). */
const SWP_PTE_MARKER = 31;

/**
 * What an entry of a page table says and how one is made that says it, for every format that PagingFormat can describe. An entry is
 * a plain number; nothing is read or written here.
 *
 *   entry of the leaf table:  0            nothing
 *                             PRESENT      maps frameOf(entry)
 *                             SOFT0        PROT_NONE: maps a frame that no access may reach (Linux: _PAGE_PROT_NONE);
 *                                          PRESENT clear, frame, ACCESSED and DIRTY kept
 *                             SOFT1        with a frame: write-protected for userfaultfd, so WRITE is clear
 *                             neither      a swap entry: the slot that has the page, SWAP_EXCLUSIVE, SWAP_UFFD_WP; of the
 *                                          type SWP_PTE_MARKER a marker: no page, MARKER_* bits where the offset would be
 *   entry above it:           PRESENT      a table, or where format.isLeaf a huge leaf: it maps 2^(bitsPerLevel * level)
 *                                          frames from frameOf(entry) on
 *                             SOFT0        a huge leaf without rights
 *                             SOFT1, USER  as below; such a marker stands for all that the entry would map
 */
export class PageTableEntries {
  protected readonly format: PagingFormat;
  protected readonly present: number;
  private readonly access: AccessRules;

  constructor(format: PagingFormat, access: AccessRules) {
    this.format = format;
    this.present = format.PRESENT;
    this.access = access;
  }

  /** The entry, above the leaf table, maps memory or would (PROT_NONE), or is a marker: it is no table. */
  isHugeEntry(entry: number): boolean {
    return (entry & this.present) !== 0 ? this.format.isLeaf(entry) : entry !== 0;
  }

  /** The entry, above the leaf table, leads to a table. */
  isTable(entry: number): boolean {
    return (entry & this.present) !== 0 && !this.format.isLeaf(entry);
  }

  /** A frame is behind the entry (present to the hardware, or PROT_NONE). */
  isMapped(entry: number): boolean {
    return (entry & (this.present | this.format.SOFT0)) !== 0;
  }

  /** The page is in a slot of a swap area, swapOf(entry), and maybe in the swap cache. */
  isSwap(entry: number): boolean {
    return entry !== 0 && !this.isMapped(entry) && this.format.swapTypeOf(entry) !== SWP_PTE_MARKER;
  }

  /** An entry without a page that says something of it: see markerOf. */
  isMarker(entry: number): boolean {
    return entry !== 0 && !this.isMapped(entry) && this.format.swapTypeOf(entry) === SWP_PTE_MARKER;
  }

  /** The MARKER_* bits of the entry; 0 for any other entry. */
  markerOf(entry: number): number {
    return this.isMarker(entry) ? this.format.swapOffsetOf(entry) : 0;
  }

  /** An entry with the MARKER_* bits; 0 for none. */
  makeMarker(bits: number): number {
    return bits === 0 ? 0 : this.format.makeSwap(SWP_PTE_MARKER, bits);
  }

  /** `flags` is an or of the format's SWAP_*. */
  makeSwap(swap: SwapEntry, flags: number): number {
    return this.format.makeSwap(swapTypeOf(swap), swapOffsetOf(swap)) + flags;
  }

  swapOf(entry: number): SwapEntry {
    return swapEntry(this.format.swapTypeOf(entry), this.format.swapOffsetOf(entry));
  }

  /** Of a swap entry: no other one leads to its slot (pte_swp_exclusive). */
  isSwapExclusive(entry: number): boolean {
    return (entry & this.format.SWAP_EXCLUSIVE) !== 0;
  }

  /** The swap entry, which is not the only one of its slot any more. */
  withoutSwapExclusive(entry: number): number {
    return this.isSwapExclusive(entry) ? entry - this.format.SWAP_EXCLUSIVE : entry;
  }

  /** The entry has userfaultfd's mark (pte_uffd_wp, pte_swp_uffd_wp_any); what it means: uffd/protected.ts. */
  isUffdWp(entry: number): boolean {
    if (this.isMapped(entry)) return (entry & this.format.SOFT1) !== 0;
    if (this.isSwap(entry)) return (entry & this.format.SWAP_UFFD_WP) !== 0;
    return (this.markerOf(entry) & MARKER_UFFD_WP) !== 0;
  }

  /** The entry protected so: its frame without WRITE, its slot, or a marker. */
  withUffdWp(entry: number): number {
    if (this.isMapped(entry)) return ((entry & ~this.format.WRITE) | this.format.SOFT1) >>> 0;
    if (this.isSwap(entry)) return this.isUffdWp(entry) ? entry : entry + this.format.SWAP_UFFD_WP;
    return this.makeMarker(this.markerOf(entry) | MARKER_UFFD_WP);
  }

  /** The entry of a frame with the mark, whatever its rights (P5). */
  withUffdMark(entry: number): number {
    return (entry | this.format.SOFT1) >>> 0;
  }

  withoutUffdWp(entry: number): number {
    if (this.isMapped(entry)) return (entry & ~this.format.SOFT1) >>> 0;
    if (this.isSwap(entry)) return this.isUffdWp(entry) ? entry - this.format.SWAP_UFFD_WP : entry;
    return this.makeMarker(this.markerOf(entry) & ~MARKER_UFFD_WP);
  }

  frameOf(entry: number): Pfn {
    return this.format.frameOf(entry);
  }

  /**
   * An entry for `frame` with the rights of the VMA's flags. WRITE only with 'writable' (and VM_WRITE); `state` is an or of
   * the format's ACCESSED and DIRTY. Of a level above 0: a huge leaf.
   */
  makeEntry(frame: Pfn, vmFlags: number, write: 'writable' | 'readonly', state: number, level = 0): number {
    const { format } = this;
    const rights = this.rightsOf(vmFlags, write);
    const none = rights === 0;
    const bits = (none ? format.PRESENT : rights) | state;
    const entry = level === 0 ? format.makeLeaf(frame, bits) : format.makeHugeLeaf(frame, bits);
    return (none ? (entry & ~format.PRESENT) | format.SOFT0 : entry) >>> 0;
  }

  /** The rights of such an entry, for format.makeLeaf; 0: none, which makeEntry alone can say. */
  rightsOf(vmFlags: number, write: 'writable' | 'readonly'): number {
    const permission = this.access.permission[vmFlags & (VM_READ | VM_WRITE | VM_EXEC)];
    if ((permission & this.format.PRESENT) === 0) return 0;
    return write === 'writable' ? permission : permission & ~this.format.WRITE;
  }
}
