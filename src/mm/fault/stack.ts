import { ENOMEM, EPERM } from '../../abi/errno.ts';
import { PAGE_SIZE, type Vpn } from '../../machine/units.ts';
import { accountVm, mayExpandVm, mlockFutureOk } from '../accounting.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { VM_ACCESS_FLAGS, VM_ACCOUNT, VM_GROWSDOWN, VM_LOCKED } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';
import { setVmaBounds } from '../vma-adjust.ts';

/**
 * Grows a VM_GROWSDOWN VMA down to hold `page` (Linux 6.18, expand_downwards and acct_stack_growth, mm/vma.c). The guard gap
 * is kept to the mapping below, unless that is inaccessible or itself grows down. 0, -EPERM below mmap_min_addr, -ENOMEM at a
 * limit (RLIMIT_STACK, RLIMIT_AS, the gap, memory).
 */
export function expandStack(mm: MemoryManager, vma: Vma, page: Vpn): number {
  const { space } = vma;
  if (page * PAGE_SIZE < mm.config.mmapMinAddrBytes) return -EPERM;
  const below = space.vmas.prev(vma);
  if (
    below !== null &&
    (below.flags & VM_GROWSDOWN) === 0 &&
    (below.flags & VM_ACCESS_FLAGS) !== 0 &&
    page - below.endVpn < mm.config.stackGuardGapPages
  )
    return -ENOMEM;
  if (mm.rmap.anonVmas.prepare(vma) !== 0) return -ENOMEM;
  if (page >= vma.startVpn) return 0;
  const grow = vma.startVpn - page;
  if (grow > vma.pgoff || (below !== null && below.endVpn > page)) return -ENOMEM;
  if (!mayExpandVm(space, vma.flags, grow)) return -ENOMEM;
  if ((vma.endVpn - page) * PAGE_SIZE > space.limits.stackBytes) return -ENOMEM;
  if (!mlockFutureOk(space, vma.flags, grow)) return -ENOMEM;
  // Charged whatever the flags say, as acct_stack_growth does. Linux gives back what has VM_ACCOUNT alone, when it is unmapped;
  // the rest here at once.
  if (mm.chargeCommit(space, grow) !== 0) return -ENOMEM;
  if ((vma.flags & VM_ACCOUNT) === 0) mm.unchargeCommit(grow);
  if ((vma.flags & VM_LOCKED) !== 0) space.lockedVm += grow;
  accountVm(space, vma.flags, grow);
  setVmaBounds(mm, vma, page, vma.endVpn, vma.pgoff - grow);
  return 0;
}
