import { EINVAL } from '../../abi/errno.ts';
import { assert } from '../../base/assert.ts';
import { PAGE_SIZE, type Vpn } from '../../machine/units.ts';
import { VM_MAYSHARE, VM_NORESERVE, VM_WRITE } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';
import { type HugetlbObject, reservePages, unreservePages } from './hugetlb-object.ts';
import { ReservationMap } from './reservation-map.ts';

/** The object that a VMA of kind VMA_HUGETLB maps. */
export function objectOf(vma: Vma): HugetlbObject {
  const object = vma.file?.hugetlb;
  assert(object !== undefined, 'mm/hugetlb/hugetlb-vma.ts: V3 a VMA of huge pages maps an object');
  return object;
}

/** The huge page of the file that lies at the page (vma_hugecache_offset). */
export function hugeIndexOf(vma: Vma, page: Vpn): number {
  return Math.floor((vma.pgoff + (page - vma.startVpn)) / objectOf(vma).pool.pages);
}

/**
 * hugetlbfs_file_mmap: reserves the pages of a new VMA, and a mapping that may write lengthens the file. 0; -EINVAL for an offset
 * within a huge page; -ENOMEM where the pool cannot promise them.
 */
export function openHugetlbVma(vma: Vma): number {
  const object = objectOf(vma);
  const { pool } = object;
  if (vma.pgoff % pool.pages !== 0) return -EINVAL;
  const from = vma.pgoff / pool.pages;
  const end = from + vma.sizePages / pool.pages;
  if ((vma.flags & VM_NORESERVE) === 0 && object.reserves === 'when-mapped') {
    const shared = (vma.flags & VM_MAYSHARE) !== 0;
    const result = shared ? object.reserve(from, end) : reservePages(pool, object.subpool, end - from);
    if (result < 0) return result;
    if (!shared) vma.reservations = new ReservationMap();
  }
  const endBytes = (vma.pgoff + vma.sizePages) * PAGE_SIZE;
  if ((vma.flags & VM_WRITE) !== 0 && object.sizeBytes < endBytes) object.pages.sizeBytes = endBytes;
  return 0;
}

/** hugetlb_vm_op_close: a private VMA's reservations that were not used go back. Its pages are unmapped already. */
export function closeHugetlbVma(vma: Vma): void {
  if (vma.reservations === null) return;
  const object = objectOf(vma);
  unreservePages(object.pool, object.subpool, outstandingOf(vma));
  vma.reservations = null;
}

/** Pages that a private VMA was promised and has not touched. */
export function outstandingOf(vma: Vma): number {
  if (vma.reservations === null) return 0;
  const from = hugeIndexOf(vma, vma.startVpn);
  const pages = vma.sizePages / objectOf(vma).pool.pages;
  return pages - vma.reservations.countIn(from, from + pages);
}

/** hugetlb_vm_op_split: a VMA is cut between huge pages alone. */
export function maySplitHugetlb(vma: Vma, at: Vpn): boolean {
  return at % objectOf(vma).pool.pages === 0;
}
