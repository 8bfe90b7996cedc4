import { ENOMEM } from '../../abi/errno.ts';
import type { AddressSpace } from '../address-space.ts';
import { unmergeRange } from '../ksm/unmerge.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { isKsmCompatible, VM_MERGEABLE } from '../vm-flags.ts';

/**
 * PR_SET_MEMORY_MERGE (Linux 6.18: ksm_enable_merge_any, ksm_disable_merge_any): every mapping that can be is VM_MERGEABLE from
 * now on, or none is and none holds a merged page. Neighbours that come to be alike do not join. 0, or -ENOMEM and merging is as
 * it was.
 */
export function setMemoryMerge(mm: MemoryManager, space: AddressSpace, merge: 'any' | 'advised'): number {
  if (space.memoryMerge === merge) return 0;
  if (merge === 'any') {
    if (mm.ksm.enter(space) !== 0) return -ENOMEM;
    space.memoryMerge = merge;
    addAll(space);
    return 0;
  }
  for (let vma = space.vmas.first(); vma !== null; vma = space.vmas.next(vma)) {
    const result = unmergeRange(mm, vma, vma.startVpn, vma.endVpn);
    if (result !== 0) {
      addAll(space);
      return result;
    }
    vma.flags &= ~VM_MERGEABLE;
  }
  space.memoryMerge = merge;
  return 0;
}

/** ksm_add_vmas. */
function addAll(space: AddressSpace): void {
  for (let vma = space.vmas.first(); vma !== null; vma = space.vmas.next(vma))
    if (isKsmCompatible(vma.flags)) vma.flags |= VM_MERGEABLE;
}

/** ksm_vma_flags: the flags of a new mapping. ksmd may have forgotten the space, when it found nothing to merge in it. */
export function withMemoryMerge(mm: MemoryManager, space: AddressSpace, flags: number): number {
  if (space.memoryMerge !== 'any' || !isKsmCompatible(flags)) return flags;
  mm.ksm.enter(space);
  return flags | VM_MERGEABLE;
}
