import { ENOMEM } from '../../abi/errno.ts';
import { EV_PAGE_MOVE } from '../../base/event-kinds.ts';
import type { Vpn } from '../../machine/units.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { accountVm } from '../accounting.ts';
import type { AddressSpace } from '../address-space.ts';
import { moveHugetlb } from '../hugetlb/hugetlb-entries.ts';
import { unmergeRange } from '../ksm/unmerge.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { moveHugeLeaf } from '../thp/huge-entries.ts';
import { splitHugeAt, splitHugeLeaf } from '../thp/split.ts';
import { dropRegistration, followsMremap, tellRemap } from '../uffd/events.ts';
import { VM_ACCOUNT, VM_LOCKED, VM_LOCKED_MASK } from '../vm-flags.ts';
import { VMA_ANON, VMA_HUGETLB, type Vma } from '../vma.ts';
import { allocVma, copyVmaFacts, linkVma } from '../vma-adjust.ts';
import { mergeNewRange } from '../vma-merge.ts';
import { splitAround, unmapRange } from './munmap.ts';

export interface VmaMove {
  readonly from: Vpn;
  readonly to: Vpn;
  /** 0: the shared mapping is duplicated, its entries stay. */
  readonly oldPages: number;
  readonly newPages: number;
  /** 'keep' is MREMAP_DONTUNMAP: the VMA stays behind, empty. */
  readonly source: 'unmap' | 'keep';
}

/** move_vma (Linux 6.18, mm/mremap.c): a copy of the VMA at `to`, which is free, and its pages with it. 0 or -ENOMEM. */
export function moveVma(mm: MemoryManager, space: AddressSpace, vma: Vma, move: VmaMove): number {
  const { from, to, oldPages, newPages } = move;
  if (space.mapCount >= mm.config.maxMapCount - 3) return -ENOMEM;
  // Merged pages do not move: at their new place they would be taken for others (ksm_madvise in prep_move_vma).
  const unmerged = unmergeRange(mm, vma, from, (from + oldPages) as Vpn);
  if (unmerged !== 0) return unmerged;
  const { flags } = vma;
  const accounted = (flags & VM_ACCOUNT) !== 0;
  const charge = accounted ? (move.source === 'keep' ? newPages : newPages - oldPages) : 0;
  if (charge > 0 && mm.chargeCommit(space, charge) !== 0) return -ENOMEM;

  const wasWhole = vma.startVpn === from && vma.sizePages === oldPages;
  const copy = copyVma(mm, vma, from, to, newPages);
  if (copy === null) {
    if (charge > 0) mm.unchargeCommit(charge);
    return -ENOMEM;
  }
  const hiwaterVm = space.hiwaterVm;
  accountVm(space, flags, newPages);
  if ((flags & VM_LOCKED) !== 0) space.lockedVm += newPages;

  const isHuge = vma.kind === VMA_HUGETLB;
  const watcher = vma.uffd;
  const follows = followsMremap(vma);
  if (watcher !== null && !follows) dropRegistration(copy);
  const protection = watcher === null || follows ? 'keep' : 'drop';
  const moved = isHuge
    ? moveHugetlb(mm, vma, copy, from, to, oldPages, protection)
    : moveEntries(mm, vma, from, to, oldPages, protection);
  if (isHuge) dropReservations(mm, space, moved === 0 ? from : to, moved === 0 ? oldPages : newPages);
  // The move is told before the unmapping of what it leaves behind.
  if (moved === 0 && watcher !== null && follows) tellRemap(mm, watcher, from, to, oldPages);
  // The entries are back where they were if memory ran out; then the copy goes instead of the source.
  const gone = moved === 0 ? from : to;
  const gonePages = moved === 0 ? oldPages : newPages;
  if (moved === 0 && move.source === 'keep') {
    // dontunmap_complete: no page is unlocked, and if the copy has merged with the source it loses the flag, too.
    const source = space.vmas.find(from) as Vma;
    if ((source.flags & VM_LOCKED) !== 0) {
      source.flags &= ~VM_LOCKED_MASK;
      space.lostLockedVm += source.sizePages;
    }
    if (wasWhole && source !== copy && source.startVpn === from && source.sizePages === oldPages)
      mm.rmap.anonVmas.unlink(source);
  } else if (gonePages > 0) {
    // The source's charge has passed to the copy: unmapRange gives it back, so take it again.
    if (accounted && moved === 0) mm.committedPages += gonePages;
    if (accounted && moved !== 0) mm.committedPages += gonePages - charge;
    const unmapped = unmapRange(mm, space, gone, (gone + gonePages) as Vpn);
    if (unmapped !== 0 && accounted && moved !== 0) mm.committedPages -= gonePages - charge;
  }
  space.hiwaterVm = Math.max(hiwaterVm, space.totalVm);
  return moved;
}

