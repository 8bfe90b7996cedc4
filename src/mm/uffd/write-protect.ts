import { EAGAIN, EINVAL, ENOENT, ENOMEM } from '../../abi/errno.ts';
import type { Vpn } from '../../machine/units.ts';
import { ensureHugeSlot } from '../hugetlb/hugetlb-entries.ts';
import { objectOf } from '../hugetlb/hugetlb-vma.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { mayWriteNow } from '../protect-range.ts';
import { VM_SHARED, VM_UFFD_WP, VM_WRITE } from '../vm-flags.ts';
import { VMA_ANON, VMA_HUGETLB, VMA_SHMEM, type Vma } from '../vma.ts';
import type { UffdContext } from './context.ts';

/** UFFDIO_WRITEPROTECT (mwriteprotect_range): 0, -EAGAIN, -ENOMEM, or -ENOENT where a VMA is not registered for it. */
export function writeProtect(
  mm: MemoryManager,
  context: UffdContext,
  start: Vpn,
  end: Vpn,
  what: 'protect' | 'resolve',
): number {
  if (context.isMappingChanging) return -EAGAIN;
  const { space } = context;
  let result = -ENOENT;
  for (let vma = space.vmas.find(start); vma !== null && vma.startVpn < end; vma = space.vmas.next(vma)) {
    if ((vma.flags & VM_UFFD_WP) === 0) return -ENOENT;
    if (vma.kind === VMA_HUGETLB) {
      const { pages } = objectOf(vma).pool;
      if (start % pages !== 0 || (end - start) % pages !== 0) return -EINVAL;
    }
    const from = Math.max(start, vma.startVpn) as Vpn;
    result = protectForUffd(mm, vma, from, Math.min(end, vma.endVpn) as Vpn, what);
    if (result !== 0) break;
  }
  return result;
}

/** userfaultfd_wp_use_markers: pages that are not there are protected by markers, for anonymous memory only on demand. */
function usesMarkers(vma: Vma): boolean {
  return vma.kind !== VMA_ANON || (vma.uffd?.protectsUnpopulated ?? false);
}

/** uffd_wp_range (change_protection with MM_CP_UFFD_WP or MM_CP_UFFD_WP_RESOLVE). 0 or -ENOMEM. */
export function protectForUffd(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn, what: 'protect' | 'resolve'): number {
  if (what === 'protect' && vma.kind === VMA_HUGETLB) return protectHuge(mm, vma, start, end);
  if (what === 'protect' && usesMarkers(vma)) return protectEach(mm, vma, start, end);
  const { pageTables } = mm;
  let page = start;
  while (pageTables.seek(vma.space, page, end)) {
    const at = pageTables.foundVpn;
    const slot = pageTables.foundSlot;
    page = (at + pageTables.spanOf(pageTables.foundLevel)) as Vpn;
    if (what === 'protect') protectEntry(mm, at, slot);
    else resolveEntry(mm, vma, at, slot);
  }
  mm.tlbBatch.finish(vma.space);
  return 0;
}

function protectEach(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): number {
  for (let page = start; page < end; page = (page + 1) as Vpn) {
    const slot = mm.pageTables.ensureLeaf(vma.space, page);
    if (slot === -1) {
      mm.tlbBatch.finish(vma.space);
      return -ENOMEM;
    }
    protectEntry(mm, page, slot);
  }
  mm.tlbBatch.finish(vma.space);
  return 0;
}

/** hugetlb_change_protection: what is not there is protected by markers, as the memory of a file is. */
function protectHuge(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): number {
  let result = 0;
  for (let page = start; page < end; page = (page + objectOf(vma).pool.pages) as Vpn) {
    const slot = ensureHugeSlot(mm, vma, page);
    if (slot === -1) {
      result = -ENOMEM;
      break;
    }
    protectEntry(mm, page, slot);
  }
  mm.tlbBatch.finish(vma.space);
  return result;
}

/** A poisoned page and a guard region stay what they are. */
function protectEntry(mm: MemoryManager, page: Vpn, slot: number): void {
  const { pageTables } = mm;
  const entry = pageTables.read(slot);
  if (pageTables.isMarker(entry)) return;
  const changed = pageTables.withUffdWp(entry);
  if (changed === entry) return;
  pageTables.set(slot, changed);
  mm.tlbBatch.add(page);
}

/**
 * change_pte_range gives every entry the rights of vm_page_prot. Those of a shared mapping that is registered are without write
 * (vma_wants_writenotify), so even an entry that was not protected loses it, and the next store faults.
 */
function resolveEntry(mm: MemoryManager, vma: Vma, page: Vpn, slot: number): void {
  const { pageTables, format } = mm;
  const entry = pageTables.read(slot);
  const isShared = (vma.flags & VM_SHARED) !== 0 && vma.kind === VMA_SHMEM && pageTables.isMapped(entry);
  if (!pageTables.isUffdWp(entry) && !(isShared && (entry & format.WRITE) !== 0)) return;
  let changed = pageTables.withoutUffdWp(entry);
  if (isShared) changed = (changed & ~format.WRITE) >>> 0;
  else if (pageTables.isMapped(changed) && (vma.flags & VM_WRITE) !== 0 && (changed & format.PRESENT) !== 0) {
    if (mayWriteNow(mm, vma, changed, pageTables.frameOf(changed))) changed = (changed | format.WRITE) >>> 0;
  }
  pageTables.set(slot, changed);
  mm.tlbBatch.add(page);
}
