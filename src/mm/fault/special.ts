import { EV_COW_COPY } from '../../base/event-kinds.ts';
import { ACCESS_WRITE, type Access } from '../../machine/mmu.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { KIND_COW_COPY, KIND_FILE_READ } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import type { SpecialMapping, Vma } from '../vma.ts';
import { allocCopy, installAnon, installFile } from './install.ts';
import { FAULT_BUS, FAULT_DONE, FAULT_OOM, type FaultResult } from './results.ts';

/** The first touch of a page of the kernel's own, such as the vdso (Linux: special_mapping_fault). */
export function specialFault(mm: MemoryManager, vma: Vma, page: Vpn, access: Access): FaultResult {
  const index = vma.pgoff + (page - vma.startVpn);
  const { frames } = vma.special as SpecialMapping;
  mm.lastFaultKind = access === ACCESS_WRITE ? KIND_COW_COPY : KIND_FILE_READ;
  if (index >= frames.length || frames[index] === NO_FRAME) return FAULT_BUS;
  const frame = frames[index] as Pfn;
  const slot = mm.pageTables.ensureLeaf(vma.space, page);
  if (slot === -1) return FAULT_OOM;
  if (access === ACCESS_WRITE) {
    if (mm.rmap.anonVmas.prepare(vma) !== 0) return FAULT_OOM;
    const copy = allocCopy(mm, vma.space, frame);
    if (copy === NO_FRAME) return FAULT_OOM;
    if (mm.events.enabled[EV_COW_COPY] !== 0) mm.events.emit(EV_COW_COPY, vma.space.id, page * PAGE_SIZE, frame, copy);
    installAnon(mm, vma, page, slot, copy as Pfn);
    return FAULT_DONE;
  }
  mm.alloc.getFrame(frame);
  installFile(mm, vma, page, slot, frame, 'readonly', mm.format.ACCESSED);
  return FAULT_DONE;
}