/** The other piece has taken the reservations over: what goes away now gives none back (clear_vma_resv_huge_pages). */
function dropReservations(mm: MemoryManager, space: AddressSpace, start: Vpn, pages: number): void {
  if (splitAround(mm, space, start, (start + pages) as Vpn) !== 0) return;
  const piece = space.vmas.find(start);
  if (piece !== null) piece.reservations = null;
}

/** copy_vma: the VMA at the new place, possibly one that was there and is now longer; null when out of memory. */
function copyVma(mm: MemoryManager, vma: Vma, from: Vpn, to: Vpn, pages: number): Vma | null {
  const { space } = vma;
  // An anonymous VMA that was never touched takes its new place as its offset, so that it can merge there.
  const untouched = vma.kind === VMA_ANON && vma.anonVma === null;
  const pgoff = untouched ? to : vma.pgoff + (from - vma.startVpn);
  const end = (to + pages) as Vpn;
  const merged = mergeNewRange(mm, space, {
    start: to,
    end,
    pgoff,
    flags: vma.flags,
    kind: vma.kind,
    file: vma.file,
    anonName: vma.anonName,
    policy: vma.policy,
    anonVma: vma.anonVma,
    uffd: vma.uffd,
    middle: null,
    copiedFrom: vma,
  });
  if (merged !== null) return merged;
  const copy = allocVma(mm, space, to, end, vma.flags, pgoff);
  if (copy === null) return null;
  copy.anonVma = vma.anonVma;
  if (mm.rmap.anonVmas.clone(copy, vma) !== 0) {
    mm.vmaCache.free(copy.slot);
    return null;
  }
  copyVmaFacts(vma, copy);
  copy.reservations = vma.reservations;
  copy.lostHugePages = vma.lostHugePages;
  linkVma(mm, copy);
  return copy;
}

/** move_page_tables: 0, or -ENOMEM with all entries back at `from`. */
function moveEntries(
  mm: MemoryManager,
  vma: Vma,
  from: Vpn,
  to: Vpn,
  pages: number,
  protection: 'keep' | 'drop',
): number {
  const end = (from + pages) as Vpn;
  splitHugeAt(mm, vma, from);
  splitHugeAt(mm, vma, end);
  const moved = moveTables(mm, vma, from, end, to, protection);
  if (moved < end) moveTables(mm, vma, to, (to + (moved - from)) as Vpn, from, 'keep');
  mm.tlbBatch.finish(vma.space);
  return moved < end ? -ENOMEM : 0;
}

/** Every table there is gets one at the new place, an empty one too. Where that fails for want of memory; else `end`. */
function moveTables(mm: MemoryManager, vma: Vma, from: Vpn, end: Vpn, to: Vpn, protection: 'keep' | 'drop'): Vpn {
  const { pageTables } = mm;
  const { space } = vma;
  const perTable = pageTables.spanOf(1);
  let page = from;
  while (pageTables.seekTable(space, page, end)) {
    const at = pageTables.foundVpn;
    const target = (to + (at - from)) as Vpn;
    if (pageTables.foundLevel > 0) {
      if (moveHugeLeaf(mm, vma, at, pageTables.foundSlot, target)) page = (at + mm.thp.pages) as Vpn;
      else splitHugeLeaf(mm, vma, at);
      continue;
    }
    if (pageTables.ensureLeaf(space, target) === -1) return at;
    page = Math.min(at + perTable - Math.max(at % perTable, target % perTable), end) as Vpn;
    moveWithinTables(mm, vma, at, page, target, protection);
  }
  return end;
}

/** move_ptes: [start, end) lies in one table, and so does where it goes. */
function moveWithinTables(
  mm: MemoryManager,
  vma: Vma,
  start: Vpn,
  end: Vpn,
  to: Vpn,
  protection: 'keep' | 'drop',
): void {
  const { pageTables } = mm;
  const isTold = mm.events.enabled[EV_PAGE_MOVE] !== 0;
  const first = pageTables.findLeaf(vma.space, start);
  const firstTarget = pageTables.findLeaf(vma.space, to);
  for (let i = 0; i < end - start; i++) {
    const source = pageTables.slotBeside(first, i);
    const entry = pageTables.read(source);
    if (entry === 0) continue;
    const target = pageTables.slotBeside(firstTarget, i);
    pageTables.set(target, protection === 'drop' ? pageTables.withoutUffdWp(entry) : entry);
    pageTables.set(source, 0);
    if (isTold) mm.events.emit(EV_PAGE_MOVE, vma.space.id, (start + i) * PAGE_SIZE, (to + i) * PAGE_SIZE, 1);
    mm.tlbBatch.add((start + i) as Vpn);
  }
}
