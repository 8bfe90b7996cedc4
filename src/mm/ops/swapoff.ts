import { EINTR, ENOMEM } from '../../abi/errno.ts';
import { ACCESS_READ } from '../../machine/mmu.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import { FAULT_DONE, FAULT_OOM } from '../fault/results.ts';
import { swapFault } from '../fault/swap.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { swapInShmem } from '../shmem/shmem-swap.ts';
import type { SwapArea } from '../swap/area.ts';
import { swapTypeOf } from '../swap/entry.ts';
import type { Vma } from '../vma.ts';

/**
 * swapoff(2) of an area: all that is in it comes back into memory, or to the other areas, and it exists no more (Linux 6.18:
 * try_to_unuse). 0; -ENOMEM where it cannot all come back, or the overcommit rules say so before; -EINTR for a slot that the
 * store cannot read. Then the area goes on.
 */
export function swapOff(mm: MemoryManager, area: SwapArea): number {
  // security_vm_enough_memory_mm: there must be room for what it could hold; the area itself is still counted among it.
  const refused = mm.chargeCommit(null, area.pageCount);
  if (refused < 0) return refused;
  mm.unchargeCommit(area.pageCount);
  mm.swap.closeArea(area);
  const result = bringBack(mm, area);
  if (result < 0) {
    mm.swap.reopenArea(area);
    return result;
  }
  mm.swap.removeArea(area);
  return 0;
}

function bringBack(mm: MemoryManager, area: SwapArea): number {
  for (const file of mm.pageCache.files) {
    if (file === null) continue;
    for (const [index, entry] of [...file.swapped]) {
      if (swapTypeOf(entry) !== area.type) continue;
      const frame = swapInShmem(mm.pageCache, file, index);
      if (frame < 0) return frame === -ENOMEM ? -ENOMEM : -EINTR;
      mm.alloc.putFrame(frame as Pfn);
    }
  }
  for (const space of mm.spaces) {
    const result = bringSpaceBack(mm, space, area);
    if (result < 0) return result;
  }
  dropCache(mm, area);
  return 0;
}

/** unuse_mm: as a fault of each entry would bring it back, but it counts as none. */
function bringSpaceBack(mm: MemoryManager, space: AddressSpace, area: SwapArea): number {
  const { lastFaultKind, lastFaultMajor, lastFaultFrame } = mm;
  const { pgmajfault } = mm.vmstat;
  let result = 0;
  for (let vma = space.vmas.first(); vma !== null && result === 0; vma = space.vmas.next(vma))
    result = bringVmaBack(mm, vma, area);
  mm.lastFaultKind = lastFaultKind;
  mm.lastFaultMajor = lastFaultMajor;
  mm.lastFaultFrame = lastFaultFrame;
  mm.vmstat.pgmajfault = pgmajfault;
  return result;
}

function bringVmaBack(mm: MemoryManager, vma: Vma, area: SwapArea): number {
  const { pageTables } = mm;
  let page = vma.startVpn;
  while (pageTables.seek(vma.space, page, vma.endVpn)) {
    const at = pageTables.foundVpn;
    const slot = pageTables.foundSlot;
    page = (at + pageTables.spanOf(pageTables.foundLevel)) as Vpn;
    const entry = pageTables.read(slot);
    if (!pageTables.isSwap(entry) || swapTypeOf(pageTables.swapOf(entry)) !== area.type) continue;
    const result = swapFault(mm, vma, at, ACCESS_READ, slot);
    if (result !== FAULT_DONE) return result === FAULT_OOM ? -ENOMEM : -EINTR;
  }
  return 0;
}

/** What is left is in memory too: pages that are mapped again and kept their slot. */
function dropCache(mm: MemoryManager, area: SwapArea): void {
  for (const slot of area.slotsInUse()) {
    const frame = area.cachedOf(slot);
    if (frame !== NO_FRAME) mm.block.settle(frame as Pfn);
    // What reclaim had written has gone with its write.
    if (area.cachedOf(slot) !== NO_FRAME) mm.swap.removeFromCache(area.cachedOf(slot) as Pfn);
  }
}
