import type { Vpn } from '../machine/units.ts';
import { wantsNoWriteNotice } from './fault/write-notice.ts';
import { protectHugetlb } from './hugetlb/hugetlb-entries.ts';
import type { MemoryManager } from './memory-manager.ts';
import { PG_anon_exclusive } from './phys/page-flags.ts';
import { protectHugeLeaf } from './thp/huge-entries.ts';
import { splitHugeAt } from './thp/split.ts';
import { isUffdProtected } from './uffd/protected.ts';
import { VM_SHARED, VM_WRITE } from './vm-flags.ts';
import { VMA_HUGETLB, VMA_SHMEM, type Vma } from './vma.ts';

/**
 * Gives the entries of [start, end) the rights of the VMA's flags as they are now (Linux: change_protection with
 * MM_CP_TRY_CHANGE_WRITABLE). WRITE is given at once only where no fault would have work to do: an anonymous frame that is
 * exclusive, a page of a shared file mapping that is dirty already, any page of shared shmem.
 */
export function protectRange(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): void {
  if (vma.kind === VMA_HUGETLB) {
    protectHugetlb(mm, vma, start, end);
    return;
  }
  const { pageTables, format } = mm;
  const state = format.ACCESSED | format.DIRTY;
  splitHugeAt(mm, vma, start);
  splitHugeAt(mm, vma, end);
  let page = start;
  while (pageTables.seek(vma.space, page, end)) {
    const at = pageTables.foundVpn;
    const slot = pageTables.foundSlot;
    if (pageTables.foundLevel > 0) {
      page = (at + mm.thp.pages) as Vpn;
      protectHugeLeaf(mm, vma, at, slot);
      continue;
    }
    page = (at + 1) as Vpn;
    const entry = pageTables.read(slot);
    if (!pageTables.isMapped(entry)) continue;
    const frame = pageTables.frameOf(entry);
    const isProtected = isUffdProtected(mm, vma, entry);
    const write =
      !isProtected && (vma.flags & VM_WRITE) !== 0 && mayWriteNow(mm, vma, entry, frame) ? 'writable' : 'readonly';
    const plain = pageTables.makeEntry(frame, vma.flags, write, entry & state);
    const changed = pageTables.isUffdWp(entry) ? pageTables.withUffdMark(plain) : plain;
    if (changed === entry) continue;
    pageTables.set(slot, changed);
    mm.tlbBatch.add(at);
  }
  mm.tlbBatch.finish(vma.space);
}

/**
 * can_change_pte_writable, for an entry that is not write-protected by userfaultfd. Of shmem that userfaultfd watches for writes none
 * is: such a VMA's vm_page_prot is not what its flags say (vma_wants_writenotify asked by vma_wants_manual_pte_write_upgrade).
 */
export function mayWriteNow(mm: MemoryManager, vma: Vma, entry: number, frame: number): boolean {
  if (frame === mm.zeroPage) return false;
  if ((vma.flags & VM_SHARED) === 0) return (mm.frames.flags[frame] & PG_anon_exclusive) !== 0;
  return vma.kind === VMA_SHMEM ? wantsNoWriteNotice(vma) : (entry & mm.format.DIRTY) !== 0;
}
