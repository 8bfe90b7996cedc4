import {
  UFFD_FEATURE_SIGBUS,
  UFFD_PAGEFAULT_FLAG_MINOR,
  UFFD_PAGEFAULT_FLAG_WP,
  UFFD_PAGEFAULT_FLAG_WRITE,
} from '../../abi/userfaultfd.ts';
import { EV_USERFAULT } from '../../base/event-kinds.ts';
import { ACCESS_WRITE, type Access } from '../../machine/mmu.ts';
import { type Vpn, vaddrOf } from '../../machine/units.ts';
import { KIND_USERFAULT } from '../address-space.ts';
import { FAULT_BLOCKED, FAULT_BUS, type FaultResult } from '../fault/results.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { VM_UFFD_MINOR, VM_UFFD_WP } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';

/**
 * The fault is another's to resolve (Linux 6.18: handle_userfault): a message for the reader of the VMA's userfaultfd, and
 * FAULT_BLOCKED for the faulter. FAULT_BUS where it asked for that, or where this fault may not sleep. `reason` is the
 * VM_UFFD_* that the VMA is registered with.
 */
export function userfault(mm: MemoryManager, vma: Vma, page: Vpn, access: Access, reason: number): FaultResult {
  const context = vma.uffd;
  const { waiter } = mm;
  mm.lastFaultKind = KIND_USERFAULT;
  if (context === null || waiter === null || context.has(UFFD_FEATURE_SIGBUS)) return FAULT_BUS;
  if (context.mode === 'user' && mm.faultMode === 'kernel') return FAULT_BUS;
  let flags = access === ACCESS_WRITE ? UFFD_PAGEFAULT_FLAG_WRITE : 0;
  if (reason === VM_UFFD_WP) flags |= UFFD_PAGEFAULT_FLAG_WP;
  if (reason === VM_UFFD_MINOR) flags |= UFFD_PAGEFAULT_FLAG_MINOR;
  const address = context.tellsExactAddress ? mm.faultAddress : vaddrOf(page);
  if (mm.events.enabled[EV_USERFAULT] !== 0) mm.events.emit(EV_USERFAULT, vma.space.id, address, flags);
  context.sleepOn({ tid: waiter.tid, address, flags });
  waiter.source = context;
  return FAULT_BLOCKED;
}
