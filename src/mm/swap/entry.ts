/**
 * A slot of a swap area, as the kernel names it outside of page tables (Linux: swp_entry_t): the area's number and the slot in
 * it, in one number. What stands in a page table is the format's (PageTables.makeSwap).
 */
declare const unit: unique symbol;
export type SwapEntry = number & { readonly [unit]: 'SwapEntry' };

/**
 * Areas at a time: of the 32 types of an entry Linux keeps three for migration and one for markers (6.18, MAX_SWAPFILES without
 * device memory and hardware poison).
 */
export const MAX_SWAPFILES = 28;
/** The most slots of an area, an unsigned int in swap_info_struct: 16 TiB less a page. An entry may have room for fewer (format.swapOffsets). */
export const MAX_SWAP_SLOTS = 2 ** 32 - 1;
/** What stands for one area more. */
const TYPE_UNIT = 2 ** 32;

export const swapEntry = (type: number, offset: number): SwapEntry => (type * TYPE_UNIT + offset) as SwapEntry;
export const swapTypeOf = (entry: SwapEntry): number => Math.floor(entry / TYPE_UNIT);
export const swapOffsetOf = (entry: SwapEntry): number => entry % TYPE_UNIT;
