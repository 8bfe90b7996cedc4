import { EINVAL, ENOMEM } from '../abi/errno.ts';
import { EV_VMA_LINK, EV_VMA_RESIZE, EV_VMA_UNLINK } from '../base/event-kinds.ts';
import type { Vpn } from '../machine/units.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import type { AddressSpace } from './address-space.ts';
import { closeHugetlbVma, maySplitHugetlb } from './hugetlb/hugetlb-vma.ts';
import type { MemoryManager } from './memory-manager.ts';
import { afterVmaResize, beforeVmaResize, linkFileVma, unlinkFileVma } from './rmap/vma-trees.ts';
import { splitHugeAt } from './thp/split.ts';
import { VMA_HUGETLB, Vma } from './vma.ts';

/** vm_area_alloc: not yet in the space; null when the slab is out of memory. */
export function allocVma(
  mm: MemoryManager,
  space: AddressSpace,
  startVpn: Vpn,
  endVpn: Vpn,
  flags: number,
  pgoff: number,
): Vma | null {
  const slot = mm.vmaCache.alloc();
  return slot === 0 ? null : new Vma(slot, space, startVpn, endVpn, flags, pgoff);
}

/** Copies what a VMA is, without its place among the anon_vmas; takes a reference on the file (vm_area_dup). */
export function copyVmaFacts(from: Vma, to: Vma): void {
  to.kind = from.kind;
  to.special = from.special;
  to.uffd = from.uffd;
  to.anonName = from.anonName;
  to.policy = from.policy;
  to.file = from.file;
  to.file?.retain();
}

/** vma_link: enters a VMA into the space and into its file's interval tree. Sizes are accounted by the caller. */
export function linkVma(mm: MemoryManager, vma: Vma): void {
  vma.space.vmas.insert(vma);
  vma.space.mapCount++;
  if (mm.events.enabled[EV_VMA_LINK] !== 0) tellLink(mm, vma);
  if (vma.isFileBacked) linkFileVma(vma);
}

function tellLink({ events }: MemoryManager, { space, startVpn, endVpn, flags, pgoff, kind }: Vma): void {
  events.emit(EV_VMA_LINK, space.id, startVpn * PAGE_SIZE, endVpn * PAGE_SIZE, flags, pgoff, kind);
}

/** Takes a VMA out of the space and frees it (vma_complete's remove, remove_vma). No entry maps anything there. */
export function removeVma(mm: MemoryManager, vma: Vma): void {
  vma.space.vmas.erase(vma);
  vma.space.mapCount--;
  if (mm.events.enabled[EV_VMA_UNLINK] !== 0)
    mm.events.emit(EV_VMA_UNLINK, vma.space.id, vma.startVpn * PAGE_SIZE, vma.endVpn * PAGE_SIZE);
  discardVma(mm, vma);
}

/** Frees a VMA that is not in the index. */
export function discardVma(mm: MemoryManager, vma: Vma): void {
  if (vma.sharedNode !== null) unlinkFileVma(vma);
  mm.rmap.anonVmas.unlink(vma);
  closeHugetlbVma(vma);
  vma.file?.release();
  mm.vmaCache.free(vma.slot);
}

/** The one way to change a linked VMA's bounds (V2). No huge leaf lies across the new ones (vma_adjust_trans_huge). */
export function setVmaBounds(mm: MemoryManager, vma: Vma, startVpn: Vpn, endVpn: Vpn, pgoff: number): void {
  splitHugeAt(mm, vma, startVpn);
  splitHugeAt(mm, vma, endVpn);
  if (mm.events.enabled[EV_VMA_RESIZE] !== 0) {
    const [start, end] = [vma.startVpn * PAGE_SIZE, vma.endVpn * PAGE_SIZE];
    mm.events.emit(EV_VMA_RESIZE, vma.space.id, start, end, startVpn * PAGE_SIZE, endVpn * PAGE_SIZE);
  }
  beforeVmaResize(vma);
  vma.space.vmas.resize(vma, startVpn, endVpn);
  vma.pgoff = pgoff;
  afterVmaResize(vma);
}

/**
 * __split_vma: `vma` keeps [startVpn, at), a new VMA gets the rest and is returned; -ENOMEM, or -EINVAL within a huge page of a
 * pool, changes nothing.
 */
export function splitVmaUnchecked(mm: MemoryManager, vma: Vma, at: Vpn): Vma | number {
  if (vma.kind === VMA_HUGETLB && !maySplitHugetlb(vma, at)) return -EINVAL;
  const upper = allocVma(mm, vma.space, at, vma.endVpn, vma.flags, vma.pgoff + (at - vma.startVpn));
  if (upper === null) return -ENOMEM;
  upper.anonVma = vma.anonVma;
  if (mm.rmap.anonVmas.clone(upper, vma) !== 0) {
    mm.vmaCache.free(upper.slot);
    return -ENOMEM;
  }
  copyVmaFacts(vma, upper);
  upper.reservations = vma.reservations;
  upper.lostHugePages = vma.lostHugePages;
  setVmaBounds(mm, vma, vma.startVpn, at, vma.pgoff);
  linkVma(mm, upper);
  return upper;
}

/** split_vma: as above, within the map count. */
export function splitVma(mm: MemoryManager, vma: Vma, at: Vpn): Vma | number {
  if (vma.space.mapCount >= mm.config.maxMapCount) return -ENOMEM;
  return splitVmaUnchecked(mm, vma, at);
}
