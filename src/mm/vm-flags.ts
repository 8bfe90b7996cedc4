/**
 * Bits of Vma.flags under Linux's names and values (include/linux/mm.h, 6.18). Import-free leaf file: constants are folded.
 * The low three equal mmap's prot bits and Mmu's access bits. A flags word is a signed 32-bit number; those that are above bit
 * 31 in Linux (VM_DROPPABLE 40, VM_SEALED 42) sit on lower bits that nothing here uses.
 */
export const VM_READ = 0x1;
export const VM_WRITE = 0x2;
export const VM_EXEC = 0x4;
export const VM_SHARED = 0x8;
/** What mprotect may grant. */
export const VM_MAYREAD = 0x10;
export const VM_MAYWRITE = 0x20;
export const VM_MAYEXEC = 0x40;
export const VM_MAYSHARE = 0x80;
export const VM_GROWSDOWN = 0x100;
/** Registered with a userfaultfd: for pages that are not there, for writes to protected ones, for cached ones not mapped. */
export const VM_UFFD_MISSING = 0x200;
export const VM_PFNMAP = 0x400;
/** It may have guard markers: never cleared again (MADV_GUARD_INSTALL). */
export const VM_MAYBE_GUARD = 0x800;
export const VM_UFFD_WP = 0x1000;
export const VM_LOCKED = 0x2000;
export const VM_IO = 0x4000;
export const VM_SEQ_READ = 0x8000;
export const VM_RAND_READ = 0x10000;
/** Not copied at fork (MADV_DONTFORK). */
export const VM_DONTCOPY = 0x20000;
export const VM_DONTEXPAND = 0x40000;
export const VM_LOCKONFAULT = 0x80000;
/** Its pages are counted in committedPages. */
export const VM_ACCOUNT = 0x100000;
export const VM_NORESERVE = 0x200000;
export const VM_HUGETLB = 0x400000;
export const VM_SYNC = 0x800000;
/** mseal. */
export const VM_SEALED = 0x1000000;
export const VM_WIPEONFORK = 0x2000000;
export const VM_DONTDUMP = 0x4000000;
/** Bit 41 in Linux; here in the place of VM_SOFTDIRTY. */
export const VM_UFFD_MINOR = 0x8000000;
/** 0 without CONFIG_MEM_SOFT_DIRTY, which riscv64 cannot have in 6.18 (no pte bit is left). */
export const VM_SOFTDIRTY = 0;
/** Freed when memory is short, also when dirty; wiped at fork (MAP_DROPPABLE). On the bit of VM_MIXEDMAP, which only drivers set. */
export const VM_DROPPABLE = 0x10000000;
export const VM_HUGEPAGE = 0x20000000;
export const VM_NOHUGEPAGE = 0x40000000;
/** KSM may merge its pages. The sign bit: test with !== 0. */
export const VM_MERGEABLE = 1 << 31;

export const VM_UFFD_FLAGS = VM_UFFD_MISSING | VM_UFFD_WP | VM_UFFD_MINOR;
export const VM_ACCESS_FLAGS = VM_READ | VM_WRITE | VM_EXEC;
export const VM_LOCKED_MASK = VM_LOCKED | VM_LOCKONFAULT;
/** Never merged, never locked. */
export const VM_SPECIAL = VM_IO | VM_DONTEXPAND | VM_PFNMAP;
/** Two VMAs that differ only in these merge, and the result has those of both (VM_STICKY). */
export const VM_IGNORE_MERGE = VM_SOFTDIRTY | VM_MAYBE_GUARD;
export const VM_STACK = VM_GROWSDOWN;
/** riscv and x86-64 without READ_IMPLIES_EXEC: brk, stack. */
export const VM_DATA_DEFAULT_FLAGS = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
export const VM_STACK_FLAGS = VM_STACK | VM_DATA_DEFAULT_FLAGS | VM_ACCOUNT;
/** Shadow of mm->def_flags that fork keeps (VM_INIT_DEF_MASK). */
export const VM_INIT_DEF_MASK = VM_NOHUGEPAGE;

/** Private and possibly writable: a store must not reach what others see (is_cow_mapping). */
export function isCowMapping(flags: number): boolean {
  return (flags & (VM_SHARED | VM_MAYWRITE)) === VM_MAYWRITE;
}
/** Private and writable memory counts against the commit limit (accountable_mapping). */
export function isAccountable(flags: number): boolean {
  return (flags & (VM_NORESERVE | VM_SHARED | VM_WRITE)) === VM_WRITE;
}
/** KSM may look at its pages (vma_ksm_compatible, mm/ksm.c). */
export function isKsmCompatible(flags: number): boolean {
  return (flags & (VM_SHARED | VM_MAYSHARE | VM_SPECIAL | VM_HUGETLB | VM_DROPPABLE)) === 0;
}
export function isDataMapping(flags: number): boolean {
  return (flags & (VM_WRITE | VM_SHARED | VM_STACK)) === VM_WRITE;
}
export function isExecMapping(flags: number): boolean {
  return (flags & (VM_EXEC | VM_WRITE | VM_STACK)) === VM_EXEC;
}
export function isStackMapping(flags: number): boolean {
  return (flags & VM_STACK) !== 0;
}

/** A use of a page through the mapping says that it will be used again (vma_has_recency, 6.18). */
export const hasRecency = (vmFlags: number): boolean => (vmFlags & (VM_SEQ_READ | VM_RAND_READ)) === 0;
