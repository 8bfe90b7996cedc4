import { EV_KSM_BREAK } from '../../base/event-kinds.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { unshareKsm } from '../fault/cow.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { PG_ksm } from '../phys/page-flags.ts';
import { VM_MERGEABLE } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';
import { KSM_RUN_STOP, type Ksm, removeAllNodes } from './ksm.ts';
import { NO_ROW } from './row-tree.ts';

/** break_ksm: a page that ksmd has merged is the VMA's own again. 0, or -ENOMEM and it is merged still. */
export function breakKsm(mm: MemoryManager, vma: Vma, page: Vpn): number {
  const slot = mm.pageTables.findLeaf(vma.space, page);
  if (slot === -1 || !isMergedEntry(mm, mm.pageTables.read(slot))) return 0;
  if (mm.events.enabled[EV_KSM_BREAK] !== 0)
    mm.events.emit(EV_KSM_BREAK, vma.space.id, page * PAGE_SIZE, mm.pageTables.frameOf(mm.pageTables.read(slot)));
  return unshareKsm(mm, vma, page, slot);
}

/** The entry maps a KSM page, or the zero page as ksmd maps it (folio_test_ksm, is_ksm_zero_pte). */
function isMergedEntry(mm: MemoryManager, entry: number): boolean {
  const { pageTables, frames, format } = mm;
  if (!pageTables.isMapped(entry)) return false;
  const frame: Pfn = pageTables.frameOf(entry);
  return frame === mm.zeroPage ? (entry & format.DIRTY) !== 0 : (frames.flags[frame] & PG_ksm) !== 0;
}

/** unmerge_ksm_pages: no page of [start, end) is merged any more. 0 or -ENOMEM. */
export function unmergeRange(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): number {
  if ((vma.flags & VM_MERGEABLE) === 0 || vma.anonVma === null) return 0;
  const { pageTables } = mm;
  for (let page = start; pageTables.seek(vma.space, page, end); ) {
    page = Math.max(page, pageTables.foundVpn) as Vpn;
    if (pageTables.foundLevel > 0) {
      page = (pageTables.foundVpn + pageTables.spanOf(pageTables.foundLevel)) as Vpn;
      continue;
    }
    const result = breakKsm(mm, vma, page);
    if (result !== 0) return result;
    page = (page + 1) as Vpn;
  }
  return 0;
}

/**
 * run_store's KSM_RUN_UNMERGE (unmerge_and_remove_all_rmap_items): no page of the machine is merged any more, and nothing is remembered. 0,
 * or -ENOMEM: ksmd stops, and what was not reached is merged still.
 */
export function unmergeAll(ksm: Ksm): number {
  ksm.cursorSlot = ksm.slots.first;
  for (let slot = ksm.cursorSlot; slot !== null; slot = ksm.cursorSlot) {
    const { space } = slot;
    if (!slot.hasEnded) {
      for (let vma = space.vmas.first(); vma !== null; vma = space.vmas.next(vma)) {
        const result = unmergeRange(ksm.mm, vma, vma.startVpn, vma.endVpn);
        if (result === 0) continue;
        ksm.cursorSlot = null;
        ksm.run = KSM_RUN_STOP;
        return result;
      }
    }
    ksm.freeItemsBehind(slot, NO_ROW);
    ksm.cursorSlot = slot.next;
    if (slot.hasEnded) ksm.freeSlot(slot);
  }
  removeAllNodes(ksm);
  ksm.fullScans = 0;
  return 0;
}
