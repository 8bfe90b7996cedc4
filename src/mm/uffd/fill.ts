import { EAGAIN, EEXIST, EFAULT, EINVAL, ENOENT, ENOMEM } from '../../abi/errno.ts';
import { EV_UFFD_FILL } from '../../base/event-kinds.ts';
import { PAGE_SIZE, type Pfn, pagesOf, type Vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import { allocZeroed, installAnon, installFile } from '../fault/install.ts';
import type { MemoryManager } from '../memory-manager.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import { MARKER_POISONED } from '../page-table-entry.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { copyFromUser } from '../user-access.ts';
import { VM_SHARED, VM_UFFD_WP, VM_WRITE } from '../vm-flags.ts';
import { VMA_ANON, VMA_HUGETLB, VMA_SHMEM, type Vma } from '../vma.ts';
import type { UffdContext } from './context.ts';
import { fillHugeRange } from './fill-huge.ts';

/** What the pages become: a copy of the caller's memory, zeroes, what the page cache has, or SIGBUS for who touches them. */
export type UffdFill =
  | { readonly kind: 'copy'; readonly from: AddressSpace; readonly source: number }
  | { readonly kind: 'zero' | 'continue' | 'poison' };

/** By the values of uffd_fill events. */
const UFFD_FILL_KINDS: readonly UffdFill['kind'][] = ['copy', 'zero', 'continue', 'poison'];

export interface UffdFillRequest {
  readonly start: Vpn;
  readonly end: Vpn;
  readonly fill: UffdFill;
  /** 'protected': the pages are write-protected for the context at once (MODE_WP). */
  readonly write: 'plain' | 'protected';
}

/**
 * UFFDIO_COPY, ZEROPAGE, CONTINUE, POISON (Linux 6.18: mfill_atomic): pages put where none are. Bytes done, from the front; with
 * none done -EAGAIN (an event is unread), -ENOENT (not in one registered VMA), -EINVAL (memory that cannot, or not registered
 * for WP), -EEXIST (a page is there), -EFAULT, -ENOMEM.
 */
export function fillRange(mm: MemoryManager, context: UffdContext, request: UffdFillRequest): number {
  const { start, end, fill, write } = request;
  if (context.isMappingChanging) return -EAGAIN;
  const vma = context.space.vmas.find(start);
  if (vma === null || vma.startVpn > start) return -ENOENT;
  // uffd_mfill_lock, before it looks at anything else: so even a call that fails decides what may be merged later.
  if ((vma.flags & VM_SHARED) === 0 && mm.rmap.anonVmas.prepare(vma) !== 0) return -ENOMEM;
  if (end > vma.endVpn || vma.uffd === null) return -ENOENT;
  if (write === 'protected' && (vma.flags & VM_UFFD_WP) === 0) return -EINVAL;
  if (vma.kind === VMA_HUGETLB) return fillHugeRange(mm, vma, request);
  if (vma.kind !== VMA_ANON && vma.kind !== VMA_SHMEM) return -EINVAL;
  if (fill.kind === 'continue' && vma.kind !== VMA_SHMEM) return -EINVAL;
  let done = 0;
  for (let page = start; page < end; page = (page + 1) as Vpn) {
    const result = fillPage(mm, vma, page, fill, done);
    if (result < 0) return done > 0 ? done : result;
    if (mm.events.enabled[EV_UFFD_FILL] !== 0)
      mm.events.emit(EV_UFFD_FILL, vma.space.id, page * PAGE_SIZE, UFFD_FILL_KINDS.indexOf(fill.kind));
    if (write === 'protected') {
      const slot = mm.pageTables.findLeaf(vma.space, page);
      mm.pageTables.set(slot, mm.pageTables.withUffdWp(mm.pageTables.read(slot)));
    }
    done += PAGE_SIZE;
  }
  return done;
}

function fillPage(mm: MemoryManager, vma: Vma, page: Vpn, fill: UffdFill, doneBytes: number): number {
  const slot = mm.pageTables.ensureLeaf(vma.space, page);
  if (slot === -1) return -ENOMEM;
  switch (fill.kind) {
    case 'continue':
      return mapCached(mm, vma, page, slot);
    case 'poison':
      return poison(mm, vma, page, slot);
    case 'zero':
      if ((vma.flags & VM_SHARED) !== 0) return addShared(mm, vma, page, slot, allocZeroed(mm, vma.space));
      return mapZeroPage(mm, vma, page, slot);
    default: {
      const frame = copiedFrame(mm, vma.space, fill.from, fill.source + doneBytes);
      if (frame < 0) return frame;
      if ((vma.flags & VM_SHARED) !== 0) return addShared(mm, vma, page, slot, frame as Pfn);
      return mapPrivate(mm, vma, page, slot, frame as Pfn);
    }
  }
}

/** A frame with a page of the caller's memory: -ENOMEM, -EFAULT. */
function copiedFrame(mm: MemoryManager, to: AddressSpace, from: AddressSpace, source: number): number {
  const frame = allocZeroed(mm, to);
  if (frame === NO_FRAME) return -ENOMEM;
  const bytes = new Uint8Array(PAGE_SIZE);
  if (copyFromUser(mm, from, source, bytes) < PAGE_SIZE) {
    mm.alloc.putFrame(frame);
    return -EFAULT;
  }
  mm.ram.writeFrame(frame, 0, bytes);
  return frame;
}

function indexOf(vma: Vma, page: Vpn): number {
  return vma.pgoff + (page - vma.startVpn);
}

/** mfill_file_over_size. The file of a private mapping of /dev/zero has no bytes. */
function isBeyondEnd(vma: Vma, page: Vpn): boolean {
  if (vma.pages === null) return vma.file !== null;
  return indexOf(vma, page) >= pagesOf(vma.pages.sizeBytes);
}

/** pte_none_mostly (6.18): a page may replace any marker, be it poison or a guard. */
function isTaken(mm: MemoryManager, slot: number): boolean {
  const entry = mm.pageTables.read(slot);
  return entry !== 0 && !mm.pageTables.isMarker(entry);
}

/** mfill_atomic_pte_copy: the frame becomes anonymous memory of the VMA. */
function mapPrivate(mm: MemoryManager, vma: Vma, page: Vpn, slot: number, frame: Pfn): number {
  const refused = isBeyondEnd(vma, page) ? -EFAULT : isTaken(mm, slot) ? -EEXIST : 0;
  if (refused < 0) {
    mm.alloc.putFrame(frame);
    return refused;
  }
  mm.pageTables.set(slot, 0);
  installAnon(mm, vma, page, slot, frame);
  const { pageTables, format } = mm;
  pageTables.set(slot, (pageTables.read(slot) | format.DIRTY) >>> 0);
  return 0;
}

/** shmem_mfill_atomic_pte: the frame becomes a page of the file, and is mapped. */
function addShared(mm: MemoryManager, vma: Vma, page: Vpn, slot: number, frame: Pfn | -1): number {
  if (frame === NO_FRAME) return -ENOMEM;
  const pages = vma.pages as FilePages;
  let refused = 0;
  if (isBeyondEnd(vma, page)) refused = -EFAULT;
  else if (pages.has(indexOf(vma, page)) || isTaken(mm, slot)) refused = -EEXIST;
  else if (!mm.pageCache.addPage(pages, indexOf(vma, page), frame)) refused = -ENOMEM;
  if (refused < 0) {
    mm.alloc.putFrame(frame);
    return refused;
  }
  mapFile(mm, vma, page, slot, frame, (vma.flags & VM_WRITE) !== 0 ? 'writable' : 'readonly');
  return 0;
}

/** mfill_atomic_install_pte: the entry is dirty, and the page once the entry goes. */
function mapFile(
  mm: MemoryManager,
  vma: Vma,
  page: Vpn,
  slot: number,
  frame: Pfn,
  write: 'writable' | 'readonly',
): void {
  mm.pageTables.set(slot, 0);
  installFile(mm, vma, page, slot, frame, write, mm.format.ACCESSED | mm.format.DIRTY);
}

/** mfill_atomic_pte_zeropage. */
function mapZeroPage(mm: MemoryManager, vma: Vma, page: Vpn, slot: number): number {
  if (isBeyondEnd(vma, page)) return -EFAULT;
  const { pageTables, format, zeroPage } = mm;
  if (pageTables.read(slot) !== 0) return -EEXIST;
  pageTables.set(slot, pageTables.makeEntry(zeroPage, vma.flags, 'readonly', format.ACCESSED));
  return 0;
}

/** mfill_atomic_pte_continue: maps what the page cache has, which -EFAULT says is nothing; -EINVAL beyond the end (SGP_NOALLOC). */
function mapCached(mm: MemoryManager, vma: Vma, page: Vpn, slot: number): number {
  const pages = vma.pages as FilePages;
  const index = indexOf(vma, page);
  if (isBeyondEnd(vma, page)) return -EINVAL;
  if (!pages.has(index)) return -EFAULT;
  if (isTaken(mm, slot)) return -EEXIST;
  const frame = mm.pageCache.ensurePage(pages, index);
  if (frame < 0) return -EFAULT;
  const isShared = (vma.flags & VM_SHARED) !== 0;
  mapFile(mm, vma, page, slot, frame as Pfn, isShared && (vma.flags & VM_WRITE) !== 0 ? 'writable' : 'readonly');
  return 0;
}

/** mfill_atomic_pte_poison. */
function poison(mm: MemoryManager, vma: Vma, page: Vpn, slot: number): number {
  if (isBeyondEnd(vma, page)) return -EFAULT;
  if (mm.pageTables.read(slot) !== 0) return -EEXIST;
  mm.pageTables.set(slot, mm.pageTables.makeMarker(MARKER_POISONED));
  return 0;
}
