import type { Vpn } from '../machine/units.ts';
import { protectHugetlb } from './hugetlb/hugetlb-entries.ts';
import type { MemoryManager } from './memory-manager.ts';
import { PG_anon_exclusive } from './phys/page-flags.ts';
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
  let page = start;
  while (pageTables.seek(vma.space, page, end)) {
    const at = pageTables.foundVpn;
    const slot = pageTables.foundSlot;
    page = (at + 1) as Vpn;
    const entry = pageTables.read(slot);
    if (!pageTables.isMapped(entry)) continue;
    const frame = pageTables.frameOf(entry);
    const write = (vma.flags & VM_WRITE) !== 0 && mayWriteNow(mm, vma, entry, frame) ? 'writable' : 'readonly';
    const changed = pageTables.makeEntry(frame, vma.flags, write, entry & state);
    if (changed === entry) continue;
    pageTables.set(slot, changed);
    mm.tlbBatch.add(at);
  }
  mm.tlbBatch.finish(vma.space);
}

/** can_change_pte_writable. */
function mayWriteNow(mm: MemoryManager, vma: Vma, entry: number, frame: number): boolean {
  if (frame === mm.zeroPage) return false;
  if ((vma.flags & VM_SHARED) === 0) return (mm.frames.flags[frame] & PG_anon_exclusive) !== 0;
  return vma.kind === VMA_SHMEM || (entry & mm.format.DIRTY) !== 0;
}
