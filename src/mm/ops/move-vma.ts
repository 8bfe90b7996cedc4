import { ENOMEM } from '../../abi/errno.ts';
import type { Vpn } from '../../machine/units.ts';
import { accountVm } from '../accounting.ts';
import type { AddressSpace } from '../address-space.ts';
import { moveHugetlb } from '../hugetlb/hugetlb-entries.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { updateMlockedPages } from '../mlock-pages.ts';
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
  const moved = isHuge
    ? moveHugetlb(mm, vma, copy, from, to, oldPages)
    : moveEntries(mm, vma, from, to, oldPages, watcher === null || follows ? 'keep' : 'drop');
  if (isHuge) dropReservations(mm, space, moved === 0 ? from : to, moved === 0 ? oldPages : newPages);
  // The move is told before the unmapping of what it leaves behind.
  if (moved === 0 && watcher !== null && follows) tellRemap(mm, watcher, from, to, oldPages);
  // The entries are back where they were if memory ran out; then the copy goes instead of the source.
  const gone = moved === 0 ? from : to;
  const gonePages = moved === 0 ? oldPages : newPages;
  if (moved === 0 && move.source === 'keep') {
    const source = space.vmas.find(from) as Vma;
    if (source !== copy && (source.flags & VM_LOCKED) !== 0) {
      source.flags &= ~VM_LOCKED_MASK;
      space.lostLockedVm += source.sizePages;
      updateMlockedPages(mm, source, source.startVpn, source.endVpn);
    }
    if (wasWhole && source !== copy && source.startVpn === from && source.sizePages === oldPages)
      mm.rmap.unlinkAnonVmas(source);
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
  if (mm.rmap.anonVmaClone(copy, vma) !== 0) {
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
  const { pageTables } = mm;
  const { space } = vma;
  const end = (from + pages) as Vpn;
  splitHugeAt(mm, vma, from);
  splitHugeAt(mm, vma, end);
  let page = from;
  let result = 0;
  while (pageTables.seek(space, page, end)) {
    const at = pageTables.foundVpn;
    const source = pageTables.foundSlot;
    if (pageTables.foundLevel > 0) {
      if (moveHugeLeaf(mm, vma, at, source, (to + (at - from)) as Vpn)) page = (at + mm.thp.pages) as Vpn;
      else splitHugeLeaf(mm, vma, at);
      continue;
    }
    page = (at + 1) as Vpn;
    const target = pageTables.ensureLeaf(space, (to + (at - from)) as Vpn);
    if (target === -1) {
      result = -ENOMEM;
      break;
    }
    const entry = pageTables.read(source);
    if (entry === 0) continue; // making the table reclaimed the page
    pageTables.set(target, protection === 'drop' ? pageTables.withoutUffdWp(entry) : entry);
    pageTables.set(source, 0);
    mm.tlbBatch.add(at);
  }
  mm.tlbBatch.finish(space);
  if (result === 0) return 0;
  const movedEnd = (to + (page - from)) as Vpn;
  let back = to;
  while (pageTables.seek(space, back, movedEnd)) {
    const at = pageTables.foundVpn;
    const slot = pageTables.foundSlot;
    if (pageTables.foundLevel > 0) {
      back = (at + mm.thp.pages) as Vpn;
      moveHugeLeaf(mm, vma, at, slot, (from + (at - to)) as Vpn);
      continue;
    }
    back = (at + 1) as Vpn;
    const home = pageTables.findLeaf(space, (from + (at - to)) as Vpn);
    pageTables.set(home, pageTables.read(slot));
    pageTables.set(slot, 0);
    mm.tlbBatch.add(at);
  }
  mm.tlbBatch.finish(space);
  return result;
}
