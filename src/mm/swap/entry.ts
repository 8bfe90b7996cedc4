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
/** Slots that an entry can name (swapfile_maximum_size): 4 GiB. */
export const MAX_SWAP_SLOTS = 2 ** 20;

export const swapEntry = (type: number, offset: number): SwapEntry => (type * MAX_SWAP_SLOTS + offset) as SwapEntry;
export const swapTypeOf = (entry: SwapEntry): number => Math.floor(entry / MAX_SWAP_SLOTS);
export const swapOffsetOf = (entry: SwapEntry): number => entry % MAX_SWAP_SLOTS;
