import { EFAULT, EINVAL, ENOMEM } from '../../abi/errno.ts';
import { isPageAligned, PAGE_SIZE, pagesOf, type Vpn, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import { findHugeSlot } from '../hugetlb/hugetlb-entries.ts';
import { hugeIndexOf, objectOf } from '../hugetlb/hugetlb-vma.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { VMA_HUGETLB, VMA_SPECIAL, type Vma } from '../vma.ts';

/** Linux's buffer is one page: at most so many bytes at once. */
const PIECE_PAGES = PAGE_SIZE;

/**
 * mincore(2) (Linux 6.18): one byte a page, bit 0 set where the page is mapped, in the page cache or in the swap cache. 0, -EINVAL,
 * -ENOMEM, -EFAULT. `store` puts bytes at an index of the caller's vector, 0 or -EFAULT: a mapping after the other, as the
 * walk comes to it, so what lies before a hole has been told when the answer is -ENOMEM.
 */
export function mincore(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  lengthBytes: number,
  store: (index: number, bytes: Uint8Array) => number,
): number {
  if (!isPageAligned(address)) return -EINVAL;
  const start = vpn(address / PAGE_SIZE);
  const end = vpn(start + pagesOf(lengthBytes));
  for (let at = start; at < end; ) {
    const vma = space.vmas.find(at);
    if (vma === null || vma.startVpn > at) return -ENOMEM;
    const to = Math.min(end, vma.endVpn, at + PIECE_PAGES) as Vpn;
    if (store(at - start, residentIn(mm, vma, at, to)) < 0) return -EFAULT;
    at = to;
  }
  return 0;
}

/**
 * do_mincore: of pages of one mapping. One that is neither anonymous nor a file tells nothing: all ones (can_do_mincore). The
 * caller may open every file for writing (uid 0), so the rule that hides other people's page cache does not bind.
 */
function residentIn(mm: MemoryManager, vma: Vma, from: Vpn, to: Vpn): Uint8Array {
  const bytes = new Uint8Array(to - from);
  if (vma.kind === VMA_SPECIAL) return bytes.fill(1);
  const isResident = vma.kind === VMA_HUGETLB ? isHugeResident : isPageResident;
  for (let page = from; page < to; page = (page + 1) as Vpn) bytes[page - from] = isResident(mm, vma, page) ? 1 : 0;
  return bytes;
}

/** mincore_hugetlb: where there is a table the entry alone decides; without one, the file (mincore_unmapped_range). */
function isHugeResident(mm: MemoryManager, vma: Vma, page: Vpn): boolean {
  const slot = findHugeSlot(mm, vma, page);
  if (slot === -1) return objectOf(vma).folios.has(hugeIndexOf(vma, page));
  return mm.pageTables.isMapped(mm.pageTables.read(slot));
}

/** mincore_pte_range. */
function isPageResident(mm: MemoryManager, vma: Vma, page: Vpn): boolean {
  const slot = mm.pageTables.findEntry(vma.space, page);
  const entry = slot === -1 ? 0 : mm.pageTables.read(slot);
  if (mm.pageTables.isSwap(entry)) return mm.swap.isFilled(mm.pageTables.swapOf(entry));
  return mm.pageTables.isMapped(entry) || isCached(mm, vma, page);
}

/** Is the page of the file in memory, whoever maps it? */
function isCached(mm: MemoryManager, vma: Vma, page: Vpn): boolean {
  const { pages } = vma;
  if (pages === null) return false;
  const index = vma.pgoff + (page - vma.startVpn);
  const entry = pages.swapped.get(index);
  return entry === undefined ? mm.pageCache.isFilled(pages, index) : mm.swap.isFilled(entry);
}
