import { EFAULT, ENOENT } from '../../abi/errno.ts';
import { PAGE_SIZE, roundDownToPage, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { VMA_SPECIAL } from '../vma.ts';

/**
 * Which node a page is on, as move_pages(2) tells (Linux 6.18, do_pages_stat_array, add_folio_for_migration): 0, -ENOENT where there
 * is none, -EFAULT for the zero page, what is not mapped, and, with 'toMove', for what cannot be moved.
 */
export function nodeOfPage(
  mm: MemoryManager,
  space: AddressSpace,
  address: number,
  purpose: 'toTell' | 'toMove',
): number {
  const page = vpn(roundDownToPage(address) / PAGE_SIZE);
  const vma = page >= space.taskSize ? null : space.vmas.find(page);
  if (vma === null || vma.startVpn > page) return -EFAULT;
  if (purpose === 'toMove' && vma.kind === VMA_SPECIAL) return -EFAULT;
  const { pageTables } = mm;
  const slot = pageTables.findEntry(space, page);
  const entry = slot < 0 ? null : pageTables.read(slot);
  if (entry === null || !pageTables.isMapped(entry)) return -ENOENT;
  const frame = pageTables.frameOf(entry);
  return frame === mm.zeroPage || frame === mm.thp.zeroPage ? -EFAULT : 0;
}
