import { EV_EXC_FAULT_KERNEL, EV_PAGE_FAULT } from '../../base/event-kinds.ts';
import { COST_FAULT_NS } from '../../machine/cost-model.ts';
import { ACCESS_EXEC, ACCESS_WRITE, type Access } from '../../machine/mmu.ts';
import { type Vaddr, type Vpn, vpnOf } from '../../machine/units.ts';
import {
  type AddressSpace,
  KIND_BUS,
  KIND_SEGV,
  KIND_SPURIOUS,
  KIND_STACK_GROW,
  KIND_SWAP_IN,
} from '../address-space.ts';
import { BlockRequest } from '../block/request.ts';
import { hugetlbFault } from '../hugetlb/hugetlb-fault.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { MARKER_POISONED, MARKER_UFFD_WP } from '../page-table-entry.ts';
import { hugeAnonFault, hugeLeafFault } from '../thp/huge-fault.ts';
import { hasRecency, VM_DROPPABLE, VM_GROWSDOWN, VM_UFFD_WP } from '../vm-flags.ts';
import { VMA_ANON, VMA_HUGETLB, VMA_SPECIAL, type Vma } from '../vma.ts';
import { anonFault } from './anon.ts';
import { cowFault, unshareFault } from './cow.ts';
import { fileFault } from './file.ts';
import {
  FAULT_BLOCKED,
  FAULT_BUS,
  FAULT_DONE,
  FAULT_OOM,
  FAULT_SEGV_ACCERR,
  FAULT_SEGV_MAPERR,
  type FaultResult,
} from './results.ts';
import { specialFault } from './special.ts';
import { expandStack } from './stack.ts';
import { swapFault } from './swap.ts';

/**
 * An access that the page tables did not allow (docs/page-fault.md). Allocates no JavaScript object.
 *
 *   find the VMA, or grow the stack -> check rights -> classify -> one handler -> installed entry
 *
 * Every call counts once: one kind in space.faults and mm.faultCounts, one EV_PAGE_FAULT. One that leaves for a device counts when it
 * was tried again and has ended, as a major one.
 */
export function handleFault(
  mm: MemoryManager,
  space: AddressSpace,
  address: Vaddr,
  access: Access,
  mode: 'user' | 'kernel' = 'user',
): FaultResult {
  mm.lastFaultMajor = 0;
  mm.lastFaultFrame = -1;
  mm.faultAddress = address;
  mm.faultMode = mode;
  mm.clock.charge(COST_FAULT_NS);
  if (mm.alloc.injector !== null) mm.alloc.injector.tookMemory = false;
  const { events } = mm;
  if (mode === 'kernel' && events.enabled[EV_EXC_FAULT_KERNEL] !== 0)
    events.emit(EV_EXC_FAULT_KERNEL, address, events.currentIp, causeOf(access));
  const page = vpnOf(address);
  let result: FaultResult;
  let grown = false;
  let vma = space.vmas.find(page);
  if (vma !== null && vma.startVpn > page) {
    grown = (vma.flags & VM_GROWSDOWN) !== 0 && expandStack(mm, vma, page) === 0;
    if (!grown) vma = null;
  }
  if (vma === null) {
    result = FAULT_SEGV_MAPERR;
    mm.lastFaultKind = KIND_SEGV;
  } else if (!mm.access.allows(vma.flags, access)) {
    result = FAULT_SEGV_ACCERR;
    mm.lastFaultKind = KIND_SEGV;
  } else {
    const { waiter, block } = mm;
    if (mode === 'user' && waiter !== null && block.mode === 'goes on') mm.atLockedPage = 'leave';
    result = resolveFault(mm, vma, page, access);
    mm.atLockedPage = 'wait';
    if (grown && result === FAULT_DONE) mm.lastFaultKind = KIND_STACK_GROW;
    if (isUnfinished(mm, result)) return result;
  }
  countFault(mm, space, address, access, mode);
  return result;
}

/** The cause of an exception as the architecture tells it, for events: riscv's (EXC_INST_PAGE_FAULT, EXC_LOAD_PAGE_FAULT, EXC_STORE_PAGE_FAULT). */
export function causeOf(access: Access): number {
  if (access === ACCESS_WRITE) return 15;
  return access === ACCESS_EXEC ? 12 : 13;
}

/** VM_FAULT_RETRY: the fault left for a device. */
function isUnfinished(mm: MemoryManager, result: FaultResult): boolean {
  return result === FAULT_BLOCKED && mm.waiter?.source instanceof BlockRequest;
}

/**
 * The fault of an access that the VMA allows (Linux: handle_mm_fault). Also what populate calls, for a page that is not there
 * or not writable; the caller has set lastFaultMajor and lastFaultFrame and calls countFault.
 */
