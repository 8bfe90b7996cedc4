import type { Pfn, Vpn } from '../../machine/units.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { VMA_ANON, VMA_SHMEM, type Vma } from '../vma.ts';
import type { SwapEntry } from './entry.ts';
import { swapIn } from './swap-in.ts';

/**
 * MADV_WILLNEED of memory that may be in swap (Linux 6.18: swapin_walk_pmd_entry, shmem_swapin_range): its slots are read into the
 * swap cache, and the first touch is a minor fault. A favour: stops where memory or the store fails.
 */
export function prefetchSwapped(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): void {
  if (vma.kind === VMA_ANON) prefetchEntries(mm, vma, start, end);
  if (vma.kind !== VMA_SHMEM) return;
  const first = vma.pgoff + (start - vma.startVpn);
  for (const [index, entry] of vma.pages?.swapped ?? [])
    if (index >= first && index < first + (end - start) && !prefetch(mm, entry)) return;
}

function prefetchEntries(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): void {
  const { pageTables } = mm;
  let page = start;
  while (pageTables.seek(vma.space, page, end)) {
    page = (pageTables.foundVpn + pageTables.spanOf(pageTables.foundLevel)) as Vpn;
    const entry = pageTables.read(pageTables.foundSlot);
    if (pageTables.foundLevel === 0 && pageTables.isSwap(entry) && !prefetch(mm, pageTables.swapOf(entry))) return;
  }
}

function prefetch(mm: MemoryManager, entry: SwapEntry): boolean {
  const frame = swapIn(mm.swap, entry);
  if (frame < 0) return false;
  mm.alloc.putFrame(frame as Pfn);
  return true;
}
