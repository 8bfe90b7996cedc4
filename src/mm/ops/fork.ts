import { EAGAIN, ENOMEM } from '../../abi/errno.ts';
import { EV_MM_FORK, EV_PAGE_MAP } from '../../base/event-kinds.ts';
import { COST_FORK_ENTRY_NS, COST_FORK_VMA_NS } from '../../machine/cost-model.ts';
import type { Vpn } from '../../machine/units.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { accountVm } from '../accounting.ts';
import type { AddressSpace } from '../address-space.ts';
import { MM_ANONPAGES, MM_SWAPENTS } from '../address-space.ts';
import { copyHugetlb } from '../hugetlb/hugetlb-entries.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { PG_anon } from '../phys/page-flags.ts';
import { copyHugeLeaf } from '../thp/huge-entries.ts';
import { dropRegistration, UffdFork } from '../uffd/events.ts';
import {
  isCowMapping,
  VM_ACCOUNT,
  VM_DONTCOPY,
  VM_INIT_DEF_MASK,
  VM_LOCKED_MASK,
  VM_MAYBE_GUARD,
  VM_PFNMAP,
  VM_SHARED,
  VM_UFFD_WP,
  VM_WIPEONFORK,
} from '../vm-flags.ts';
import { VMA_HUGETLB, type Vma } from '../vma.ts';
import { allocVma, copyVmaFacts, discardVma, linkVma } from '../vma-adjust.ts';
import { rssMemberOf } from '../zap.ts';
import { exitSpace } from './exit.ts';

/**
 * dup_mm, dup_mmap (Linux 6.18, mm/mmap.c): a copy of the space in which private pages are shared copy-on-write, or -ENOMEM.
 * Copies no page, and no entry that a fault can find again (D5).
 */
export function dupSpace(mm: MemoryManager, parent: AddressSpace): AddressSpace | number {
  const child = mm.createSpace();
  if (typeof child === 'number') return child;
  copyFacts(parent, child);
  mm.thp.khugepaged.fork(parent, child);
  const watchers = new UffdFork();
  for (let vma = parent.vmas.first(); vma !== null; vma = parent.vmas.next(vma)) {
    if ((vma.flags & VM_DONTCOPY) !== 0) {
      accountVm(child, vma.flags, -vma.sizePages);
      continue;
    }
    const result = dupVma(mm, child, vma, watchers);
    if (result !== 0) {
      mm.flushSpace(parent);
      abandon(mm, child);
      return result;
    }
  }
  mm.flushSpace(parent);
  // ksm_fork: without memory for its slot the child is not scanned, no more.
  if (parent.ksmSlot !== null) mm.ksm.enter(child);
  watchers.tell(mm);
  if (mm.events.enabled[EV_MM_FORK] !== 0) mm.events.emit(EV_MM_FORK, parent.id, child.id);
  return child;
}

/** What prctl set for all of the space, for fork and exec (mmf_init_legacy_flags). */
export function inheritChoices(from: AddressSpace, to: AddressSpace): void {
  to.thpDisable = from.thpDisable;
  to.memoryMerge = from.memoryMerge;
  to.denyWriteExec = from.denyWriteExec === 'own' ? 'no' : from.denyWriteExec;
}

function copyFacts(parent: AddressSpace, child: AddressSpace): void {
  child.barriersReady = parent.barriersReady;
  child.startCode = parent.startCode;
  child.endCode = parent.endCode;
  child.startData = parent.startData;
  child.endData = parent.endData;
  child.startBrk = parent.startBrk;
  child.brk = parent.brk;
  child.startStack = parent.startStack;
  child.argStart = parent.argStart;
  child.argEnd = parent.argEnd;
  child.envStart = parent.envStart;
  child.envEnd = parent.envEnd;
  child.vdso = parent.vdso;
  child.auxv = parent.auxv;
  child.exeFile = parent.exeFile;
  child.exeFile?.retain();
  child.mmapBase = parent.mmapBase;
  child.taskSize = parent.taskSize;
  child.layout = parent.layout;
  child.totalVm = parent.totalVm;
  child.dataVm = parent.dataVm;
  child.execVm = parent.execVm;
  child.stackVm = parent.stackVm;
  child.hiwaterVm = child.totalVm;
  inheritChoices(parent, child);
  child.defFlags = parent.defFlags & VM_INIT_DEF_MASK;
  Object.assign(child.limits, parent.limits);
  child.randomizeVaSpace = parent.randomizeVaSpace;
  child.wantsLegacyLayout = parent.wantsLegacyLayout;
  child.readImpliesExec = parent.readImpliesExec;
}

/** The child gets one VMA more; sizes are accounted already. */
function dupVma(mm: MemoryManager, child: AddressSpace, vma: Vma, watchers: UffdFork): number {
  mm.clock.charge(COST_FORK_VMA_NS);
  const accounted = (vma.flags & VM_ACCOUNT) !== 0;
  if (accounted && mm.chargeCommit(child, vma.sizePages) !== 0) return -ENOMEM;
  const copy = allocVma(mm, child, vma.startVpn, vma.endVpn, vma.flags & ~VM_LOCKED_MASK, vma.pgoff);
  if (copy === null) {
    if (accounted) mm.unchargeCommit(vma.sizePages);
    return -ENOMEM;
  }
  const wiped = (vma.flags & VM_WIPEONFORK) !== 0;
  if (!wiped && mm.rmap.anonVmas.fork(copy, vma) !== 0) {
    discardVma(mm, copy);
    if (accounted) mm.unchargeCommit(vma.sizePages);
    return -ENOMEM;
  }
  copyVmaFacts(vma, copy);
  copy.uffd = watchers.childOf(mm, child, vma.uffd);
  if (copy.uffd === null) dropRegistration(copy);
  linkVma(mm, copy);
  if (wiped || !needsCopy(vma, copy)) return 0;
  return copyEntries(mm, vma, copy);
}

