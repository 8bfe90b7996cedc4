import { ENOMEM } from '../../abi/errno.ts';
import { EV_KSM_SWPIN_COPY } from '../../base/event-kinds.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { allocCopy } from '../fault/install.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { PG_anon, PG_ksm } from '../phys/page-flags.ts';
import type { AnonVma } from '../rmap/anon-vma.ts';
import type { Vma } from '../vma.ts';
import { KSM_RUN_UNMERGE } from './ksm.ts';
import { leaveBehind } from './left-behind.ts';
import { NO_ROW } from './row-tree.ts';

/**
 * A page of the swap cache that an entry of the VMA, which has its AnonVma, leads to and is about to map. A slot of a merged page has
 * entries of strangers: the first to come back has the page as its own, and the others find it where their own AnonVma does not lead;
 * they get a copy, and ksmd merges them again (ksm_might_need_to_copy, mm/ksm.c, 6.18). The caller's reference passes to the frame that
 * comes back; -ENOMEM, and nothing has changed.
 */
export function copyForStranger(mm: MemoryManager, vma: Vma, page: Vpn, frame: Pfn): Pfn | number {
  if (isAtHome(mm, vma, page, frame)) return frame;
  const copy = allocCopy(mm, vma.space, frame);
  if (copy === NO_FRAME) return -ENOMEM;
  mm.vmstat.ksm_swpin_copy++;
  if (mm.events.enabled[EV_KSM_SWPIN_COPY] !== 0)
    mm.events.emit(EV_KSM_SWPIN_COPY, vma.space.id, page * PAGE_SIZE, frame, copy);
  mm.alloc.putFrame(frame);
  return copy;
}

function isAtHome(mm: MemoryManager, vma: Vma, page: Vpn, frame: Pfn): boolean {
  const { flags, owner, index } = mm.frames;
  // It has just been read: whoever maps it first is its owner.
  if ((flags[frame] & PG_anon) === 0) return true;
  if ((flags[frame] & PG_ksm) !== 0) return owner[frame] !== NO_ROW && mm.ksm.run !== KSM_RUN_UNMERGE;
  const { root } = vma.anonVma as AnonVma;
  return index[frame] === vma.pgoff + (page - vma.startVpn) && mm.rmap.anonVmas.byId(owner[frame])?.root === root;
}

/** An entry maps a KSM page again, whose item may have gone while the entry led to swap. */
export function noteSwappedIn(mm: MemoryManager, vma: Vma, page: Vpn, frame: Pfn): void {
  if ((mm.frames.flags[frame] & PG_ksm) === 0) return;
  const place = {
    anonVma: mm.rmap.anonVmas.hold(vma.anonVma as AnonVma),
    index: vma.pgoff + (page - vma.startVpn),
  };
  if (!leaveBehind(mm.ksm, mm.frames.owner[frame], frame, place)) mm.rmap.anonVmas.drop(place.anonVma);
}
