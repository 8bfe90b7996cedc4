import { ACCESS_WRITE, type Access } from '../../machine/mmu.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import { KIND_ANON_READ_ZERO, KIND_ANON_ZERO } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { userfault } from '../uffd/userfault.ts';
import { VM_UFFD_MISSING } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';
import { allocZeroed, installAnon, keepUffdWp } from './install.ts';
import { FAULT_DONE, FAULT_OOM, type FaultResult } from './results.ts';

/**
 * The first touch of anonymous memory (Linux: do_anonymous_page): a read maps the shared zero page read-only, a write a
 * frame of its own.
 */
export function anonFault(mm: MemoryManager, vma: Vma, page: Vpn, access: Access): FaultResult {
  const { pageTables, format } = mm;
  const slot = pageTables.ensureLeaf(vma.space, page);
  if (slot === -1) return FAULT_OOM;
  if (access === ACCESS_WRITE && mm.rmap.anonVmas.prepare(vma) !== 0) return FAULT_OOM;
  if ((vma.flags & VM_UFFD_MISSING) !== 0) return userfault(mm, vma, page, access, VM_UFFD_MISSING);
  if (access !== ACCESS_WRITE) {
    mm.lastFaultKind = KIND_ANON_READ_ZERO;
    mm.lastFaultFrame = mm.zeroPage;
    const entry = pageTables.makeEntry(mm.zeroPage, vma.flags, 'readonly', format.ACCESSED);
    pageTables.set(slot, keepUffdWp(mm, slot, entry));
    return FAULT_DONE;
  }
  mm.lastFaultKind = KIND_ANON_ZERO;
  const frame = allocZeroed(mm, vma.space);
  if (frame === NO_FRAME) return FAULT_OOM;
  installAnon(mm, vma, page, slot, frame as Pfn);
  return FAULT_DONE;
}