/** vma_needs_copy: without an anon_vma every page can be faulted in again from the file, or is the zero page. */
function needsCopy(vma: Vma, copy: Vma): boolean {
  return (copy.flags & VM_UFFD_WP) !== 0 || (vma.flags & (VM_PFNMAP | VM_MAYBE_GUARD)) !== 0 || vma.anonVma !== null;
}

/** copy_page_range: both sides map the same frames; the child has every table that the parent has, an empty one too. */
function copyEntries(mm: MemoryManager, from: Vma, to: Vma): number {
  if (from.kind === VMA_HUGETLB) return copyHugetlb(mm, from, to);
  const { pageTables, format } = mm;
  const perTable = 2 ** format.bitsPerLevel;
  const counts = [0, 0, 0, 0];
  let page = from.startVpn;
  let result = 0;
  while (result === 0 && pageTables.seekTable(from.space, page, from.endVpn)) {
    const at = pageTables.foundVpn;
    if (pageTables.foundLevel > 0) {
      page = (at + mm.thp.pages) as Vpn;
      mm.clock.charge(COST_FORK_ENTRY_NS);
      result = copyHugeLeaf(mm, to, at, pageTables.foundSlot);
      if (result !== -EAGAIN) continue;
      result = 0;
      page = at;
      continue;
    }
    page = Math.min(at - (at % perTable) + perTable, from.endVpn) as Vpn;
    if (pageTables.ensureLeaf(to.space, at) === -1) result = -ENOMEM;
    else copyTable(mm, from, to, at, page, counts);
  }
  for (let member = 0; member < 4; member++) if (counts[member] !== 0) mm.addRss(to.space, member, counts[member]);
  return result;
}

/** copy_pte_range: the entries of [start, end), all of one table; in a private mapping neither side may write then. */
function copyTable(mm: MemoryManager, from: Vma, to: Vma, start: Vpn, end: Vpn, counts: number[]): void {
  const { pageTables, format, frames } = mm;
  const protect = isCowMapping(from.flags);
  const isWatched = (to.flags & VM_UFFD_WP) !== 0;
  let copied = 0;
  let page = start;
  while (pageTables.seek(from.space, page, end)) {
    const at = pageTables.foundVpn;
    const source = pageTables.foundSlot;
    page = (at + 1) as Vpn;
    copied++;
    const target = pageTables.findLeaf(to.space, at);
    let entry = pageTables.read(source);
    if (pageTables.isSwap(entry)) {
      // copy_nonpresent_pte: both lead to the slot, so neither alone.
      mm.swap.dup(pageTables.swapOf(entry));
      entry = pageTables.withoutSwapExclusive(entry);
      pageTables.set(source, entry);
      counts[MM_SWAPENTS]++;
    }
    if (!pageTables.isMapped(entry)) {
      pageTables.set(target, isWatched ? entry : pageTables.withoutUffdWp(entry));
      continue;
    }
    const frame = pageTables.frameOf(entry);
    if (frame !== mm.zeroPage) {
      mm.alloc.getFrame(frame);
      if ((frames.flags[frames.headOf(frame)] & PG_anon) !== 0) {
        mm.rmap.dupAnonRmap(frame);
        counts[MM_ANONPAGES]++;
      } else {
        mm.rmap.addFileRmap(frame);
        counts[rssMemberOf(mm, frame)]++;
      }
      if (mm.events.enabled[EV_PAGE_MAP] !== 0)
        mm.events.emit(EV_PAGE_MAP, to.space.id, at * PAGE_SIZE, frame, 1, rssMemberOf(mm, frame));
    } else if ((entry & format.DIRTY) !== 0) mm.ksm.countZeroPage(to.space);
    if (protect && (entry & format.WRITE) !== 0) {
      entry = (entry & ~format.WRITE) >>> 0;
      pageTables.set(source, entry);
    }
    if (!isWatched) entry = pageTables.withoutUffdWp(entry);
    if ((from.flags & VM_SHARED) !== 0) entry = (entry & ~format.DIRTY) >>> 0;
    pageTables.set(target, (entry & ~format.ACCESSED) >>> 0);
  }
  mm.clock.charge(copied * COST_FORK_ENTRY_NS);
}

/** The VMAs that were not reached are accounted in the child: set its sums to what it has, then let it go. */
function abandon(mm: MemoryManager, child: AddressSpace): void {
  child.totalVm = 0;
  child.dataVm = 0;
  child.execVm = 0;
  child.stackVm = 0;
  for (let vma = child.vmas.first(); vma !== null; vma = child.vmas.next(vma))
    accountVm(child, vma.flags, vma.sizePages);
  exitSpace(mm, child);
}
