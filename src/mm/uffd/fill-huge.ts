import { EEXIST, EFAULT, EINVAL, ENOMEM } from '../../abi/errno.ts';
import { PAGE_SIZE, type Pfn, type Vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import { ensureHugeSlot } from '../hugetlb/hugetlb-entries.ts';
import { allocatePrivate } from '../hugetlb/hugetlb-fault.ts';
import { hugeIndexOf, objectOf } from '../hugetlb/hugetlb-vma.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { MARKER_POISONED } from '../page-table-entry.ts';
import { copyFromUser } from '../user-access.ts';
import { VM_SHARED, VM_WRITE } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';
import type { UffdFillRequest } from './fill.ts';

/** fillRange in a VMA of huge pages (Linux 6.18: mfill_atomic_hugetlb): whole pages of the pool; there are none of zeroes alone. */
export function fillHugeRange(mm: MemoryManager, vma: Vma, request: UffdFillRequest): number {
  const { start, end, fill } = request;
  const { pages } = objectOf(vma).pool;
  if ((vma.flags & VM_SHARED) === 0 && mm.rmap.anonVmas.prepare(vma) !== 0) return -ENOMEM;
  if (fill.kind === 'zero' || start % pages !== 0 || end % pages !== 0) return -EINVAL;
  let done = 0;
  for (let page = start; page < end; page = (page + pages) as Vpn) {
    const result = fillHugePage(mm, vma, page, request, done);
    if (result < 0) return done > 0 ? done : result;
    done += pages * PAGE_SIZE;
  }
  return done;
}

/** hugetlb_mfill_atomic_pte. A marker is written over, poison too. */
function fillHugePage(mm: MemoryManager, vma: Vma, page: Vpn, request: UffdFillRequest, doneBytes: number): number {
  const { pageTables } = mm;
  const { fill } = request;
  const object = objectOf(vma);
  const slot = ensureHugeSlot(mm, vma, page);
  if (slot === -1) return -ENOMEM;
  const entry = pageTables.read(slot);
  const index = hugeIndexOf(vma, page);
  if (fill.kind !== 'continue' && pageTables.isMapped(entry)) return -EEXIST;
  if (fill.kind === 'poison') {
    if (entry !== 0) return -EEXIST;
    pageTables.set(slot, pageTables.makeMarker(MARKER_POISONED));
    return 0;
  }
  const cached = object.folios.get(index);
  if (fill.kind === 'continue') {
    if (cached === undefined) return -EFAULT;
    if (pageTables.isMapped(entry)) return -EEXIST;
    const isShared = (vma.flags & VM_SHARED) !== 0;
    mapFilled(mm, vma, page, slot, cached, 'file', isShared ? request.write : 'protected', request.write);
    return 0;
  }
  if (fill.kind !== 'copy') return -EINVAL;
  if ((vma.flags & VM_SHARED) === 0) {
    const frame = allocatePrivate(vma, index, 'by the map');
    if (frame < 0) return -ENOMEM;
    const copied = copyIn(mm, vma, frame as Pfn, fill.from, fill.source + doneBytes);
    if (copied < 0) {
      giveBackPrivate(mm, vma, index, frame as Pfn);
      return copied;
    }
    mapFilled(mm, vma, page, slot, frame as Pfn, 'own', request.write, request.write);
    return 0;
  }
  if (cached !== undefined) return -EEXIST;
  if (index >= Math.floor(object.sizeBytes / object.pool.sizeBytes)) return -EFAULT;
  const promise = object.reservations.has(index) ? 'reserved' : 'unreserved';
  const frame = object.ensureFolio(index);
  if (frame < 0) return -ENOMEM;
  const copied = copyIn(mm, vma, frame as Pfn, fill.from, fill.source + doneBytes);
  if (copied < 0) {
    object.forgetFolio(index, promise);
    return copied;
  }
  mapFilled(mm, vma, page, slot, frame as Pfn, 'file', request.write, request.write);
  return 0;
}

/** copy_folio_from_user: 0 or -EFAULT. */
function copyIn(mm: MemoryManager, vma: Vma, frame: Pfn, from: AddressSpace, source: number): number {
  const { pool } = objectOf(vma);
  objectOf(vma).zero(frame);
  const bytes = new Uint8Array(PAGE_SIZE);
  for (let each = 0; each < pool.pages; each++) {
    if (copyFromUser(mm, from, source + each * PAGE_SIZE, bytes) < PAGE_SIZE) return -EFAULT;
    mm.ram.writeFrame((frame + each) as Pfn, 0, bytes);
  }
  return 0;
}

/** restore_reserve_on_error: the VMA may take it again. */
function giveBackPrivate(mm: MemoryManager, vma: Vma, index: number, frame: Pfn): void {
  if (vma.reservations?.has(index) === true && objectOf(vma).pool.surplusPages === 0) {
    mm.hugetlb.putRestoring(frame);
    vma.reservations.delete(index);
  } else mm.alloc.putFrame(frame);
}

/** Maps the page of the file, or the VMA's own, new one; `access` 'protected' without the right to write. */
function mapFilled(
  mm: MemoryManager,
  vma: Vma,
  page: Vpn,
  slot: number,
  frame: Pfn,
  whose: 'file' | 'own',
  access: 'plain' | 'protected',
  userfault: 'plain' | 'protected',
): void {
  const { pageTables, format } = mm;
  const { pool } = objectOf(vma);
  if (whose === 'own') mm.rmap.addNewAnonRmap(frame, vma, page);
  else {
    mm.alloc.getFrame(frame);
    mm.rmap.addFileRmap(frame);
  }
  const write = access === 'plain' && (vma.flags & VM_WRITE) !== 0 ? 'writable' : 'readonly';
  const made = pageTables.makeEntry(frame, vma.flags, write, format.ACCESSED | format.DIRTY, pool.level);
  pageTables.set(slot, userfault === 'protected' ? pageTables.withUffdWp(made) : made);
  vma.space.hugetlbPages += pool.pages;
}
