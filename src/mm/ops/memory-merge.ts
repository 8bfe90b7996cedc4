import type { AddressSpace } from '../address-space.ts';
import { isKsmCompatible, VM_MERGEABLE } from '../vm-flags.ts';

/**
 * PR_SET_MEMORY_MERGE (Linux 6.18: ksm_enable_merge_any, ksm_disable_merge_any): every mapping that can be is VM_MERGEABLE from
 * now on, or none is. Neighbours that come to be alike do not join.
 */
export function setMemoryMerge(space: AddressSpace, merge: 'any' | 'advised'): void {
  if (space.memoryMerge === merge) return;
  space.memoryMerge = merge;
  for (let vma = space.vmas.first(); vma !== null; vma = space.vmas.next(vma)) {
    if (merge === 'advised') vma.flags &= ~VM_MERGEABLE;
    else if (isKsmCompatible(vma.flags)) vma.flags |= VM_MERGEABLE;
  }
}

/** ksm_vma_flags: the flags of a new mapping. */
export function withMemoryMerge(space: AddressSpace, flags: number): number {
  return space.memoryMerge === 'any' && isKsmCompatible(flags) ? flags | VM_MERGEABLE : flags;
}
