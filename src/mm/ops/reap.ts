import type { AddressSpace } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { VM_HUGETLB, VM_PFNMAP, VM_SHARED } from '../vm-flags.ts';
import { VMA_ANON } from '../vma.ts';
import { zapRange } from '../zap.ts';

/**
 * __oom_reap_task_mm (Linux 6.18, mm/oom_kill.c): all private memory of a process that is being killed is given back before it can
 * run to its end. Its mappings stay until it does.
 */
export function reapSpace(mm: MemoryManager, space: AddressSpace): void {
  for (let vma = space.vmas.first(); vma !== null; vma = space.vmas.next(vma)) {
    if ((vma.flags & (VM_HUGETLB | VM_PFNMAP)) !== 0) continue;
    if (vma.kind === VMA_ANON || (vma.flags & VM_SHARED) === 0) zapRange(mm, vma, vma.startVpn, vma.endVpn);
  }
}
