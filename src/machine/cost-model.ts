/**
 * What things cost in virtual time. Four instructions a nanosecond is a round figure for a present-day core; the trap costs
 * are round figures of the order that a present-day Linux shows (a system call a tenth of a microsecond, a minor fault half
 * of one, a page copy a quarter, a new mapping one). They are guesses by design: virtual time must be the same everywhere,
 * not be right anywhere. All are whole nanoseconds. What disks take is in block-device.ts.
 */
export const INSTRUCTIONS_PER_NS_LOG2 = 2;
export const INSTRUCTIONS_PER_NS = 2 ** INSTRUCTIONS_PER_NS_LOG2;
export const COST_SYSCALL_NS = 100;
export const COST_FAULT_NS = 500;
/** A page that the kernel makes present without a trap (populate, mlock, access to another's memory). */
export const COST_FAULT_IN_NS = 200;
/** One mapping made, and what was there taken away. */
export const COST_MAP_NS = 1_000;
/** fork copies a VMA, and an entry of a page table. (Linux 6.18 on x86-64 takes 0.3 µs and 50 to 70 ns.) */
export const COST_FORK_VMA_NS = 300;
export const COST_FORK_ENTRY_NS = 50;
export const COST_PAGE_COPY_NS = 250;
export const COST_PAGE_ZERO_NS = 100;
/** What ksmd does: looks at a page-table entry, hashes a page, compares two (mostly their first bytes). */
export const COST_KSM_LOOK_NS = 100;
export const COST_PAGE_HASH_NS = 400;
export const COST_PAGE_COMPARE_NS = 100;
export const COST_CONTEXT_SWITCH_NS = 1_000;
export const COST_SIGNAL_NS = 500;
/**
 * What reclaim does beside its writes (docs/devices.md has the measurement): takes a page off its list to look at it, and puts it back or
 * away; asks the reverse map of its accessed bits; reads an entry of a page table in a walk; finds one accessed, clears it and notes its page.
 */
export const COST_RECLAIM_LOOK_NS = 300;
export const COST_REFERENCES_NS = 300;
export const COST_TABLE_LOOK_NS = 10;
export const COST_TABLE_YOUNG_NS = 70;
/** One page to or from swap in memory, compressed as zram does it: a few microseconds. */
export const COST_SWAP_MEMORY_NS = 3_000;
