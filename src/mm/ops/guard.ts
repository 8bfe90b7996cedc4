import { EINVAL, ENOMEM } from '../../abi/errno.ts';
import type { Vpn } from '../../machine/units.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { MARKER_GUARD } from '../page-table-entry.ts';
import { VM_HUGETLB, VM_LOCKED, VM_MAYBE_GUARD, VM_SPECIAL } from '../vm-flags.ts';
import { VMA_ANON, type Vma } from '../vma.ts';
import { zapRange } from '../zap.ts';

/**
 * MADV_GUARD_INSTALL (Linux 6.18: madvise_guard_install): every page of [start, end) loses what it holds and is SIGSEGV to touch
 * from now on. Fork copies the entries for VM_MAYBE_GUARD's sake; anonymous memory gets its anon_vma, too. 0, -EINVAL, -ENOMEM (some of the range is done).
 */
export function installGuards(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): number {
  if ((vma.flags & (VM_SPECIAL | VM_HUGETLB | VM_LOCKED)) !== 0) return -EINVAL;
  if (vma.kind === VMA_ANON && mm.rmap.anonVmas.prepare(vma) !== 0) return -ENOMEM;
  vma.flags |= VM_MAYBE_GUARD;
  const { pageTables } = mm;
  zapRange(mm, vma, start, end);
  const guard = pageTables.makeMarker(MARKER_GUARD);
  for (let page = start; page < end; page = (page + 1) as Vpn) {
    const slot = pageTables.ensureLeaf(vma.space, page);
    if (slot === -1) return -ENOMEM;
    pageTables.set(slot, guard);
  }
  return 0;
}

/** MADV_GUARD_REMOVE (madvise_guard_remove): what is no guard stays. 0 or -EINVAL. */
export function removeGuards(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): number {
  if ((vma.flags & (VM_SPECIAL | VM_HUGETLB)) !== 0) return -EINVAL;
  const { pageTables } = mm;
  let page = start;
  while (pageTables.seek(vma.space, page, end)) {
    page = (pageTables.foundVpn + pageTables.spanOf(pageTables.foundLevel)) as Vpn;
    const marker = pageTables.markerOf(pageTables.read(pageTables.foundSlot));
    if ((marker & MARKER_GUARD) !== 0)
      pageTables.set(pageTables.foundSlot, pageTables.makeMarker(marker & ~MARKER_GUARD));
  }
  return 0;
}
