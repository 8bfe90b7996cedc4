import type { MemoryManager } from '../memory-manager.ts';
import { __GFP_COMP, __GFP_DIRECT_RECLAIM, __GFP_NORETRY, __GFP_NOWARN, GFP_HIGHUSER_MOVABLE } from '../phys/gfp.ts';
import { VM_HUGEPAGE } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';
import type { ThpReason } from './thp.ts';

export const GFP_TRANSHUGE = GFP_HIGHUSER_MOVABLE | __GFP_COMP | __GFP_NORETRY | __GFP_NOWARN;
const GFP_TRANSHUGE_LIGHT = GFP_TRANSHUGE & ~__GFP_DIRECT_RECLAIM;

/** vma_thp_gfp_mask, alloc_hugepage_khugepaged_gfpmask: may finding a block reclaim? Without a VMA a write asks. */
export function thpGfp(mm: MemoryManager, vma: Vma | null, why: ThpReason): number {
  return mayReclaim(mm, vma, why) ? GFP_TRANSHUGE : GFP_TRANSHUGE_LIGHT;
}

function mayReclaim({ thp }: MemoryManager, vma: Vma | null, why: ThpReason): boolean {
  if (why === 'collapse') return true;
  if (why === 'khugepaged') return thp.khugepaged.defrag;
  if (thp.defrag === 'always') return true;
  const isAsked = vma !== null && (vma.flags & VM_HUGEPAGE) !== 0;
  return isAsked && (thp.defrag === 'madvise' || thp.defrag === 'defer+madvise');
}
