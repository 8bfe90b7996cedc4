import type { AddressSpace } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { VM_HUGETLB, VM_PFNMAP, VM_SHARED } from '../vm-flags.ts';
import { VMA_ANON } from '../vma.ts';
import { zapRange } from '../zap.ts';

/**
 * Takes the memory of a program that will never run again (__oom_reap_task_mm, 6.18, mm/oom_kill.c): private mappings lose their
 * pages, shared ones keep theirs, whose writing back is not this caller's business. The VMAs stay for its own exit.
 */
export function reapSpace(mm: MemoryManager, space: AddressSpace): void {
  for (let vma = space.vmas.first(); vma !== null; vma = space.vmas.next(vma)) {
    if ((vma.flags & (VM_HUGETLB | VM_PFNMAP)) !== 0) continue;
    if (vma.kind === VMA_ANON || (vma.flags & VM_SHARED) === 0) zapRange(mm, vma, vma.startVpn, vma.endVpn);
  }
}
