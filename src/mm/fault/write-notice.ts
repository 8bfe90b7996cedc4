import { VM_SHARED, VM_UFFD_WP, VM_WRITE } from '../vm-flags.ts';
import { VMA_SHMEM, type Vma } from '../vma.ts';

/** A shared mapping of shmem needs no notice of the first write, unless userfaultfd wants it, so it is mapped writable at once (vma_wants_writenotify). */
export function wantsNoWriteNotice(vma: Vma): boolean {
  return vma.kind === VMA_SHMEM && (vma.flags & (VM_SHARED | VM_WRITE | VM_UFFD_WP)) === (VM_SHARED | VM_WRITE);
}