export function resolveFault(mm: MemoryManager, vma: Vma, page: Vpn, access: Access): FaultResult {
  mm.alloc.lru.isFault = hasRecency(vma.flags);
  const result = classify(mm, vma, page, access);
  mm.alloc.lru.isFault = false;
  const { waiter } = mm;
  if (waiter !== null && mm.faultMode === 'user') {
    if (isUnfinished(mm, result)) {
      waiter.triedPage = page;
      return result;
    }
    if (waiter.triedPage === page) mm.lastFaultMajor = 1;
    waiter.triedPage = -1;
  }
  mm.vmstat.pgfault++;
  vma.space.memcg.counters.pgfault++;
  return accountFault(mm, vma, result);
}

/** The same for a page that is there and only to be unshared (FAULT_FLAG_UNSHARE). */
export function resolveUnshare(mm: MemoryManager, vma: Vma, page: Vpn): FaultResult {
  mm.vmstat.pgfault++;
  vma.space.memcg.counters.pgfault++;
  return accountFault(mm, vma, unshareFault(mm, vma, page));
}

/** mm_account_fault. */
function accountFault(mm: MemoryManager, vma: Vma, result: FaultResult): FaultResult {
  if (result === FAULT_DONE) {
    const account = mm.faultAccount;
    if (mm.lastFaultMajor !== 0) {
      vma.space.majorFaults++;
      if (account !== null) account.majflt++;
    } else if (account !== null) account.minflt++;
    if (account !== null && mm.lastFaultKind === KIND_SWAP_IN) account.swapIns++;
  } else if (result === FAULT_BUS) mm.lastFaultKind = KIND_BUS;
  // Droppable memory is not worth a kill: the access is tried again until there is a page (handle_mm_fault).
  else if (result === FAULT_OOM && (vma.flags & VM_DROPPABLE) !== 0) return FAULT_DONE;
  return result;
}

/** handle_pte_fault: which of the handlers it is. */
function classify(mm: MemoryManager, vma: Vma, page: Vpn, access: Access): FaultResult {
  if (vma.kind === VMA_HUGETLB) return hugetlbFault(mm, vma, page, access);
  const { pageTables, format } = mm;
  let slot = pageTables.findEntry(vma.space, page);
  if (slot !== -1 && pageTables.foundLevel > 0) {
    if (hugeLeafFault(mm, vma, page, slot, access) === FAULT_DONE) return FAULT_DONE;
    slot = pageTables.findLeaf(vma.space, page);
  }
  const entry = slot === -1 ? 0 : pageTables.read(slot);
  if (!pageTables.isMapped(entry)) {
    if (pageTables.isSwap(entry)) return swapFault(mm, vma, page, access, slot);
    const marker = pageTables.markerOf(entry);
    if ((marker & ~MARKER_UFFD_WP) !== 0) return markerFault(mm, marker);
    if (marker !== 0 && (vma.flags & VM_UFFD_WP) === 0) return clearMarker(mm, slot);
    if (vma.kind === VMA_ANON) {
      const huge = slot === -1 ? hugeAnonFault(mm, vma, page, access) : 'small';
      return huge === 'small' ? anonFault(mm, vma, page, access) : huge;
    }
    if (vma.kind === VMA_SPECIAL) return specialFault(mm, vma, page, access);
    return fileFault(mm, vma, page, access);
  }
  if (access === ACCESS_WRITE && (entry & format.WRITE) === 0) return cowFault(mm, vma, page, slot);
  // The entry allows it already: a TLB that had not seen it. Accessed and Dirty are set as the access will.
  mm.lastFaultKind = KIND_SPURIOUS;
  mm.lastFaultFrame = pageTables.frameOf(entry);
  const state = format.ACCESSED | (access === ACCESS_WRITE ? format.DIRTY : 0);
  pageTables.set(slot, (entry | state) >>> 0);
  mm.flushPage(vma.space, page);
  return FAULT_DONE;
}

/** handle_pte_marker (6.18): poison is SIGBUS (riscv gives BUS_ADRERR for it), a guard region SIGSEGV. */
function markerFault(mm: MemoryManager, marker: number): FaultResult {
  if ((marker & MARKER_POISONED) !== 0) return FAULT_BUS;
  mm.lastFaultKind = KIND_SEGV;
  return FAULT_SEGV_MAPERR;
}

/** pte_marker_clear: userfaultfd's mark of a page that was not there means nothing any more; the access is tried again. */
function clearMarker(mm: MemoryManager, slot: number): FaultResult {
  mm.pageTables.set(slot, 0);
  mm.lastFaultKind = KIND_SPURIOUS;
  return FAULT_DONE;
}

/** Counts the fault that lastFaultKind, lastFaultMajor and lastFaultFrame describe. */
export function countFault(
  mm: MemoryManager,
  space: AddressSpace,
  address: Vaddr,
  access: Access,
  mode: 'user' | 'kernel',
): void {
  const kind = mm.lastFaultKind;
  mm.lastFaultSpace = space;
  space.faults[kind]++;
  mm.faultCounts[kind]++;
  if (mm.events.enabled[EV_PAGE_FAULT] !== 0)
    mm.events.emit(
      EV_PAGE_FAULT,
      mm.events.currentPid,
      address,
      access,
      kind,
      mm.lastFaultFrame,
      mm.lastFaultMajor,
      mode === 'user' ? 1 : 0,
    );
}
