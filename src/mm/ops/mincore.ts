import { EINVAL, ENOMEM } from '../../abi/errno.ts';
import { isPageAligned, PAGE_SIZE, pagesOf, type Vpn, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import { hugeIndexOf, objectOf } from '../hugetlb/hugetlb-vma.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { VMA_HUGETLB, VMA_SPECIAL, type Vma } from '../vma.ts';

/**
 * mincore(2) (Linux 6.18): one byte a page, bit 0 set where the page is mapped, in the page cache or in the swap cache. -EINVAL, -ENOMEM. A
 * mapping that is neither anonymous nor a file tells nothing: all ones (can_do_mincore). The caller may open every file for
 * writing (uid 0), so the rule that hides other people's page cache does not bind.
 */
export function mincore(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  lengthBytes: number,
): Uint8Array | number {
  if (!isPageAligned(address)) return -EINVAL;
  if (address + lengthBytes > space.taskSize * PAGE_SIZE) return -ENOMEM;
  const count = pagesOf(lengthBytes);
  const start = vpn(address / PAGE_SIZE);
  const end = vpn(start + count);
  for (let at = start; at < end; ) {
    const vma = space.vmas.find(at);
    if (vma === null || vma.startVpn > at) return -ENOMEM;
    at = vma.endVpn;
  }
  const result = new Uint8Array(count);
  for (let vma = space.vmas.find(start); vma !== null && vma.startVpn < end; vma = space.vmas.next(vma)) {
    const from = Math.max(start, vma.startVpn) as Vpn;
    const to = Math.min(end, vma.endVpn) as Vpn;
    if (vma.kind === VMA_SPECIAL) {
      result.fill(1, from - start, to - start);
      continue;
    }
    for (let page = from; page < to; page = (page + 1) as Vpn) {
      const slot = mm.pageTables.findEntry(space, page);
      const entry = slot === -1 ? 0 : mm.pageTables.read(slot);
      const inMemory = mm.pageTables.isSwap(entry)
        ? mm.swap.isFilled(mm.pageTables.swapOf(entry))
        : mm.pageTables.isMapped(entry) || isCached(mm, vma, page);
      result[page - start] = inMemory ? 1 : 0;
    }
  }
  return result;
}

/** Is the page of the file in memory, whoever maps it? */
function isCached(mm: MemoryManager, vma: Vma, page: Vpn): boolean {
  if (vma.kind === VMA_HUGETLB) return objectOf(vma).folios.has(hugeIndexOf(vma, page));
  const { pages } = vma;
  if (pages === null) return false;
  const index = vma.pgoff + (page - vma.startVpn);
  const entry = pages.swapped.get(index);
  return entry === undefined ? mm.pageCache.isFilled(pages, index) : mm.swap.isFilled(entry);
}
