import type { MemoryManager } from '../memory-manager.ts';
import { VM_UFFD_WP } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';

/**
 * A write through the entry is userfaultfd's to allow (Linux 6.18: userfaultfd_pte_wp). A mark alone does not say so: it outlives a
 * registration for WP that another one without WP replaced (P5), and then is only shown by pagemap.
 */
export function isUffdProtected(mm: MemoryManager, vma: Vma, entry: number): boolean {
  return (vma.flags & VM_UFFD_WP) !== 0 && mm.pageTables.isUffdWp(entry);
}
